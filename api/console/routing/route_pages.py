"""The pages of routes: the list, one with its forms, who would be told of an incident, and gaps."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import Request, Response
from pydantic import ValidationError
from starlette.responses import RedirectResponse

from api.actions.routes import GivenRoute, put_route, remove_route
from api.console.area_choice import find_area
from api.console.name_lookup import PlaceNames, load_names_of
from api.console.names import where
from api.console.pages import page_router, show, why_refused, words_for
from api.console.routing.route_texts import FIELDS, as_form, conditions, of_form, step_words
from api.console.texts import Words
from api.context import Context, Shared
from api.http.forms import read_form
from api.http.paging import Page
from api.http.parameters import Cursor, RouteId, Text
from api.http.problems import Problem
from api.read.routing.route_schemas import RouteDocument
from api.read.routing.routes import list_routes, load_route, may_edit_route
from registry.routes.store import has_stored_default

router = page_router()

_PAGE: Final = 50
_LABELS: Final = {
    "name": "route_name",
    "area": "duty_area",
    "kinds": "silence_kind",
    "severities": "route_severities",
    "programme": "of_programme",
    "station_kind": "route_station_kind",
    "steps": "route_steps",
}


@router.get("/routes")
async def show_routes(
    request: Request,
    context: Shared,
    area: Text = "",
    cursor: Cursor = "",
) -> Response:
    """Routes by id, whether there is a default route, and a form for another one."""
    return await _list(request, context, area, cursor)


async def _list(
    request: Request,
    context: Context,
    area: str = "",
    cursor: str = "",
    *,
    code: int = 200,
    refused: str = "",
    said: Mapping[str, str] | None = None,
) -> Response:
    words = words_for(request)
    async with context.database.snapshot() as connection:
        where_asked = await find_area(connection, request, area, words)
        found = await list_routes(connection, Page(_PAGE, cursor or None), area=where_asked.codes)
        named = await load_names_of(connection, words, [(None, row["area"]) for row in found.rows])
        has_default = await has_stored_default(connection)
    return show(
        request,
        "routes.html",
        code,
        rows=[_row(one, named, words) for one in await found.documents(context.work)],
        next=found.next,
        cursor=cursor,
        area=area,
        where_asked=where_asked,
        has_default=has_default,
        refused=refused,
        said={**dict.fromkeys(FIELDS, ""), "area": where_asked.code, **(said or {})},
    )


def _row(route: RouteDocument, named: PlaceNames, words: Words) -> dict[str, Any]:
    return {
        "route": route,
        "place": where(named.area(route.area), route.area) or words("everywhere"),
        "conditions": conditions(words, route),
        "steps": [step_words(words, step) for step in route.steps],
    }


@router.get("/routes/{id}")
async def show_route(request: Request, context: Shared, id: RouteId) -> Response:  # noqa: A002
    """One route, and the forms to change and to remove it."""
    return await _one(request, context, id)


async def _one(
    request: Request,
    context: Context,
    name: str,
    *,
    code: int = 200,
    refused: str = "",
    said: Mapping[str, str] | None = None,
) -> Response:
    words = words_for(request)
    async with context.database.snapshot() as connection:
        route = await load_route(connection, name)
        editable = await may_edit_route(connection, name)
        named = await load_names_of(connection, words, [(None, route.area)])
    return show(
        request,
        "route.html",
        code,
        refused=refused,
        editable=editable,
        said={**dict.fromkeys(FIELDS, ""), **(said or as_form(words, route))},
        **_row(route, named, words),
    )


@router.post("/routes")
async def make(request: Request, context: Shared) -> Response:
    """Make the route of the form and show it; a refusal is shown beside the form."""
    said = await read_form(request)
    name = said.get("id", "")
    try:
        await _require_free(context, name, words_for(request))
        await put_route(context, request, name, GivenRoute.model_validate(of_form(said)))
    except (Problem, ValidationError) as exc:
        return await _list(request, context, code=422, refused=_refusal(exc, words_for(request)), said=_kept(said))
    return RedirectResponse(f"/routes/{name}", status_code=303)


async def _require_free(context: Context, name: str, words: Words) -> None:
    """A form for a new route changes none that is there. Raises a Problem (422)."""
    async with context.database.snapshot() as connection:
        if await may_edit_route(connection, name) is not None:
            raise Problem(422, words("route_taken", id=name))


@router.post("/routes/{id}")
async def change(request: Request, context: Shared, id: RouteId) -> Response:  # noqa: A002
    """Change a route as the form says, and go back to its page."""
    said = await read_form(request)
    async with context.database.snapshot() as connection:
        await load_route(connection, id)
    try:
        await put_route(context, request, id, GivenRoute.model_validate(of_form(said)))
    except (Problem, ValidationError) as exc:
        refused = _refusal(exc, words_for(request))
        return await _one(request, context, id, code=422, refused=refused, said=_kept(said))
    return RedirectResponse(f"/routes/{id}", status_code=303)


@router.post("/routes/{id}/remove")
async def remove(request: Request, context: Shared, id: RouteId) -> Response:  # noqa: A002
    """Remove a route, and go to the list."""
    await read_form(request)
    await remove_route(context, request, id)
    return RedirectResponse("/routes", status_code=303)


def _kept(said: Mapping[str, str]) -> dict[str, str]:
    return {name: said.get(name, "") for name in FIELDS}


def _refusal(exc: Problem | ValidationError, words: Words) -> str:
    """Why it was refused, in the reader's language."""
    return why_refused(exc, words, _LABELS, "route_name")
