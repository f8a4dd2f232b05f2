"""The logins of services, API and sealer in an embedded database; elsewhere deploy/postgres-accounts.sh makes them."""

from typing import Final
from urllib.parse import urlsplit, urlunsplit

import msgspec

from store.pool import Connection
from store.scoped import API_ROLE
from store.sql import queries_beside

QUERIES = queries_beside(__file__)


class DatabaseLogin(msgspec.Struct, frozen=True):
    """A login, and the group by which it has its rights."""

    name: str
    group: str

    def url(self, url: str, password: str) -> str:
        """The URL of a database for this login, from a URL for another."""
        parts = urlsplit(url)
        place = parts.netloc.rpartition("@")[2]
        return urlunsplit(parts._replace(netloc=f"{self.name}:{password}@{place}"))


SERVICES_LOGIN: Final = DatabaseLogin("milepost_services", "milepost_service")
API_LOGIN: Final = DatabaseLogin("milepost_console", API_ROLE)
AUDIT_LOGIN: Final = DatabaseLogin("milepost_sealer", "milepost_audit")


async def put_logins(connection: Connection, *, services: str, api: str, audit: str) -> None:
    """Create the logins, or change their passwords to these. Needs the schema and a superuser."""
    async with connection.transaction():
        for login, password in ((SERVICES_LOGIN, services), (API_LOGIN, api), (AUDIT_LOGIN, audit)):
            await connection.execute(await connection.fetchval(QUERIES.make_login, login.name, login.group, password))
        await connection.execute(QUERIES.keep_apart)


async def end_all_sessions(connection: Connection) -> None:
    """End every session of the console and invalidate every sign-in link, if the schema has any."""
    if not await connection.fetchval(QUERIES.has_sessions):
        return
    async with connection.transaction():
        await connection.execute(QUERIES.end_sessions)
        await connection.execute(QUERIES.void_codes)
