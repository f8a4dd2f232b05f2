"""API tokens as the database has them now, looked up at most every few seconds."""

from datetime import UTC, datetime
from typing import Final

from access.administration import USE_NOTED_EVERY
from access.rules import Actor
from access.store import find_token, is_known_token, note_token_use
from access.tokens import PREFIX, key_of
from api.http.database import Database
from api.http.problems import Problem
from api.http.recent import Recent

KNOWN_FOR: Final = 5.0
"""Seconds for which a token is not looked up again; a revoked one may be accepted for so much longer."""
_LONGEST: Final = 200


def is_api_token(given: bytes) -> bool:
    """Whether a bearer token has the form of an API token; any other is compared with the admin token."""
    return given.startswith(f"{PREFIX}_".encode())


class ApiTokens:
    """The actors of API tokens. Every method may raise DatabaseAwayError."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: Recent[bytes, Actor] = Recent()
        self._noted: Recent[str, bool] = Recent()

    async def find(self, given: bytes, now: float) -> Actor | None:
        """The actor of a token; None for one that never was. Raises a Problem (401) for one that is no longer good."""
        text = given.decode("ascii", "replace")
        if len(text) > _LONGEST:
            return None
        key = key_of(text)
        actor = self._known.get(key, now, KNOWN_FOR)
        if actor is None:
            actor = await self._load(text, now)
            if actor is not None:
                self._known.put(key, actor, now)
        return actor

    def forget_known(self) -> None:
        """Look every token up again."""
        self._known.clear()

    async def _load(self, text: str, now: float) -> Actor | None:
        async with self._database.snapshot() as connection:
            actor = await find_token(connection, text, datetime.fromtimestamp(now, UTC))
            ended = actor is None and await is_known_token(connection, text)
        if actor is not None and actor.token is not None:
            await self._note_use(actor.token, now)
        if ended:
            raise Problem(
                401,
                "this API token has expired or was revoked, or its account is disabled: ask for a new token",
                headers={"WWW-Authenticate": 'Bearer realm="milepost", error="invalid_token"'},
            )
        return actor

    async def _note_use(self, token: str, now: float) -> None:
        """Record the use of a token, at most each USE_NOTED_EVERY."""
        if self._noted.get(token, now, USE_NOTED_EVERY.total_seconds()):
            return
        at = datetime.fromtimestamp(now, UTC)
        async with self._database.transaction() as connection:
            await note_token_use(connection, token, at, at - USE_NOTED_EVERY)
        self._noted.put(token, True, now)
