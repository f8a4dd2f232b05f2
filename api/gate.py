"""What every request passes on its way in and out: a limit on its body, who it is, headers, a count.

Plain ASGI, so that streams stay streams.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import Problem, problem_response
from api.session import AdminToken

logger = logging.getLogger(__name__)

COOKIE: Final = "milepost_session"
MAX_BODY: Final = 64 * 1024
BODY_WITHIN: Final = 20.0
"""Seconds in which the body of a request must have come."""
ACTOR: Final = "milepost.actor"
NAMES: Final = {"token": "admin", "session": "console"}
"""How somebody is called who did not say who acts."""
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
V1: Final = "/api/v1"

Observe = Callable[[str, str, int, float], None]
"""Told of each answer: method, route template, status, seconds until it began."""


class Gate:
    """The outermost layer of the app."""

    def __init__(self, app: ASGIApp, *, token: AdminToken, observe: Observe) -> None:
        self._app, self._token, self._observe = app, token, observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        began = time.perf_counter()
        seen = False

        async def send_with_headers(message: Message) -> None:
            nonlocal seen
            if message["type"] == "http.response.start" and not seen:
                seen = True
                _add_headers(message)
                self._observe(scope["method"], _route(scope), message["status"], time.perf_counter() - began)
            await send(message)

        try:
            scope[ACTOR] = identify(Headers(scope=scope), self._token, time.time())
            authorise(scope)
            replayed = await _bounded(scope, receive)
        except Problem as problem:
            await problem_response(problem, scope["path"])(scope, receive, send_with_headers)
            return
        await self._app(scope, replayed, send_with_headers)


def _route(scope: Scope) -> str:
    """The template of the path, so that there are few; `other` for what has none."""
    template: str | None = getattr(scope.get("route"), "path", None)
    if template is None:
        return "other"
    inside = scope["path"].startswith(V1) and not template.startswith(V1)
    return V1 + template if inside else template


def _add_headers(message: Message) -> None:
    headers = MutableHeaders(scope=message)
    for name, value in _HEADERS.items():
        headers.setdefault(name, value)
    headers.setdefault("Cache-Control", "no-store")


def identify(headers: Headers, token: AdminToken, now: float) -> str | None:
    """`token` for a good bearer token, `session` for a good cookie, None for neither."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return "token" if token.matches(given.strip().encode()) else None
    cookie = read_cookie(headers)
    return "session" if cookie and token.is_session(cookie, now) else None


def read_cookie(headers: Headers) -> str | None:
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return None
    return morsel.value if morsel else None


def authorise(scope: Scope) -> None:
    """Raise the Problem of a request that may not go on."""
    if not scope["path"].startswith(_GUARDED):
        return
    if scope[ACTOR] is None:
        raise Problem(
            401,
            "send `Authorization: Bearer TOKEN` with the token of the admin token file, or sign the browser in",
            headers={"WWW-Authenticate": 'Bearer realm="milepost"'},
        )
    require_own_page(scope)


def require_own_page(scope: Scope) -> None:
    """A cookie comes along by itself: whoever has one may change things only by our own pages. Raises a Problem."""
    if scope[ACTOR] == "session" and scope["method"] not in _SAFE and not is_same_origin(Headers(scope=scope)):
        raise Problem(403, "a signed-in browser may change things only from this server's own pages")


def is_same_origin(headers: Headers) -> bool:
    """Whether a browser says that one of our own pages sent this. No word of it counts as no."""
    fetch_site = headers.get("sec-fetch-site")
    if fetch_site is not None:
        return fetch_site == "same-origin"
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc == headers.get("host")


async def _bounded(scope: Scope, receive: Receive) -> Receive:
    """The body read whole, up to MAX_BODY, and given on; a body on a safe method is not looked at."""
    if scope["method"] in _SAFE:
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
