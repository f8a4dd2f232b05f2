"""The actor of a request: by the admin token, an API token, or the session of a browser."""

import time
from typing import Final

import msgspec
from starlette.datastructures import Headers
from starlette.types import Scope

from access.roles import Permission
from access.rules import ADMIN, Actor
from access.scope import WHOLE
from api.http.guesses import Guesses
from api.http.identity.api_tokens import ApiTokens, is_api_token
from api.http.identity.tries import note_try, require_try
from api.http.session import AdminToken
from api.http.session_rules import Session
from api.http.sessions import Sessions

COOKIE: Final = "milepost_session"
_MOST_COOKIES: Final = 8
_ADMIN: Final = Actor(account=ADMIN, permissions=frozenset(Permission), scope=WHOLE)


class Identified(msgspec.Struct, frozen=True):
    """Who sends a request; for a browser also its session and cookie."""

    actor: Actor | None = None
    session: Session | None = None
    cookie: str = ""


ANONYMOUS: Final = Identified()
"""The client of a request without a good token or session."""


class Identity:
    """Finds the actors of requests, as tokens, sessions and accounts are now or were a few seconds ago."""

    def __init__(self, *, token: AdminToken, tokens: ApiTokens, sessions: Sessions, guesses: Guesses) -> None:
        self._token, self._tokens, self._sessions, self._guesses = token, tokens, sessions, guesses

    async def find(self, scope: Scope) -> Identified:
        """Who sends a request, by a bearer token or the cookie of a session; ANONYMOUS without either.

        Raises a Problem (429) while the address has to wait, (401) for an API token that is no longer good, and
        DatabaseAwayError.
        """
        headers = Headers(scope=scope)
        given = bearer(headers)
        if given is not None:
            return Identified(await self._of_token(scope, given) if given else None)
        asked = cookies(headers)
        found = await self._sessions.find(asked, time.time()) if asked else None
        return ANONYMOUS if found is None else Identified(found.actor, found.session, found.cookie)

    def forget_known(self) -> None:
        """Look every token and session up again, because an account, a token or a session was changed here."""
        self._tokens.forget_known()
        self._sessions.forget_known()

    async def _of_token(self, scope: Scope, given: bytes) -> Actor | None:
        require_try(self._guesses, scope, given)
        if is_api_token(given):
            actor = await self._tokens.find(given, time.time())
        else:
            actor = _ADMIN if self._token.matches(given) else None
        note_try(self._guesses, scope, given, right=actor is not None)
        return actor


def bearer(headers: Headers) -> bytes | None:
    """The bearer token of a request, None without one."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    return given.strip().encode() if scheme.lower() == "bearer" else None


def cookies(headers: Headers, named: str = COOKIE) -> list[str]:
    """The session cookies of a request, or those of another name. All others are ignored, whatever their form."""
    pairs = (one.strip().partition("=") for line in headers.getlist("cookie") for one in line.split(";"))
    return [value.strip().strip('"') for name, _, value in pairs if name.strip() == named and value][:_MOST_COOKIES]
