"""Where records wait until an ack names them: SQLite on disk, memory while the disk refuses."""

import logging
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from agents.pacing import Key, Row
from agents.salvage import Salvage, rows_of_damaged, rows_of_open
from agents.saved import Saved
from agents.table import Table, primary_code

_log = logging.getLogger(__name__)
_T = TypeVar("_T")

SPARE_ROWS: Final = 300
"""Records kept in memory while the disk refuses."""
SPARE_BYTES: Final = 512 * 1024
MOST_FINDINGS: Final = 20
"""What happened to the files and was not asked for yet; the newest."""
SLICE: Final = 200
"""Rows of a damaged file that are taken in at a time: heartbeats wait no longer."""
LEAST_BYTES: Final = 100
"""Of a database; a shorter file passes for a new one."""
_CORRUPT: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR})
"""SQLITE_ERROR too: to statements that never change it says that the file's schema did."""
_BESIDE: Final = ("-journal", "-wal", "-shm")


class Finding(NamedTuple):
    """What happened to the outbox's file: the name of an event, and its detail."""

    name: str
    detail: dict[str, Any]


class Outbox:
    """The agent's outbox. Writing never fails: what the disk refuses waits, bounded, in memory.

    `expected`: whether an earlier start had a file here, so that a missing one is a loss.
    `trouble` is why the disk refuses at present, in words, or None. For one thread.
    """

    def __init__(self, path: Path, *, rows: int, size: int, expected: bool = False) -> None:
        self._path, self._rows, self._size = path, rows, size
        self._damaged, self._kept = path.with_suffix(".damaged"), path.with_suffix(".corrupt")
        self.trouble: str | None = None
        self.findings: deque[Finding] = deque(maxlen=MOST_FINDINGS)
        """What happened to the file since this was last emptied."""
        self.spoilt: list[Key] = []
        """The records that turned out to be damaged since this was last emptied."""
        self._spare = Table(None, rows=SPARE_ROWS, size=SPARE_BYTES)
        self._disk: Table | None = None
        self._file: tuple[int, int] | None = None
        self._salvage: Salvage | None = None
        # What is acknowledged or damaged, and lies on a disk that cannot be written.
        self._hidden: set[int] = set()
        self._not_kept = 0
        self._seq = 0
        if expected and _size(path) < LEAST_BYTES:
            self._find_lost("cut to nothing" if path.exists() else "gone")
        self._on_disk(lambda _: None)

    def __len__(self) -> int:
        return self._spare.rows + (self._disk.rows - len(self._hidden) if self._disk else 0)

    @property
    def is_on_disk(self) -> bool:
        """Whether its file is open."""
        return self._disk is not None

    @property
    def dropped(self) -> int:
        """Records dropped for want of room and not yet reported."""
        return self._spare.dropped + (self._disk.dropped if self._disk else 0)

    @property
    def damaged(self) -> int:
        """Records set aside because they are not what was written, and not yet reported."""
        return self._not_kept + (self._disk.damaged if self._disk else 0)

    def append(self, box: str, number: int, body: bytes, *, held: bool = False) -> list[Key]:
        """Write a record, or write it again in its place; return the keys dropped to make room.

        A `held` record is not among `newest`: it may still be written again.
        """
        victims = self._on_disk(lambda disk: disk.put(self._row(box, number, body), body, held=held), proves=True)
        if victims is None:
            return self._spare.put(self._row(box, number, body), body, held=held)
        if self._spare.rows:
            self._spare.delete([(box, number)])
            victims += self._move_back()
        self._discard_hidden()
        return victims

    def _row(self, box: str, number: int, body: bytes) -> Row:
        self._seq += 1
        return Row(self._seq, box, number, len(body))

    def _move_back(self) -> list[Key]:
        """What waited in memory goes to the disk that works again."""
        victims: list[Key] = []
        for row in reversed(self._spare.newest(SPARE_ROWS)):
            saved = self._spare.read(row.seq)
            body = saved.body if saved else b""
            # Numbered anew: the disk's own may have come to light only now.
            dropped = self._on_disk(partial(Table.put, row=self._row(row.box, row.id, body), body=body))
            if dropped is None:
                break
            victims += dropped
            self._spare.delete([row.key])
        return victims

    def _discard_hidden(self) -> None:
        if not self._hidden:
            return
        if self._on_disk(lambda disk: disk.discard(sorted(self._hidden))):
            self._hidden.clear()

    def newest(self, limit: int) -> list[Row]:
        """The records that may be sent, the last written first."""
        on_disk = self._on_disk(partial(Table.newest, limit=limit + len(self._hidden))) or []
        on_disk = [row for row in on_disk if row.seq not in self._hidden]
        return sorted(self._spare.newest(limit) + on_disk, reverse=True)[:limit]

    def read(self, rows: Sequence[Row]) -> dict[Row, bytes]:
        """The bodies of those records that are as they were written.

        A damaged one is set aside, and its key is in `spoilt`; one that the disk does not give out is left out.
        """
        found = {}
        for row in rows:
            saved = self._in_memory(row) or self._on_disk(partial(Table.read, seq=row.seq))
            if saved is None:
                continue
            if saved.is_whole and (saved.box, saved.id) == row.key:
                found[row] = saved.body
            else:
                self._set_record_aside(row, saved)
        return found

    def _in_memory(self, row: Row) -> Saved | None:
        saved = self._spare.read(row.seq) if self._spare.rows else None
        return saved if saved and (saved.box, saved.id) == row.key else None

    def _set_record_aside(self, row: Row, saved: Saved) -> None:
        _log.error("record %r of the outbox %s is damaged: it is set aside and never sent", row.key, self._path)
        self.spoilt.append(row.key)
        if not self._on_disk(partial(Table.set_aside, row=saved)):
            self._hidden.add(row.seq)
            self._not_kept += 1

    def delete(self, keys: Sequence[Key]) -> None:
        """Delete what is safe elsewhere. What a disk refuses to delete is not sent again before the next start."""
        self._spare.delete(keys)
        if not self._on_disk(partial(Table.delete, keys=keys)):
            self._hidden.update(self._on_disk(partial(Table.numbers, keys=keys)) or ())

    def reported(self) -> None:
        """Count dropped records from zero: an event record reports those so far."""
        self._spare.reported()
        self._on_disk(Table.reported)

    def damage_reported(self) -> None:
        """Count damaged records from zero: an event record reports those so far."""
        self._not_kept = 0
        self._on_disk(Table.damage_reported)

    def mend(self) -> None:
        """See to the file; called often, and short: a damaged one is read a slice at a time."""
        self._follow_file()
        if self._salvage:
            self._on_disk(partial(self._take_in, salvage=self._salvage))

    def close(self) -> None:
        self._spare.close()
        if self._salvage:
            self._salvage.close()
        self._give_up_disk()

    def _on_disk(self, work: Callable[[Table], _T], *, proves: bool = False) -> _T | None:
        """Do something with the disk's table; None when that fails, and `trouble` says why.

        Only work that writes a record proves that the trouble is over.
        """
        try:
            result = self._attempt(work)
        except (sqlite3.Error, OSError) as exc:
            self._say_trouble(exc)
            return None
        if self.trouble and proves:
            _log.info("the outbox %s can be written again", self._path)
            self.trouble = None
        return result

    def _attempt(self, work: Callable[[Table], _T]) -> _T:
        try:
            return work(self._table())
        except sqlite3.DatabaseError as exc:
            if not _is_corrupt(exc):
                raise
            self._set_aside(exc)
            return work(self._table())

    def _table(self) -> Table:
        if self._disk is None:
            self._disk = Table(self._path, rows=self._rows, size=self._size)
            self._file = _identity(self._path)
            self._seq = max(self._seq, self._disk.last_seq)
            if self._salvage is None and self._damaged.exists():
                self._salvage = Salvage(rows_of_damaged(self._damaged))
        return self._disk

    # A file that is damaged, or gone

    def _set_aside(self, exc: Exception) -> None:
        """A damaged file gets another name; what can be read of it goes into a new one, which `mend` does."""
        self._give_up_disk()
        if _size(self._path) < LEAST_BYTES:
            self._find_lost("cut to nothing")
            self._path.unlink()
            return
        # The rows of an older damaged file are not all in this one yet: then this one is only kept.
        aside = self._kept if self._salvage else self._damaged
        _log.error("the outbox %s is damaged (%s): it is now %s, and a new one begins", self._path, exc, aside)
        for suffix in ("", *_BESIDE):
            beside = self._path.with_name(self._path.name + suffix)
            if beside.exists():
                beside.replace(aside.with_name(aside.name + suffix))
        if self._salvage:
            self._salvage.close()
            self._salvage = None

    def _take_in(self, disk: Table, salvage: Salvage) -> None:
        rows = salvage.slice(SLICE)
        if rows:
            disk.adopt(rows)
            salvage.done()
            self._seq = max(self._seq, disk.last_seq)
            return
        self._salvage = None
        salvage.close()
        lost = salvage.found - salvage.whole
        detail = {"recovered": salvage.whole, "damaged": lost, "remedy": f"check the disk; see {self._kept.name}"}
        self.findings.append(Finding("outbox_corrupt", detail))
        _log.warning("%d records of a damaged outbox were recovered, %d were not", salvage.whole, lost)
        if self._damaged.exists():
            self._damaged.replace(self._kept)

    def _follow_file(self) -> None:
        """Notice that the outbox file was removed or replaced: records written since then are in the removed file."""
        if self._disk is None or self._salvage is not None or _identity(self._path) == self._file:
            return
        old, file = self._disk, self._file
        self._disk = None
        self._on_disk(lambda _: None)
        if self._disk is None:
            self._disk, self._file = old, file
            return
        self._find_lost("removed while in use")
        self._salvage = Salvage(rows_of_open(old))

    def _find_lost(self, how: str) -> None:
        _log.error("the outbox %s was %s", self._path, how)
        self.findings.append(Finding("outbox_lost", {"file": self._path.name, "how": how, "remedy": "check the disk"}))

    def _give_up_disk(self) -> None:
        self._hidden.clear()
        if self._disk:
            self._disk.close()
            self._disk = None

    def _say_trouble(self, exc: Exception) -> None:
        if self.trouble is None:
            _log.error(
                "the outbox %s cannot be used (%s): records wait in memory; free or mend the disk", self._path, exc
            )
        self.trouble = str(exc)


def _is_corrupt(exc: sqlite3.Error) -> bool:
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
