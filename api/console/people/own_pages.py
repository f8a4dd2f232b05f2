"""The page of the own account: scope, sessions and tokens."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Final

from fastapi import Request, Response
from pydantic import ValidationError
from starlette.responses import RedirectResponse

from access.administration import MOST_NAME
from access.rules import BUILT_IN
from access.scope import AreaScope
from access.tokens import LONGEST, USUAL
from api.actions.own_access import end_other_sessions, end_own_session
from api.actions.people import acting, session_of, with_own
from api.actions.tokens import NewTokenRequest, Rotation, create_token, end_token, rotate_token
from api.console.pages import page_router, show, words_for
from api.console.people.area_list import AreasRead
from api.console.people.forms import AREAS, OWN, WHOLE, asked_areas, refusal, roles_within, scope_fields
from api.context import Context, Shared
from api.http.forms import read_form
from api.http.paging import Page
from api.http.problems import Problem, not_found
from api.http.session_rules import own_path
from api.read.moment import load_now
from api.read.people import listing
from api.read.people.schemas import NewTokenDocument

router = page_router()

_MOST: Final = 200
OVERLAPS: Final = (0, 24, 168)
"""Hours for which an old token may go on, as the page offers them."""
_NOTHING: Final = AreasRead(codes=[], text="")


@router.get("/account")
async def show_own_account(request: Request, context: Shared) -> Response:
    """Who reads: account, role, scope, sessions and tokens."""
    return await _show(request, context)


async def _show(
    request: Request,
    context: Context,
    *,
    code: int = 200,
    refused: str = "",
    said: Mapping[str, str] | None = None,
    areas: AreasRead = _NOTHING,
) -> Response:
    actor, session = acting(context), session_of(request)
    async with with_own(context).database.snapshot() as connection:
        own = await listing.load_own_account(connection, actor, session)
        sessions = await listing.list_sessions(connection, actor.account, session)
        now = await load_now(connection)
        tokens = await listing.list_tokens(connection, actor, Page(_MOST, None), account=actor.account, good_at=now)
    is_whole = actor.scope == AreaScope(whole=True)
    return show(
        request,
        "account.html",
        code,
        own=own,
        is_person=own.account.id not in BUILT_IN,
        sessions=sessions,
        tokens=tokens.items,
        overlaps=OVERLAPS,
        refused=refused,
        said={"name": "", "role": own.account.role.value, "days": str(USUAL.days), "scope": OWN, **(said or {})},
        areas=areas,
        roles=roles_within(actor),
        scopes=[OWN, AREAS, *([WHOLE] if is_whole else [])],
        most_name=MOST_NAME,
        most_days=LONGEST.days,
    )


@router.post("/account/sessions/end")
async def end_others(request: Request, context: Shared) -> Response:
    """End all sessions of the account but this one."""
    await read_form(request)
    await end_other_sessions(context, request)
    return _back()


@router.post("/account/sessions/{id}/end")
async def end_session(request: Request, context: Shared, id: str) -> Response:  # noqa: A002 -- the path's own name
    """End one session of the account; one that has ended already is no mistake."""
    await read_form(request)
    try:
        await end_own_session(context, id)
    except Problem as exc:
        if exc.status != 404:
            raise
        return await _show(request, context, code=404, refused=words_for(request)("session_gone"))
    return _back()


@router.post("/account/tokens")
async def make_token(request: Request, context: Shared) -> Response:
    """Make the token of the form and show it once; a refusal, or an area to choose, is shown beside the form."""
    said, words = await read_form(request), words_for(request)
    areas = await asked_areas(context, request, said, words)
    if areas.asked:
        return await _show(request, context, code=422, said=said, areas=areas)
    try:
        body = {
            "name": said.get("name", ""),
            "role": said.get("role"),
            "days": said.get("days") or None,
            **scope_fields(said, areas),
        }
        made = await create_token(context, NewTokenRequest.model_validate(body))
    except (Problem, ValidationError) as exc:
        refused = refusal(exc, words, name="token_name")
        return await _show(request, context, code=422, refused=refused, said=said, areas=areas)
    return _secret(request, made, "/account")


async def _rotate(request: Request, context: Context, token: str, said: Mapping[str, str]) -> Response:
    hours = next((one for one in OVERLAPS if str(one) == said.get("overlap")), 0)
    made = await rotate_token(context, token, Rotation(overlap_hours=hours))
    old_until = await _old_until(context, token) if hours else None
    return _secret(request, made, own_path(said.get("back", "/account")), old_until)


async def _old_until(context: Context, token: str) -> datetime | None:
    """When a replaced token ends; None if it has ended."""
    async with with_own(context).database.snapshot() as connection:
        old = await listing.require_token(connection, acting(context), token)
    return old.expires_at if old.revoked_at is None else None


async def _revoke(request: Request, context: Context, token: str, said: Mapping[str, str]) -> Response:
    await end_token(context, token)
    return RedirectResponse(own_path(said.get("back", "/account")), status_code=303)


_ACTIONS: Final[Mapping[str, Callable[[Request, Context, str, Mapping[str, str]], Awaitable[Response]]]] = {
    "rotate": _rotate,
    "revoke": _revoke,
}


@router.post("/account/tokens/{id}/{action}")
async def act_on_token(request: Request, context: Shared, id: str, action: str) -> Response:  # noqa: A002
    """Rotate or revoke a token."""
    said = await read_form(request)
    if action not in _ACTIONS:
        raise not_found("action", action)
    try:
        return await _ACTIONS[action](request, context, id, said)
    except Problem as exc:
        if exc.status != 409:
            raise
        return await _show(request, context, code=409, refused=refusal(exc, words_for(request)))


def _secret(request: Request, made: NewTokenDocument, back: str, old_until: datetime | None = None) -> Response:
    """The page with a new token, which is shown only there. `old_until`: until when the replaced token still works."""
    words = words_for(request)
    says = [f"{made.name} · {made.id}", words("token_once", time=words.clock(made.expires_at))]
    if old_until is not None:
        says.append(words("token_old_until", time=words.clock(old_until)))
    return show(request, "secret.html", 201, heading="token_title", secret=made.token, says=says, back=back)


def _back() -> Response:
    return RedirectResponse("/account", status_code=303)
