"""Stations with their terminals: a filtered list, some by id, one."""

from collections.abc import Mapping, Sequence
from typing import Final

import asyncpg

from alerting.stations.expected import Cover
from alerting.stations.verdict import Clocks, Verdict
from api.http.paging import AfterStation, Page
from api.http.problems import not_found
from api.read.found import FoundPage
from api.read.moment import load_clocks, load_cover
from api.read.queries import QUERIES
from api.read.schemas import StationDocument
from api.read.scope import asked_areas, subtree_codes
from api.read.station_documents import station_document
from store.pool import Connection

_MOST_UNKNOWN: Final = 5000
"""Stations that may be unknown that are given to the list one by one."""
MOST_TERMINALS: Final = 4000
"""Terminals of an answer: a page ends earlier when its stations have more."""


async def list_stations(
    connection: Connection,
    page: Page,
    *,
    area: list[str] | None = None,
    verdict: Verdict | None = None,
    text: str | None = None,
    retired: bool | None = None,
) -> FoundPage[StationDocument]:
    """Stations in the order of their ids. `area`: codes of which the whole subtrees are meant; `text`: part of an id or
    name; `retired`: only retired ones, or none of them. Raises a Problem for a cursor that this API did not make."""
    after = page.after(AfterStation, AfterStation("")).id
    clocks = await load_clocks(connection)
    # The closures of all stations are read only to find the stations of a verdict.
    cover = Cover() if verdict is None else await load_cover(connection)
    codes, areas = await _subtree(connection, area)
    rows = await connection.fetch(
        QUERIES.list_stations,
        after,
        clocks.sound,
        [clock.partition for clock in clocks.partly_sound],
        [clock.shard for clock in clocks.partly_sound],
        codes,
        areas,
        verdict,
        page.limit + 1,
        (text or "").strip() or None,
        *cover.arguments,
        retired,
        await _maybe_unknown(connection, after, clocks) if verdict is Verdict.UNKNOWN and codes is None else None,
    )
    terminals, full = await _load_terminals(connection, rows[: page.limit])
    cover = await load_cover(connection, rows)
    shown, following = page.shorter(full).cut(rows, lambda row: AfterStation(row["id"]))
    return _found(shown, terminals, clocks, cover, following)


async def load_stations(connection: Connection, ids: Sequence[str]) -> FoundPage[StationDocument]:
    """The given stations, at most MOST_TERMINALS terminals in all; ids that are not registered are left out."""
    rows = await connection.fetch(QUERIES.get_stations, list(ids))
    clocks, cover = await load_clocks(connection), await load_cover(connection, rows)
    terminals, _ = await _load_terminals(connection, rows)
    return _found(rows, terminals, clocks, cover)


async def load_station(connection: Connection, station: str) -> StationDocument:
    """One station. Raises a Problem (404)."""
    row = await require_station(connection, station)
    clocks, cover = await load_clocks(connection), await load_cover(connection, [row])
    return (await complete_stations(connection, [row], clocks, cover))[0]


async def require_station(connection: Connection, station: str) -> asyncpg.Record:
    """The station's row, in the columns of list_stations. Raises a Problem (404)."""
    row = await connection.fetchrow(QUERIES.get_stations, [station])
    if row is None:
        raise not_found("station", station)
    return row


async def complete_stations(
    connection: Connection, rows: Sequence[asyncpg.Record], clocks: Clocks, cover: Cover
) -> list[StationDocument]:
    """The documents of a few station rows; their terminals are looked up together."""
    terminals, _ = await _load_terminals(connection, rows)
    return [station_document(row, terminals[row["id"]], clocks, cover) for row in rows]


def _found(
    rows: Sequence[asyncpg.Record],
    terminals: Mapping[str, Sequence[asyncpg.Record]],
    clocks: Clocks,
    cover: Cover,
    following: str | None = None,
) -> FoundPage[StationDocument]:
    return FoundPage(
        rows=rows,
        next=following,
        document=lambda row: station_document(row, terminals[row["id"]], clocks, cover),
        things=len(rows) + sum(map(len, terminals.values())),
    )


async def _load_terminals(
    connection: Connection, rows: Sequence[asyncpg.Record]
) -> tuple[Mapping[str, Sequence[asyncpg.Record]], int]:
    """The terminals of some stations by station, at most MOST_TERMINALS, and the number of stations (at least one)
    whose terminals are all included: the query returns them in the order of the stations."""
    terminals: dict[str, list[asyncpg.Record]] = {row["id"]: [] for row in rows}
    found = await connection.fetch(QUERIES.list_terminals, list(terminals), MOST_TERMINALS + 1)
    for terminal in found[:MOST_TERMINALS]:
        terminals[terminal["station"]].append(terminal)
    if len(found) <= MOST_TERMINALS:
        return terminals, len(rows)
    return terminals, max(list(terminals).index(found[-1]["station"]), 1)


async def _maybe_unknown(connection: Connection, after: str, clocks: Clocks) -> list[str] | None:
    """The ids of all stations of the country whose verdict can be `unknown`, at most _MOST_UNKNOWN. None if there are
    more, or if a clock is not reliable: then a scan in the order of ids finds a page soon."""
    sound = set(clocks.sound)
    if any(clock.partition not in sound for clock in clocks.all):
        return None
    rows = await connection.fetch(QUERIES.maybe_unknown, after, clocks.sound, _MOST_UNKNOWN + 1)
    return None if len(rows) > _MOST_UNKNOWN else [row["station"] for row in rows]


async def _subtree(connection: Connection, area: list[str] | None) -> tuple[list[str] | None, list[str] | None]:
    """The area filter of list_stations: (all codes of the subtrees, None), or (None, the codes of the areas) if the
    subtrees have too many."""
    areas = await asked_areas(connection, area)
    codes = None if areas is None else await subtree_codes(connection, areas)
    return (None, areas) if codes is None else (codes, None)
