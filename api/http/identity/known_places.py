"""From where accounts signed in lately: from which browser, and from which address.

A browser keeps a cookie that says so, which matters behind a reverse proxy, where all clients share one address. The
database keeps neither, only hashes under the admin token.
"""

from datetime import datetime, timedelta
from typing import Final

from starlette.datastructures import Headers
from starlette.types import Scope

from api.http.guesses import network_of
from api.http.identity.actors import cookies
from api.http.identity.tries import address_of
from api.http.session import AdminToken
from store.pool import Connection
from store.sql import queries_beside

QUERIES: Final = queries_beside(__file__)
DEVICE_COOKIE: Final = "milepost_browser"
KNOWN_FOR: Final = timedelta(days=30)
"""How long a place is known after an account last signed in from there."""
MOST: Final = 16
"""Places of one account; a further one replaces the one that was used the longest ago."""
_KIND: Final = "browser"


class KnownPlaces:
    """The places of accounts. A place is a browser, an address, or of IPv6 a network."""

    def __init__(self, token: AdminToken) -> None:
        self._token = token

    def places_of(self, scope: Scope) -> list[str]:
        """From where a request comes, the most exact place first."""
        browser = self.browser_of(scope)
        return [*([] if browser is None else [f"browser {browser}"]), network_of(address_of(scope))]

    def browser_of(self, scope: Scope) -> str | None:
        """The cookie of a browser in which somebody signed in before."""
        given = cookies(Headers(scope=scope), DEVICE_COOKIE)
        return next((one for one in given if self._token.is_ours(one, _KIND)), None)

    def new_browser(self) -> str:
        """The cookie for a browser in which somebody signs in for the first time."""
        return self._token.new_cookie(_KIND)

    async def find(self, connection: Connection, account: str, places: list[str], now: datetime) -> str | None:
        """The first of these places from which an account signed in lately."""
        hashed = [self._hash(account, place) for place in places]
        rows = await connection.fetch(QUERIES.known_places, account, hashed, now - KNOWN_FOR)
        found = {row["place"] for row in rows}
        return next((place for place, key in zip(places, hashed, strict=True) if key in found), None)

    async def note(self, connection: Connection, account: str, places: list[str], now: datetime) -> None:
        """Record from where an account signed in."""
        for place in places:
            await connection.execute(QUERIES.note_place, account, self._hash(account, place), now)
        await connection.execute(QUERIES.keep_newest_places, account, MOST, now - KNOWN_FOR)

    def _hash(self, account: str, place: str) -> bytes:
        return self._token.digest(f"milepost place {account} {place}")
