"""Closures and maintenance windows: a declared one silences alerts, an approved one excuses being offline."""

from typing import Annotated

from fastapi import APIRouter, Body, Query, Request

from api.actions.closures import (
    Approval,
    Declaration,
    Withdrawal,
    approve_closure,
    declare_closure,
    withdraw_closure,
)
from api.context import Shared
from api.http.paging import PageOf
from api.http.parameters import AreaFilter, ClosureId
from api.http.work import WorkRoute
from api.read import closures
from api.read.schemas import ClosureDocument, ClosureStatus, Listing

router = APIRouter(tags=["closures"], route_class=WorkRoute)


@router.get("/closures")
async def list_closures(
    context: Shared,
    page: PageOf,
    area: AreaFilter = None,
    station: Annotated[str | None, Query(max_length=64, description="also those of its areas and programmes")] = None,
    status: Annotated[ClosureStatus | None, Query(description="only those that are so now")] = None,
) -> Listing[ClosureDocument]:
    """Closures, the last declared first."""
    async with context.database.snapshot() as connection:
        found = await closures.list_closures(connection, page, area=area, station=station, status=status)
    return await found.listing(context.work)


@router.get("/closures/{id}")
async def get_closure(context: Shared, id: ClosureId) -> ClosureDocument:  # noqa: A002 -- the path's own name for it
    """One closure."""
    async with context.database.snapshot() as connection:
        return await closures.load_closure(connection, id)


@router.post("/closures", status_code=201)
async def declare(context: Shared, request: Request, said: Declaration) -> ClosureDocument:
    """Declare a closure: while in force it silences alerts of its stations; until approved it excuses nothing."""
    return await declare_closure(context, request, said)


@router.post("/closures/{id}/approve")
async def approve(
    context: Shared,
    request: Request,
    id: ClosureId,  # noqa: A002
    said: Annotated[Approval | None, Body()] = None,
) -> ClosureDocument:
    """Approve a closure, so that it excuses being offline. The first approval stands; 409 when it was withdrawn."""
    return await approve_closure(context, request, id, said or Approval())


@router.post("/closures/{id}/withdraw")
async def withdraw(
    context: Shared,
    request: Request,
    id: ClosureId,  # noqa: A002
    said: Annotated[Withdrawal | None, Body()] = None,
) -> ClosureDocument:
    """Withdraw a closure: it ends now; one that has not begun is never in force."""
    return await withdraw_closure(context, request, id, said or Withdrawal())
