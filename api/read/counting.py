"""How many stations have which verdict: as the incident process keeps it, or counted in SQL."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from alerting.stations.expected import Cover
from alerting.stations.verdict import STALE, Clocks, Verdict
from api.http.database import Database
from api.read.moment import load_clocks, load_cover
from api.read.queries import QUERIES
from api.read.rows import DatabaseRow
from api.read.schemas import VerdictCounts
from api.read.scope import scope_codes
from store.pool import Connection

Totals = Mapping[Verdict, int]

# Cells to a side of the map: fine where every station can have a marker, coarse where they are clustered anyway.
_FINE, _COARSE, _MANY = 400, 60, 2000


class Survey(msgspec.Struct, frozen=True):
    """All stations by verdict, and what is to be drawn on a map, each with its verdict."""

    totals: Totals
    spots: list[tuple[Verdict, asyncpg.Record]]


def grounds(clocks: Clocks, cover: Cover) -> tuple[Any, ...]:
    """What verdicts depend on beside the stations: $1 to $7 of the queries that use stations_now."""
    partly = clocks.partly_sound
    return clocks.sound, [clock.partition for clock in partly], [clock.shard for clock in partly], *cover.arguments


def tally(rows: Iterable[DatabaseRow]) -> Totals:
    """Stations by verdict, of rows with columns `verdict` and `stations`."""
    totals: dict[Verdict, int] = defaultdict(int)
    for row in rows:
        totals[Verdict(row["verdict"])] += row["stations"]
    return dict(totals)


def sum_totals(parts: Iterable[Totals]) -> Totals:
    """The totals of some parts together."""
    totals: dict[Verdict, int] = defaultdict(int)
    for part in parts:
        for verdict, number in part.items():
            totals[verdict] += number
    return dict(totals)


def counts_document(totals: Totals) -> VerdictCounts:
    """Totals as the API answers them."""
    return VerdictCounts(total=sum(totals.values()), **{verdict.value: number for verdict, number in totals.items()})


async def survey(database: Database) -> Survey:
    """Go through all stations of the scope."""
    async with database.snapshot() as connection:
        return await survey_at(connection, await load_clocks(connection), await load_cover(connection))


async def survey_at(connection: Connection, clocks: Clocks, cover: Cover) -> Survey:
    """Go through all stations with clocks, opening hours and closures that were read in the same snapshot."""
    areas = await scope_codes(connection)
    rows = await connection.fetch(QUERIES.survey_stations, *grounds(clocks, cover), _FINE, _COARSE, _MANY, areas)
    return await asyncio.to_thread(_survey, rows)


def _survey(rows: Sequence[asyncpg.Record]) -> Survey:
    placed = (row for row in rows if row["row"] is not None and row["col"] is not None)
    return Survey(tally(rows), [(Verdict(row["verdict"]), row) for row in placed])


async def kept_totals(connection: Connection, clocks: Clocks, cover: Cover) -> Totals | None:
    """All stations by verdict without going through them; None when the counts are not kept now."""
    if not await are_kept(connection, clocks):
        return None
    nowhere = tally(await connection.fetch(QUERIES.count_nowhere, *grounds(clocks, cover)))
    roots = map(kept_row, await connection.fetch(QUERIES.kept_roots))
    return {verdict: number for verdict, number in sum_totals([nowhere, *roots]).items() if number}


async def are_kept(connection: Connection, clocks: Clocks) -> bool:
    """Whether the incident process keeps the counts now. It counts no station as unknown, so the counts hold only while
    every clock can be trusted."""
    told_at: datetime | None = await connection.fetchval(QUERIES.counts_told_at)
    sound = bool(clocks.all) and all(map(clocks.is_sound, clocks.all))
    return sound and told_at is not None and clocks.now - told_at <= STALE


def kept_row(row: DatabaseRow) -> Totals:
    """The counts of an area as the incident process keeps them."""
    return {Verdict(name): row[name] for name in row.keys() if name != "area"}  # noqa: SIM118 -- a row is no dict
