"""Corrections of history by two persons: proposed by one account, approved by another."""

from typing import Annotated

from fastapi import APIRouter, Body, Query, Request

from api.actions.findings import (
    DecisionRequest,
    ProposalRequest,
    approve_correction,
    propose_correction,
    refuse_correction,
)
from api.context import Shared
from api.http.paging import MAX_ID, PageOf
from api.http.parameters import CorrectionId
from api.http.work import WorkRoute
from api.read.findings import listing
from api.read.findings.listing import CorrectionDocument, CorrectionState
from api.read.schemas import Listing

router = APIRouter(tags=["findings"], route_class=WorkRoute)

_Decision = Annotated[DecisionRequest | None, Body()]


@router.get("/corrections")
async def list_corrections(
    context: Shared,
    page: PageOf,
    station: Annotated[str | None, Query(max_length=64, description="only corrections of this station")] = None,
    finding: Annotated[
        int | None, Query(ge=0, le=MAX_ID, description="only corrections because of this finding")
    ] = None,
    status: Annotated[CorrectionState | None, Query(description="only corrections with this status")] = None,
) -> Listing[CorrectionDocument]:
    """Corrections, the newest first."""
    async with context.database.snapshot() as connection:
        found = await listing.list_corrections(connection, page, station=station, finding=finding, status=status)
    return await found.listing(context.work)


@router.get("/corrections/{id}")
async def get_correction(context: Shared, id: CorrectionId) -> CorrectionDocument:  # noqa: A002
    """One correction."""
    async with context.database.snapshot() as connection:
        return await listing.load_correction(connection, id)


@router.post("/corrections", status_code=201)
async def propose(context: Shared, request: Request, said: ProposalRequest) -> CorrectionDocument:
    """Propose that a past time of a station counts otherwise than observed. Figures change only after another account
    approves the correction."""
    return await propose_correction(context, request, said)


@router.post("/corrections/{id}/approve")
async def approve_proposal(
    context: Shared,
    request: Request,
    id: CorrectionId,  # noqa: A002
    said: _Decision = None,
) -> CorrectionDocument:
    """Approve a correction; this changes the figures of uptime. 409 when the correction is decided, or when your
    account proposed it; the ledger records the second case."""
    return await approve_correction(context, request, id, said or DecisionRequest())


@router.post("/corrections/{id}/refuse")
async def refuse_proposal(
    context: Shared,
    request: Request,
    id: CorrectionId,  # noqa: A002
    said: _Decision = None,
) -> CorrectionDocument:
    """Refuse a correction, or withdraw a correction that your account proposed. 409 when the correction is decided."""
    return await refuse_correction(context, request, id, said or DecisionRequest())
