"""Uptime: figures of a station or an area in a month or a year."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.context import Shared
from api.http.paging import PageOf
from api.http.parameters import AreaFilter, PeriodName
from api.http.problems import bad_parameter
from api.http.work import WorkRoute
from api.read.schemas import Listing
from api.read.uptime.load import asked_period, list_station_uptime, load_area_uptime, load_station_uptime
from api.read.uptime.schemas import UptimeDocument, UptimeOfStation

router = APIRouter(tags=["uptime"], route_class=WorkRoute)


@router.get("/uptime")
async def get_uptime(
    context: Shared,
    area: AreaFilter = None,
    station: Annotated[str | None, Query(max_length=64, description="the station's id, instead of an area")] = None,
    period: PeriodName = None,
) -> UptimeDocument:
    """Online rate, service rate and coverage of a station, of an area with all below it, or of everything in the scope.
    Days that are still going on are in no figure. A frozen month stands; what came later is in `with_addenda` and in
    `parts`."""
    if area is not None and station is not None:
        raise bad_parameter("station", "ask for a station or for an area, not for both")
    async with context.database.snapshot() as connection:
        asked = await asked_period(connection, period)
        if station is not None:
            found = await load_station_uptime(connection, station, asked)
        else:
            found = await load_area_uptime(connection, area, asked)
    return await found.document(context.work)


@router.get("/uptime/stations")
async def list_uptime_of_stations(
    context: Shared, page: PageOf, area: AreaFilter = None, period: PeriodName = None
) -> Listing[UptimeOfStation]:
    """Figures of the stations that are in an area now, in the order of their ids, with what came after a freeze. Of
    each the days count on which it was in the area."""
    async with context.database.snapshot() as connection:
        found = await list_station_uptime(connection, area, await asked_period(connection, period), page)
    return await found.listing(context.work)
