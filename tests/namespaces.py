"""Two machines on one: network namespaces with an Ethernet between them, and nothing else to be reached."""

import ctypes
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar
from uuid import uuid4

import msgspec
import pytest

_T = TypeVar("_T")
_CLONE_NEWNET = 0x40000000
HERE, THERE = "192.0.2.10", "192.0.2.20"
"""Their addresses: those of the documents."""
_IP = shutil.which("ip", path=f"{os.environ['PATH']}:/usr/sbin:/sbin") or "ip"


class Machines(msgspec.Struct, frozen=True):
    """The names of the namespaces, as `ip netns exec` takes them."""

    here: str
    there: str


@contextmanager
def two_machines() -> Iterator[Machines]:
    """Two of them, in one /24. Skips the test where this cannot be."""
    if missing := why_not():
        pytest.skip(missing)
    tag = uuid4().hex[:6]
    machines = Machines(f"milepost-{tag}-a", f"milepost-{tag}-b")
    ends = (f"mp{tag}a", f"mp{tag}b")
    try:
        for name in (machines.here, machines.there):
            _ip("netns", "add", name)
        _ip("link", "add", ends[0], "netns", machines.here, "type", "veth", "peer", ends[1], "netns", machines.there)
        for name, end, address in zip((machines.here, machines.there), ends, (HERE, THERE), strict=True):
            _ip("-n", name, "address", "add", f"{address}/24", "dev", end)
            _ip("-n", name, "link", "set", end, "up")
            _ip("-n", name, "link", "set", "lo", "up")
        yield machines
    finally:
        for name in (machines.here, machines.there):
            with suppress(subprocess.CalledProcessError):
                _ip("netns", "delete", name)


def why_not() -> str | None:
    """Why there can be no namespaces here."""
    probe = f"milepost-probe-{os.getpid()}"
    try:
        _ip("netns", "add", probe)
    except OSError:
        return "network namespaces cannot be made: install iproute2"
    except subprocess.CalledProcessError:
        return "network namespaces cannot be made: run the tests as root"
    _ip("netns", "delete", probe)
    return None


def break_cable(machines: Machines) -> None:
    """Drop each packet from `there` to `here` from now on. Neither machine gets an error."""
    _ip("-n", machines.there, "route", "add", "blackhole", f"{HERE}/32")


def on(name: str) -> tuple[str, ...]:
    """What runs a command on the machine `name`."""
    return (_IP, "netns", "exec", name)


def _ip(*words: str) -> None:
    subprocess.run([_IP, *words], check=True, capture_output=True, timeout=30)


def run_on(name: str, function: Callable[[], _T]) -> _T:
    """Call a function in a thread that is on the machine `name`, as are the processes that it starts."""
    result: list[_T] = []
    failure: list[BaseException] = []

    def call() -> None:
        try:
            _enter(name)
            result.append(function())
        except BaseException as exc:
            failure.append(exc)

    thread = threading.Thread(target=call, name=f"on {name}")
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return result[0]


def _enter(name: str) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = os.open(f"/run/netns/{name}", os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.setns(descriptor, _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"cannot enter the network namespace {name}")
    finally:
        os.close(descriptor)
