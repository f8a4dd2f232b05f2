"""Logins of dashboards that see one area and all below it."""

import hashlib
import re
from typing import Final

from store.accounts import DatabaseLogin
from store.pool import Connection
from store.sql import queries_beside

QUERIES: Final = queries_beside(__file__)
PREFIX: Final = "milepost_area_"
GROUP: Final = "milepost_area_reader"
_CODE: Final = re.compile(r"[0-9A-Za-z]{1,32}")
_ROUNDS: Final = 600_000
_SETTINGS: Final = (
    "CONNECTION LIMIT 20",
    "RESET ALL",
    "SET search_path = dashboards",
    "SET default_transaction_read_only = on",
    "SET statement_timeout = '30s'",
)


def dashboard_login(area: str) -> DatabaseLogin:
    """The login of an area. Raises ValueError for what is no code of an area."""
    if not _CODE.fullmatch(area):
        raise ValueError(f"{area!r} is no code of an area")
    return DatabaseLogin(PREFIX + area, GROUP)


def derive_password(login: DatabaseLogin, secret: str) -> str:
    """The password of a login: always the same for the same secret, so that several Grafanas can use the login, and a
    run that broke off can be repeated. The secret does not follow from the password."""
    return hashlib.pbkdf2_hmac("sha256", secret.encode(), login.name.encode(), _ROUNDS).hex()


async def area_path(connection: Connection, area: str) -> list[tuple[str, str, str]]:
    """The areas from the top down to this one: code, Chinese and English name. Empty: there is no such area.

    A short code such as 63 is that of 630000000000.
    """
    rows = await connection.fetch(QUERIES.path_of_area, area)
    return [(row["code"], row["name"], row["name_en"] or row["name"]) for row in rows]


async def has_dashboard_login(connection: Connection, login: DatabaseLogin) -> bool:
    """Whether a login exists, with its area."""
    return bool(await connection.fetchval(QUERIES.has_dashboard_login, login.name))


async def put_dashboard_login(connection: Connection, area: str, password: str) -> None:
    """Make the login of an area, or bring the present one back to what it should be. Needs the schema and a superuser.

    The login may read the views of the schema `dashboards`, and nothing else; all in one transaction.
    """
    login = dashboard_login(area)
    async with connection.transaction():
        await connection.execute(await connection.fetchval(QUERIES.make_login, login.name, login.group, password))
        for setting in _SETTINGS:
            await connection.execute(f'ALTER ROLE "{login.name}" {setting}')
        await connection.execute(QUERIES.put_dashboard_login, login.name, [area])
