"""The file of the outbox: opened again when it was replaced, renamed and salvaged when it is damaged."""

import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from agents.outbox.salvage import Salvage, rows_of_damaged, rows_of_open
from agents.outbox.table import Table, primary_code

_log = logging.getLogger(__name__)
_T = TypeVar("_T")

MOST_FINDINGS: Final = 20
"""Most findings that are kept; the newest stay."""
SLICE: Final = 200
"""Rows of a damaged file that are salvaged at a time, so that other work does not wait long."""
LEAST_BYTES: Final = 100
"""Bytes of the smallest database; a shorter file counts as a new one."""
_CORRUPT: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR})
"""SQLITE_ERROR too: as the statements never change, it means that the schema of the file did."""
_BESIDE: Final = ("-journal", "-wal", "-shm")


class Finding(NamedTuple):
    """What happened to the outbox's file: the name of an event, and its detail."""

    name: str
    detail: dict[str, Any]


class OutboxFile:
    """The table in the file at `path`. All methods but `next_seq` belong to one thread, in which they may hang.

    What other threads read (`rows`, `dropped`, `damaged`, `is_open`) may be as of any moment of the work.
    `expected` is called when the file is first opened: whether an earlier start had a file, so that a missing one is
    reported as lost.
    """

    def __init__(self, path: Path, *, rows: int, size: int, expected: Callable[[], bool]) -> None:
        self._path, self._rows, self._size = path, rows, size
        self._damaged, self._kept = path.with_suffix(".damaged"), path.with_suffix(".corrupt")
        self._expected: Callable[[], bool] | None = expected
        self.findings: deque[Finding] = deque(maxlen=MOST_FINDINGS)
        """What happened to the file since this was last emptied."""
        self.hidden: set[int] = set()
        """Sequence numbers of records that are acknowledged or damaged, on a disk from which they cannot be deleted."""
        self.salvage: Salvage | None = None
        """The rows of another file that are not in this one yet."""
        self.table: Table | None = None
        self._identity: tuple[int, int] | None = None
        self._seq, self._numbering = 0, threading.Lock()

    @property
    def is_open(self) -> bool:
        """Whether the table is open."""
        return self.table is not None

    @property
    def rows(self) -> int:
        """The records that may be sent."""
        table = self.table
        return max(0, table.rows - len(self.hidden)) if table else 0

    @property
    def dropped(self) -> int:
        """Records dropped to make room and not yet reported."""
        table = self.table
        return table.dropped if table else 0

    @property
    def damaged(self) -> int:
        """Records found damaged and not yet reported."""
        table = self.table
        return table.damaged if table else 0

    def next_seq(self) -> int:
        """The next sequence number, for records in this file and in memory alike. Any thread may call it."""
        with self._numbering:
            self._seq += 1
            return self._seq

    def _raise_seq(self, seq: int) -> None:
        with self._numbering:
            self._seq = max(self._seq, seq)

    def attempt(self, work: Callable[[Table], _T]) -> _T:
        """Do something with the table, with a new one when the file turns out to be damaged.

        Raises `sqlite3.Error` or OSError for what the disk refuses.
        """
        try:
            return work(self._opened())
        except sqlite3.DatabaseError as exc:
            if not is_corrupt(exc):
                raise
            self._set_aside(exc)
            return work(self._opened())

    def _opened(self) -> Table:
        if self._expected is not None:
            expected, self._expected = self._expected(), None
            if expected and _size(self._path) < LEAST_BYTES:
                self._find_lost("cut to nothing" if self._path.exists() else "gone")
        if self.table is None:
            table = Table(self._path, rows=self._rows, size=self._size)
            self._identity = _identity(self._path)
            self._raise_seq(table.last_seq)
            self.table = table
            if self.salvage is None and self._damaged.exists():
                self.salvage = Salvage(rows_of_damaged(self._damaged))
        return self.table

    def mend(self) -> None:
        """Open the file again when it was replaced, and salvage a slice of a damaged one.

        It is to be called often; each call is short. Raises like `attempt`.
        """
        self._reopen_if_replaced()
        salvage = self.salvage
        if salvage:
            self.attempt(lambda table: self._take_in(table, salvage))

    def close(self) -> None:
        """Close the table, and the file that is being salvaged."""
        if self.salvage:
            self.salvage.close()
        self._close_table()

    def _set_aside(self, exc: Exception) -> None:
        """Rename a damaged file; `mend` copies what can be read of it into a new one."""
        self._close_table()
        if _size(self._path) < LEAST_BYTES:
            self._find_lost("cut to nothing")
            self._path.unlink()
            return
        # The rows of an older damaged file are not all in this one yet: then this one is only kept.
        aside = self._kept if self.salvage else self._damaged
        _log.error("the outbox %s is damaged (%s): it is now %s, and a new one begins", self._path, exc, aside)
        for suffix in ("", *_BESIDE):
            beside = self._path.with_name(self._path.name + suffix)
            if beside.exists():
                beside.replace(aside.with_name(aside.name + suffix))
        if self.salvage:
            self.salvage.close()
            self.salvage = None

    def _take_in(self, table: Table, salvage: Salvage) -> None:
        rows = salvage.next_slice(SLICE)
        if rows:
            table.adopt(rows)
            salvage.slice_done()
            self._raise_seq(table.last_seq)
            return
        self.salvage = None
        salvage.close()
        lost = salvage.found - salvage.whole
        detail = {"recovered": salvage.whole, "damaged": lost, "remedy": f"check the disk; see {self._kept.name}"}
        self.findings.append(Finding("outbox_corrupt", detail))
        _log.warning("%d records of a damaged outbox were recovered, %d were not", salvage.whole, lost)
        if self._damaged.exists():
            self._damaged.replace(self._kept)

    def _reopen_if_replaced(self) -> None:
        """Notice that the file was removed or replaced: records written since then are in the removed file."""
        if self.table is None or self.salvage is not None or _identity(self._path) == self._identity:
            return
        old, identity = self.table, self._identity
        self.table = None
        try:
            self.attempt(lambda _: None)
        except (sqlite3.Error, OSError):
            self.table, self._identity = old, identity
            raise
        self._find_lost("removed while in use")
        self.salvage = Salvage(rows_of_open(old))

    def _find_lost(self, how: str) -> None:
        _log.error("the outbox %s was %s", self._path, how)
        self.findings.append(Finding("outbox_lost", {"file": self._path.name, "how": how, "remedy": "check the disk"}))

    def _close_table(self) -> None:
        self.hidden.clear()
        if self.table:
            self.table.close()
            self.table = None


def is_corrupt(exc: sqlite3.Error) -> bool:
    """Whether the file itself is damaged, as opposed to a full or read-only disk."""
    return primary_code(exc) in _CORRUPT or "malformed" in str(exc)


def _size(path: Path) -> int:
    """Bytes of a file; 0 when there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
