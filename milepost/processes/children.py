"""Child processes that end with this process, and the log files with their output."""

import asyncio
import ctypes
import os
import pwd
import shutil
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

_PR_SET_PDEATHSIG = 1
LOG_BYTES = 10_000_000


async def spawn(
    command: list[str],
    *,
    log: Path,
    environ: Mapping[str, str] | None = None,
    run_as: str | None = None,
    orphan_signal: signal.Signals = signal.SIGKILL,
) -> asyncio.subprocess.Process:
    """Start `command`, its output appended to `log`.

    The child has a session of its own, so that Ctrl-C of the terminal reaches only this process, which ends its
    children in order. When this process is killed, the kernel sends the child `orphan_signal`.
    """
    entry = None if run_as is None else pwd.getpwnam(run_as)
    with log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environ,
            cwd=None if entry is None else "/",
            user=None if entry is None else entry.pw_uid,
            group=None if entry is None else entry.pw_gid,
            extra_groups=None if entry is None else [],
            start_new_session=True,
            preexec_fn=_die_with(os.getpid(), orphan_signal),
        )


def _die_with(parent: int, number: signal.Signals) -> Callable[[], None]:
    """A function for the child to call before it becomes the command. Only on Linux it ends with a killed parent."""
    if not sys.platform.startswith("linux"):
        return lambda: None
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def request() -> None:
        prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return request


def send(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    """Signal a child that may already be gone."""
    with suppress(ProcessLookupError):
        process.send_signal(number)


def rotate(log: Path, *, limit: int = LOG_BYTES, keep: int = 3) -> bool:
    """Move the content of `log` to NAME.1 when it is larger than `limit` bytes, and keep `keep` old files.

    The writer keeps its file open (it appends), so the file is emptied, not replaced. Lines that are written between
    copy and emptying are lost, which is acceptable for a log.
    """
    if not log.exists() or log.stat().st_size <= limit:
        return False
    for number in range(keep - 1, 0, -1):
        older = log.with_name(f"{log.name}.{number}")
        if older.exists():
            older.replace(log.with_name(f"{log.name}.{number + 1}"))
    shutil.copyfile(log, log.with_name(f"{log.name}.1"))
    os.truncate(log, 0)
    return True


def last_lines(log: Path, *, offset: int = 0, count: int = 5) -> list[str]:
    """The last non-empty lines that were written after `offset` bytes, of the last 64 KiB."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            start = offset if offset <= size else 0
            file.seek(max(start, size - 65_536))
            text = file.read().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return []
    return [line for line in text.splitlines() if line.strip()][-count:]


def complaint(log: Path, *, offset: int = 0) -> str:
    """The error message of one of our own commands in its log, else the last line, else an empty text."""
    lines = last_lines(log, offset=offset, count=50)
    ours = [line.removeprefix("milepost: ") for line in lines if line.startswith("milepost: ")]
    return (ours or lines or [""])[-1]
