"""Runs work on received files in a separate process, so that a malicious or damaged file cannot harm this process.

The readers of workbooks and pictures are native code. The process has limits of memory, processor time and output, and
no secrets. A module that does such work calls `answer_parent` when it is run, and `run_apart` where it is imported.
"""

import subprocess
import sys
import tempfile
from collections.abc import Callable
from typing import Final, TypeVar

import msgspec

from contract.environ import bare_environ

_T = TypeVar("_T")
_FAILED: Final = 1


class ChildBounds(msgspec.Struct, frozen=True):
    """The limits of a process. `memory` and `output` in bytes, `seconds` of processor time, `elapsed` seconds."""

    memory: int
    seconds: int
    elapsed: float
    output: int


class ChildFailedError(Exception):
    """The process exceeded its limits, or ended without an answer."""


def run_apart(module: str, content: bytes, bounds: ChildBounds, answer: type[_T]) -> _T:
    """Run a module as a program with the content as its input, and return its answer. Blocks; when the wait is
    interrupted, the process is killed.

    Raises ChildFailedError.
    """
    command = [sys.executable, "-P", "-m", module, *map(str, (bounds.memory, bounds.seconds, bounds.output))]
    with tempfile.TemporaryFile() as written:  # the limit of output applies to files, not to pipes
        try:
            done = subprocess.run(
                command,
                input=content,
                env=bare_environ(),
                stdout=written,
                stderr=subprocess.DEVNULL,
                timeout=bounds.elapsed,
                check=False,
            )
        except subprocess.TimeoutExpired as exc:
            raise ChildFailedError from exc
        written.seek(0)
        return _decoded(done.returncode, written.read(bounds.output + 1), bounds, answer)


def _decoded(status: int, written: bytes, bounds: ChildBounds, answer: type[_T]) -> _T:
    if status != 0 or len(written) > bounds.output:
        raise ChildFailedError
    try:
        return msgspec.msgpack.decode(written, type=answer)
    except msgspec.DecodeError as exc:
        raise ChildFailedError from exc


def answer_parent(work: Callable[[bytes], msgspec.Struct]) -> None:
    """Called in the separate process: set the limits, and write the result of `work` on the input as the answer."""
    memory, seconds, output = map(int, sys.argv[1:])
    _limit(memory, seconds, output)
    try:
        answer = work(sys.stdin.buffer.read())
    except MemoryError:
        sys.exit(_FAILED)
    sys.stdout.buffer.write(msgspec.msgpack.encode(answer))


def _limit(memory: int, seconds: int, output: int) -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limits
        return
    for kind, wanted in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, output),
        (resource.RLIMIT_CORE, 0),
    ):
        _, most = resource.getrlimit(kind)
        value = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
        resource.setrlimit(kind, (value, value))  # the process cannot raise them again
