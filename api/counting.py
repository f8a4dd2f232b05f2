"""How many stations have which verdict: grouped in SQL by all that a verdict depends on, judged here once a group."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

import asyncpg

from alerting.cover import Cover
from alerting.verdict import ALWAYS_OPEN, Clocks, Hours, Verdict, judge
from api.context import QUERIES
from api.shapes import Counts
from store.pool import Connection

Row = asyncpg.Record


def verdict_of_group(row: Row, clocks: Clocks) -> Verdict:
    """The verdict of stations that share lifecycle, state, how sound their clock is, and hours or a closure."""
    clock = clocks.sound_clock if row["sound"] else clocks.of(row["partition"], row["shard"])
    hours = _HOURS.get(row["cover"]) or Hours(excused_since=clocks.now)
    return judge(
        lifecycle=row["lifecycle"], state=row["state"], since=None, clock=clock, now=clocks.now, hours=hours
    ).verdict


_HOURS: Final = {None: ALWAYS_OPEN, "closed": Hours(open=False)}


def soundness(clocks: Clocks) -> tuple[list[int], list[int]]:
    """The partitions whose clocks are all sound, and those where the shard decides."""
    return clocks.sound, sorted({clock.partition for clock in clocks.partly_sound})


def tally(rows: Iterable[Row], clocks: Clocks) -> dict[Verdict, int]:
    """Stations by verdict, of rows with a column `stations`."""
    totals: dict[Verdict, int] = defaultdict(int)
    for row in rows:
        totals[verdict_of_group(row, clocks)] += row["stations"]
    return dict(totals)


def counts_document(totals: Mapping[Verdict, int]) -> Counts:
    return Counts(total=sum(totals.values()), **{verdict.value: number for verdict, number in totals.items()})


async def count_by_verdict(connection: Connection, clocks: Clocks, cover: Cover) -> dict[Verdict, int]:
    """All stations by verdict."""
    return tally(await connection.fetch(QUERIES.count_stations, *soundness(clocks), *cover.arguments), clocks)
