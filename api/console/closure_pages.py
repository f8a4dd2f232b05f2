"""Pages about closures and maintenance windows: what is declared, and the forms to declare, approve and withdraw."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from fastapi import Request, Response
from pydantic import ValidationError
from starlette.responses import RedirectResponse

from api.actions.closures import (
    Approval,
    Declaration,
    Withdrawal,
    approve_closure,
    declare_closure,
    withdraw_closure,
)
from api.actions.photos import photo_of_form
from api.console.area_choice import find_area
from api.console.name_lookup import PlaceNames, load_account_names, load_names, load_names_of
from api.console.names import where
from api.console.pages import page_router, show, why_refused, words_for
from api.console.texts import Words
from api.context import Context, Shared
from api.http.forms import person, read_form
from api.http.paging import Page
from api.http.parameters import ClosureId, Cursor, Text
from api.http.problems import Problem, not_found
from api.http.times import as_beijing_time
from api.http.uploads.reading import read_upload, typed
from api.read.closures import list_closures, load_closure
from api.read.evidence.photos import list_photos
from api.read.moment import load_now
from api.read.schemas import ClosureDocument, ClosureStatus
from registry.photos.rules import PhotoRefusedError
from registry.photos.store import PhotoOf

router = page_router()

_PAGE: Final = 50
_STATUSES: Final[tuple[ClosureStatus, ...]] = ("declared", "approved", "withdrawn")
_KINDS: Final = ("closure", "maintenance")
_SCOPES: Final = ("station", "area", "programme")
_FIELDS: Final = ("scope", "name", "kind", "from", "until", "reason", "by")


@router.get("/closures")
async def show_closures(
    request: Request,
    context: Shared,
    status: Text = "",
    area: Text = "",
    station: Text = "",
    cursor: Cursor = "",
) -> Response:
    """Closures, the last declared first, and a form for another."""
    return await _list(request, context, status, area, station, cursor)


async def _list(
    request: Request,
    context: Context,
    status: str = "",
    area: str = "",
    station: str = "",
    cursor: str = "",
    *,
    code: int = 200,
    refused: str = "",
    said: Mapping[str, str] | None = None,
) -> Response:
    words = words_for(request)
    wanted = next((one for one in _STATUSES if one == status), None)
    async with context.database.snapshot() as connection:
        where_asked = await find_area(connection, request, area, words)
        found = await list_closures(
            connection,
            Page(_PAGE, cursor or None),
            area=where_asked.codes,
            station=station.strip() or None,
            status=wanted,
        )
        now, named = await load_now(connection), await load_names(connection, words, found.rows)
        people = [row[name] for row in found.rows for name in ("declared_by", "approved_by")]
        accounts = await load_account_names(connection, words, people)
    return show(
        request,
        "closures.html",
        code,
        now=now,
        rows=[_row(one, named, words) for one in await found.documents(context.work)],
        next=found.next,
        who=accounts.shown,
        cursor=cursor,
        status=wanted or "",
        area=area,
        where_asked=where_asked,
        station=station,
        statuses=_STATUSES,
        kinds=_KINDS,
        scopes=_SCOPES,
        refused=refused,
        said={**dict.fromkeys(_FIELDS, ""), "name": station or where_asked.code, **(said or {})},
    )


def _row(closure: ClosureDocument, named: PlaceNames, words: Words) -> dict[str, Any]:
    scope = next(scope for scope in _SCOPES if getattr(closure, scope) is not None)
    name = getattr(closure, scope)
    called = {"station": named.station, "area": named.area}.get(scope, str)(name)
    return {
        "closure": closure,
        "scope": scope,
        "id": name,
        "what": where(called, name),
        "kind": words.named("closure", closure.kind),
        "status": words.named("closure_status", closure.status),
    }


@router.get("/closures/{id}")
async def show_closure(request: Request, context: Shared, id: ClosureId) -> Response:  # noqa: A002
    """One closure, and the forms to approve and to withdraw it."""
    return await _show(request, context, id)


async def _show(request: Request, context: Context, number: int, code: int = 200, refused: str = "") -> Response:
    words = words_for(request)
    async with context.database.snapshot() as connection:
        closure = await load_closure(connection, number)
        now = await load_now(connection)
        named = await load_names_of(connection, words, [(closure.station, closure.area)])
        photos = (await list_photos(connection, PhotoOf(closure=number))).items
        people = (closure.declared_by, closure.approved_by, closure.withdrawn_by)
        accounts = await load_account_names(connection, words, [*people, *(photo.made_by for photo in photos)])
    values = {
        **_row(closure, named, words),
        "now": now,
        "photos": photos,
        "refused": refused,
        "who": accounts.shown,
        "own": context.actor is not None and context.actor.account == closure.declared_by,
    }
    return show(request, "closure.html", code, **values)


async def show_refusal(request: Request, context: Context, number: int, status: int, why: str) -> Response:
    """The page of a closure that says why something on it was refused. Raises a Problem (404)."""
    return await _show(request, context, number, status, why)


@router.post("/closures")
async def declare(request: Request, context: Shared) -> Response:
    """Declare what the form says, with a photo as evidence if there is one, and show it; a refusal is shown beside the
    form."""
    said: Mapping[str, str] = {}
    try:
        async with read_upload(request, context.uploads, context.account) as sent:
            said = sent.fields
            photo = await photo_of_form(context, sent)
            made = await declare_closure(context, request, _declaration(said), photo)
    except (Problem, ValidationError, PhotoRefusedError) as exc:
        if isinstance(exc, Problem) and exc.status not in _OF_FORM:
            raise
        said = typed(exc, said)
        return await _list(request, context, code=422, refused=_refusal(exc, words_for(request)), said=said)
    return RedirectResponse(f"/closures/{made.id}", status_code=303)


_OF_FORM: Final = {409, 422}
"""Statuses of a form that can be corrected."""


def _declaration(said: Mapping[str, str]) -> Declaration:
    """The form, in which times are Beijing's."""
    scope = said.get("scope", "")
    times = {name: as_beijing_time(name, said.get(name, "")) for name in ("from", "until")}
    return Declaration.model_validate(
        {
            **({scope: said.get("name", "")} if scope in _SCOPES else {}),
            **times,
            "reason": said.get("reason", ""),
            "kind": said.get("kind", ""),
            "by": person(said),
        }
    )


