"""One bounded table of records in an SQLite file, each with a checksum of its own."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple
from zlib import crc32

from agents.pacing import Key, Row
from contract.codec import decode_record
from contract.refusal import RefusedError

KEPT: Final = 100
"""Damaged records that are kept, the newest."""
KEPT_BYTES: Final = 4096
"""Bytes kept of each."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS record (
    seq INTEGER PRIMARY KEY,           -- the order of writing
    box TEXT NOT NULL,
    id INTEGER NOT NULL,
    held INTEGER NOT NULL,             -- still rewritten, so not to be sent yet
    body BLOB NOT NULL,
    sum INTEGER,                       -- CRC-32 of the key and the body; none in files of older agents
    UNIQUE (box, id)
);
CREATE TABLE IF NOT EXISTS dropped (records INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS damaged (   -- what fails its checksum, as it was read
    number INTEGER PRIMARY KEY,
    told INTEGER NOT NULL,
    box, id, body, sum
);
"""
_OLD_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS record (
    seq INTEGER PRIMARY KEY,           -- the order of writing
    box TEXT NOT NULL,
    id INTEGER NOT NULL,
    held INTEGER NOT NULL,             -- still rewritten, so not to be sent yet
    body BLOB NOT NULL,
    UNIQUE (box, id)
);
"""
"""As agents wrote it before records had a sum, to the letter."""
_ROOTS: Final = {"record": 2, "sqlite_autoindex_record_1": 3, "dropped": 4}
"""The pages where the tables of any age begin."""
# One file: no log beside it that could be lost or cut apart from it. FULL: a record that was written outlives a power
# cut; at one record in minutes that costs nothing.
_PRAGMAS: Final = (
    "busy_timeout = 200",
    "journal_mode = DELETE",
    "synchronous = FULL",
    "cache_size = -256",
    "secure_delete = ON",  # so that no page holds what was deleted, which `agents.salvage` would find
)
_NOT_WRITABLE: Final = frozenset({sqlite3.SQLITE_READONLY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR})


_HEADER: Final = {
    0: (b"SQLite format 3\0",),
    18: (b"\1\1", b"\2\2"),  # the second with the write-ahead log of older agents
    20: (b"\x00\x40\x20\x20",),
    44: (b"\0\0\0\4", b"\0\0\0\0"),
    56: (b"\0\0\0\1", b"\0\0\0\0"),
}
"""What a file's first bytes are, by offset: with others SQLite calls it read-only or of a future format."""


class Saved(NamedTuple):
    """A row as the file gives it: any column may hold anything."""

    seq: int
    box: Any
    id: Any
    body: Any
    sum: Any

    @property
    def is_whole(self) -> bool:
        """Whether it is what was written. Older agents wrote no sum: there the body must be the record of its id."""
        if not (isinstance(self.box, str) and isinstance(self.id, int) and isinstance(self.body, bytes)):
            return False
        if self.sum is None:
            return _is_record(self.body, self.id)
        return bool(self.sum == checksum(self.box, self.id, self.body))


def checksum(box: str, number: int, body: bytes) -> int:
    return crc32(body, crc32(f"{box}/{number}/".encode()))


def _is_record(body: bytes, number: int) -> bool:
    try:
        return decode_record(body).id == number
    except (RefusedError, ValueError):
        return False


def primary_code(exc: sqlite3.Error) -> int:
    """SQLite's result code without its extension; 0 when there is none."""
    return getattr(exc, "sqlite_errorcode", 0) & 0xFF


def columns_of(db: sqlite3.Connection) -> str:
    """The columns of `Saved` in a file of any age."""
    names = {column[1] for column in db.execute("PRAGMA table_info(record)")}
    return "seq, box, id, body, sum" if "sum" in names or not names else "seq, box, id, body, NULL"


def connect(path: Path | str) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None)
    # A byte that is no text any more shall cost its own row, not the query.
    db.text_factory = lambda raw: raw.decode(errors="replace")
    return db


