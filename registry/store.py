"""Areas, stations and terminals in the database; every change is announced by NOTIFY."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

import asyncpg

from registry.codes import county_of
from registry.edits import registry_edit
from registry.model import Area, Heard, Station, Terminal
from store.author import SYSTEM, Author
from store.pool import Connection
from store.sql import queries_beside

QUERIES = queries_beside(__file__)

MAX_PAGE: Final = 1000
MAX_UNREGISTERED: Final = 100_000
"""The most stations that are listed as heard but not registered."""
MAX_TERMINALS: Final = 100
MAX_AUTO_REGISTERED: Final = 100_000
"""The most stations that are registered automatically, counted until a person names them."""
_CHUNK: Final = 20_000
_BY_ITSELF: Final = Author(SYSTEM)

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
    """The codes among `codes` that are areas."""
    return {row["code"] for row in await connection.fetch(QUERIES.known_areas, list(codes))}


async def known_stations(connection: Connection, ids: Collection[str]) -> set[str]:
    """The ids among `ids` that are registered."""
    return {row["id"] for row in await connection.fetch(QUERIES.known_stations, list(ids))}


async def upsert_areas(connection: Connection, areas: Sequence[Area], *, at: datetime) -> None:
    """Insert or replace areas, paths included, as changed at `at`. Within one transaction a parent may come after its
    children."""
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
    """The registered stations among `ids`, by id."""
    return {row["id"]: _station(row) for row in await connection.fetch(QUERIES.load_stations, list(ids))}


async def list_stations(
    connection: Connection, *, area: str | None = None, after: str = "", limit: int = 100
) -> list[Station]:
    """Up to `limit` (at most MAX_PAGE) stations in an area or below it, by id, beginning after the id `after`."""
    rows = await connection.fetch(QUERIES.list_stations, area, after, min(limit, MAX_PAGE))
    return [_station(row) for row in rows]


async def list_terminals(connection: Connection, stations: Collection[str]) -> list[Terminal]:
    """The terminals of the stations, by station and id."""
    return [Terminal(**dict(row)) for row in await connection.fetch(QUERIES.list_terminals, list(stations))]


async def upsert_stations(connection: Connection, stations: Sequence[Station]) -> None:
    """Insert or replace stations and their programmes; quorum and terminals stay. Needs a transaction."""
    ordered = sorted(stations, key=lambda station: station.id)  # one order for all writers prevents deadlocks
    for chunk in _chunks(ordered):
        ids = [station.id for station in chunk]
        await connection.execute(QUERIES.upsert_stations, *_station_columns(chunk))
        await connection.execute(QUERIES.forget_unregistered, ids)
        await _set_programmes(connection, chunk, ids)
    if stations:
        await connection.execute(QUERIES.announce)


def _station_columns(stations: Sequence[Station]) -> list[list[Any]]:
    """One list for each column, in the order of the query `upsert_stations`."""
    names = (
        *("id", "name", "name_en", "name_bo", "kind", "area", "lat", "lon", "lifecycle", "commissioned_at"),
        *("address", "isp", "feeder", "schedule"),
    )
    return [[getattr(station, name) for station in stations] for name in names]


async def _set_programmes(connection: Connection, stations: Sequence[Station], ids: list[str]) -> None:
    pairs = [(station.id, programme) for station in stations for programme in station.programmes]
    members, programmes = [station for station, _ in pairs], [programme for _, programme in pairs]
    await connection.execute(QUERIES.leave_programmes, ids, members, programmes)
    if pairs:
        await connection.execute(QUERIES.add_programmes, programmes)
        await connection.execute(QUERIES.join_programmes, members, programmes)


async def register_stations(
    connection: Connection,
    heard: Mapping[str, Iterable[str]],
    *,
    at: datetime | None = None,
    most: int = MAX_AUTO_REGISTERED,
) -> list[str]:
    """Register stations that were heard, {station: terminals}, as commissioned at `at` (None: not known).

    A new station lies in the county that its id names, if that area exists. A registered station only gets the
    terminals that it lacks. At most `most` automatically registered stations exist at a time. Returns the new ids.
    """
    ids = sorted(heard)
    counties = [county_of(station) for station in ids]
    async with registry_edit(connection, _BY_ITSELF):
        rows = await connection.fetch(QUERIES.register_stations, ids, counties, at, most)
        new = [row["id"] for row in rows]
        if new:
            await connection.execute(QUERIES.forget_unregistered, new)
        added = await add_terminals(connection, heard)
        if new and not added:
            await connection.execute(QUERIES.announce)
    return new


async def add_terminals(connection: Connection, heard: Mapping[str, Iterable[str]]) -> int:
    """Add terminals to stations, {station: terminals}; the number of new ones. Ignores unregistered stations."""
    pairs = sorted({(station, terminal) for station, terminals in heard.items() for terminal in terminals})
    if not pairs:
        return 0
    async with registry_edit(connection, _BY_ITSELF):
        added = await connection.fetch(QUERIES.add_terminals, [s for s, _ in pairs], [t for _, t in pairs])
        if added:
            await connection.execute(QUERIES.announce)
    return len(added)


async def note_unregistered(connection: Connection, heard: Sequence[Heard]) -> None:
    """List stations as heard but not registered, up to MAX_UNREGISTERED of them. `heard` has each station once; counts
    add up."""
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
