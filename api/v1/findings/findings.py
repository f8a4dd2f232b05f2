"""Findings of auditors and disputes of stations: made, answered, closed."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from api.actions.findings import (
    AnswerRequest,
    DisputeRequest,
    FindingRequest,
    answer_finding,
    close_finding,
    make_dispute,
    make_finding,
)
from api.context import Shared
from api.http.paging import MAX_ID, PageOf
from api.http.parameters import FindingId
from api.http.work import WorkRoute
from api.read.findings import listing
from api.read.findings.listing import FindingDocument, FindingState
from api.read.schemas import Listing

router = APIRouter(tags=["findings"], route_class=WorkRoute)


@router.get("/findings")
async def list_findings(
    context: Shared,
    page: PageOf,
    station: Annotated[str | None, Query(max_length=64, description="only findings about this station")] = None,
    incident: Annotated[int | None, Query(ge=0, le=MAX_ID, description="only findings about this incident")] = None,
    status: Annotated[FindingState | None, Query(description="only findings with this status")] = None,
) -> Listing[FindingDocument]:
    """Findings and disputes, the newest first."""
    async with context.database.snapshot() as connection:
        found = await listing.list_findings(connection, page, station=station, incident=incident, status=status)
    return await found.listing(context.work)


@router.get("/findings/{id}")
async def get_finding(context: Shared, id: FindingId) -> FindingDocument:  # noqa: A002 -- the path's own name for it
    """One finding or dispute."""
    async with context.database.snapshot() as connection:
        return await listing.load_finding(connection, id)


@router.post("/findings", status_code=201)
async def find(context: Shared, request: Request, said: FindingRequest) -> FindingDocument:
    """Make a finding, as an auditor: about an incident of a single station, or about a time of a station."""
    return await make_finding(context, request, said)


@router.post("/disputes", status_code=201)
async def dispute(context: Shared, request: Request, said: DisputeRequest) -> FindingDocument:
    """Dispute a time of a station, as a person of the station. The list of findings shows the dispute, with the kind
    `dispute`."""
    return await make_dispute(context, request, said)


@router.post("/findings/{id}/answer")
async def answer(
    context: Shared,
    request: Request,
    id: FindingId,  # noqa: A002
    said: AnswerRequest,
) -> FindingDocument:
    """Answer a finding or dispute. There is one answer: 409 when the finding is answered or closed, or when your
    account made the finding."""
    return await answer_finding(context, request, id, said)


@router.post("/findings/{id}/close")
async def close(
    context: Shared,
    request: Request,
    id: FindingId,  # noqa: A002
    said: AnswerRequest,
) -> FindingDocument:
    """Close a finding or dispute, with an account that has the permission `make_finding` or made the finding. 409 when
    the finding is closed, or when your account answered the finding."""
    return await close_finding(context, request, id, said)
