"""The page that asks before a station is removed or retired, and the way back."""

from typing import Final

from fastapi import Request, Response
from pydantic import ValidationError
from starlette.responses import RedirectResponse

from api.actions import removals
from api.actions.removals import RemovalRequest
from api.console.pages import link, page_router, show
from api.context import Context, Shared
from api.http.forms import person, read_form
from api.http.parameters import StationId
from api.http.problems import Problem
from api.read.stations import load_station
from registry.removal import Removal
from registry.removal_store import find_removal

router = page_router()

_CONFLICT: Final = 409


@router.get("/stations/{id}/remove")
async def ask_before_removal(request: Request, context: Shared, id: StationId) -> Response:  # noqa: A002
    """What would become of the station, and the form that does it."""
    return await _ask(request, context, id)


async def _ask(request: Request, context: Context, station: str, status: int = 200, refused: str = "") -> Response:
    async with context.database.snapshot() as connection:
        found = await load_station(connection, station)
        outcome = await find_removal(connection, station)
    return show(
        request,
        "remove.html",
        status,
        station=found,
        outcome=outcome.value,
        refused=refused,
    )


@router.post("/stations/{id}/remove")
async def remove_station(request: Request, context: Shared, id: StationId) -> Response:  # noqa: A002
    """Remove the station and show the list, or retire it and show its page."""
    said = await read_form(request)
    try:
        done = await removals.remove_station(context, request, id, _removal(said))
    except ValidationError:
        return await _ask(request, context, id, 422, "no_reason")
    except Problem as exc:
        if exc.status != _CONFLICT:
            raise
        return RedirectResponse(f"/stations/{id}", status_code=303)
    gone = done.outcome == Removal.REMOVED.value
    return RedirectResponse(link("/stations", removed=id) if gone else f"/stations/{id}", status_code=303)


def _removal(said: dict[str, str]) -> RemovalRequest:
    """What the form says. Raises ValidationError where the reason is missing."""
    return RemovalRequest(reason=said.get("reason", ""), by=person(said))


@router.post("/stations/{id}/restore")
async def restore_station(request: Request, context: Shared, id: StationId) -> Response:  # noqa: A002
    """Take the retirement back, and show the station."""
    said = await read_form(request)
    try:
        await removals.restore_station(context, request, id, _removal(said))
    except ValidationError:
        return await _ask(request, context, id, 422, "no_reason")
    except Problem as exc:
        if exc.status != _CONFLICT:
            raise
    return RedirectResponse(f"/stations/{id}", status_code=303)


@router.get("/stations/{id}/restore")
async def back_to_station(id: StationId) -> Response:  # noqa: A002
    """Where a form was sent: loading it again shows the station."""
    return RedirectResponse(f"/stations/{id}", status_code=303)
