"""How many stations have which verdict: as the incident process keeps it, or grouped in SQL by all that a verdict
depends on and judged here once a group."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import asyncpg
import msgspec

from alerting.stations.expected import Cover
from alerting.stations.verdict import ALWAYS_OPEN, STALE, Clocks, Hours, Verdict, judge
from api.http.database import Database
from api.read.moment import load_clocks, load_cover
from api.read.queries import QUERIES
from api.read.rows import DatabaseRow
from api.read.schemas import VerdictCounts
from store.pool import Connection

Totals = Mapping[Verdict, int]

# Cells to a side of the map: fine where every station can have a marker, coarse where they are clustered anyway.
_FINE, _COARSE, _MANY = 400, 60, 2000
_HOURS: Final = {None: ALWAYS_OPEN, "closed": Hours(open=False)}


class Survey(msgspec.Struct, frozen=True):
    """All stations by verdict, and what is to be drawn on a map, each with its verdict."""

    totals: Totals
    spots: list[tuple[Verdict, asyncpg.Record]]


def grounds(clocks: Clocks, cover: Cover) -> tuple[Any, ...]:
    """What verdicts depend on beside the stations themselves, as $1 to $7 of survey_stations and its kin."""
    partly = clocks.partly_sound
    return clocks.sound, [clock.partition for clock in partly], [clock.shard for clock in partly], *cover.arguments


def verdict_of_group(row: DatabaseRow, clocks: Clocks) -> Verdict:
    """The verdict of stations that share lifecycle, state, `usable`, hours, and whether their clock is sound."""
    clock = clocks.sound_clock if row["sound"] else None
    hours = _HOURS.get(row["cover"]) or Hours(excused_since=clocks.now)
    return judge(
        lifecycle=row["lifecycle"],
        state=row["state"],
        usable=row["usable"],
        since=None,
        clock=clock,
        now=clocks.now,
        hours=hours,
    ).verdict


def tally(rows: Iterable[DatabaseRow], clocks: Clocks) -> Totals:
    """Stations by verdict, of rows with a column `stations`."""
    totals: dict[Verdict, int] = defaultdict(int)
    for row in rows:
        totals[verdict_of_group(row, clocks)] += row["stations"]
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
    """Go through all stations."""
    async with database.snapshot() as connection:
        return await survey_at(connection, await load_clocks(connection), await load_cover(connection))


async def survey_at(connection: Connection, clocks: Clocks, cover: Cover) -> Survey:
    rows = await connection.fetch(QUERIES.survey_stations, *grounds(clocks, cover), _FINE, _COARSE, _MANY)
    return await asyncio.to_thread(_survey, rows, clocks)


def _survey(rows: Sequence[asyncpg.Record], clocks: Clocks) -> Survey:
    placed = (row for row in rows if row["row"] is not None and row["col"] is not None)
    return Survey(tally(rows, clocks), [(verdict_of_group(row, clocks), row) for row in placed])


async def kept_totals(connection: Connection, clocks: Clocks, cover: Cover) -> Totals | None:
    """All stations by verdict without going through them; None when nobody keeps the counts now."""
    if not await are_kept(connection, clocks):
        return None
    nowhere = tally(await connection.fetch(QUERIES.count_nowhere, *grounds(clocks, cover)), clocks)
    roots = map(kept_row, await connection.fetch(QUERIES.kept_roots))
    return {verdict: number for verdict, number in sum_totals([nowhere, *roots]).items() if number}


async def are_kept(connection: Connection, clocks: Clocks) -> bool:
    """Whether the incident process keeps the counts now. It counts nobody as unknown: that is for the clocks to say."""
    told_at: datetime | None = await connection.fetchval(QUERIES.counts_told_at)
    sound = bool(clocks.all) and all(map(clocks.is_sound, clocks.all))
    return sound and told_at is not None and clocks.now - told_at <= STALE


def kept_row(row: DatabaseRow) -> Totals:
    """The counts of an area as the incident process keeps them."""
    return {Verdict(name): row[name] for name in row.keys() if name != "area"}  # noqa: SIM118 -- a row is no dict
