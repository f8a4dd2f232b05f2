"""Stations that were registered by mistake or are given up: their removal or retirement, and the way back."""

from fastapi import APIRouter, Request

from api.actions.removals import RemovalRequest, remove_station, restore_station
from api.context import Shared
from api.http.parameters import StationId
from api.http.work import WorkRoute
from api.read.schemas import Removed, Restored

router = APIRouter(tags=["stations"], route_class=WorkRoute)


@router.post("/stations/{id}/remove")
async def remove(context: Shared, request: Request, id: StationId, said: RemovalRequest) -> Removed:  # noqa: A002
    """Remove a station of which nothing is on record; retire any other: it counts nowhere then, and its records stay.
    409 when it is retired already."""
    return await remove_station(context, request, id, said)


@router.post("/stations/{id}/restore")
async def restore(context: Shared, request: Request, id: StationId, said: RemovalRequest) -> Restored:  # noqa: A002
    """Take a retirement back. 409 when it is not retired."""
    return await restore_station(context, request, id, said)
