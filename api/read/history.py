"""What a station was and reported in a window of time: timeline, health, usage."""

from datetime import UTC, datetime
from typing import Final

import asyncpg
import msgspec

from alerting.stations.verdict import SET_ASIDE, Clocks, doubt
from api.http.paging import MAX_ID, AfterRecord, Page
from api.http.problems import Problem
from api.http.work import Work
from api.read.found import FoundPage
from api.read.queries import QUERIES
from api.read.rows import DatabaseRow
from api.read.schedule import load_lifecycles, load_station_closures
from api.read.schemas import (
    FiguresUnit,
    HealthFigures,
    HealthSample,
    Measured,
    UsageFigures,
    UsageItem,
    UsageListing,
    UsageTotal,
)
from api.read.station_documents import heard_through
from api.read.stations import MOST_TERMINALS
from api.read.timeline_documents import TimelineRows
from audit.timeline import UnknownInterval
from registry.hours.calendar import Calendar
from store.pool import Connection

MOST: Final = 5_000
"""Transitions, moves to other shards, gaps, presence records or figures that one answer is made of."""
_MEASURED: Final = ("cpu", "mem", "disk", "temp", "rtt_ms")
_LAST: Final = datetime.max.replace(tzinfo=UTC)
_FIRST_RECORD: Final = AfterRecord(_LAST, "", "", MAX_ID)


async def load_timeline(
    connection: Connection,
    station: DatabaseRow,
    calendar: Calendar,
    clocks: Clocks,
    begin: datetime,
    end: datetime,
) -> TimelineRows:
    """What the timeline of a station over [begin, end) is made of. Raises a Problem (422) where that is too much."""
    name = station["id"]
    rows = TimelineRows(
        begin=begin,
        end=end,
        changes=await connection.fetch(QUERIES.station_changes, name, begin, end, MOST + 1),
        presence=await connection.fetch(QUERIES.station_presence, name, begin, end, MOST + 1),
        gaps=[
            *await _gaps(connection, name, begin, end),
            *await _gap_now(connection, station, clocks),
            *await _suspicions(connection, name, begin, end),
        ],
        closures=await load_station_closures(connection, station, begin, end),
        lifecycles=await load_lifecycles(connection, name),
        lifecycle=station["lifecycle"],
        calendar=calendar,
    )
    _require_bounded(rows.most)
    return rows


def _require_bounded(rows: int) -> None:
    if rows > MOST:
        raise Problem(
            422, "from: too much happened to this station for one answer: ask for a shorter time", parameter="from"
        )


async def _gaps(connection: Connection, station: str, begin: datetime, end: datetime) -> list[UnknownInterval]:
    """The gaps of each (partition, shard) in the time in which the station was heard through it. Raises a Problem (422)
    if the station was heard through more than MOST of them."""
    heard = await connection.fetch(QUERIES.station_shards, station, end, begin, MOST + 1)
    _require_bounded(len(heard))
    rows = await connection.fetch(
        QUERIES.station_gaps,
        *([row[name] for row in heard] for name in ("partition", "shard", "since", "until")),
        begin,
        end,
        MOST + 1,
    )
    return [UnknownInterval(began_at=row["began_at"], ended_at=row["ended_at"]) for row in rows]


async def _suspicions(connection: Connection, station: str, begin: datetime, end: datetime) -> list[UnknownInterval]:
    """When the station was silent with a suspected shard."""
    rows = await connection.fetch(QUERIES.station_suspicions, station, begin, end, MOST + 1)
    return [UnknownInterval(began_at=row["began_at"], ended_at=row["ended_at"] or _LAST, silent=True) for row in rows]


async def _gap_now(connection: Connection, station: DatabaseRow, clocks: Clocks) -> list[UnknownInterval]:
    """The time for which the present verdict is unknown, which no judge has written down."""
    if station["state"] == SET_ASIDE:
        return [UnknownInterval(began_at=station["since"], ended_at=_LAST)]
    terminals = await connection.fetch(QUERIES.list_terminals, [station["id"]], MOST_TERMINALS)
    clock = clocks.clock_of(station["partition"], station["shard"] or heard_through(terminals))
    doubted = None if clock is None else doubt(clock, clocks.now)
    return [] if doubted is None else [UnknownInterval(began_at=doubted[1], ended_at=_LAST)]


