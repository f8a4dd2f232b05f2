"""What a station was and reported: timeline, health, usage."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import asyncpg
import msgspec
from fastapi import APIRouter

from alerting.stations.verdict import SET_ASIDE, Clocks, Verdict, doubt
from api.context import QUERIES, Shared, load_clocks
from api.http.paging import MAX_ID, AfterRecord, Page, PageOf
from api.http.problems import Problem
from api.http.times import Window
from api.http.work import WorkRoute
from api.read.schemas import HealthSample, Interval, Listing, Timeline, UsageItem, UsageListing, UsageTotal
from api.v1.schedules import calendar_of_station, closures_of
from api.v1.stations import MOST_TERMINALS, StationId, heard_through, require_station
from audit.timeline import HistoryInterval, PresenceRun, StateChange, StationDecisions, UnknownInterval, timeline
from registry.hours.calendar import ALWAYS
from store.pool import Connection

router = APIRouter(tags=["history"], route_class=WorkRoute)

MOST: Final = 5_000
"""Transitions, gaps or presence records that one answer is made of."""
_LAST: Final = datetime.max.replace(tzinfo=UTC)
_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_FIRST_RECORD: Final = AfterRecord(_LAST, "", "", MAX_ID)


@router.get("/stations/{id}/timeline")
async def get_timeline(context: Shared, id: StationId, asked: Window) -> Timeline:  # noqa: A002
    """What the station was from `from` to `to`, without gaps or overlaps, oldest first.

    Time in which the platform was blind is unknown; time before the first message is never_seen; the interval
    still going on ends at `to`. Opening hours are those of each day's own schedule, closures and lifecycle as far as
    they are on record.
    """
    async with context.database.snapshot() as connection:
        row = await require_station(connection, id)
        clocks = await load_clocks(connection)
        begin, end = asked.window(clocks.now)
        changes = await connection.fetch(QUERIES.station_changes, id, begin, end, MOST + 1)
        presence = await connection.fetch(QUERIES.station_presence, id, begin, end, MOST + 1)
        gaps = await _gaps(connection, id, begin, end)
        gaps += await _gap_now(connection, row, clocks)
        gaps += await _suspicions(connection, id, begin, end)
        decided = await _decided(connection, row, begin, end)
        calendar = await calendar_of_station(connection, row)
    if max(len(changes), len(presence), len(gaps)) > MOST:
        raise Problem(
            422, "from: too much happened to this station for one answer: ask for a shorter time", parameter="from"
        )

    def make() -> Timeline:
        openings = None if calendar is ALWAYS else tuple(calendar.openings(begin, end))
        known = msgspec.structs.replace(decided, openings=openings)
        spans = timeline(map(_change, changes), gaps, map(_ran, presence), begin=begin, end=end, decided=known)
        return Timeline(intervals=[_interval(span) for span in spans])

    things = len(changes) + len(presence) + len(gaps) + len(decided.closures) + (end - begin).days
    return await context.work.do(things, make)


async def _gaps(connection: Connection, station: str, begin: datetime, end: datetime) -> list[UnknownInterval]:
    """The gaps of the (partition, shard) through which the station was heard."""
    heard = await connection.fetch(QUERIES.station_shards, station, end)
    rows = await connection.fetch(
        QUERIES.station_gaps,
        [row["partition"] for row in heard],
        [row["shard"] for row in heard],
        begin,
        end,
        MOST + 1,
    )
    return [UnknownInterval(began_at=row["began_at"], ended_at=row["ended_at"]) for row in rows]


async def _suspicions(connection: Connection, station: str, begin: datetime, end: datetime) -> list[UnknownInterval]:
    """When the station was silent with a suspected shard."""
    rows = await connection.fetch(QUERIES.station_suspicions, station, begin, end, MOST + 1)
    return [UnknownInterval(began_at=row["began_at"], ended_at=row["ended_at"] or _LAST, silent=True) for row in rows]


async def _gap_now(connection: Connection, station: asyncpg.Record, clocks: Clocks) -> list[UnknownInterval]:
    """The time for which the present verdict is unknown, which no judge has written down."""
    if station["state"] == SET_ASIDE:
        return [UnknownInterval(began_at=station["since"], ended_at=_LAST)]
    terminals = await connection.fetch(QUERIES.list_terminals, [station["id"]], MOST_TERMINALS)
    clock = clocks.of(station["partition"], station["shard"] or heard_through(terminals))
    doubted = None if clock is None else doubt(clock, clocks.now)
    return [] if doubted is None else [UnknownInterval(began_at=doubted[1], ended_at=_LAST)]


async def _decided(connection: Connection, station: asyncpg.Record, begin: datetime, end: datetime) -> StationDecisions:
    """Approved closures and lifecycle, of the window."""
    closures = await closures_of(connection, station, begin, end)
    lifecycles = await connection.fetch(QUERIES.station_lifecycles, station["id"])
    return StationDecisions(
        closures=tuple((closure.begin, closure.end) for closure in closures if closure.approved),
        lifecycles=_lifecycles(lifecycles, station["lifecycle"]),
    )


def _lifecycles(changes: Sequence[asyncpg.Record], present: str) -> tuple[tuple[datetime, str], ...]:
    """Of no change on record, the present one holds for always."""
    first = changes[0]["before"] if changes else present
    return (_FIRST, first), *((change["at"], change["after"]) for change in changes)


def _change(row: asyncpg.Record) -> StateChange:
    return StateChange(seq=row["seq"], at=row["at"], state=row["after"], usable=row["usable"])


def _ran(row: asyncpg.Record) -> PresenceRun:
    return PresenceRun(began_at=row["ts"], ended_at=row["until"], usable=row["usable"], received_at=row["received_at"])


def _interval(span: HistoryInterval) -> Interval:
    return Interval(
        begin=span.begin,
        end=span.end,
        verdict=Verdict(span.verdict),
        usable=span.usable,
        evidence=span.evidence,
        revision=span.revision,
    )


def _after_record(page: Page) -> tuple[datetime, str, str, int]:
    after = page.after(AfterRecord, _FIRST_RECORD)
    return after.ts, after.terminal, after.box, after.id


def _record_key(row: asyncpg.Record) -> AfterRecord:
    return AfterRecord(row["ts"], row["terminal"], row["box"], row["id"])


@router.get("/stations/{id}/health")
async def list_health(context: Shared, id: StationId, asked: Window, page: PageOf) -> Listing[HealthSample]:  # noqa: A002
    """Health samples of all terminals, newest first."""
    async with context.database.snapshot() as connection:
        await require_station(connection, id)
        begin, end = asked.window(await connection.fetchval(QUERIES.now))
        rows = await connection.fetch(QUERIES.list_health, id, begin, end, *_after_record(page), page.limit + 1)
    shown, following = page.cut(rows, _record_key)
    items = await context.work.do(len(shown), lambda: [HealthSample(**row) for row in shown])
    return Listing(items=items, next=following)


@router.get("/stations/{id}/usage")
async def list_usage(context: Shared, id: StationId, asked: Window, page: PageOf) -> UsageListing:  # noqa: A002
    """Usage of all terminals that began in the window, newest first, and its total."""
    async with context.database.snapshot() as connection:
        await require_station(connection, id)
        begin, end = asked.window(await connection.fetchval(QUERIES.now))
        rows = await connection.fetch(QUERIES.list_usage, id, begin, end, *_after_record(page), page.limit + 1)
        total = await connection.fetchrow(QUERIES.total_usage, id, begin, end)
    shown, following = page.cut(rows, _record_key)
    items = [
        UsageItem(
            begin=row["ts"],
            until=row["until"],
            sessions=row["sessions"],
            minutes=row["minutes"],
            terminal=row["terminal"],
        )
        for row in shown
    ]
    return UsageListing(items=items, next=following, total=UsageTotal(**dict(total or {})))
