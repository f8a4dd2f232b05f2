"""One bounded table of records in an SQLite file, each with a checksum of its own."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from agents.outbox.saved import Saved, checksum
from agents.outbox.schema import bring_up_to_date, check, columns_of, connect
from agents.pacing import Key, OutboxRow

KEPT: Final = 100
"""Most damaged records that are kept; the newest stay."""
KEPT_BYTES: Final = 4096
"""Bytes kept of each of them."""
_NOT_WRITABLE: Final = frozenset({sqlite3.SQLITE_READONLY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR})


def primary_code(exc: sqlite3.Error) -> int:
    """SQLite's result code without its extension; 0 when there is none."""
    return getattr(exc, "sqlite_errorcode", 0) & 0xFF


class Table:
    """Records in one SQLite file, at most `rows` of them and `size` bytes; in memory when there is no path.

    All methods raise `sqlite3.Error`.
    """

    def __init__(self, path: Path | None, *, rows: int, size: int) -> None:
        self._most_rows, self._most_bytes = rows, size
        self._db = connect(path)
        try:
            self._prepare()
        except BaseException:
            self._db.close()
            raise

    def _prepare(self) -> None:
        check(self._db)
        try:
            bring_up_to_date(self._db)
            # Records that an earlier run held back are finished now.
            self._db.execute("UPDATE record SET held = 0 WHERE held IS NOT 0")
        except sqlite3.OperationalError as exc:
            # A disk that cannot be written may still be readable.
            if primary_code(exc) not in _NOT_WRITABLE:
                raise
        self._columns = columns_of(self._db)
        self._recount()

    def _recount(self) -> None:
        query = "SELECT count(*), coalesce(sum(length(body)), 0), coalesce(max(seq), 0) FROM record"
        self.rows: int
        self.bytes: int
        self.last_seq: int
        self.rows, self.bytes, self.last_seq = self._db.execute(query).fetchone()
        self.dropped: int = self._db.execute("SELECT coalesce(sum(records), 0) FROM dropped").fetchone()[0]
        self.damaged: int = self._db.execute("SELECT count(*) FROM damaged WHERE told IS NOT 1").fetchone()[0]

    def put(self, row: OutboxRow, body: bytes, *, held: bool = False) -> list[Key]:
        """Write a record, replacing one with the same key; return the keys dropped to make room."""
        with self._transaction():
            return self._put(row, body, held=held)

    def put_all(self, records: Iterable[tuple[OutboxRow, bytes]]) -> list[Key]:
        """Write records, all or none, each as `put` does."""
        with self._transaction():
            return [victim for row, body in records for victim in self._put(row, body)]

    def _put(self, row: OutboxRow, body: bytes, *, held: bool = False) -> list[Key]:
        self._delete([row.key])
        victims = self._make_room(row.size)
        self._insert(row.seq, row.box, row.id, body, held=held)
        return victims

    def _insert(self, seq: int | None, box: str, number: int, body: bytes, *, held: bool = False) -> None:
        self._db.execute(
            "INSERT INTO record (seq, box, id, held, body, sum) VALUES (?, ?, ?, ?, ?, ?)",
            (seq, box, number, held, body, checksum(box, number, body)),
        )
        self.rows, self.bytes = self.rows + 1, self.bytes + len(body)

    def adopt(self, rows: Iterable[Saved]) -> None:
        """Add records of another file, in their order. Damaged ones are set aside; keys that are here already stay."""
        with self._transaction():
            for row in rows:
                if not row.is_whole:
                    self._keep(row)
                elif not self.holds((row.box, row.id)):
                    free = not self._has("seq = ?", row.seq)
                    self._insert(row.seq if free else None, row.box, row.id, row.body)
            self.last_seq = self._db.execute("SELECT coalesce(max(seq), 0) FROM record").fetchone()[0]

    def _has(self, condition: str, *values: object) -> bool:
        return self._db.execute(f"SELECT 1 FROM record WHERE {condition}", values).fetchone() is not None  # noqa: S608  # no text from outside

    def _make_room(self, size: int) -> list[Key]:
        victims: list[Key] = []
        while self.rows and (self.rows >= self._most_rows or self.bytes + size > self._most_bytes):
            oldest = self._db.execute("SELECT box, id FROM record ORDER BY held, seq LIMIT 1").fetchone()
            victims.append(oldest)
            self._delete([oldest])
        if victims:
            self._set_dropped(self.dropped + len(victims))
        return victims

    def delete(self, keys: Iterable[Key]) -> bool:
        """Delete the records with these keys; returns true."""
        with self._transaction():
            self._delete(keys)
        return True

    def _delete(self, keys: Iterable[Key]) -> None:
        for key in keys:
            self._take_off(self._db.execute("DELETE FROM record WHERE (box, id) = (?, ?) RETURNING length(body)", key))

    def delete_by_seq(self, seqs: Iterable[int]) -> bool:
        """Delete by sequence number; returns true."""
        with self._transaction():
            for seq in seqs:
                self._take_off(self._db.execute("DELETE FROM record WHERE seq = ? RETURNING length(body)", (seq,)))
        return True

    def seqs_of(self, keys: Iterable[Key]) -> list[int]:
        """The sequence numbers of the records with these keys."""
        query = "SELECT seq FROM record WHERE (box, id) = (?, ?)"
        return [found[0] for key in keys for found in self._db.execute(query, key)]

    def _take_off(self, deleted: sqlite3.Cursor) -> None:
        if gone := deleted.fetchone():
            self.rows, self.bytes = self.rows - 1, self.bytes - (gone[0] or 0)

    def _set_dropped(self, records: int) -> None:
        self._db.execute("DELETE FROM dropped")
        self._db.execute("INSERT INTO dropped VALUES (?)", (records,))
        self.dropped = records

    def mark_dropped_reported(self) -> None:
        """Count dropped records from zero, because those so far are reported."""
        with self._transaction():
            self._set_dropped(0)

    def set_aside(self, row: Saved) -> bool:
        """Move a damaged record to the table from which nothing is sent; returns true."""
        with self._transaction():
            self._keep(row)
            self._take_off(self._db.execute("DELETE FROM record WHERE seq = ? RETURNING length(body)", (row.seq,)))
        return True

    def _keep(self, row: Saved) -> None:
        body = row.body[:KEPT_BYTES] if isinstance(row.body, bytes | str) else row.body
        self._db.execute(
            "INSERT INTO damaged (told, box, id, body, sum) VALUES (0, ?, ?, ?, ?)", (row.box, row.id, body, row.sum)
        )
        self._db.execute("DELETE FROM damaged WHERE number <= (SELECT max(number) FROM damaged) - ?", (KEPT,))
        self.damaged += 1

    def mark_damage_reported(self) -> None:
        """Count damaged records from zero, because those so far are reported."""
        with self._transaction():
            self._db.execute("UPDATE damaged SET told = 1 WHERE told IS NOT 1")
            self.damaged = 0

    def newest(self, limit: int) -> list[OutboxRow]:
        """The records that may be sent, the last written first, without their bodies."""
        query = "SELECT seq, box, id, length(body) FROM record WHERE held IS NOT 1 ORDER BY seq DESC LIMIT ?"
        return [_row(*found) for found in self._db.execute(query, (limit,))]

    def holds(self, key: Key) -> bool:
        """Whether there is a record with this key."""
        return self._has("(box, id) = (?, ?)", *key)

    def read(self, seq: int) -> Saved | None:
        """The record with this sequence number, damaged or not; None when there is none."""
        found = self._db.execute(f"SELECT {self._columns} FROM record WHERE seq = ?", (seq,)).fetchone()  # noqa: S608  # two fixed texts
        return None if found is None else Saved(*found)

    def all(self) -> Iterator[Saved]:
        """All records in the order of writing, damaged or not."""
        return map(Saved._make, self._db.execute(f"SELECT {self._columns} FROM record ORDER BY seq"))  # noqa: S608  # two fixed texts

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    def _transaction(self) -> "_Transaction":
        return _Transaction(self._db, self._recount)


def _row(seq: int, box: Any, number: Any, size: Any) -> OutboxRow:
    """A row with damaged columns gets a key, too; reading the record finds the damage."""
    return OutboxRow(
        seq,
        box if isinstance(box, str) else "",
        number if isinstance(number, int) else -1,
        size if isinstance(size, int) else 0,
    )


class _Transaction:
    """A transaction; after a failure the counts are read again from the database."""

    def __init__(self, db: sqlite3.Connection, recount: Callable[[], None]) -> None:
        self._db, self._recount = db, recount

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: object, value: object, trace: object) -> None:
        if kind is None:
            try:
                self._db.execute("COMMIT")
            except sqlite3.Error:
                self._undo()
                raise
        else:
            self._undo()

    def _undo(self) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")
        self._recount()
