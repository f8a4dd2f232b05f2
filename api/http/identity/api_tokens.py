"""API tokens as the database has them now, looked up at most every few seconds."""

from collections import OrderedDict
from datetime import UTC, datetime
from typing import Final

from access.rules import Actor
from access.store import find_token, is_known_token
from access.tokens import PREFIX, key_of
from api.http.database import Database
from api.http.problems import Problem

KNOWN_FOR: Final = 5.0
"""Seconds for which a token is not looked up again; a revoked one may be accepted for so much longer."""
_MOST_KNOWN: Final = 1000
_LONGEST: Final = 200


def is_api_token(given: bytes) -> bool:
    """Whether a bearer token has the form of an API token; any other is compared with the admin token."""
    return given.startswith(f"{PREFIX}_".encode())


class ApiTokens:
    """The actors of API tokens. Every method may raise DatabaseAwayError."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: OrderedDict[bytes, tuple[Actor, float]] = OrderedDict()

    async def find(self, given: bytes, now: float) -> Actor | None:
        """The actor of a token; None for one that never was. Raises a Problem (401) for one that is no longer good."""
        text = given.decode("ascii", "replace")
        if len(text) > _LONGEST:
            return None
        key = key_of(text)
        actor, looked_at = self._known.get(key, (None, 0.0))
        if actor is not None and 0 <= now - looked_at < KNOWN_FOR:
            return actor
        self._known.pop(key, None)
        actor = await self._load(text, now)
        if actor is not None:
            self._known[key] = (actor, now)
            if len(self._known) > _MOST_KNOWN:
                self._known.popitem(last=False)
        return actor

    async def _load(self, text: str, now: float) -> Actor | None:
        async with self._database.snapshot() as connection:
            actor = await find_token(connection, text, datetime.fromtimestamp(now, UTC))
            ended = actor is None and await is_known_token(connection, text)
        if ended:
            raise Problem(
                401,
                "this API token has expired or was revoked, or its account is disabled: ask for a new token",
                headers={"WWW-Authenticate": 'Bearer realm="milepost", error="invalid_token"'},
            )
        return actor
