"""Who is on duty, duties and substitutes."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from api.actions import duty as acts
from api.actions.duty import GivenDuty, GivenSubstitute
from api.context import Shared
from api.http.paging import PageOf
from api.http.parameters import AreaFilter, DutyId, SubstituteId
from api.http.times import parse_stored_time
from api.http.work import WorkRoute
from api.read.routing import duty
from api.read.routing.schemas import DutyDocument, OnDutyDocument, SubstituteDocument
from api.read.schemas import Listing

router = APIRouter(tags=["duty"], route_class=WorkRoute)

ContactFilter = Annotated[str | None, Query(max_length=64, description="only those of this contact")]


@router.get("/duty")
async def list_duties(
    context: Shared,
    page: PageOf,
    area: AreaFilter = None,
    role: Annotated[str | None, Query(max_length=32, description="only those for this role")] = None,
    contact: ContactFilter = None,
) -> Listing[DutyDocument]:
    """Duties, the last made first."""
    async with context.database.snapshot() as connection:
        found = await duty.list_duties(connection, page, area=area, role=role, contact=contact)
    return await found.listing(context.work)


@router.get("/duty/now")
async def list_on_duty(
    context: Shared,
    page: PageOf,
    area: AreaFilter = None,
    at: Annotated[str | None, Query(max_length=64, description="ISO 8601; now")] = None,
) -> Listing[OnDutyDocument]:
    """Who is on duty for each role and area of the scope, and why others are not; by area and role."""
    moment = None if at is None else parse_stored_time("at", at)
    async with context.database.snapshot() as connection:
        asked = await duty.load_asked(connection, area, moment)
    return await context.work.do(asked.things, lambda: asked.listing(page))


@router.post("/duty", status_code=201)
async def give_duty(context: Shared, request: Request, said: GivenDuty) -> DutyDocument:
    """Give a contact a duty. The same duty again changes at most `valid_to`."""
    return await acts.give_duty(context, request, said)


@router.delete("/duty/{id}")
async def remove_duty(context: Shared, request: Request, id: DutyId) -> DutyDocument:  # noqa: A002 -- the path's own name
    """Remove a duty. Incidents that have begun keep their plan; who is on duty is looked up when a step is due."""
    return await acts.remove_duty(context, request, id)


@router.get("/substitutes")
async def list_substitutes(
    context: Shared,
    page: PageOf,
    contact: Annotated[str | None, Query(max_length=64, description="absent, or the substitute")] = None,
    past: Annotated[bool, Query(description="also those that are over")] = False,
) -> Listing[SubstituteDocument]:
    """Substitutes, the last made first."""
    async with context.database.snapshot() as connection:
        found = await duty.list_substitutes(connection, page, contact=contact, past=past)
    return await found.listing(context.work)


@router.post("/substitutes", status_code=201)
async def give_substitute(context: Shared, request: Request, said: GivenSubstitute) -> SubstituteDocument:
    """Give a contact a substitute in all its duties. The same contact and beginning again replaces the rest."""
    return await acts.give_substitute(context, request, said)


@router.delete("/substitutes/{id}")
async def remove_substitute(context: Shared, request: Request, id: SubstituteId) -> SubstituteDocument:  # noqa: A002
    """Remove a substitute."""
    return await acts.remove_substitute(context, request, id)
