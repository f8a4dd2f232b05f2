"""What every request passes: a limit on its body, identification, headers, metrics.

Plain ASGI, so that streams stay streams.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

import asyncpg
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.identity.actors import ANONYMOUS, COOKIE, Identified, Identity
from api.http.identity.known_places import DEVICE_COOKIE
from api.http.problems import DatabaseAwayError, Problem, problem_response, to_problem
from api.http.session_rules import WALL_COOKIE, Session, cookie_seconds
from api.http.uploads.bounds import carries_file

logger = logging.getLogger(__name__)

MAX_BODY: Final = 64 * 1024
BODY_WITHIN: Final = 20.0
"""Seconds in which the body of a request must have come."""
ACTOR: Final = "milepost.actor"
"""In the scope: the access.rules.Actor of the request, None without a good token or session."""
SESSION: Final = "milepost.session"
"""In the scope: the Session of the browser that asks, None without one."""
AWAY: Final = "milepost.away"
"""In the scope of a page's request: the error, when the database could not be asked who sends it."""
_SET_COOKIE: Final = "milepost.set_cookie"
CSP: Final = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
_HEADERS: Final = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not no-referrer, with which browsers keep the origin of a form to themselves: see is_same_origin.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_GUARDED: Final = "/api/"
_FOR_ALL: Final = ("/healthz", "/readyz", "/metrics", "/static/")
"""Paths with the same answer for every client, for which no token or session is looked up."""
V1: Final = "/api/v1"

Observe = Callable[[str, str, int, float], None]
"""Called for each answer: method, route template, status, seconds until the answer began."""


