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
from api.http.guesses import Guesses, network_of
from api.http.identity.known_places import QUERIES, KnownPlaces
from api.http.identity.lockout import Lockout
from api.http.identity.tries import TOO_MANY, address_of
from api.http.problems import Problem

logger = logging.getLogger(__name__)

AT_ONCE: Final = 2
"""Hashes that are made at the same time."""
MOST_WAITING: Final = 20
"""Maximum number of hashes that are made or wait; a further one is refused. A person in a browser that is not known is
refused at half of it, so that many strangers leave room for those who are known."""

_T = TypeVar("_T")


class _Try(msgspec.Struct, frozen=True):
    """A password that is checked. `login`: as the database compares it; `place`: the browser, if the account is
    `known` to have signed in there lately, else the address."""

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
        found, attempt = await self._look_up(scope, login if login.isprintable() else "")
        self._begin(attempt)
        stored = None if found is None else found.password
        try:
            right = await self._make(
                lambda: is_password(stored, password), MOST_WAITING if attempt.known else MOST_WAITING // 2
            )
        except Problem:
            self._give_back(attempt)  # nothing was checked
            raise
        if right:
            self._give_back(attempt)
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
        """Record in which browser an account signed in. Returns the cookie for a browser that has none yet."""
        old = self._places.browser_of(scope)
        browser = old or self._places.new_browser()
        async with self._database.transaction() as connection:
            await self._places.note(connection, account, browser, _time())
        return browser if old is None else None

    async def renew(self, login: Login, password: str) -> None:
        """Hash a password anew whose hash was made with other parameters than today's."""
        if login.password is None or not is_to_hash_anew(login.password):
            return
        made = await self.hash(password)
        async with self._database.transaction() as connection:
            await renew_hash(connection, login.account, login.password, made)

    async def hash(self, password: str) -> str:
        """The hash of a new password."""
        return await self._make(lambda: hash_password(password), MOST_WAITING)

    def close(self) -> None:
        """Make no more hashes, and do not wait for those that are being made."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _look_up(self, scope: Scope, login: str) -> tuple[Login | None, _Try]:
        """The account of a login, and the try at it. All is asked for every login, because neither the time of an
        answer nor the wait may show which accounts exist."""
        browser = self._places.browser_of(scope)
        async with self._database.snapshot() as connection:
            found = await find_login(connection, login)
            name = await connection.fetchval(QUERIES.as_compared, login)
            account = "" if found is None else found.account
            known = browser is not None and await self._places.is_known(connection, account, browser, _time())
        address = address_of(scope)
        place = f"browser {browser}" if known else network_of(address)
        return found, _Try(name, address, place, known)

    def _begin(self, attempt: _Try) -> None:
        now = time.monotonic()
        wait = self._lockout.wait(attempt.login, attempt.place, now, known=attempt.known)
        if not attempt.known:
            wait = max(wait, self._guesses.wait(attempt.address, b"", now))
        if wait > 0:
            detail = f"there were too many wrong tries: try again in {math.ceil(wait)} s"
            raise Problem(TOO_MANY, detail, headers={"Retry-After": str(math.ceil(wait))})
        self._lockout.begin(attempt.login, attempt.place, now, known=attempt.known)
        if not attempt.known:
            self._guesses.was_wrong(attempt.address, now)

    def _give_back(self, attempt: _Try) -> None:
        now = time.monotonic()
        self._lockout.give_back(attempt.login, attempt.place, now, known=attempt.known)
        if not attempt.known:
            self._guesses.give_back(attempt.address, now)

    async def _make(self, work: Callable[[], _T], most: int) -> _T:
        if self._waiting >= most:
            raise Problem(503, "too many people sign in at this moment: try again", headers={"Retry-After": "3"})
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1


def _time() -> datetime:
    return datetime.now(UTC)