class Table:
    """Records in one SQLite file, at most `rows` of them and `size` bytes. Methods raise `sqlite3.Error`."""

    def __init__(self, path: Path | None, *, rows: int, size: int) -> None:
        """In memory without a path."""
        self._most_rows, self._most_bytes = rows, size
        if path is not None:
            _check_header(path)
        self._db = connect(path or ":memory:")
        try:
            self._prepare()
        except BaseException:
            self._db.close()
            raise

    def _prepare(self) -> None:
        for pragma in _PRAGMAS:
            self._db.execute(f"PRAGMA {pragma}")
        self._check()
        try:
            self._bring_up_to_date()
        except sqlite3.OperationalError as exc:
            # A disk that cannot be written may still be read.
            if primary_code(exc) not in _NOT_WRITABLE:
                raise
        self._recount()

    def _check(self) -> None:
        fault = self._db.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if fault != "ok":
            raise sqlite3.DatabaseError(f"database disk image is malformed: {fault}")
        if not _schema_of(self._db) <= _known_schemas() or any(
            root != _ROOTS[name]
            for name, root in self._db.execute("SELECT name, rootpage FROM sqlite_schema")
            if name in _ROOTS
        ):
            raise sqlite3.DatabaseError("database disk image is malformed: its schema")

    def _bring_up_to_date(self) -> None:
        _bring_up_to_date(self._db)
        # What an earlier run did not live to finish is finished now.
        self._db.execute("UPDATE record SET held = 0 WHERE held IS NOT 0")

    def _recount(self) -> None:
        query = "SELECT count(*), coalesce(sum(length(body)), 0), coalesce(max(seq), 0) FROM record"
        self.rows: int
        self.bytes: int
        self.last_seq: int
        self.rows, self.bytes, self.last_seq = self._db.execute(query).fetchone()
        self.dropped: int = self._db.execute("SELECT coalesce(sum(records), 0) FROM dropped").fetchone()[0]
        self.damaged: int = self._db.execute("SELECT count(*) FROM damaged WHERE told IS NOT 1").fetchone()[0]

    def put(self, row: Row, body: bytes, *, held: bool = False) -> list[Key]:
        """Write a record, in the place of one with its key; return the keys dropped to make room."""
        with self._transaction():
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
        """Take in what another file gave, in its order; what is damaged is set aside, what is here already stays."""
        with self._transaction():
            for row in rows:
                if not row.is_whole:
                    self._keep(row)
                elif not self._has("(box, id) = (?, ?)", row.box, row.id):
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
        with self._transaction():
            self._delete(keys)
        return True

    def _delete(self, keys: Iterable[Key]) -> None:
        for key in keys:
            self._take_off(self._db.execute("DELETE FROM record WHERE (box, id) = (?, ?) RETURNING length(body)", key))

    def discard(self, seqs: Iterable[int]) -> bool:
        """Delete by the number of writing."""
        with self._transaction():
            for seq in seqs:
                self._take_off(self._db.execute("DELETE FROM record WHERE seq = ? RETURNING length(body)", (seq,)))
        return True

    def numbers(self, keys: Iterable[Key]) -> list[int]:
        """The numbers of writing of the records with these keys."""
        query = "SELECT seq FROM record WHERE (box, id) = (?, ?)"
        return [found[0] for key in keys for found in self._db.execute(query, key)]

    def _take_off(self, deleted: sqlite3.Cursor) -> None:
        if gone := deleted.fetchone():
            self.rows, self.bytes = self.rows - 1, self.bytes - (gone[0] or 0)

    def _set_dropped(self, records: int) -> None:
        self._db.execute("DELETE FROM dropped")
        self._db.execute("INSERT INTO dropped VALUES (?)", (records,))
        self.dropped = records

    def reported(self) -> None:
        """The dropped ones were told of: count anew."""
        with self._transaction():
            self._set_dropped(0)

    def set_aside(self, row: Saved) -> bool:
        """Keep a damaged record where it is never sent."""
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

    def damage_reported(self) -> None:
        """The damaged ones were told of: count anew."""
        with self._transaction():
            self._db.execute("UPDATE damaged SET told = 1 WHERE told IS NOT 1")
            self.damaged = 0

    def newest(self, limit: int) -> list[Row]:
        query = "SELECT seq, box, id, length(body) FROM record WHERE held IS NOT 1 ORDER BY seq DESC LIMIT ?"
        return [_row(*found) for found in self._db.execute(query, (limit,))]

    def read(self, seq: int) -> Saved | None:
        """The record that was written as number `seq`, whole or not."""
        found = self._db.execute(f"SELECT {columns_of(self._db)} FROM record WHERE seq = ?", (seq,)).fetchone()  # noqa: S608  # two fixed texts
        return None if found is None else Saved(*found)

    def all(self) -> Iterator[Saved]:
        return map(Saved._make, self._db.execute(f"SELECT {columns_of(self._db)} FROM record ORDER BY seq"))  # noqa: S608  # two fixed texts

    def close(self) -> None:
        self._db.close()

    def _transaction(self) -> "_Transaction":
        return _Transaction(self._db, self._recount)


def _check_header(path: Path) -> None:
    try:
        with path.open("rb") as file:
            header = file.read(100)
    except FileNotFoundError:
        return
    if len(header) == 100 and not all(header[at:].startswith(allowed) for at, allowed in _HEADER.items()):
        raise sqlite3.DatabaseError("database disk image is malformed: its first bytes")


def _bring_up_to_date(db: sqlite3.Connection) -> None:
    db.executescript(_SCHEMA)
    if "NULL" in columns_of(db):
        db.execute("ALTER TABLE record ADD COLUMN sum INTEGER")


def _schema_of(db: sqlite3.Connection) -> set[tuple[Any, ...]]:
    return set(db.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema"))


@cache
def _known_schemas() -> frozenset[tuple[Any, ...]]:
    """What the schema of a whole file has: of an older agent's, of one that was brought up to date, of a new one."""
    known: set[tuple[Any, ...]] = set()
    for first in (_OLD_SCHEMA, ""):
        db = connect(":memory:")
        db.executescript(first)
        known |= _schema_of(db)
        _bring_up_to_date(db)
        known |= _schema_of(db)
        db.close()
    return frozenset(known)


def _row(seq: int, box: Any, number: Any, size: Any) -> Row:
    """What cannot be sent has a key all the same; reading it finds the damage."""
    return Row(
        seq,
        box if isinstance(box, str) else "",
        number if isinstance(number, int) else -1,
        size if isinstance(size, int) else 0,
    )


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
