"""Remove or retire a station, and take a retirement back."""

from fastapi import Request
from pydantic import BaseModel, Field

from api.actions.actor import author_of
from api.actions.settle import settle
from api.context import Context
from api.http.problems import not_found
from api.read.schemas import Removed, Restored
from registry import removal_store
from registry.removal import MAX_REASON, Removal


class RemovalRequest(BaseModel):
    """Why a station is removed or comes back. `by`: on whose behalf the account does it."""

    reason: str = Field(min_length=1, max_length=MAX_REASON)
    by: str | None = Field(default=None, min_length=1, max_length=64)


async def remove_station(context: Context, request: Request, station: str, said: RemovalRequest) -> Removed:
    """Remove or retire a station. Raises a Problem (404; 409 when it is retired already)."""
    by = author_of(request, said.by)
    outcome: Removal | None = await settle(
        context, lambda connection: removal_store.remove_station(connection, station, by=by, reason=said.reason)
    )
    if outcome is None:
        raise not_found("station", station)
    return Removed(id=station, outcome=outcome.value)


async def restore_station(context: Context, request: Request, station: str, said: RemovalRequest) -> Restored:
    """Take a retirement back. Raises a Problem (404; 409 when it is not retired)."""
    by = author_of(request, said.by)
    lifecycle = await settle(
        context, lambda connection: removal_store.restore_station(connection, station, by=by, reason=said.reason)
    )
    if lifecycle is None:
        raise not_found("station", station)
    return Restored(id=station, lifecycle=lifecycle)
