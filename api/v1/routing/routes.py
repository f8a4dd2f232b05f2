"""Routes: which incidents are told to which roles, and where and when no person would be told."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from api.actions import routes as acts
from api.actions.routes import GivenRoute
from api.context import Shared
from api.http.paging import PageOf
from api.http.parameters import AreaFilter, RouteId
from api.http.times import parse_stored_time
from api.http.work import WorkRoute
from api.read.routing import routes
from api.read.routing.gaps import load_gaps_asked
from api.read.routing.route_schemas import GapsDocument, RouteDocument
from api.read.schemas import Listing
from registry.routes.gaps import MOST_DAYS

router = APIRouter(tags=["routes"], route_class=WorkRoute)


@router.get("/routes")
async def list_routes(context: Shared, page: PageOf, area: AreaFilter = None) -> Listing[RouteDocument]:
    """Routes, by id. Those above the scope are seen too, because they apply in it."""
    async with context.database.snapshot() as connection:
        found = await routes.list_routes(connection, page, area=area)
    return await found.listing(context.work)


@router.get("/gaps")
async def list_gaps(
    context: Shared,
    area: AreaFilter = None,
    begin: Annotated[str | None, Query(alias="from", max_length=64, description="ISO 8601; now")] = None,
    days: Annotated[int, Query(ge=1, le=MOST_DAYS, description="how many days from then")] = 7,
) -> GapsDocument:
    """Where and when no person would be told of an incident."""
    since = None if begin is None else parse_stored_time("from", begin)
    async with context.database.snapshot() as connection:
        asked = await load_gaps_asked(connection, area=area, begin=since, days=days)
    return await context.work.do_alone(asked.document)


@router.get("/routes/{id}")
async def get_route(context: Shared, id: RouteId) -> RouteDocument:  # noqa: A002 -- the path's own name for it
    """One route, also one above the scope, which applies in it."""
    async with context.database.snapshot() as connection:
        return await routes.load_route(connection, id)


@router.put("/routes/{id}")
async def put_route(context: Shared, request: Request, id: RouteId, said: GivenRoute) -> RouteDocument:  # noqa: A002
    """Make a route, or change the one with this id as a whole. Incidents that have begun keep their plan."""
    return await acts.put_route(context, request, id, said)


@router.delete("/routes/{id}")
async def remove_route(context: Shared, request: Request, id: RouteId) -> RouteDocument:  # noqa: A002
    """Remove a route. Incidents that have begun keep their plan."""
    return await acts.remove_route(context, request, id)
