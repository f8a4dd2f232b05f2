"""Loading and storing incidents: rows to a Book and back."""

from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path

import asyncpg
import msgspec

from alerting.incidents_core import Book, Change, Decision, Incident, StandingOffline, StationFacts
from alerting.pipeline import Clock, Gap
from store.pool import Connection
from store.sql import load_queries

QUERIES = load_queries(Path(__file__).with_name("incidents_queries.sql"))
_MANY = 1_000


def to_change(row: asyncpg.Record) -> Change:
    """A station's own row of `transition`."""
    return Change(
        station=row["station"],
        before=row["before"],
        after=row["after"],
        at=row["at"],
        reason=row["reason"],
        seen_at=row["seen_at"],
        shard=row["shard"],
    )


def to_gap(row: asyncpg.Record) -> Gap:
    """A row of `pipeline_gap`."""
    return Gap(
        shard=row["shard"],
        partition=row["partition"],
        began_at=row["began_at"],
        ended_at=row["ended_at"],
        reason=row["reason"],
    )


async def load_clocks(connection: Connection) -> list[Clock]:
    return [Clock(**dict(row)) for row in await connection.fetch(QUERIES.read_clocks)]


async def load_open(connection: Connection, keys: Collection[str]) -> list[Incident]:
    """The incidents of these keys that are not closed."""
    return [Incident(**dict(row)) for row in await connection.fetch(QUERIES.open_of_stations, list(keys))]


async def load_recent(connection: Connection, keys: Collection[str]) -> list[Incident]:
    """The incidents of these keys, open or closed lately."""
    return [Incident(**dict(row)) for row in await connection.fetch(QUERIES.recent_of_shards, list(keys))]


async def load_facts(connection: Connection, stations: Collection[str]) -> dict[str, StationFacts]:
    rows = await connection.fetch(QUERIES.station_facts, list(stations))
    return {row["id"]: StationFacts(row["lifecycle"], row["area"]) for row in rows}


class Registry(msgspec.Struct, frozen=True):
    """Where open incidents and the registry disagree: see `follow_registry`; `full`: there may be more."""

    no_longer: dict[str, str | None]
    standing: list[StandingOffline]

    @property
    def stations(self) -> set[str]:
        return {*self.no_longer, *(found.station for found in self.standing)}

    @property
    def full(self) -> bool:
        return max(len(self.no_longer), len(self.standing)) >= _MANY


async def load_registry(connection: Connection) -> Registry:
    no_longer = await connection.fetch(QUERIES.no_longer_commissioned, _MANY)
    standing = await connection.fetch(QUERIES.standing_offline, _MANY)
    return Registry(
        {row["station"]: row["lifecycle"] for row in no_longer},
        [StandingOffline(row["station"], row["area"], row["since"]) for row in standing],
    )


async def store_book(connection: Connection, book: Book, now: datetime) -> bool:
    """Write what the book decided, in the caller's transaction. Returns whether there was anything."""
    opened, changed = book.opened, book.changed
    if not opened and not changed:
        return False
    ids = await _ids(connection, opened)
    await _update(connection, changed, ids)
    await _insert(connection, opened, ids)
    await _entries(connection, [d for d in book.decisions if d.incident is not None], ids, now)
    told = book.notifications()
    if told:
        await connection.execute(
            QUERIES.insert_notifications, now, [ids.get(i, i) for i, _ in told], [phase for _, phase in told]
        )
        await connection.execute(QUERIES.tell_delivery)
    await connection.execute(QUERIES.tell_incident)
    return True


async def _ids(connection: Connection, opened: Sequence[Incident]) -> dict[int, int]:
    """Stored ids for new incidents, by the ids the book gave them."""
    if not opened:
        return {}
    rows = await connection.fetch(QUERIES.new_ids, len(opened))
    return {new.id: row[0] for new, row in zip(opened, rows, strict=True)}


async def _update(connection: Connection, changed: Sequence[Incident], ids: dict[int, int]) -> None:
    """Before the inserts: a key may be closed and opened again in one pass."""
    if changed:
        await connection.execute(
            QUERIES.update_incidents,
            [x.id for x in changed],
            [x.status for x in changed],
            [x.began_at for x in changed],
            [x.closed_at for x in changed],
            [x.ended_at for x in changed],
            [_parent(x, ids) for x in changed],
            [_json(x) for x in changed],
        )


async def _insert(connection: Connection, opened: Sequence[Incident], ids: dict[int, int]) -> None:
    if opened:
        await connection.execute(
            QUERIES.insert_incidents,
            [ids[x.id] for x in opened],
            [x.kind for x in opened],
            [x.key for x in opened],
            [x.status for x in opened],
            [x.station for x in opened],
            [x.area for x in opened],
            [x.shard for x in opened],
            [x.began_at for x in opened],
            [x.opened_at for x in opened],
            [x.closed_at for x in opened],
            [x.ended_at for x in opened],
            [_parent(x, ids) for x in opened],
            [_json(x) for x in opened],
        )


async def _entries(connection: Connection, decisions: Sequence[Decision], ids: dict[int, int], now: datetime) -> None:
    incidents = [d.incident for d in decisions if d.incident is not None]
    await connection.execute(
        QUERIES.insert_entries,
        now,
        [ids.get(i, i) for i in incidents],
        [d.action.value for d in decisions],
        [d.reason for d in decisions],
    )


def _parent(incident: Incident, ids: dict[int, int]) -> int | None:
    return None if incident.parent is None else ids.get(incident.parent, incident.parent)


def _json(incident: Incident) -> str:
    return msgspec.json.encode(incident.detail).decode()
