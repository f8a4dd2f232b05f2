"""Signing a browser in and out. GET changes nothing, so that the preview of a link in a chat does not use it up."""

import logging
import time
from collections.abc import Mapping
from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import RedirectResponse

from access.rules import ADMIN
from api.console.pages import OpenPageRoute, signin_page
from api.context import Context, Shared
from api.http.forms import fields_of
from api.http.identity.tries import TOO_MANY, address_of, note_try, require_try
from api.http.middleware import SESSION, drop_cookie, require_may_act, require_own_page, set_cookie
from api.http.problems import Problem
from api.http.session_rules import Session, own_path

logger = logging.getLogger(__name__)
router = APIRouter(include_in_schema=False, route_class=OpenPageRoute)

_MOST_PATH: Final = 2000
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
"""Browsers take a secure cookie from there without TLS."""


@router.get("/signin")
async def show_signin(request: Request, code: Annotated[str, Query(max_length=256)] = "") -> Response:
    """The form for the token; with the code of a one-use link a button; in a browser that is signed in, to sign out."""
    return signin_page(request, code=code, goes_to="/")


@router.post("/signin")
async def sign_in(request: Request, context: Shared) -> Response:
    """Begin a session by the token or a one-use code."""
    require_own_page(request.scope)
    form = await fields_of(request)
    if is_lost_on(request, context):
        return _refused(request, form, "signin_plain")
    goes_to, now = own_path(form.get("goes_to", "")[:_MOST_PATH]), time.time()
    try:
        account = await _account(request, context, form, now)
    except Problem as exc:
        if exc.status != TOO_MANY:
            raise
        return _refused(request, form, "signin_wait", exc)
    old = request.scope[SESSION]
    if account is None:
        if form.get("code") and old is not None and not old.wall:
            return _to(goes_to)  # the button was pressed twice
        return _refused(request, form, "signin_used" if form.get("code") else "signin_wrong")
    if old is not None:
        await context.sessions.end(old.key)
    session, cookie = await context.sessions.begin(account, now, wall=form.get("wall") == "yes")
    logger.info("a browser signed in", extra={"address": address_of(request.scope), "wall": session.wall})
    return _to(goes_to, set_cookie(session, cookie, now, secure=context.config.is_https))


async def _account(request: Request, context: Context, form: Mapping[str, str], now: float) -> str | None:
    """Whose token or code the form holds. Raises a Problem (429) where no try is allowed just now."""
    code, guesses = form.get("code", ""), context.guesses
    if not code:
        token = form.get("token", "").encode()
        return ADMIN if token and _is_admin_token(request, context, token) else None
    async with context.sessions.redeeming:
        require_try(guesses, request.scope, code.encode())
        account = await context.sessions.redeem(code, now)
        note_try(guesses, request.scope, code.encode(), right=account is not None)
    return account


def _is_admin_token(request: Request, context: Context, token: bytes) -> bool:
    require_try(context.guesses, request.scope, token)
    right = context.token.matches(token)
    note_try(context.guesses, request.scope, token, right=right)
    return right


def _refused(request: Request, form: Mapping[str, str], why: str, problem: Problem | None = None) -> Response:
    """The form again, and why; after a code that is no good it asks for the token."""
    page = signin_page(request, 403 if problem is None else TOO_MANY, goes_to=form.get("goes_to", ""), wrong=why)
    page.headers.update({} if problem is None or problem.headers is None else problem.headers)
    return page


@router.post("/signout")
async def sign_out(request: Request, context: Shared) -> Response:
    """End this browser's session, or all others of its account."""
    require_own_page(request.scope)
    session: Session | None = request.scope[SESSION]
    if (await fields_of(request)).get("others") == "yes":
        require_may_act(request.scope)
        if session is not None:
            await context.sessions.end_others(session)
        return _to("/signin")
    if session is not None:
        await context.sessions.end(session.key)
    return _to("/signin", drop_cookie(secure=context.config.is_https))


def is_lost_on(request: Request, context: Context) -> bool:
    """Whether the browser came by plain http although the console is at an https address: it would drop the cookie."""
    came_by = urlsplit(request.headers.get("origin", ""))
    return context.config.is_https and came_by.scheme == "http" and came_by.hostname not in _LOOPBACK


def _to(path: str, cookie: str | None = None) -> Response:
    response = RedirectResponse(path, status_code=303)
    if cookie is not None:
        response.headers.append("set-cookie", cookie)
    return response
