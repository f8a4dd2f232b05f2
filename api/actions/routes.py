"""Make, change and remove routes."""

from typing import Annotated

from fastapi import Request
from pydantic import BaseModel, Field

from api.actions.actor import author_of
from api.actions.area_code import stored_area
from api.actions.settle import settle
from api.context import Context
from api.http.problems import Problem
from api.read.routing.route_schemas import RouteDocument
from api.read.routing.routes import may_edit_route, require_route, route_document
from contract.errors import RemedyError
from contract.kinds import IncidentKind, Severity
from contract.said import SaidError
from registry.routes import store as route_store
from registry.routes.checks import MOST_NAME, MOST_WORD
from registry.routes.model import USUAL_MOST, Route, RouteStep, StepClock
from registry.routes.steps import LONGEST_DELAY, MOST_RECIPIENTS, MOST_STEPS, parse_steps, steps_text
from store.pool import Connection

_Word = Annotated[str | None, Field(min_length=1, max_length=MOST_WORD)]


class GivenStep(BaseModel):
    """One step of a route; `after` is in seconds."""

    role: str = Field(pattern=r"^[0-9a-z_-]{1,32}$")
    level: Annotated[str | None, Field(pattern=r"^[a-z][a-z_]{0,31}$")] = None
    after: int = Field(default=0, ge=0, le=int(LONGEST_DELAY))
    clock: StepClock = StepClock.WALL
    most: int = Field(default=USUAL_MOST, ge=1, le=MOST_RECIPIENTS)


class GivenRoute(BaseModel):
    """A route, as a whole. What is left out is no condition; the steps are a text or a list."""

    name: str = Field(min_length=1, max_length=MOST_NAME)
    area: Annotated[str | None, Field(min_length=1, max_length=64, description="null: everywhere")] = None
    kinds: list[IncidentKind] = Field(default=[], max_length=len(IncidentKind))
    severities: list[Severity] = Field(default=[], max_length=3)
    programme: _Word = None
    station_kind: _Word = None
    steps: (
        Annotated[str, Field(min_length=1, max_length=4000)]
        | Annotated[list[GivenStep], Field(min_length=1, max_length=MOST_STEPS)]
    ) = Field(description="`technician; lead@county after 30m open`, or a list")
    tell_past: bool = True


async def put_route(context: Context, request: Request, name: str, said: GivenRoute) -> RouteDocument:
    """Make a route, or change the one that has this id. Raises a Problem: 403 for a route above the scope, 422."""

    async def put(connection: Connection) -> RouteDocument:
        await _require_editable(connection, name)
        route = await _route(connection, name, said)
        await route_store.put_routes(connection, [route], by=author_of(request, None))
        return route_document(await require_route(connection, name))

    try:
        return await settle(context, put, 422)
    except SaidError as exc:
        raise Problem(422, str(exc)) from exc


async def remove_route(context: Context, request: Request, name: str) -> RouteDocument:
    """Remove a route. Raises a Problem: 403 for a route above the scope, 404."""

    async def remove(connection: Connection) -> RouteDocument:
        gone = route_document(await require_route(connection, name))
        await _require_editable(connection, name)
        await route_store.remove_routes(connection, [name], by=author_of(request, None))
        return gone

    return await settle(context, remove)


async def _require_editable(connection: Connection, name: str) -> None:
    """Raises a Problem (403) for a route that is seen because it applies in the scope, and lies above it."""
    if await may_edit_route(connection, name) is False:
        above = RemedyError(
            f"the route {name} lies above your scope: ask somebody with a wider scope",
            f"路由 {name} 超出您的管辖范围：请联系上级管理人员",
        )
        raise Problem(403, str(above)) from above


async def _route(connection: Connection, name: str, said: GivenRoute) -> Route:
    fields = {field: getattr(said, field) for field in ("name", "programme", "station_kind", "tell_past")}
    text = said.steps if isinstance(said.steps, str) else steps_text([RouteStep(**vars(one)) for one in said.steps])
    return Route(
        id=name,
        area=await stored_area(connection, said.area),
        kinds=tuple(kind.value for kind in said.kinds),
        severities=tuple(said.severities),
        steps=parse_steps(text),
        **fields,
    )
