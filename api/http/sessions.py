"""Sessions of browsers, and one-use links that begin one. They are rows, so that each can be ended."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import asyncpg
import msgspec

from access.rules import Actor, actor_of
from access.store import load_account, record_link, void_codes
from api.http.database import Database
from api.http.recent import Recent
from api.http.session import AdminToken, key_of, new_secret
from api.http.session_rules import (
    CODE_SECONDS,
    IDLE,
    LONGEST,
    MOST_CODES,
    MOST_SESSIONS,
    WALL_IDLE,
    Session,
    is_over,
    is_to_note,
)
from store.pool import Connection
from store.sql import queries_beside

QUERIES: Final = queries_beside(__file__)
KNOWN_FOR: Final = 5.0
"""Seconds for which a session is not looked up again; a session that another process ended may last so much longer."""


class SignedIn(msgspec.Struct, frozen=True):
    """A session, and its actor: its account as it is now."""

    session: Session
    actor: Actor
    cookie: str = ""


class Sessions:
    """The sessions and one-use links of the database. Every method may raise DatabaseAwayError."""

    def __init__(self, database: Database, token: AdminToken) -> None:
        self._database, self._token = database, token
        self._known: Recent[bytes, SignedIn] = Recent()
        self.redeeming = asyncio.Lock()
        """Held while a code is checked, so that wrong tries are counted one after the other."""

    async def find(self, cookies: Sequence[str], now: float) -> SignedIn | None:
        """The session of the first cookie that has one that has not ended."""
        for cookie in cookies:
            if self._token.is_ours(cookie):
                found = await self._look_up(key_of(cookie), now)
                if found is not None:
                    return msgspec.structs.replace(found, cookie=cookie)
        return None

    async def _look_up(self, key: bytes, now: float) -> SignedIn | None:
        found = self._known.get(key, now, KNOWN_FOR) or await self._load(key, now)
        return None if found is None or is_over(found.session, now) else found

    async def _load(self, key: bytes, now: float) -> SignedIn | None:
        """The session as its row has it, and its account; the use now is recorded."""
        async with self._database.transaction() as connection:
            session = await _read(connection, key)
            account = None if session is None else await load_account(connection, session.account)
            if session is not None and is_to_note(session, now) and not is_over(session, now):
                await connection.execute(QUERIES.note_use, key, _time(now))
                session = msgspec.structs.replace(session, used=now)
        self._known.drop(key)
        if session is None or account is None or not account.is_enabled:
            return None
        found = SignedIn(session, actor_of(account, wall=session.wall))
        self._known.put(key, found, now)
        return found

    async def begin(
        self, account: str, now: float, *, wall: bool, password: str | None = None
    ) -> tuple[Session, str] | None:
        """A new session and the value of its cookie; None for an account that is disabled.

        `password`: the hash that the person's password has; None also if the account got another one meanwhile.
        """
        cookie = self._token.new_cookie()
        session = Session(key=key_of(cookie), account=account, wall=wall, created=now, used=now)
        async with self._database.transaction() as connection:
            await connection.execute(
                QUERIES.forget_sessions, _time(now - IDLE), _time(now - LONGEST), _time(now - WALL_IDLE)
            )
            if await connection.fetchval(QUERIES.hold_account, account, password) is None:
                return None
            await connection.execute(QUERIES.new_session, session.key, account, wall, _time(now))
            await connection.execute(QUERIES.keep_newest_sessions, account, MOST_SESSIONS)
        return session, cookie

    async def end(self, key: bytes) -> None:
        """End one session."""
        self._known.drop(key)
        async with self._database.transaction() as connection:
            await connection.execute(QUERIES.end_session, key)

    async def end_others(self, account: str, *, keep: bytes | None) -> int:
        """End the sessions of an account, except the one of the key `keep`, and its one-use links; returns the
        number of the sessions."""
        self._known.clear()
        async with self._database.transaction() as connection:
            ended = await connection.fetch(QUERIES.end_other_sessions, account, keep)
            await void_codes(connection, account)
        return len(ended)

    async def list_of(self, account: str, now: float) -> list[Session]:
        """The sessions of an account that have not ended, the last used first."""
        async with self._database.transaction() as connection:
            return await sessions_of(connection, account, now)

    def forget_known(self) -> None:
        """Look every session up again: accounts were changed, or sessions ended, otherwise than by this class."""
        self._known.clear()

    async def new_code(self, account: str, now: float, *, by: str) -> tuple[str, datetime]:
        """The code of a new one-use link for an account, made by the account `by`, and until when it can be used."""
        code, until = new_secret(), _time(now + CODE_SECONDS)
        async with self._database.transaction() as connection:
            await connection.execute(QUERIES.forget_codes, _time(now))
            await connection.execute(QUERIES.new_code, key_of(code), account, until)
            await connection.execute(QUERIES.keep_newest_codes, account, MOST_CODES)
            await record_link(connection, account, until, by=by)
        return code, until

    async def redeem(self, code: str, now: float) -> str | None:
        """The account of a code, which is used up by that. Of two requests at once only one gets the account."""
        async with self._database.transaction() as connection:
            account: str | None = await connection.fetchval(QUERIES.take_code, key_of(code), _time(now))
        return account


async def sessions_of(connection: Connection, account: str, now: float) -> list[Session]:
    """The sessions of an account that have not ended, the last used first."""
    rows = await connection.fetch(QUERIES.sessions_of, account)
    return [found for row in rows if not is_over(found := _session(row), now)]


async def _read(connection: Connection, key: bytes) -> Session | None:
    row = await connection.fetchrow(QUERIES.session, key)
    return None if row is None else _session(row)


def _session(row: asyncpg.Record) -> Session:
    return Session(
        key=row["key"],
        account=row["account"],
        wall=row["wall"],
        created=row["created_at"].timestamp(),
        used=row["used_at"].timestamp(),
    )


def _time(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
