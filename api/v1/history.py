"""What a station was and reported: timeline, health, usage."""

from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Query

from api.context import Shared
from api.http.paging import PageOf
from api.http.parameters import StationId
from api.http.times import LONGEST, Window
from api.http.work import WorkRoute
from api.read import history
from api.read.moment import load_clocks, load_now
from api.read.schedule import load_calendar
from api.read.schemas import (
    FiguresUnit,
    HealthFigures,
    HealthSample,
    Listing,
    RecordFigures,
    Timeline,
    UsageFigures,
    UsageListing,
)
from api.read.stations import require_station
from api.read.timeline_documents import timeline_document

router = APIRouter(tags=["history"], route_class=WorkRoute)

_LONGEST: Final = {FiguresUnit.HOUR: timedelta(days=31), FiguresUnit.DAY: LONGEST}
Unit = Annotated[FiguresUnit, Query(description="figures by the hour, of at most 31 days, or by the day (UTC)")]


@router.get("/stations/{id}/timeline")
async def get_timeline(context: Shared, id: StationId, asked: Window) -> Timeline:  # noqa: A002
    """What the station was from `from` to `to`, without gaps or overlaps, oldest first.

    Time in which the platform was blind is unknown; time before the first message is never_seen; the interval
    still going on ends at `to`. Opening hours are those of each day's own schedule, closures and lifecycle as far as
    they are on record.
    """
    async with context.database.snapshot() as connection:
        station = await require_station(connection, id)
        clocks = await load_clocks(connection)
        begin, end = asked.window(clocks.now)
        calendar = await load_calendar(connection, station)
        found = await history.load_timeline(connection, station, calendar, clocks, begin, end)
    return await context.work.do(found.things, lambda: timeline_document(found))


@router.get("/stations/{id}/health")
async def list_health(context: Shared, id: StationId, asked: Window, page: PageOf) -> Listing[HealthSample]:  # noqa: A002
    """Health samples of all terminals, newest first."""
    async with context.database.snapshot() as connection:
        await require_station(connection, id)
        begin, end = asked.window(await load_now(connection))
        found = await history.list_health(connection, id, begin, end, page)
    return await found.listing(context.work)


@router.get("/stations/{id}/usage")
async def list_usage(context: Shared, id: StationId, asked: Window, page: PageOf) -> UsageListing:  # noqa: A002
    """Usage of all terminals that began in the window, newest first, and its total."""
    async with context.database.snapshot() as connection:
        await require_station(connection, id)
        begin, end = asked.window(await load_now(connection))
        found = await history.list_usage(connection, id, begin, end, page)
    return await found.listing(context.work)


@router.get("/stations/{id}/health/figures")
async def get_health_figures(
    context: Shared,
    id: StationId,  # noqa: A002
    asked: Window,
    unit: Unit = FiguresUnit.HOUR,
) -> RecordFigures[HealthFigures]:
    """Mean and maximum of the health of each terminal by hour or day, oldest first.

    They are kept longer than the records. An hour is there five minutes after its end, and again when records arrive
    late.
    """
    async with context.database.snapshot() as connection:
        await require_station(connection, id)
        begin, end = asked.window(await load_now(connection), longest=_LONGEST[unit])
        found = await history.load_health_figures(connection, id, unit, begin, end)
    return RecordFigures(unit=unit, items=found)


@router.get("/stations/{id}/usage/figures")
async def get_usage_figures(
    context: Shared,
    id: StationId,  # noqa: A002
    asked: Window,
    unit: Unit = FiguresUnit.HOUR,
) -> RecordFigures[UsageFigures]:
    """Use of each terminal by hour or day, oldest first, kept as the figures of health are."""
    async with context.database.snapshot() as connection:
        await require_station(connection, id)
        begin, end = asked.window(await load_now(connection), longest=_LONGEST[unit])
        found = await history.load_usage_figures(connection, id, unit, begin, end)
    return RecordFigures(unit=unit, items=found)
