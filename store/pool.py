"""Connections to PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlsplit

import asyncpg
import msgspec

from contract.errors import RemedyError, reason_of
from store.keepalive import KeepaliveConnection, keepalive_settings

if TYPE_CHECKING:
    Pool: TypeAlias = asyncpg.Pool[asyncpg.Record]
    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]
else:  # generic for the type checker only
    Pool = asyncpg.Pool
    Connection = asyncpg.Connection

CONNECT_TIMEOUT = 5.0
UNREACHABLE = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    # raised by a call on a connection that the server is closing
    asyncpg.InternalClientError,
)
"""Errors of a connection attempt or a call when the database cannot be used."""

_PASSING = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
    asyncpg.ObjectNotInPrerequisiteStateError,
)


def may_pass(error: BaseException) -> bool:
    """Whether the same transaction may succeed later: the database was away, full or busy.

    False for a transaction that it would refuse every time; asyncpg raises ValueError for an argument of a
    wrong type.
    """
    return isinstance(error, _PASSING) and not isinstance(error, ValueError)


def _encode_json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _encode_jsonb(value: Any) -> bytes:
    return b"\x01" + msgspec.json.encode(value)  # the binary form, which COPY needs: a version number and the text


def _decode_jsonb(raw: bytes) -> Any:
    return msgspec.json.decode(raw[1:])


async def _prepare(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    await connection.set_type_codec("json", schema="pg_catalog", encoder=_encode_json, decoder=msgspec.json.decode)
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=_encode_jsonb, decoder=_decode_jsonb, format="binary"
    )


def describe(url: str) -> str:
    """The database by host, port and name, without the password that the URL may carry."""
    parts = urlsplit(url)
    return f"{parts.hostname or 'localhost'}:{parts.port or 5432}{parts.path or '/'}"


@asynccontextmanager
async def open_pool(url: str, *, name: str, size: int = 4) -> AsyncIterator[Pool]:
    """A pool of up to `size` connections, shown to PostgreSQL as ``milepost {name}``.

    Raises RemedyError when the database cannot be reached at the start.
    """
    try:
        pool = await asyncpg.create_pool(
            url,
            min_size=1,
            max_size=size,
            init=_prepare,
            timeout=CONNECT_TIMEOUT,
            connection_class=KeepaliveConnection,
            server_settings={"application_name": f"milepost {name}", **keepalive_settings()},
        )
    except (*UNREACHABLE, ValueError) as exc:
        raise RemedyError(
            f"the database {describe(url)} cannot be reached ({reason_of(exc)}): "
            "start it, or correct MILEPOST_DATABASE_URL",
            f"无法连接数据库 {describe(url)}（{reason_of(exc)}）：请启动它，或改正 MILEPOST_DATABASE_URL",
        ) from exc
    try:
        yield pool
    finally:
        await _close(pool)


@asynccontextmanager
async def listening(connection: Connection, handlers: Mapping[str, Callable[..., None]]) -> AsyncIterator[None]:
    """Call the handler of a channel for each of its notifications, until the block ends or the session is lost."""
    try:
        for channel, handler in handlers.items():
            await connection.add_listener(channel, handler)
        yield
    finally:
        if connection.is_closed():
            connection.terminate()  # the pool would warn about the listeners of a broken session
        try:
            for channel, handler in handlers.items():
                await connection.remove_listener(channel, handler)
        except UNREACHABLE:
            connection.terminate()


async def _close(pool: Pool) -> None:
    try:
        await asyncio.wait_for(pool.close(), timeout=5)
    except (TimeoutError, asyncio.CancelledError):
        pool.terminate()
        raise
