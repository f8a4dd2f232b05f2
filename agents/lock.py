"""The lock that keeps two agents of a terminal from one data directory."""

import logging
from pathlib import Path
from typing import IO

from contract.errors import RemedyError

_log = logging.getLogger(__name__)


class Lock:
    """The terminal's lock file, held until `release`: the server would take two agents for a copied machine.

    `trouble` is why the lock cannot be held, or None: heartbeats go on when the disk refuses it. Raises `RemedyError`
    when another agent holds it.
    """

    def __init__(self, path: Path) -> None:
        self.trouble: str | None = None
        self._file: IO[str] | None = None
        try:
            self._file = _open(path)
            _hold(self._file, path)
        except OSError as exc:
            _log.error("the lock %s cannot be held (%s): free or mend the disk, or correct --data", path, exc.strerror)
            self.trouble = f"it cannot be held: {exc.strerror}"

    def release(self) -> None:
        """Close the file, which frees the lock."""
        if self._file is not None:
            self._file.close()


def _open(path: Path) -> IO[str]:
    try:
        return path.open("a", encoding="ascii")
    except OSError:
        return path.open(encoding="ascii")  # on a read-only disk an existing file can be locked


def _hold(file: IO[str], path: Path) -> None:
    try:
        import fcntl
    except ImportError:
        return  # Windows: the service manager starts one only
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as exc:
        file.close()
        raise RemedyError(
            f"another agent of this terminal runs on {path.parent}: stop it first",
            f"此终端的另一个终端程序正在 {path.parent} 中运行：请先停止它",
        ) from exc
