"""Pages of corrections: the list, a single correction, and the forms to propose, approve and refuse."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from fastapi import Request, Response
from pydantic import ValidationError
from starlette.responses import RedirectResponse

from api.actions.findings import (
    DecisionRequest,
    ProposalRequest,
    approve_correction,
    propose_correction,
    refuse_correction,
)
from api.console.findings.asked import about_finding
from api.console.findings.rows import correction_row, refusal_status, refusal_text, with_times
from api.console.name_lookup import load_account_names, load_names_of
from api.console.pages import page_router, show, words_for
from api.context import Context, Shared
from api.http.forms import person, read_form
from api.http.paging import Page
from api.http.parameters import CorrectionId, Cursor, Text
from api.http.problems import Problem
from api.read.findings.listing import CorrectionDocument, list_corrections, load_correction
from audit.findings.rules import CorrectionStatus, CountsAs

router = page_router()

_PAGE: Final = 50
_STATUSES: Final = tuple(CorrectionStatus)
_FIELDS: Final = ("station", "from", "until", "counts_as", "reason", "finding", "by")


@router.get("/corrections")
async def show_corrections(
    request: Request,
    context: Shared,
    status: Text = "",
    station: Text = "",
    finding: Text = "",
    cursor: Cursor = "",
) -> Response:
    """Corrections, the newest first, and a form to propose a correction."""
    return await _list(request, context, status, station, cursor, finding=finding)


async def _list(
    request: Request,
    context: Context,
    status: str = "",
    station: str = "",
    cursor: str = "",
    *,
    finding: str = "",
    code: int = 200,
    refused: str = "",
    said: Mapping[str, str] | None = None,
) -> Response:
    words = words_for(request)
    wanted = next((one for one in _STATUSES if one == status), None)
    async with context.database.snapshot() as connection:
        page = Page(_PAGE, cursor or None)
        found = await list_corrections(connection, page, station=station.strip() or None, status=wanted)
        named = await load_names_of(connection, words, [(row["station"], None) for row in found.rows])
        people = [row[name] for row in found.rows for name in ("proposed_by", "decided_by")]
        accounts = await load_account_names(connection, words, people)
        about = await about_finding(connection, station, finding)
    return show(
        request,
        "corrections.html",
        code,
        rows=[correction_row(one, named, words) for one in await found.documents(context.work)],
        next=found.next,
        who=accounts.shown,
        cursor=cursor,
        status=wanted or "",
        station=station,
        statuses=_STATUSES,
        counts_as=tuple(CountsAs),
        refused=refused,
        said={**dict.fromkeys(_FIELDS, ""), **(about if said is None else said)},
    )


@router.get("/corrections/{id}")
async def show_correction(request: Request, context: Shared, id: CorrectionId) -> Response:  # noqa: A002
    """One correction, and the form to approve or refuse it."""
    return await _show(request, context, id)


async def _show(request: Request, context: Context, number: int, code: int = 200, refused: str = "") -> Response:
    words = words_for(request)
    async with context.database.snapshot() as connection:
        correction = await load_correction(connection, number)
        named = await load_names_of(connection, words, [(correction.station, None)])
        accounts = await load_account_names(connection, words, [correction.proposed_by, correction.decided_by])
    return show(
        request,
        "correction.html",
        code,
        **correction_row(correction, named, words),
        who=accounts.shown,
        own=context.actor is not None and context.actor.account == correction.proposed_by,
        refused=refused,
    )


@router.post("/corrections")
async def propose(request: Request, context: Shared) -> Response:
    """Propose the correction of the form and show it; a refusal is shown beside the form."""
    said = await read_form(request)
    names = ("station", "counts_as", "reason", "finding")
    try:
        given = {name: said[name].strip() for name in names if said.get(name, "").strip()}
        asked = ProposalRequest.model_validate({**given, **with_times(said), "by": person(said)})
        made = await propose_correction(context, request, asked)
    except (Problem, ValidationError) as exc:
        refused = refusal_text(exc, words_for(request))
        return await _list(request, context, code=422, refused=refused, said=said)
    return RedirectResponse(f"/corrections/{made.id}", status_code=303)


@router.post("/corrections/{id}/approve")
async def approve(request: Request, context: Shared, id: CorrectionId) -> Response:  # noqa: A002
    """Approve, and show the correction; a refusal is shown beside the form."""
    return await _decide(request, context, id, approve_correction)


@router.post("/corrections/{id}/refuse")
async def refuse(request: Request, context: Shared, id: CorrectionId) -> Response:  # noqa: A002
    """Refuse, and show the correction; an error is shown beside the form."""
    return await _decide(request, context, id, refuse_correction)


_Decide = Callable[[Context, Request, int, DecisionRequest], Awaitable[CorrectionDocument]]


async def _decide(request: Request, context: Context, number: int, act: _Decide) -> Response:
    said = await read_form(request)
    try:
        await act(context, request, number, DecisionRequest(why=said.get("why") or None, by=person(said)))
    except (Problem, ValidationError) as exc:
        refused = refusal_text(exc, words_for(request))
        return await _show(request, context, number, refusal_status(exc), refused)
    return RedirectResponse(f"/corrections/{number}", status_code=303)