async def list_health(
    connection: Connection, station: str, begin: datetime, end: datetime, page: Page
) -> FoundPage[HealthSample]:
    """Health samples of all terminals of [begin, end), newest first. Raises a Problem for a cursor that is not ours."""
    rows = await connection.fetch(QUERIES.list_health, station, begin, end, *_after_record(page), page.limit + 1)
    shown, following = page.cut(rows, _record_key)
    return FoundPage(rows=shown, next=following, document=lambda row: HealthSample(**row), things=len(shown))


async def load_health_figures(
    connection: Connection, station: str, unit: FiguresUnit, begin: datetime, end: datetime
) -> list[HealthFigures]:
    """Health of all terminals by hour or day (UTC) that begins in [begin, end), oldest first. Raises a Problem (422) if
    these are too many."""
    query = QUERIES.health_by_hour if unit is FiguresUnit.HOUR else QUERIES.health_by_day
    rows = await _load_figures(connection, query, station, begin, end)
    return [
        HealthFigures(
            begin=row["began_at"],
            terminal=row["terminal"],
            samples=row["samples"],
            **{name: Measured(mean=row[name], max=row[f"{name}_max"]) for name in _MEASURED},
        )
        for row in rows
    ]


async def load_usage_figures(
    connection: Connection, station: str, unit: FiguresUnit, begin: datetime, end: datetime
) -> list[UsageFigures]:
    """The same of use."""
    query = QUERIES.usage_by_hour if unit is FiguresUnit.HOUR else QUERIES.usage_by_day
    rows = await _load_figures(connection, query, station, begin, end)
    return [
        UsageFigures(
            begin=row["began_at"],
            terminal=row["terminal"],
            samples=row["samples"],
            sessions=row["sessions"],
            minutes=row["minutes"],
        )
        for row in rows
    ]


async def _load_figures(
    connection: Connection, query: str, station: str, begin: datetime, end: datetime
) -> list[asyncpg.Record]:
    rows = await connection.fetch(query, station, begin, end, MOST + 1)
    if len(rows) > MOST:
        raise Problem(
            422,
            f"from: there are more than {MOST} figures: ask for a shorter time, or for days instead of hours",
            parameter="from",
        )
    return rows


class FoundUsage(msgspec.Struct, frozen=True):
    """A page of usage and the total of its whole window."""

    page: FoundPage[UsageItem]
    total: UsageTotal

    async def listing(self, work: Work) -> UsageListing:
        """The page as the API answers it."""
        return UsageListing(items=await self.page.documents(work), next=self.page.next, total=self.total)


async def list_usage(connection: Connection, station: str, begin: datetime, end: datetime, page: Page) -> FoundUsage:
    """Usage of all terminals that began in [begin, end), newest first. Raises a Problem for a foreign cursor."""
    rows = await connection.fetch(QUERIES.list_usage, station, begin, end, *_after_record(page), page.limit + 1)
    total = await connection.fetchrow(QUERIES.total_usage, station, begin, end)
    shown, following = page.cut(rows, _record_key)
    found = FoundPage(rows=shown, next=following, document=_usage_item, things=len(shown))
    return FoundUsage(found, UsageTotal(**dict(total or {})))


def _usage_item(row: asyncpg.Record) -> UsageItem:
    return UsageItem(
        begin=row["ts"],
        until=row["until"],
        sessions=row["sessions"],
        minutes=row["minutes"],
        terminal=row["terminal"],
    )


def _after_record(page: Page) -> tuple[datetime, str, str, int]:
    after = page.after(AfterRecord, _FIRST_RECORD)
    return after.ts, after.terminal, after.box, after.id


def _record_key(row: asyncpg.Record) -> AfterRecord:
    return AfterRecord(row["ts"], row["terminal"], row["box"], row["id"])