_LABELS: Final = {
    "from": "from",
    "until": "until",
    "reason": "why",
    "by": "by",
    "evidence": "proof",
    "kind": "closure_kind",
}
"""The labels of the form's fields; any other field is a name of what the closure is for."""


def _refusal(exc: Problem | ValidationError | PhotoRefusedError, words: Words) -> str:
    """Why it was refused, in the reader's language."""
    return why_refused(exc, words, _LABELS, "scope_how")


_ClosureAction = Callable[[Context, Request, int, dict[str, str]], Awaitable[ClosureDocument]]


async def _approve(context: Context, request: Request, number: int, said: dict[str, str]) -> ClosureDocument:
    given = Approval(evidence=said.get("evidence") or None, by=person(said))
    return await approve_closure(context, request, number, given)


async def _withdraw(context: Context, request: Request, number: int, said: dict[str, str]) -> ClosureDocument:
    return await withdraw_closure(context, request, number, Withdrawal(by=person(said)))


_ACTIONS: Final[Mapping[str, _ClosureAction]] = {"approve": _approve, "withdraw": _withdraw}


@router.post("/closures/{id}/{action}")
async def act_on_closure(request: Request, context: Shared, id: ClosureId, action: str) -> Response:  # noqa: A002
    """Do what a button of the page says, and go back to it."""
    said = await read_form(request)
    if action not in _ACTIONS:
        raise not_found("action", action)
    try:
        await _ACTIONS[action](context, request, id, said)
    except (Problem, ValidationError) as exc:
        if isinstance(exc, Problem) and exc.status == 404:
            raise
        return await _show(request, context, id, 409, _refusal(exc, words_for(request)))
    return RedirectResponse(f"/closures/{id}", status_code=303)
