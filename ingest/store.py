"""Writes the rows of a batch, and reads the boots that a batch needs."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from operator import attrgetter, itemgetter
from typing import Any, Final

from msgspec import UNSET

from contract.clocks import WallMs
from contract.codec import encode
from contract.entries import Refusal, ReplyUnit
from contract.messages import Event, Health, Inventory, Presence, Record, Usage
from ingest.boots import Boot, Key
from ingest.rows import ROLLED_UP, RecordRows, Row, Run, Touch, columns_of, names_of
from ingest.seen_ids import SeenIds
from store.pool import Connection
from store.sql import queries_beside


class LostBoxError(Exception):
    """A row of record_box is no longer in the database: start again."""


QUERIES = queries_beside(__file__)

_NO_FIELD: Final = re.compile("[\x1e\x1f]")

DEAD_LETTERS: Final = 10_000
"""Dead letters kept; the newest."""

_TABLES: Final[dict[type[Record], tuple[str, str]]] = {
    Health: ("health", QUERIES.insert_health),
    Usage: ("usage", QUERIES.insert_usage),
    Inventory: ("inventory", QUERIES.insert_inventory),
    Presence: ("presence", QUERIES.insert_presence),
    Event: ("event", QUERIES.insert_event),
}


async def can_copy(connection: Connection) -> bool:
    """Whether the server has COPY, which is twice as fast as INSERT; the WebAssembly build of PostgreSQL has not."""
    return "emcc" not in str(await connection.fetchval(QUERIES.server_version))


async def fetch_boots(connection: Connection, keys: Collection[Key]) -> dict[Key, Boot]:
    """The boots with these keys; a boot without rows comes back empty."""
    if not keys:
        return {}
    found = {}
    for row in await connection.fetch(QUERIES.fetch_boots, *zip(*keys, strict=True)):
        boot = Boot()
        if row["seen"] is not None:
            boot.met = boot.has_row = True
            boot.seen = SeenIds(row["seen"])
            boot.after, boot.before = row["after"], row["before"]
        if row["anchor"] is not None:
            boot.run, boot.anchor = row["run"], row["anchor"]
            boot.first_at, boot.last_at = row["first_at"], row["last_at"]
        found[row["station"], row["terminal"], row["boot"]] = boot
    return found


async def fetch_earlier(connection: Connection, runs: Collection[Run]) -> dict[Run, WallMs | None]:
    """For each run the last receipt of a boot with a lower run, ms; None when there is none."""
    if not runs:
        return {}
    rows = await connection.fetch(QUERIES.fetch_earlier, *zip(*runs, strict=True))
    return {(row["station"], row["terminal"], row["run"]): row["last_at"] for row in rows}


def insert_of(kind: type[Record]) -> str:
    """The query that inserts the columns of a kind."""
    return _TABLES[kind][1]


async def copy_records(connection: Connection, kind: type[Record], rows: Sequence[Row]) -> None:
    """Add records of one kind with COPY."""
    await connection.copy_records_to_table(_TABLES[kind][0], records=rows, columns=names_of(kind))


async def insert_records(connection: Connection, kind: type[Record], rows: Sequence[Row]) -> None:
    """Add records of one kind with INSERT."""
    await connection.execute(insert_of(kind), *columns_of(kind, rows))


async def save_rows(connection: Connection, rows: RecordRows, *, copy: bool) -> None:
    """Write records, boxes, anchors, replies and dead letters, in the transaction of the caller."""
    write = copy_records if copy else insert_records
    for kind, records in rows.records.items():
        await write(connection, kind, records)
    await _save_boxes(connection, rows)
    if rows.touched:
        await connection.execute(QUERIES.insert_touches, *_columns(rows.touched, _TOUCH))
    if rows.anchors:
        await connection.execute(QUERIES.save_anchors, *_table(rows.anchors, _ANCHOR))
    if rows.replies:
        await connection.execute(QUERIES.insert_replies, *_columns(rows.replies, _REPLY))
    if rows.refusals:
        await save_refusals(connection, rows.refusals)


async def _save_boxes(connection: Connection, rows: RecordRows) -> None:
    new = {key: box for key, box in rows.boxes.items() if not box.has_row or _NO_FIELD.search(key[2])}
    if new:
        seen = [rows.seen[key] for key in new]
        await connection.execute(QUERIES.save_boxes, *zip(*new, strict=True), seen, *_columns(new.values(), _BOUNDS))
    lines = ["\x1f".join((*key, seen)) for key, seen in rows.seen.items() if key not in new]
    if lines:
        done = await connection.execute(QUERIES.update_boxes, "\x1e".join(lines))
        if done != f"UPDATE {len(lines)}":
            raise LostBoxError(f"{done} of {len(lines)} rows in record_box: another process changed the table")
    for box in new.values():
        box.has_row = True


async def save_refusals(connection: Connection, refusals: list[Refusal]) -> None:
    """Add dead letters, and delete the oldest beyond `DEAD_LETTERS`."""
    await connection.execute(QUERIES.insert_dead_letters, *_columns(refusals[-DEAD_LETTERS:], _REFUSAL))
    await connection.execute(QUERIES.trim_dead_letters, DEAD_LETTERS)


Getter = Callable[[Any], Any]

_TOUCH: Final[tuple[Getter, ...]] = (lambda touch: ROLLED_UP[touch[0]], itemgetter(1), itemgetter(2))
_BOUNDS: Final[tuple[Getter, ...]] = (attrgetter("after"), attrgetter("before"))
_ANCHOR: Final[tuple[Getter, ...]] = tuple(map(attrgetter, ("run", "anchor", "first_at", "last_at")))
_REPLY: Final[tuple[Getter, ...]] = (
    attrgetter("station"),
    attrgetter("entry.terminal"),
    attrgetter("entry.body.id"),
    attrgetter("entry.body.stage"),
    lambda unit: None if unit.entry.body.at is UNSET else unit.entry.body.at,
    attrgetter("entry.received"),
    lambda unit: None if unit.entry.body.result is UNSET else encode(unit.entry.body.result).decode(),
)
_REFUSAL: Final[tuple[Getter, ...]] = tuple(
    map(
        attrgetter,
        ("source", "at", "topic", "station", "reason", "detail", "excerpt", "size", "refused", "shard"),
    )
)


def _table(boots: Mapping[Key, Boot], getters: tuple[Getter, ...]) -> list[Any]:
    return [*zip(*boots, strict=True), *_columns(boots.values(), getters)]


def _columns(things: Iterable[Boot | ReplyUnit | Refusal | Touch], getters: tuple[Getter, ...]) -> list[list[Any]]:
    things = list(things)
    return [[get(thing) for thing in things] for get in getters]
