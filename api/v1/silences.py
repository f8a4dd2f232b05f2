"""Silences: intervals in which nobody is told of incidents of a station, an area or everything."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from api.actions.silences import Silencing, end_silence, silence_incidents
from api.context import Shared
from api.http.paging import PageOf
from api.http.parameters import AreaFilter, SilenceId
from api.http.work import WorkRoute
from api.read.routing import silences
from api.read.schemas import Listing, SilenceDocument, SilenceStatus

router = APIRouter(tags=["silences"], route_class=WorkRoute)


@router.get("/silences")
async def list_silences(
    context: Shared,
    page: PageOf,
    area: AreaFilter = None,
    station: Annotated[
        str | None, Query(max_length=64, description="also those of its areas and of everything")
    ] = None,
    status: Annotated[SilenceStatus | None, Query(description="only those that are so now")] = None,
) -> Listing[SilenceDocument]:
    """Silences, the last made first."""
    async with context.database.snapshot() as connection:
        found = await silences.list_silences(connection, page, area=area, station=station, status=status)
    return await found.listing(context.work)


@router.get("/silences/{id}")
async def get_silence(context: Shared, id: SilenceId) -> SilenceDocument:  # noqa: A002 -- the path's own name for it
    """One silence."""
    async with context.database.snapshot() as connection:
        return await silences.load_silence(connection, id)


@router.post("/silences", status_code=201)
async def silence(context: Shared, request: Request, said: Silencing) -> SilenceDocument:
    """Silence incidents: nobody is told of those that begin in it until it ends, and no step of escalation is taken.
    Whoever was told before is told of the recovery at once."""
    return await silence_incidents(context, request, said)


@router.post("/silences/{id}/end")
async def end(context: Shared, request: Request, id: SilenceId) -> SilenceDocument:  # noqa: A002
    """End a silence now; one that has not begun is never in force, and one that is over stays as it is."""
    return await end_silence(context, request, id)
