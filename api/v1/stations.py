"""Stations: what is judged of them now."""

from typing import Annotated

from fastapi import APIRouter, Query

from alerting.stations.verdict import Verdict
from api.context import Shared
from api.http.paging import PageOf
from api.http.parameters import AreaFilter, StationId
from api.http.work import WorkRoute
from api.read import stations
from api.read.schemas import Listing, StationDocument

router = APIRouter(tags=["stations"], route_class=WorkRoute)


@router.get("/stations")
async def list_stations(
    context: Shared,
    page: PageOf,
    area: AreaFilter = None,
    verdict: Annotated[Verdict | None, Query(description="only those that are so now")] = None,
    q: Annotated[str | None, Query(max_length=64, description="part of an id or name")] = None,
    retired: Annotated[
        bool | None, Query(description="true: only retired ones; false: none of them, as the counts of areas have it")
    ] = None,
) -> Listing[StationDocument]:
    """Stations in the order of their ids: they are no events, so none is newest."""
    async with context.database.snapshot() as connection:
        found = await stations.list_stations(connection, page, area=area, verdict=verdict, text=q, retired=retired)
    return await found.listing(context.work)


@router.get("/stations/{id}")
async def get_station(context: Shared, id: StationId) -> StationDocument:  # noqa: A002 -- the path's own name for it
    """One station, in the same shape as in the list."""
    async with context.database.snapshot() as connection:
        return await stations.load_station(connection, id)
