"""Stations that were registered by mistake or are given up: their removal or retirement, and the way back."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from api.context import Context, Shared
from api.http.problems import Problem, not_found
from api.http.work import WorkRoute
from api.read.schemas import Removed, Restored
from api.v1.incidents import actor_of
from api.v1.stations import StationId
from contract.errors import RemedyError
from registry.removal import MAX_REASON, Removal
from registry.removal_store import remove_station, restore_station
from store.pool import Connection

router = APIRouter(tags=["stations"], route_class=WorkRoute)

_T = TypeVar("_T")


class Why(BaseModel):
    """Why a station is removed or comes back. `by`: who does it."""

    reason: str = Field(min_length=1, max_length=MAX_REASON)
    by: str | None = Field(default=None, min_length=1, max_length=64)


@router.post("/stations/{id}/remove")
async def remove(context: Shared, request: Request, id: StationId, said: Why) -> Removed:  # noqa: A002
    """Remove a station of which nothing is on record; retire any other: it counts nowhere then, and its records stay.
    409 when it is retired already."""
    by = actor_of(request, said.by)
    outcome: Removal | None = await _settle(
        context, lambda connection: remove_station(connection, id, by=by, reason=said.reason)
    )
    if outcome is None:
        raise not_found("station", id)
    return Removed(id=id, outcome=outcome.value)


@router.post("/stations/{id}/restore")
async def restore(context: Shared, request: Request, id: StationId, said: Why) -> Restored:  # noqa: A002
    """Take a retirement back. 409 when it is not retired."""
    by = actor_of(request, said.by)
    lifecycle = await _settle(context, lambda connection: restore_station(connection, id, by=by, reason=said.reason))
    if lifecycle is None:
        raise not_found("station", id)
    return Restored(id=id, lifecycle=lifecycle)


async def _settle(context: Context, action: Callable[[Connection], Awaitable[_T]]) -> _T:
    async with context.database.connection() as connection:
        try:
            return await action(connection)
        except RemedyError as exc:
            raise Problem(409, str(exc)) from exc
