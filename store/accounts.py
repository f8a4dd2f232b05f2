"""The login of the services in a database that Milepost brings; elsewhere deploy/postgres-accounts.sh makes it."""

from urllib.parse import urlsplit, urlunsplit

from store.pool import Connection
from store.sql import queries_beside

QUERIES = queries_beside(__file__)
LOGIN = "milepost_services"


async def let_services_in(connection: Connection, password: str) -> None:
    """Make the login of the services, or give it this password, once the schema is there. Needs a superuser."""
    async with connection.transaction():
        await connection.execute(await connection.fetchval(QUERIES.services_login, password))


async def sign_everybody_out(connection: Connection) -> None:
    """End every session, and make every one-use link void; a schema from before there were any has none."""
    if not await connection.fetchval(QUERIES.has_sessions):
        return
    async with connection.transaction():
        await connection.execute(QUERIES.end_sessions)
        await connection.execute(QUERIES.void_codes)


def services_url(url: str, password: str) -> str:
    """The URL of the same database for the services, from one for somebody else."""
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{LOGIN}:{password}@{place}"))
