"""Pages of corrections: the list, a single correction, and the forms to propose, approve and refuse."""

from collections.abc import Mapping
from typing import Annotated, Final

from fastapi import Query, Request, Response
from pydantic import ValidationError
from starlette.responses import RedirectResponse

from api.actions.findings import (
    DecisionRequest,
    ProposalRequest,
    approve_correction,
    propose_correction,
    refuse_correction,
)
from api.console.findings.rows import correction_row, refusal_text, with_times
from api.console.name_lookup import load_account_names, load_names_of
from api.console.pages import page_router, show, words_for
from api.context import Context, Shared
from api.http.forms import MOST_PERSON, person, read_form
from api.http.paging import MAX_CURSOR, Page
from api.http.parameters import CorrectionId
from api.http.problems import Problem
from api.http.times import as_form_time
from api.read.findings.listing import list_corrections, load_correction
from audit.findings import store as finding_store
from audit.findings.rules import CorrectionStatus, CountsAs
from store.pool import Connection

router = page_router()

_PAGE: Final = 50
_MOST_DIGITS: Final = 18
"""Digits of the number of a finding."""
_STATUSES: Final = tuple(CorrectionStatus)
_FIELDS: Final = ("station", "from", "until", "counts_as", "reason", "finding", "by")

Text = Annotated[str, Query(max_length=64)]


@router.get("/corrections")
async def show_corrections(
    request: Request,
    context: Shared,
    status: Text = "",
    station: Text = "",
    finding: Text = "",
    cursor: Annotated[str, Query(max_length=MAX_CURSOR)] = "",
) -> Response:
    """Corrections, the newest first, and a form to propose a correction."""
    return await _list(request, context, status, station, cursor, finding=finding)


async def _about(connection: Connection, station: str, finding: str) -> dict[str, str]:
    """The initial values of the form to propose a correction: station and times of the finding in the address, if
    any."""
    given = {"station": station, "finding": finding}
    number = int(finding) if finding.isascii() and finding.isdecimal() and len(finding) <= _MOST_DIGITS else None
    found = None if number is None else await finding_store.load_finding(connection, number)
    if found is None:
        return given
    times = {"from": as_form_time(found.from_at), "until": as_form_time(found.until_at)}
    return {**given, **times, "station": found.station}


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
        about = await _about(connection, station, finding)
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
        most_person=MOST_PERSON,
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
        most_person=MOST_PERSON,
    )


@router.post("/corrections")
async def propose(request: Request, context: Shared) -> Response:
    """Propose the correction of the form and show it; a refusal is shown beside the form."""
    said = await read_form(request)
    names = ("station", "counts_as", "reason", "finding")
    try:
        given = {name: said[name].strip() for name in names if said.get(name, "").strip()}
        asked = ProposalRequest.model_validate({**given, **with_times(said), "by": person(dict(said))})
        made = await propose_correction(context, request, asked)
    except (Problem, ValidationError) as exc:
        refused = refusal_text(exc, words_for(request))
        return await _list(request, context, code=422, refused=refused, said=said)
    return RedirectResponse(f"/corrections/{made.id}", status_code=303)


@router.post("/corrections/{id}/approve")
async def approve(request: Request, context: Shared, id: CorrectionId) -> Response:  # noqa: A002
    """Approve, and show the correction; a refusal is shown beside the form."""
    return await _decide(request, context, id, approves=True)


@router.post("/corrections/{id}/refuse")
async def refuse(request: Request, context: Shared, id: CorrectionId) -> Response:  # noqa: A002
    """Refuse, and show the correction; an error is shown beside the form."""
    return await _decide(request, context, id, approves=False)


async def _decide(request: Request, context: Context, number: int, *, approves: bool) -> Response:
    said = await read_form(request)
    act = approve_correction if approves else refuse_correction
    try:
        await act(context, request, number, DecisionRequest(why=said.get("why") or None, by=person(said)))
    except Problem as exc:
        if exc.status == 404:
            raise
        return await _show(request, context, number, exc.status, refusal_text(exc, words_for(request)))
    except ValidationError as exc:
        return await _show(request, context, number, 422, refusal_text(exc, words_for(request)))
    return RedirectResponse(f"/corrections/{number}", status_code=303)
