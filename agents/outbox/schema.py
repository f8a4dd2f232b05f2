"""The schema of the file of an outbox, in all versions, and how the file is opened."""

import sqlite3
from functools import cache
from pathlib import Path
from typing import Any, Final

PAGE: Final = 4096
"""Bytes of a page."""
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
    f"page_size = {PAGE}",
    "journal_mode = DELETE",
    "synchronous = FULL",
    "cache_size = -256",
    "secure_delete = ON",  # so that no page holds what was deleted, which `agents.outbox.salvage` would find
)
_HEADER: Final = {
    0: (b"SQLite format 3\0",),
    18: (b"\1\1", b"\2\2"),  # the second with the write-ahead log of older agents
    20: (b"\x00\x40\x20\x20",),
    44: (b"\0\0\0\4", b"\0\0\0\0"),
    56: (b"\0\0\0\1", b"\0\0\0\0"),
}
"""What a file's first bytes are, by offset: with others SQLite calls it read-only or of a future format."""


def connect(path: Path | None) -> sqlite3.Connection:
    """Open a file, or a database in memory. Raises `sqlite3.Error` for a damaged one, OSError for an unreadable one."""
    if path is not None:
        _check_header(path)
    db = sqlite3.connect(path or ":memory:", isolation_level=None)
    # A byte that is no text any more shall cost its own row, not the query.
    db.text_factory = lambda raw: raw.decode(errors="replace")
    return db


def check(db: sqlite3.Connection) -> None:
    """Set the connection up; raise `sqlite3.DatabaseError` when the file is not whole."""
    try:
        _check_content(db)
    except UnicodeDecodeError as exc:
        # The message of SQLite quotes a damaged schema, and Python cannot read the message.
        raise sqlite3.DatabaseError("database disk image is malformed: its schema is no text") from exc


def _check_content(db: sqlite3.Connection) -> None:
    for pragma in _PRAGMAS:
        db.execute(f"PRAGMA {pragma}")
    fault = db.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if fault != "ok":
        raise sqlite3.DatabaseError(f"database disk image is malformed: {fault}")
    roots = dict(db.execute("SELECT name, rootpage FROM sqlite_schema"))
    if not _schema_of(db) <= _known_schemas() or any(roots.get(name, root) != root for name, root in _ROOTS.items()):
        raise sqlite3.DatabaseError("database disk image is malformed: its schema")


def bring_up_to_date(db: sqlite3.Connection) -> None:
    """Make what a file does not have yet."""
    db.executescript(_SCHEMA)
    if "NULL" in columns_of(db):
        db.execute("ALTER TABLE record ADD COLUMN sum INTEGER")


def columns_of(db: sqlite3.Connection) -> str:
    """The columns of `Saved` in a file of any age."""
    names = {column[1] for column in db.execute("PRAGMA table_info(record)")}
    return "seq, box, id, body, sum" if "sum" in names or not names else "seq, box, id, body, NULL"


def _check_header(path: Path) -> None:
    try:
        with path.open("rb") as file:
            header = file.read(100)
    except FileNotFoundError:
        return
    if len(header) == 100 and not all(header[at:].startswith(allowed) for at, allowed in _HEADER.items()):
        raise sqlite3.DatabaseError("database disk image is malformed: its first bytes")


def _schema_of(db: sqlite3.Connection) -> set[tuple[Any, ...]]:
    return set(db.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema"))


@cache
def _known_schemas() -> frozenset[tuple[Any, ...]]:
    """What the schema of a whole file has: of an older agent's, of one that was brought up to date, of a new one."""
    known: set[tuple[Any, ...]] = set()
    for first in (_OLD_SCHEMA, ""):
        db = connect(None)
        db.executescript(first)
        known |= _schema_of(db)
        bring_up_to_date(db)
        known |= _schema_of(db)
        db.close()
    return frozenset(known)
