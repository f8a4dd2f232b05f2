"""When a station should be open: its schedule, openings and closures of some days."""

from datetime import date, datetime, timedelta
from typing import Final

from fastapi import APIRouter

from api.context import Shared
from api.http.parameters import StationId
from api.http.times import Window
from api.http.work import WorkRoute
from api.read.moment import load_now
from api.read.schedule import load_calendar, load_station_closures
from api.read.schemas import Opening, Schedule, ScheduleVersion
from api.read.stations import require_station
from contract.home import HOME
from registry.hours.calendar import ALWAYS, Calendar

router = APIRouter(tags=["stations"], route_class=WorkRoute)

_WEEK: Final = timedelta(days=7)


@router.get("/stations/{id}/schedule")
async def get_schedule(context: Shared, id: StationId, asked: Window) -> Schedule:  # noqa: A002
    """When the station should be open from `from` to `to` (at most 400 days), oldest first; the coming 7 days unless
    asked otherwise.

    `versions` are the schedules that it has had; on each day the latest one up to that day applies. `provisional` are
    the days whose class, workday or not, is not announced yet.
    """
    async with context.database.snapshot() as connection:
        row = await require_station(connection, id)
        now = await load_now(connection)
        begin, end = asked.window(now) if asked.begin or asked.end else (now, now + _WEEK)
        calendar = await load_calendar(connection, row)
        closures = await load_station_closures(connection, row, begin, end)

    def make() -> Schedule:
        return Schedule(
            always=calendar is ALWAYS,
            versions=versions(calendar),
            openings=[Opening(begin=opens, end=closes) for opens, closes in calendar.openings(begin, end)],
            closures=closures,
            provisional=[day for day in _days(begin, end) if calendar.provisional(day)],
        )

    return await context.work.do((end - begin).days + len(closures), make)


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
