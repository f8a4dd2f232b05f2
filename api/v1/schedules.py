"""When a station should be open: its schedule, openings and closures of some days."""

from datetime import date, datetime, timedelta
from typing import Final

import msgspec
from fastapi import APIRouter

from api.context import QUERIES, Shared
from api.http.times import Window
from api.http.work import WorkRoute
from api.read.schemas import Opening, Schedule, ScheduleVersion, StationClosure
from api.v1.stations import Row, StationId, require_station
from contract.home import HOME
from registry.hours.calendar import ALWAYS, Calendar, Definition
from registry.hours.calendar_store import load_day_classes
from store.pool import Connection

router = APIRouter(tags=["stations"], route_class=WorkRoute)

_WEEK: Final = timedelta(days=7)
_MOST: Final = 1000


@router.get("/stations/{id}/schedule")
async def get_schedule(context: Shared, id: StationId, asked: Window) -> Schedule:  # noqa: A002
    """When the station should be open from `from` to `to` (at most 400 days), oldest first; the coming 7 days unless
    asked otherwise.

    `versions` are the schedules that it has had, of which the last one before a day holds on it. `provisional` are the
    days of which nobody has announced yet whether they are workdays.
    """
    async with context.database.snapshot() as connection:
        row = await require_station(connection, id)
        now = await connection.fetchval(QUERIES.now)
        begin, end = asked.window(now) if asked.begin or asked.end else (now, now + _WEEK)
        calendar = await calendar_of_station(connection, row)
        closures = await closures_of(connection, row, begin, end)

    def make() -> Schedule:
        return Schedule(
            always=calendar is ALWAYS,
            versions=versions(calendar),
            openings=[Opening(begin=opens, end=closes) for opens, closes in calendar.openings(begin, end)],
            closures=closures,
            provisional=[day for day in _days(begin, end) if calendar.provisional(day)],
        )

    return await context.work.do((end - begin).days + len(closures), make)


async def calendar_of_station(connection: Connection, station: Row) -> Calendar:
    """The calendar that the station's verdict is judged by; ALWAYS for one that has none."""
    if station["calendar"] is None:
        return ALWAYS
    said = await connection.fetchval(QUERIES.calendar_definition, station["calendar"])
    return Calendar(msgspec.convert(said, Definition), await load_day_classes(connection))


async def closures_of(connection: Connection, station: Row, begin: datetime, end: datetime) -> list[StationClosure]:
    """The closures of a station, its areas and its programmes that touch [begin, end), the first 1000."""
    rows = await connection.fetch(
        QUERIES.station_closures, station["id"], station["path"] or [], station["programmes"], begin, end, _MOST
    )
    return [StationClosure(**row) for row in rows]


def versions(calendar: Calendar) -> list[ScheduleVersion]:
    """The schedules of a calendar in their order: the station's own, else those of its kind."""
    found = calendar.definition.versions or calendar.definition.kind_versions
    return [
        ScheduleVersion(
            valid_from=None if version.valid_from == date.min else version.valid_from,
            rules=version.rules,
            timezone=version.zone,
        )
        for version in found
    ]


def _days(begin: datetime, end: datetime) -> list[date]:
    first, last = begin.astimezone(HOME).date(), end.astimezone(HOME).date()
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]
