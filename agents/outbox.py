"""Where records wait until an ack names them: SQLite on disk, memory while the disk refuses."""

import logging
import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from agents.pacing import Key, Row
from agents.table import Table

_log = logging.getLogger(__name__)
_T = TypeVar("_T")

SPARE_ROWS: Final = 300
"""Records kept in memory while the disk refuses."""
SPARE_BYTES: Final = 512 * 1024
_CORRUPT: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class Outbox:
    """The agent's outbox. Writing never fails: what the disk refuses waits, bounded, in memory.

    `trouble` is why the disk refuses at present, in words, or None. For one thread.
    """

    def __init__(self, path: Path, *, rows: int, size: int) -> None:
        self._path, self._rows, self._size = path, rows, size
        self.trouble: str | None = None
        self.renewed = False
        """Whether a corrupt file was set aside since the agent last asked and reset this."""
        self._spare = Table(":memory:", rows=SPARE_ROWS, size=SPARE_BYTES)
        self._disk: Table | None = None
        self._seq = 0
        self._on_disk(lambda _: None)

    def __len__(self) -> int:
        return self._spare.rows + (self._disk.rows if self._disk else 0)

    @property
    def dropped(self) -> int:
        """Records dropped for want of room and not yet reported."""
        return self._spare.dropped + (self._disk.dropped if self._disk else 0)

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
        return victims

    def _row(self, box: str, number: int, body: bytes) -> Row:
        self._seq += 1
        return Row(self._seq, box, number, len(body))

    def _move_back(self) -> list[Key]:
        """What waited in memory goes to the disk that works again."""
        victims: list[Key] = []
        for row in reversed(self._spare.newest(SPARE_ROWS)):
            body = self._spare.body(row.key) or b""
            # Numbered anew: the disk's own may have come to light only now.
            dropped = self._on_disk(partial(Table.put, row=self._row(row.box, row.id, body), body=body))
            if dropped is None:
                break
            victims += dropped
            self._spare.delete([row.key])
        return victims

    def newest(self, limit: int) -> list[Row]:
        """The records that may be sent, the last written first."""
        on_disk = self._on_disk(partial(Table.newest, limit=limit)) or []
        return sorted(self._spare.newest(limit) + on_disk, reverse=True)[:limit]

    def bodies(self, rows: Sequence[Row]) -> list[bytes]:
        found = (self._spare.body(row.key) or self._on_disk(partial(Table.body, key=row.key)) for row in rows)
        return [body for body in found if body]

    def delete(self, keys: Sequence[Key]) -> None:
        """Delete what is safe elsewhere. What a disk refuses to delete is sent again, which harms nobody."""
        self._spare.delete(keys)
        self._on_disk(partial(Table.delete, keys=keys))

    def reported(self) -> None:
        """The dropped ones were told of: count anew."""
        self._spare.reported()
        self._on_disk(Table.reported)

    def close(self) -> None:
        self._spare.close()
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
            if getattr(exc, "sqlite_errorcode", None) not in _CORRUPT and "malformed" not in str(exc):
                raise
            self._set_aside(exc)
            return work(self._table())

    def _table(self) -> Table:
        if self._disk is None:
            self._disk = Table(self._path, rows=self._rows, size=self._size)
            self._seq = max(self._seq, self._disk.last_seq)
        return self._disk

    def _set_aside(self, exc: Exception) -> None:
        """A corrupt file is kept, one at a time, for whoever wants to look; its records are lost."""
        self._give_up_disk()
        aside = self._path.with_suffix(".corrupt")
        _log.error("the outbox %s is corrupt (%s): it is now %s, and a new one begins", self._path, exc, aside)
        self._path.replace(aside)
        for suffix in ("-wal", "-shm"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
        self.renewed = True

    def _give_up_disk(self) -> None:
        if self._disk:
            self._disk.close()
            self._disk = None

    def _say_trouble(self, exc: Exception) -> None:
        if self.trouble is None:
            _log.error(
                "the outbox %s cannot be used (%s): records wait in memory; free or mend the disk", self._path, exc
            )
        self.trouble = str(exc)
