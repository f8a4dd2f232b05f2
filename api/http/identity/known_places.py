"""In which browsers accounts signed in lately.

A browser keeps a cookie that says so. An address says nothing of who is there: behind a reverse proxy, or in an office,
many people share one. The database keeps only hashes under the admin token.
"""

from datetime import datetime, timedelta
from typing import Final

from starlette.datastructures import Headers
from starlette.types import Scope

from api.http.identity.actors import cookies
from api.http.session import AdminToken
from store.pool import Connection
from store.sql import queries_beside

QUERIES: Final = queries_beside(__file__)
DEVICE_COOKIE: Final = "milepost_browser"
KNOWN_FOR: Final = timedelta(days=30)
"""How long a browser is known after an account last signed in there."""
MOST: Final = 16
"""Browsers of one account; a further one replaces the one that was used the longest ago."""
_KIND: Final = "browser"


class KnownPlaces:
    """The browsers of accounts."""

    def __init__(self, token: AdminToken) -> None:
        self._token = token

    def browser_of(self, scope: Scope) -> str | None:
        """The cookie of a browser in which an account signed in before; None without one."""
        given = cookies(Headers(scope=scope), DEVICE_COOKIE)
        return next((one for one in given if self._token.is_ours(one, _KIND)), None)

    def new_browser(self) -> str:
        """The cookie for a browser in which an account signs in for the first time."""
        return self._token.new_cookie(_KIND)

    async def is_known(self, connection: Connection, account: str, browser: str, now: datetime) -> bool:
        """Whether an account signed in lately in a browser."""
        key = self._hash(account, browser)
        return bool(await connection.fetchval(QUERIES.is_known_place, account, key, now - KNOWN_FOR))

    async def note(self, connection: Connection, account: str, browser: str, now: datetime) -> None:
        """Record in which browser an account signed in."""
        await connection.execute(QUERIES.note_place, account, self._hash(account, browser), now)
        await connection.execute(QUERIES.keep_newest_places, account, MOST, now - KNOWN_FOR)

    def _hash(self, account: str, browser: str) -> bytes:
        return self._token.digest(f"milepost place {account} browser {browser}")
