"""One agent of a terminal on a data directory."""

import logging
from pathlib import Path
from typing import IO

from contract.errors import RemedyError

_log = logging.getLogger(__name__)


class Lock:
    """The terminal's lock file, held until `release`. Two agents of one terminal would seem to be a copied machine.

    `trouble` is why it cannot be held, or None: a disk that refuses it stops no heartbeat. Raises `RemedyError` when
    another agent holds it.
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
        if self._file is not None:
            self._file.close()


def _open(path: Path) -> IO[str]:
    try:
        return path.open("a", encoding="ascii")
    except OSError:
        return path.open(encoding="ascii")  # on a read-only disk an old one can be held all the same


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
