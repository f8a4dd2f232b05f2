"""The login of the services in an embedded database; elsewhere deploy/postgres-accounts.sh makes it."""

from urllib.parse import urlsplit, urlunsplit

from store.pool import Connection
from store.sql import queries_beside

QUERIES = queries_beside(__file__)
LOGIN = "milepost_services"


async def put_services_login(connection: Connection, password: str) -> None:
    """Create the login of the services, or change its password. Needs the schema and a superuser."""
    async with connection.transaction():
        await connection.execute(await connection.fetchval(QUERIES.services_login, password))


async def end_all_sessions(connection: Connection) -> None:
    """End every session of the console and invalidate every sign-in link, if the schema has any."""
    if not await connection.fetchval(QUERIES.has_sessions):
        return
    async with connection.transaction():
        await connection.execute(QUERIES.end_sessions)
        await connection.execute(QUERIES.void_codes)


def services_url(url: str, password: str) -> str:
    """The URL of a database for the login of the services, from a URL for another login."""
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{LOGIN}:{password}@{place}"))
