"""Connections to PostgreSQL."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlsplit

import asyncpg
import msgspec

from contract.errors import RemedyError, reason_of

if TYPE_CHECKING:
    Pool: TypeAlias = asyncpg.Pool[asyncpg.Record]
    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]
    _Connection: TypeAlias = asyncpg.Connection[asyncpg.Record]
else:  # generic for the type checker only
    Pool = asyncpg.Pool
    Connection = _Connection = asyncpg.Connection

CONNECT_TIMEOUT = 5.0


class Keepalive(msgspec.Struct, frozen=True, kw_only=True):
    """When TCP asks whether the other machine is still there: after `idle` seconds without a packet, then each
    `interval` seconds; after `count` questions without an answer the connection is broken."""

    idle: int
    interval: int
    count: int

    @property
    def longest(self) -> int:
        """Seconds after which a machine that vanished is noticed."""
        return self.idle + self.interval * self.count


KEEPALIVE: Keepalive = Keepalive(idle=30, interval=10, count=3)
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


class _WatchedConnection(_Connection):
    """A connection that breaks when the machine of its server vanishes without a last packet. TCP alone would wait for
    an answer for ever."""

    __slots__ = ()

    def __init__(self, protocol: Any, transport: asyncio.Transport, *rest: Any) -> None:
        super().__init__(protocol, transport, *rest)
        connected = transport.get_extra_info("socket")
        if connected.family != socket.AF_UNIX:
            _watch(connected, KEEPALIVE)


def _watch(connected: socket.socket, keepalive: Keepalive) -> None:
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    values = {
        "TCP_KEEPIDLE": keepalive.idle,
        "TCP_KEEPINTVL": keepalive.interval,
        "TCP_KEEPCNT": keepalive.count,
        "TCP_USER_TIMEOUT": 1000 * keepalive.longest,  # for what was sent and is not received
    }
    for name, value in values.items():
        if hasattr(socket, name):  # not on each system
            connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _server_settings(name: str, keepalive: Keepalive) -> dict[str, str]:
    """The server asks too, so that the session of a machine that vanished holds its locks no longer."""
    return {
        "application_name": f"milepost {name}",
        "tcp_keepalives_idle": str(keepalive.idle),
        "tcp_keepalives_interval": str(keepalive.interval),
        "tcp_keepalives_count": str(keepalive.count),
    }


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
            connection_class=_WatchedConnection,
            server_settings=_server_settings(name, KEEPALIVE),
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
