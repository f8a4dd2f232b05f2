"""Pages of findings and disputes: the list, a single finding with its answer, and the forms."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, Final

from fastapi import Query, Request, Response
from pydantic import ValidationError
from starlette.responses import RedirectResponse

from api.actions.findings import (
    AnswerRequest,
    DisputeRequest,
    FindingRequest,
    answer_finding,
    close_finding,
    make_dispute,
    make_finding,
)
from api.actions.photos import photo_of_form
from api.console.findings.asked import FindingFilter, about_which
from api.console.findings.rows import correction_row, finding_row, refusal_status, refusal_text, with_times
from api.console.name_lookup import load_account_names, load_names_of
from api.console.pages import page_router, show, words_for
from api.context import Context, Shared
from api.http.forms import person, read_form
from api.http.paging import Page
from api.http.parameters import Cursor, FindingId, Text
from api.http.problems import Problem
from api.http.uploads.reading import read_upload, typed
from api.read.evidence.photos import list_photos
from api.read.findings.listing import FindingDocument, list_corrections, list_findings, load_finding
from audit.findings.rules import FindingStatus
from registry.photos.rules import Photo, PhotoRefusedError
from registry.photos.store import PhotoOf

router = page_router()

_PAGE: Final = 50
_FIELDS: Final = ("station", "incident", "from", "until", "text", "by")


@router.get("/findings")
async def show_findings(
    request: Request,
    context: Shared,
    status: Text = "",
    station: Text = "",
    incident: Annotated[str, Query(max_length=18)] = "",
    begin: Annotated[str, Query(max_length=64, alias="from")] = "",
    until: Text = "",
    cursor: Cursor = "",
) -> Response:
    """Findings and disputes, the newest first, and a form for a new finding with initial values from the address."""
    asked = FindingFilter(status=status, station=station, incident=incident, begin=begin, until=until, cursor=cursor)
    return await _list(request, context, asked)


async def _list(
    request: Request,
    context: Context,
    asked: FindingFilter = FindingFilter(),  # noqa: B008 -- a frozen value
    *,
    code: int = 200,
    refused: str = "",
    said: Mapping[str, str] | None = None,
) -> Response:
    words = words_for(request)
    async with context.database.snapshot() as connection:
        found = await list_findings(
            connection,
            Page(_PAGE, asked.cursor or None),
            station=asked.station.strip() or None,
            incident=asked.number,
            status=asked.wanted,
            begin=asked.at("from"),
            end=asked.at("until"),
        )
        about = await about_which(connection, asked)
        named = await load_names_of(connection, words, [(row["station"], None) for row in found.rows])
        accounts = await load_account_names(connection, words, [row["made_by"] for row in found.rows])
    return show(
        request,
        "findings.html",
        code,
        rows=[finding_row(one, named, words) for one in await found.documents(context.work)],
        next=found.next,
        who=accounts.shown,
        cursor=asked.cursor,
        query=asked.query,
        status=asked.wanted or "",
        station=asked.station,
        statuses=tuple(FindingStatus),
        refused=refused,
        said={**dict.fromkeys(_FIELDS, ""), **(about if said is None else said)},
    )


@router.get("/findings/{id}")
async def show_finding(request: Request, context: Shared, id: FindingId) -> Response:  # noqa: A002
    """One finding or dispute with its answer and corrections, and the forms to answer, close and correct."""
    return await show_one(request, context, id)


async def show_one(
    request: Request,
    context: Context,
    number: int,
    code: int = 200,
    refused: str = "",
    said: Mapping[str, str] | None = None,
) -> Response:
    """The page of a finding. `said`: the fields of a refused form. Raises a Problem (404)."""
    words = words_for(request)
    async with context.database.snapshot() as connection:
        finding = await load_finding(connection, number)
        found = await list_corrections(connection, Page(_PAGE, None), finding=number)
        named = await load_names_of(connection, words, [(finding.station, None)])
        photos = (await list_photos(connection, PhotoOf(finding=number))).items
        people = [finding.made_by, finding.answered_by, finding.closed_by, *(photo.made_by for photo in photos)]
        people += [row[name] for row in found.rows for name in ("proposed_by", "decided_by")]
        accounts = await load_account_names(connection, words, people)
    own = None if context.actor is None else context.actor.account
    return show(
        request,
        "finding.html",
        code,
        **finding_row(finding, named, words),
        corrections=[correction_row(one, named, words) for one in await found.documents(context.work)],
        photos=photos,
        who=accounts.shown,
        own=own,
        refused=refused,
        said={**dict.fromkeys(("text", "by"), ""), **(said or {})},
    )


@router.post("/findings")
async def find(request: Request, context: Shared) -> Response:
    """Make the finding of the form; a refusal is shown beside the form."""
    return await _make(request, context, FindingRequest)


@router.post("/disputes")
async def dispute(request: Request, context: Shared) -> Response:
    """Make the dispute of the form; a refusal is shown beside the form."""
    return await _make(request, context, DisputeRequest)


async def _make(request: Request, context: Context, kind: type[FindingRequest] | type[DisputeRequest]) -> Response:
    said: Mapping[str, str] = {}
    try:
        async with read_upload(request, context.uploads, context.account) as sent:
            said = sent.fields
            photo = await photo_of_form(context, sent)
            made = await _made(request, context, kind.model_validate(_fields(said)), photo)
    except (Problem, ValidationError, PhotoRefusedError) as exc:
        if isinstance(exc, Problem) and exc.status != 422:
            raise
        refused = refusal_text(exc, words_for(request))
        return await _list(request, context, code=422, refused=refused, said=typed(exc, said))
    return RedirectResponse(f"/findings/{made.id}", status_code=303)


async def _made(
    request: Request, context: Context, asked: FindingRequest | DisputeRequest, photo: Photo | None
) -> FindingDocument:
    if isinstance(asked, FindingRequest):
        return await make_finding(context, request, asked, photo)
    return await make_dispute(context, request, asked, photo)


def _fields(said: Mapping[str, str]) -> dict[str, Any]:
    """The fields of the form without the empty fields; times are in Beijing time."""
    names = ("station", "incident", "text")
    return {
        **{name: said[name].strip() for name in names if said.get(name, "").strip()},
        **with_times(said),
        "by": person(said),
    }


@router.post("/findings/{id}/answer")
async def answer(request: Request, context: Shared, id: FindingId) -> Response:  # noqa: A002
    """Answer, and show the finding; a refusal is shown beside the form."""
    return await _settle(request, context, id, answer_finding)


@router.post("/findings/{id}/close")
async def close(request: Request, context: Shared, id: FindingId) -> Response:  # noqa: A002
    """Close, and show the finding; a refusal is shown beside the form."""
    return await _settle(request, context, id, close_finding)


_Settle = Callable[[Context, Request, int, AnswerRequest], Awaitable[FindingDocument]]


async def _settle(request: Request, context: Context, number: int, act: _Settle) -> Response:
    said = await read_form(request)
    try:
        await act(context, request, number, AnswerRequest(text=said.get("text", ""), by=person(said)))
    except (Problem, ValidationError) as exc:
        refused = refusal_text(exc, words_for(request))
        return await show_one(request, context, number, refusal_status(exc), refused, said)
    return RedirectResponse(f"/findings/{number}", status_code=303)
