"""Signing a browser in and out. GET changes nothing, so that the preview of a link in a chat does not use it up."""

import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Annotated, Final
from urllib.parse import urlsplit

import msgspec
from fastapi import APIRouter, Query, Request, Response
from starlette.responses import RedirectResponse

from access.rules import ADMIN, BUILT_IN
from access.store import Login
from api.console.pages import OpenPageRoute, link, signin_page
from api.context import Context, Shared
from api.http.forms import fields_of
from api.http.identity.tries import (
    TOO_MANY,
    address_of,
    note_try,
    note_wrong_code,
    require_code_try,
    require_try,
)
from api.http.middleware import SESSION, device_cookie, drop_cookie, require_may_act, require_own_page, set_cookie
from api.http.problems import Problem
from api.http.session_rules import Session, own_path

logger = logging.getLogger(__name__)
router = APIRouter(include_in_schema=False, route_class=OpenPageRoute)

_MOST_PATH: Final = 2000
_BUSY: Final = 503
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
"""Browsers take a secure cookie from there without TLS."""


class _Admitted(msgspec.Struct, frozen=True):
    """The account that may begin a session; `login`: if it is known by its password."""

    account: str
    login: Login | None = None


@router.get("/signin")
async def show_signin(request: Request, context: Shared, code: Annotated[str, Query(max_length=256)] = "") -> Response:
    """The form to sign in; with the code of a one-use link a button; in a browser that is signed in, its account
    and the buttons to sign out."""
    session: Session | None = request.scope[SESSION]
    if session is None:
        return signin_page(request, code=code, goes_to="/")
    account = await context.passwords.load_account(session.account)
    return signin_page(request, code=code, goes_to="/", account=account)


@router.post("/signin")
async def sign_in(request: Request, context: Shared) -> Response:
    """Begin a session by login and password, a one-use code, or the admin token."""
    require_own_page(request.scope)
    form = await fields_of(request)
    if is_lost_on(request, context):
        return _refused(request, form, "signin_plain")
    goes_to, now = own_path(form.get("goes_to", "")[:_MOST_PATH]), time.time()
    try:
        admitted = await _admit(request, context, form, now)
    except Problem as exc:
        if exc.status not in (TOO_MANY, _BUSY):
            raise
        return _refused(request, form, "busy" if exc.status == _BUSY else "signin_wait", exc)
    old = request.scope[SESSION]
    if admitted is None and form.get("code") and old is not None and not old.wall:
        return _to(goes_to)  # the button was pressed twice
    begun = None
    if admitted is not None:
        password = None if admitted.login is None else admitted.login.password
        begun = await context.sessions.begin(admitted.account, now, wall=form.get("wall") == "yes", password=password)
    if admitted is None or begun is None:
        return _refused(request, form, _why(form))
    session, cookie = begun
    if old is not None:
        await context.sessions.end(old.key)
    logger.info("a browser signed in", extra={"address": address_of(request.scope), "wall": session.wall})
    device = await _remember(request, context, admitted, form.get("password", ""))
    to = await _first_page(context, session, goes_to) if form.get("code") else goes_to
    secure = context.config.is_https
    return _to(
        to,
        set_cookie(session, cookie, now, secure=secure),
        *([] if device is None else [device_cookie(device, secure=secure)]),
    )


def _why(form: Mapping[str, str]) -> str:
    """Why a try was refused, by the name of its text."""
    if form.get("code"):
        return "signin_used"
    return "signin_wrong" if "token" in form else "signin_wrong_password"


async def _remember(request: Request, context: Context, admitted: _Admitted, password: str) -> str | None:
    """Record from where the account signed in; make an old hash of its password anew, if there is time for that.
    Returns the cookie for a browser that is not known yet."""
    device = await context.passwords.note_sign_in(request.scope, admitted.account)
    if admitted.login is not None:
        with suppress(Problem):
            await context.passwords.renew(admitted.login, password)
    return device


async def _first_page(context: Context, session: Session, goes_to: str) -> str:
    """A person without a password first comes to the page where one can be set."""
    account = await context.passwords.load_account(session.account)
    asks = not session.wall and session.account not in BUILT_IN and account is not None and not account.has_password
    return link("/password", goes_to=goes_to) if asks else goes_to


async def _admit(request: Request, context: Context, form: Mapping[str, str], now: float) -> _Admitted | None:
    """Whose password, code or token the form holds. Raises a Problem (429) where no try is allowed just now."""
    account: str | None
    if code := form.get("code", ""):
        account = await _redeem(request, context, code, now)
    elif "token" in form:
        account = ADMIN if _is_admin_token(request, context, form["token"].encode()) else None
    else:
        login = await context.passwords.check(request.scope, form.get("login", ""), form.get("password", ""))
        return None if login is None else _Admitted(login.account, login)
    return None if account is None else _Admitted(account)


async def _redeem(request: Request, context: Context, code: str, now: float) -> str | None:
    async with context.sessions.redeeming:
        require_code_try(context.guesses)
        account = await context.sessions.redeem(code, now)
        if account is None:
            note_wrong_code(context.guesses, request.scope)
    return account


def _is_admin_token(request: Request, context: Context, token: bytes) -> bool:
    if not token:
        return False
    require_try(context.guesses, request.scope, token)
    right = context.token.matches(token)
    note_try(context.guesses, request.scope, token, right=right)
    return right


def _refused(request: Request, form: Mapping[str, str], why: str, problem: Problem | None = None) -> Response:
    """The form again, and why; after a code that is no good it asks for something else."""
    wait = timedelta(seconds=int((problem.headers or {}).get("Retry-After", "1"))) if problem else None
    page = signin_page(
        request,
        403 if problem is None else problem.status,
        goes_to=form.get("goes_to", ""),
        wrong=why,
        login=form.get("login", ""),
        wait=wait,
        by_token="token" in form,
    )
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
            await context.sessions.end_others(session.account, keep=session.key)
        return _to("/signin")
    if session is not None:
        await context.sessions.end(session.key)
    return _to("/signin", drop_cookie(secure=context.config.is_https))


def is_lost_on(request: Request, context: Context) -> bool:
    """Whether the browser came by plain http although the console is at an https address: it would drop the cookie."""
    came_by = urlsplit(request.headers.get("origin", ""))
    return context.config.is_https and came_by.scheme == "http" and came_by.hostname not in _LOOPBACK


def _to(path: str, *cookies: str) -> Response:
    response = RedirectResponse(path, status_code=303)
    for cookie in cookies:
        response.headers.append("set-cookie", cookie)
    return response
