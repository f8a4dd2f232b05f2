"""Sign-in by login and password, and new passwords. Hashes take 64 MiB each, so few are made at once."""

import asyncio
import logging
import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Final, TypeVar

import msgspec
from starlette.types import Scope

from access.passwords import hash_password, is_password, is_to_hash_anew
from access.rules import Account
from access.store import Login, change_password, find_login, load_account, renew_hash
from api.http.database import Database
from api.http.guesses import Guesses
from api.http.identity.known_places import KnownPlaces
from api.http.identity.lockout import Lockout
from api.http.identity.tries import TOO_MANY, address_of
from api.http.problems import Problem

logger = logging.getLogger(__name__)

AT_ONCE: Final = 2
"""Hashes that are made at the same time."""
MOST_WAITING: Final = 20
"""Maximum number of hashes that are made or wait; a further one is refused."""

_T = TypeVar("_T")


class _Try(msgspec.Struct, frozen=True):
    """A password that is checked. `place`: from where, as `KnownPlaces` names it; `known`: by the account."""

    login: str
    address: str
    place: str
    known: bool


class Passwords:
    """The passwords of accounts. Methods may raise DatabaseAwayError, and a Problem (503) when too many hashes wait."""

    def __init__(self, database: Database, places: KnownPlaces, guesses: Guesses) -> None:
        self._database, self._places, self._guesses, self._lockout = database, places, guesses, Lockout()
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="api password")
        self._waiting = 0

    async def check(self, scope: Scope, login: str, password: str) -> Login | None:
        """The account whose login and password these are. Raises a Problem (429) while no try is allowed.

        An unknown login, a wrong password and a disabled account have the same answer in the same time.
        """
        if not login or not password:
            return None
        places = self._places.places_of(scope)
        async with self._database.snapshot() as connection:
            found = await find_login(connection, login if login.isprintable() else "")
            # Asked for every login, because the time of the answer must not show which accounts exist.
            known = await self._places.find(connection, found.account if found else "", places, _time())
        attempt = _Try(login, address_of(scope), known or places[-1], known is not None)
        self._begin(attempt)
        stored = None if found is None else found.password
        if await self._make(lambda: is_password(stored, password)):
            self._was_right(attempt)
            return found
        account = None if found is None else found.account
        log = {"address": attempt.address, "account": account, "path": scope["path"][:100]}
        logger.warning("a wrong password", extra=log)
        return None

    async def load_account(self, account: str) -> Account | None:
        """The account of an id, whatever the scope of the request: for its own person."""
        async with self._database.snapshot() as connection:
            return await load_account(connection, account)

    async def change(self, account: str, password: str, *, before: str | None, keep: bytes | None) -> bool:
        """Its person gives an account another password; all its sessions end, except the one of the key `keep`. False:
        `before` is not the hash of its password."""
        made = await self.hash(password)
        async with self._database.transaction() as connection:
            return await change_password(connection, account, made, before=before, keep=keep, by=account)

    async def note_sign_in(self, scope: Scope, account: str) -> str | None:
        """Record from where an account signed in. Returns the cookie for a browser that has none yet."""
        places = self._places.places_of(scope)
        new = self._places.new_browser() if self._places.browser_of(scope) is None else None
        if new is not None:
            places = [f"browser {new}", *places]
        async with self._database.transaction() as connection:
            await self._places.note(connection, account, places, _time())

        return new

    async def renew(self, login: Login, password: str) -> None:
        """Hash a password anew whose hash was made with other parameters than today's."""
        if login.password is None or not is_to_hash_anew(login.password):
            return
        made = await self.hash(password)
        async with self._database.transaction() as connection:
            await renew_hash(connection, login.account, login.password, made)

    async def hash(self, password: str) -> str:
        """The hash of a new password."""
        return await self._make(lambda: hash_password(password))

    def close(self) -> None:
        """Make no more hashes, and do not wait for those that are being made."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _begin(self, attempt: _Try) -> None:
        now = time.monotonic()
        wait = self._lockout.wait(attempt.login, attempt.place, now, known=attempt.known)
        if not attempt.known:
            wait = max(wait, self._guesses.wait(attempt.address, b"", now))
        if wait > 0:
            detail = f"there were too many wrong tries: try again in {math.ceil(wait)} s"
            raise Problem(TOO_MANY, detail, headers={"Retry-After": str(math.ceil(wait))})
        self._lockout.begin(attempt.login, attempt.place, now)
        self._guesses.was_wrong(attempt.address, now)

    def _was_right(self, attempt: _Try) -> None:
        now = time.monotonic()
        self._lockout.was_right(attempt.login, attempt.place, now)
        self._guesses.give_back(attempt.address, now)

    async def _make(self, work: Callable[[], _T]) -> _T:
        if self._waiting >= MOST_WAITING:
            raise Problem(503, "too many people sign in at this moment: try again", headers={"Retry-After": "3"})
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1


def _time() -> datetime:
    return datetime.now(UTC)
