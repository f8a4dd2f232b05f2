"""One bounded table of records in an SQLite file."""

import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from agents.pacing import Key, Row

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS record (
    seq INTEGER PRIMARY KEY,           -- the order of writing
    box TEXT NOT NULL,
    id INTEGER NOT NULL,
    held INTEGER NOT NULL,             -- still rewritten, so not to be sent yet
    body BLOB NOT NULL,
    UNIQUE (box, id)
);
CREATE TABLE IF NOT EXISTS dropped (records INTEGER NOT NULL);
"""
# FULL: a record that was written outlives a power cut; at one record in minutes that costs nothing.
_PRAGMAS: Final = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "cache_size = -256",
    "wal_autocheckpoint = 64",
    "journal_size_limit = 262144",
    "busy_timeout = 2000",
)


class Table:
    """Records in one SQLite file, at most `rows` of them and `size` bytes. Methods raise `sqlite3.Error`."""

    def __init__(self, path: Path | str, *, rows: int, size: int) -> None:
        self._most_rows, self._most_bytes = rows, size
        self._db = sqlite3.connect(path, isolation_level=None)
        try:
            self._prepare()
        except BaseException:
            self._db.close()
            raise

    def _prepare(self) -> None:
        for pragma in _PRAGMAS:
            self._db.execute(f"PRAGMA {pragma}")
        fault = self._db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if fault != "ok":
            raise sqlite3.DatabaseError(f"database disk image is malformed: {fault}")
        self._db.executescript(_SCHEMA)
        # What an earlier run did not live to finish is finished now.
        self._db.execute("UPDATE record SET held = 0 WHERE held")
        self._recount()

    def _recount(self) -> None:
        query = "SELECT count(*), coalesce(sum(length(body)), 0), coalesce(max(seq), 0) FROM record"
        self.rows: int
        self.bytes: int
        self.last_seq: int
        self.rows, self.bytes, self.last_seq = self._db.execute(query).fetchone()
        self.dropped: int = self._db.execute("SELECT coalesce(sum(records), 0) FROM dropped").fetchone()[0]

    def put(self, row: Row, body: bytes, *, held: bool = False) -> list[Key]:
        """Write a record, in the place of one with its key; return the keys dropped to make room."""
        with self._transaction():
            self._delete([row.key])
            victims = self._make_room(row.size)
            self._db.execute(
                "INSERT INTO record (seq, box, id, held, body) VALUES (?, ?, ?, ?, ?)",
                (row.seq, row.box, row.id, held, body),
            )
            self.rows, self.bytes = self.rows + 1, self.bytes + row.size
        return victims

    def _make_room(self, size: int) -> list[Key]:
        victims: list[Key] = []
        while self.rows and (self.rows >= self._most_rows or self.bytes + size > self._most_bytes):
            oldest = self._db.execute("SELECT box, id FROM record ORDER BY held, seq LIMIT 1").fetchone()
            victims.append(oldest)
            self._delete([oldest])
        if victims:
            self._set_dropped(self.dropped + len(victims))
        return victims

    def delete(self, keys: Iterable[Key]) -> None:
        with self._transaction():
            self._delete(keys)

    def _delete(self, keys: Iterable[Key]) -> None:
        for key in keys:
            gone = self._db.execute(
                "DELETE FROM record WHERE (box, id) = (?, ?) RETURNING length(body)", key
            ).fetchone()
            if gone:
                self.rows, self.bytes = self.rows - 1, self.bytes - gone[0]

    def _set_dropped(self, records: int) -> None:
        self._db.execute("DELETE FROM dropped")
        self._db.execute("INSERT INTO dropped VALUES (?)", (records,))
        self.dropped = records

    def reported(self) -> None:
        """The dropped ones were told of: count anew."""
        with self._transaction():
            self._set_dropped(0)

    def newest(self, limit: int) -> list[Row]:
        query = "SELECT seq, box, id, length(body) FROM record WHERE NOT held ORDER BY seq DESC LIMIT ?"
        return [Row(*found) for found in self._db.execute(query, (limit,))]

    def body(self, key: Key) -> bytes | None:
        found = self._db.execute("SELECT body FROM record WHERE (box, id) = (?, ?)", key).fetchone()
        return found[0] if found else None

    def close(self) -> None:
        self._db.close()

    def _transaction(self) -> "_Transaction":
        return _Transaction(self._db, self._recount)


class _Transaction:
    """All or nothing; after a failure the counts are read again."""

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
