"""The outbox's file behind a worker: what the disk refuses or does not do in time never stops the caller."""

import logging
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from agents.outbox.file import OutboxFile, is_corrupt
from agents.outbox.saved import Saved
from agents.outbox.table import Table
from agents.worker import HangsError, Worker

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


class Disk:
    """Does work with a file, in the worker's thread if there is a worker.

    `trouble` is why the disk refuses at present, in words, or None.
    """

    def __init__(self, path: Path, file: OutboxFile, worker: Worker | None) -> None:
        self._path, self._file, self._worker = path, file, worker
        self.trouble: str | None = None

    @property
    def hangs(self) -> bool:
        """Whether the disk has not answered yet."""
        return self._worker is not None and self._worker.busy_for > 0

    def write(self, work: Callable[[Table], _T]) -> _T | None:
        """Like `do`, for work that writes a record: when it succeeds, the trouble is over."""
        result = self.do(work)
        if self.trouble and result is not None:
            _log.info("the outbox %s can be written again", self._path)
            self.trouble = None
        return result

    def do(self, work: Callable[[Table], _T]) -> _T | None:
        """Do something with the file's table; None when that fails or is not done yet."""
        return self.attempt(lambda: self._file.attempt(work))

    def attempt(self, work: Callable[[], _T]) -> _T | None:
        """What `work` returns; None when it fails, and `trouble` says why, or when it is not done yet."""
        try:
            return self._worker.do(work) if self._worker else work()
        except HangsError:
            return None
        except (sqlite3.Error, OSError) as exc:
            self._note_trouble(exc)
            return None

    def read_each(self, table: Table, seqs: Sequence[int]) -> dict[int, Saved]:
        """The records that can be read: a place of the disk that cannot be read costs its own records only."""
        found = {}
        for seq in seqs:
            try:
                saved = table.read(seq)
            except sqlite3.OperationalError as exc:
                if is_corrupt(exc):
                    raise
                self._note_trouble(exc)
                continue
            if saved is not None:
                found[seq] = saved
        return found

    def _note_trouble(self, exc: Exception) -> None:
        if self.trouble is None:
            _log.error(
                "the outbox %s cannot be used (%s): records wait in memory; free or mend the disk", self._path, exc
            )
        self.trouble = str(exc)
