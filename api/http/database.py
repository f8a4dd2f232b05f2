"""The database as the API uses it: short, bounded transactions, and one error when it is away."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import urlencode

import asyncpg

from access.scope import NOTHING, AreaScope
from api.http.problems import DatabaseAwayError
from contract.errors import RemedyError, reason_of
from store.pool import CONNECT_TIMEOUT, UNREACHABLE, Connection, Pool
from store.scoped import API_ROLE, SEARCH_PATH
from store.sql import queries_beside

logger = logging.getLogger(__name__)

QUERIES: Final = queries_beside(__file__)

STATEMENT_MS: Final = 4000
"""What PostgreSQL itself allows a statement."""
LIMIT: float = 6.0
"""Seconds for all that one request asks of the database."""
_ACQUIRE: Final = 3.0
RELEASE: float = 3.0
"""Seconds in which a connection must be ready for the next request. After that it is closed."""

_AWAY = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection that broke in the middle of a message
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InvalidAuthorizationSpecificationError,
)


def with_query_settings(url: str) -> str:
    """The database URL with what holds for every statement of the API: its longest time, and a plan of its own.

    The same statement asks for all stations and for a rare verdict. After five times PostgreSQL may keep one plan for
    all filters, which took minutes instead of two seconds for the closed ones of 700,000 stations. The role and the
    search path hold the connection to its scope, whatever its login may do (store/scoped.sql).
    """
    settings = {
        "statement_timeout": STATEMENT_MS,
        "plan_cache_mode": "force_custom_plan",
        "role": API_ROLE,
        "search_path": SEARCH_PATH,
    }
    return f"{url}{'&' if '?' in url else '?'}{urlencode(settings)}"


async def require_role(url: str) -> None:
    """Raise RemedyError when the login of a URL may not take the role of the API, or the role has no rights yet. A
    database that cannot be reached is left to the first connection that is to stay."""
    try:
        connection = await asyncpg.connect(with_query_settings(url), timeout=CONNECT_TIMEOUT)
    except _REFUSED as exc:
        raise _no_role(str(exc)) from exc
    except (*UNREACHABLE, ValueError):
        return
    try:
        if await connection.fetchval(QUERIES.lacks_rights):
            raise _no_role("it may not read schema_migration")
    finally:
        await connection.close(timeout=CONNECT_TIMEOUT)


_REFUSED: Final = (asyncpg.InvalidParameterValueError, asyncpg.InsufficientPrivilegeError)


def _no_role(why: str) -> RemedyError:
    return RemedyError(
        f"the API works in the database as {API_ROLE}, which its login may not do ({why}): run `milepost migrate` as "
        "the owner of the tables; where that may not create roles, an administrator of the database runs "
        f"`CREATE ROLE {API_ROLE} NOLOGIN; GRANT {API_ROLE} TO` the login of MILEPOST_DATABASE_URL, and then "
        "`milepost migrate` again",
        f"API 在数据库中以角色 {API_ROLE} 工作，而其登录账户无权使用该角色（{why}）：请以数据表所有者的身份运行 "
        f"`milepost migrate`；若它不能创建角色，请由数据库管理员执行 `CREATE ROLE {API_ROLE} NOLOGIN; "
        f"GRANT {API_ROLE} TO` MILEPOST_DATABASE_URL 中的登录账户，然后再次运行 `milepost migrate`",
    )


class Database:
    """Connections from a pool, each for a bounded time, that show one scope.

    The scope is set first in each transaction; without one nothing is shown. Every failure to be reached or to answer
    in time is a DatabaseAwayError.
    """

    def __init__(self, pool: Pool, scope: AreaScope = NOTHING, account: str = "") -> None:
        self._pool, self._scope, self._account = pool, scope, account

    def within(self, scope: AreaScope, account: str = "") -> "Database":
        """The same connections for another scope, and the account that asks."""
        return Database(self._pool, scope, account)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Connection]:
        """A read-only transaction in which all queries see one moment."""
        async with self._bounded() as connection:
            await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            await connection.execute(QUERIES.set_scope, self._scope.setting, self._account)
            yield connection
            await connection.execute("COMMIT")

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A transaction that may write. It is rolled back when the block raises."""
        async with self._bounded() as connection, connection.transaction():
            await connection.execute(QUERIES.set_scope, self._scope.setting, self._account)
            yield connection

    @asynccontextmanager
    async def _bounded(self) -> AsyncIterator[Connection]:
        until = asyncio.get_running_loop().time() + LIMIT
        try:
            connection = await self._pool.acquire(timeout=_ACQUIRE)
            try:
                async with asyncio.timeout_at(until):
                    try:
                        yield connection
                    except BaseException:
                        await _give_up(connection)
                        raise
            finally:
                await self._release(connection)
        except _AWAY as exc:
            if isinstance(exc, ValueError):  # a value that does not fit its type is no failure of the database
                raise
            raise DatabaseAwayError(_why(exc)) from exc

    async def _release(self, connection: "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]") -> None:
        """Give the connection back. What the request did is done: a connection that fails now is only closed."""
        try:
            await self._pool.release(connection, timeout=RELEASE)
        except (*_AWAY, asyncpg.PostgresError) as exc:
            logger.warning("a connection to the database was closed after a request: %s", reason_of(exc))


async def _give_up(connection: Connection) -> None:
    """Roll back, or cut the connection when it does not answer or a query of it was cancelled."""
    task = asyncio.current_task()
    try:
        if task is not None and task.cancelling():
            connection.terminate()
        elif connection.is_in_transaction():
            await connection.execute("ROLLBACK", timeout=1)
    except (*_AWAY, asyncpg.PostgresError):
        connection.terminate()


def _why(exc: Exception) -> str:
    if isinstance(exc, TimeoutError | asyncpg.QueryCanceledError):
        return "the database did not answer in time: try again, or ask for less"
    return "the database cannot be reached: it will be asked again at the next request"
