"""The registry's tables: read and written by area, station and terminal; every change is announced by NOTIFY."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

import asyncpg

from registry.codes import county_of
from registry.model import Area, Heard, Station, Terminal
from store.pool import Connection
from store.sql import queries_beside

QUERIES = queries_beside(__file__)

MAX_PAGE: Final = 1000
MAX_UNREGISTERED: Final = 100_000
"""Stations listed as heard but not registered; further ones are left out until some are registered."""
MAX_TERMINALS: Final = 100
MAX_AUTO_REGISTERED: Final = 100_000
"""Stations registered because they were heard, which no person named since."""
_CHUNK: Final = 20_000

T = TypeVar("T")


async def load_area(connection: Connection, code: str) -> Area | None:
    """The area with exactly this stored code (see `registry.codes.normal_code`)."""
    row = await connection.fetchrow(QUERIES.load_area, code)
    return None if row is None else _area(row)


async def list_areas(connection: Connection) -> dict[str, Area]:
    """Every area by its code."""
    return {row["code"]: _area(row) for row in await connection.fetch(QUERIES.list_areas)}


async def list_children(connection: Connection, code: str | None) -> list[Area]:
    """The areas directly below one, or (None) the roots."""
    return [_area(row) for row in await connection.fetch(QUERIES.list_children, code)]


async def known_areas(connection: Connection, codes: Collection[str]) -> set[str]:
    """Those of the codes that are areas."""
    return {row["code"] for row in await connection.fetch(QUERIES.known_areas, list(codes))}


async def known_stations(connection: Connection, ids: Collection[str]) -> set[str]:
    """Those of the ids that are registered."""
    return {row["id"] for row in await connection.fetch(QUERIES.known_stations, list(ids))}


async def upsert_areas(connection: Connection, areas: Sequence[Area], *, at: datetime) -> None:
    """Write areas as they are, paths included, as changed at `at`. In one transaction parents may come last."""
    for chunk in _chunks(areas):
        await connection.execute(
            QUERIES.upsert_areas,
            [area.code for area in chunk],
            [area.name for area in chunk],
            [area.name_en for area in chunk],
            [area.name_bo for area in chunk],
            [area.parent for area in chunk],
            [area.level for area in chunk],
            ["/".join(area.path) for area in chunk],
            [area.valid_from for area in chunk],
            [area.valid_to for area in chunk],
            [area.successor for area in chunk],
            at,
        )
    if areas:
        await connection.execute(QUERIES.announce)


async def load_stations(connection: Connection, ids: Collection[str]) -> dict[str, Station]:
    """Those of the stations that are registered, by id."""
    return {row["id"]: _station(row) for row in await connection.fetch(QUERIES.load_stations, list(ids))}


async def list_stations(
    connection: Connection, *, area: str | None = None, after: str = "", limit: int = 100
) -> list[Station]:
    """Up to `limit` (at most MAX_PAGE) stations in an area or below it, by id, beginning behind the id `after`."""
    rows = await connection.fetch(QUERIES.list_stations, area, after, min(limit, MAX_PAGE))
    return [_station(row) for row in rows]


async def list_terminals(connection: Connection, stations: Collection[str]) -> list[Terminal]:
    """The terminals of the stations, by station and id."""
    return [Terminal(**dict(row)) for row in await connection.fetch(QUERIES.list_terminals, list(stations))]


async def upsert_stations(connection: Connection, stations: Sequence[Station]) -> None:
    """Write stations and their programmes as they are; quorum and terminals stay. Needs a transaction."""
    ordered = sorted(stations, key=lambda station: station.id)  # one order for all writers: no deadlock
    for chunk in _chunks(ordered):
        ids = [station.id for station in chunk]
        await connection.execute(QUERIES.upsert_stations, *_station_columns(chunk))
        await connection.execute(QUERIES.forget_unregistered, ids)
        await _set_programmes(connection, chunk, ids)
    if stations:
        await connection.execute(QUERIES.announce)


def _station_columns(stations: Sequence[Station]) -> list[list[Any]]:
    """Column by column, in the order of the query `upsert_stations`."""
    names = (
        *("id", "name", "name_en", "name_bo", "kind", "area", "lat", "lon", "lifecycle", "commissioned_at"),
        *("address", "isp", "feeder", "schedule"),
    )
    return [[getattr(station, name) for station in stations] for name in names]


async def _set_programmes(connection: Connection, stations: Sequence[Station], ids: list[str]) -> None:
    pairs = [(station.id, programme) for station in stations for programme in station.programmes]
    await connection.execute(QUERIES.leave_programmes, ids)
    if pairs:
        await connection.execute(QUERIES.add_programmes, [programme for _, programme in pairs])
        await connection.execute(QUERIES.join_programmes, [i for i, _ in pairs], [programme for _, programme in pairs])


async def register_stations(
    connection: Connection,
    heard: Mapping[str, Iterable[str]],
    *,
    at: datetime | None = None,
    most: int = MAX_AUTO_REGISTERED,
) -> list[str]:
    """Register stations that were heard, {station: terminals}, as commissioned since `at` (None: not known).

    A station lies in the county that its id names, if that area is known. Stations that are registered already
    only get the terminals that they lack. When `most` are known by hearsay only, no more are added. Returns the ids
    that are new.
    """
    ids = sorted(heard)
    counties = [county_of(station) for station in ids]
    rows = await connection.fetch(QUERIES.register_stations, ids, counties, at, most)
    new = [row["id"] for row in rows]
    if new:
        await connection.execute(QUERIES.forget_unregistered, new)
    added = await add_terminals(connection, heard)
    if new and not added:
        await connection.execute(QUERIES.announce)
    return new


async def add_terminals(connection: Connection, heard: Mapping[str, Iterable[str]]) -> int:
    """Add terminals first heard at registered stations; the number that was new. Others' are passed over."""
    pairs = sorted({(station, terminal) for station, terminals in heard.items() for terminal in terminals})
    if not pairs:
        return 0
    added = await connection.fetch(QUERIES.add_terminals, [s for s, _ in pairs], [t for _, t in pairs])
    if added:
        await connection.execute(QUERIES.announce)
    return len(added)


async def note_unregistered(connection: Connection, heard: Sequence[Heard]) -> None:
    """Note stations heard but not registered, each station once; counts add up, up to MAX_UNREGISTERED stations."""
    ordered = sorted(heard, key=lambda one: one.station)
    await connection.execute(
        QUERIES.note_unregistered,
        [one.station for one in ordered],
        ["/".join(one.terminals) for one in ordered],
        [one.first_at for one in ordered],
        [one.last_at for one in ordered],
        [one.messages for one in ordered],
        MAX_UNREGISTERED,
        MAX_TERMINALS,
    )


def _chunks(entries: Sequence[T]) -> Iterator[Sequence[T]]:
    return (entries[start : start + _CHUNK] for start in range(0, len(entries), _CHUNK))


def _area(row: asyncpg.Record) -> Area:
    return Area(**{**dict(row), "path": tuple(row["path"])})


def _station(row: asyncpg.Record) -> Station:
    return Station(**{**dict(row), "programmes": tuple(row["programmes"])})
