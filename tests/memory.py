"""Temporary files of the tests in memory, where the machine has enough: a database is cloned there much faster."""

import os
import shutil
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")  # noqa: S108 -- only for directories with random names
ENOUGH = 4 * 1024**3
"""Bytes that must be free: the servers of three workers use less than one half of this."""


def use_memory() -> None:
    """Let `tempfile`, pytest and child processes put their files into memory, unless TMPDIR names another place."""
    if "TMPDIR" not in os.environ and _is_fit():
        os.environ["TMPDIR"] = str(MEMORY)
        tempfile.tempdir = None


def _is_fit() -> bool:
    """Whether the place exists, runs programs, and has room; in containers it is often small."""
    try:
        executable = not os.statvfs(MEMORY).f_flag & os.ST_NOEXEC
        return executable and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ENOUGH
    except OSError:
        return False
