"""A process for files of others: what it may take, and what is left of it."""

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest

from registry.child_process import ChildBounds, ChildFailedError, answer_parent, run_apart

BOUNDS = ChildBounds(memory=1024 * 1024 * 1024, seconds=2, elapsed=60, output=10_000)


class ChildAnswer(msgspec.Struct, frozen=True):
    """What this module answers as a process."""

    said: str = ""
    limits: dict[str, tuple[int, int]] = {}


class InterruptedWaitError(Exception):
    """Raised by a signal."""


def as_it_is(content: bytes) -> ChildAnswer:
    import resource

    names = ("RLIMIT_AS", "RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_CORE")
    return ChildAnswer(content.decode(), {name: resource.getrlimit(getattr(resource, name)) for name in names})


def too_long(_: bytes) -> ChildAnswer:
    return ChildAnswer("x" * 20_000)


def too_much(_: bytes) -> ChildAnswer:
    # Zeros that nobody reads cost address space and no processor time.
    return ChildAnswer(str(len(bytes(2 * BOUNDS.memory))))


def no_end(_: bytes) -> ChildAnswer:
    while True:
        pass


def waits(_: bytes) -> ChildAnswer:
    time.sleep(600)
    return ChildAnswer()


def interrupts(_: bytes) -> ChildAnswer:
    os.kill(os.getppid(), signal.SIGUSR1)
    return waits(_)


def another_answer(_: bytes) -> ChildAnswer:
    sys.stdout.buffer.write(b"\x93no answer")
    sys.stdout.flush()
    os._exit(0)


WORK = {work.__name__: work for work in (as_it_is, too_long, too_much, no_end, waits, interrupts, another_answer)}


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process finds this module."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))


def asked(what: str, **bounds: Any) -> ChildAnswer:
    return run_apart(__name__, what.encode(), msgspec.structs.replace(BOUNDS, **bounds), ChildAnswer)


def test_it_answers_within_its_limits() -> None:
    answer = asked("as_it_is")
    assert answer.said == "as_it_is"
    limits = {"RLIMIT_AS": BOUNDS.memory, "RLIMIT_CPU": 2, "RLIMIT_FSIZE": 10_000, "RLIMIT_CORE": 0}
    assert answer.limits == {name: (value, value) for name, value in limits.items()}


@pytest.mark.parametrize(
    ("what", "more"),
    [
        ("too_long", {"output": 30_000}),
        ("too_much", {"memory": 4 * BOUNDS.memory}),
        ("no_end", {}),
        ("another_answer", {}),
    ],
)
def test_one_that_takes_too_much_fails_alone(what: str, more: dict[str, int]) -> None:
    with pytest.raises(ChildFailedError):
        asked(what)
    if more:
        assert asked(what, **more).said


def test_one_that_waits_is_ended() -> None:
    with pytest.raises(ChildFailedError):
        asked("waits", elapsed=1.0)


def is_own_child(process: psutil.Process) -> bool:
    return process.info["ppid"] == os.getpid() and __name__ in (process.info["cmdline"] or ())


def test_it_is_killed_when_the_wait_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise InterruptedWaitError

    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        with pytest.raises(InterruptedWaitError):
            asked("interrupts")
    finally:
        signal.signal(signal.SIGUSR1, before)
    # The process of the tests may have other children: servers that several tests share.
    assert not [child for child in psutil.process_iter(["cmdline", "ppid"]) if is_own_child(child)]


if __name__ == "__main__":
    answer_parent(lambda content: WORK[content.decode()](content))