class Gate:
    """The outermost layer of the app: identifies, limits and counts requests."""

    def __init__(self, app: ASGIApp, *, identity: Identity, observe: Observe, secure: bool) -> None:
        self._app, self._identity, self._observe, self._secure = app, identity, observe, secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        began = time.perf_counter()
        # Inside, HEAD is GET: what has a GET has a HEAD, without the body.
        head = scope["method"] == "HEAD"
        inner: Scope = {**scope, "method": "GET"} if head else scope
        started = asyncio.Event()

        async def send_with_headers(message: Message) -> None:
            first = message["type"] == "http.response.start" and not started.is_set()
            if first:
                _add_headers(message, inner.get(_SET_COOKIE))
                self._observe(scope["method"], route_template(inner), message["status"], time.perf_counter() - began)
            if not head or first:
                await send(message)
            if first:
                started.set()
                if head:
                    await send({"type": "http.response.body", "body": b""})

        try:
            await self._admit(inner, _until(started, receive) if head else receive, send_with_headers)
        except Exception as exc:
            if started.is_set():
                raise  # the answer has begun: only a broken connection can show the error
            if not isinstance(exc, Problem):
                logger.exception("a request failed: %s %s", scope["method"], route_template(inner))
            await problem_response(to_problem(exc), scope["path"])(inner, receive, send_with_headers)

    async def _admit(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass an admitted request on, or raise the Problem of a refused one."""
        found = await self._identify(scope)
        scope[ACTOR], scope[SESSION] = found.actor, found.session
        if found.session is not None and found.session.wall:
            scope[_SET_COOKIE] = set_cookie(found.session, found.cookie, time.time(), secure=self._secure)
        authorise(scope)
        await self._app(scope, await _bounded(scope, receive), send)

    async def _identify(self, scope: Scope) -> Identified:
        """Who sends the request. If that cannot be told, a page is shown as to an anonymous client."""
        if scope["path"].startswith(_FOR_ALL):
            return ANONYMOUS
        try:
            return await self._identity.find(scope)
        except (Problem, DatabaseAwayError, asyncpg.PostgresError) as exc:
            if is_guarded(scope):
                raise
            if not isinstance(exc, Problem):
                scope[AWAY] = exc
            return ANONYMOUS


def is_wall(scope: Scope) -> bool:
    """Whether a wall display sends the request."""
    return scope[SESSION] is not None and scope[SESSION].wall


def set_cookie(session: Session, cookie: str, now: float, *, secure: bool) -> str:
    """The Set-Cookie header that begins a session."""
    return _cookie(cookie, cookie_seconds(session, now), secure=secure)


def drop_cookie(*, secure: bool) -> str:
    """The Set-Cookie header that removes the cookie."""
    return _cookie("", 0, secure=secure)


def device_cookie(value: str, *, secure: bool) -> str:
    """The Set-Cookie header by which a browser is known again."""
    return _cookie(value, int(WALL_COOKIE), secure=secure, name=DEVICE_COOKIE)


def _cookie(value: str, seconds: int, *, secure: bool, name: str = COOKIE) -> str:
    return f"{name}={value}; Max-Age={seconds}; Path=/; HttpOnly; SameSite=strict" + ("; Secure" if secure else "")


def _until(started: asyncio.Event, receive: Receive) -> Receive:
    """A HEAD request is over once its answer has begun, so that a stream ends."""

    async def wait() -> Message:
        await started.wait()
        return {"type": "http.disconnect"}

    return wait


def route_template(scope: Scope) -> str:
    """The template of the path, of which there are few; `other` for a path without a route."""
    template: str | None = getattr(scope.get("route"), "path", None)
    if template is None:
        return "other"
    inside = scope["path"].startswith(V1) and not template.startswith(V1)
    return V1 + template if inside else template


def _add_headers(message: Message, cookie: str | None) -> None:
    headers = MutableHeaders(scope=message)
    if cookie is not None and not any(one.startswith(f"{COOKIE}=") for one in headers.getlist("set-cookie")):
        headers.append("set-cookie", cookie)
    for name, value in _HEADERS.items():
        headers.setdefault(name, value)
    headers.setdefault("Cache-Control", "no-store")


def is_guarded(scope: Scope) -> bool:
    """Whether a request needs a token or a session."""
    return str(scope["path"]).startswith(_GUARDED)


def authorise(scope: Scope) -> None:
    """Raise the Problem of a request that is not allowed."""
    if not is_guarded(scope):
        return
    if scope[ACTOR] is None:
        raise Problem(
            401,
            "send `Authorization: Bearer TOKEN` with the token of the admin token file, or sign the browser in",
            headers={"WWW-Authenticate": 'Bearer realm="milepost"'},
        )
    require_may_act(scope)


def require_may_act(scope: Scope) -> None:
    """A browser may change things only by our own pages, and a wall display nothing. Raises a Problem."""
    if scope[SESSION] is None or scope["method"] in _SAFE:
        return
    require_own_page(scope)
    if is_wall(scope):
        raise Problem(403, "this browser is signed in as a wall display, which only looks: sign in as a person")


def require_own_page(scope: Scope) -> None:
    """Accept a form from our own pages only, because browsers send cookies with any form. Raises a Problem."""
    if not is_same_origin(Headers(scope=scope)):
        raise Problem(403, "a signed-in browser may change things only from this server's own pages")


def is_same_origin(headers: Headers) -> bool:
    """Whether a browser says that one of our own pages sent the request. Without such a header the answer is no."""
    fetch_site = headers.get("sec-fetch-site")
    if fetch_site is not None:
        return fetch_site == "same-origin"
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc == headers.get("host")


async def _bounded(scope: Scope, receive: Receive) -> Receive:
    """Read the whole body, up to MAX_BODY, and pass it on; the body of a safe method is ignored. A body with a file is
    left to its route, which reads and bounds it once the permission is known."""
    if scope["method"] in _SAFE:
        return receive
    if carries_file(scope["method"], scope["path"], Headers(scope=scope).get("content-type", "")):
        return receive
    too_large = Problem(413, f"the request body is too large: at most {MAX_BODY} bytes")
    length = Headers(scope=scope).get("content-length", "0")
    if length.isdecimal() and int(length) > MAX_BODY:
        raise too_large
    body, more = b"", True
    try:
        async with asyncio.timeout(BODY_WITHIN):
            while more:
                message = await receive()
                if message["type"] != "http.request":
                    return receive
                body += message.get("body", b"")
                more = message.get("more_body", False)
                if len(body) > MAX_BODY:
                    raise too_large
    except TimeoutError as exc:
        raise Problem(408, f"the request body did not come within {BODY_WITHIN:.0f} s: send it again") from exc
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return pending.pop() if pending else await receive()

    return replay
