"""TCP keepalive on connections to PostgreSQL.

A machine that vanishes, by a power cut or a broken cable, closes no connection. Without keepalive a call whose query
was received waits for ever, and the server keeps the session and its locks for two hours.
"""

import asyncio
import socket
from typing import TYPE_CHECKING, Any, TypeAlias

import asyncpg
import msgspec

if TYPE_CHECKING:
    _Connection: TypeAlias = asyncpg.Connection[asyncpg.Record]
else:  # generic for the type checker only
    _Connection = asyncpg.Connection


class Keepalive(msgspec.Struct, frozen=True, kw_only=True):
    """TCP sends a probe after `idle` seconds without a packet, then one each `interval` seconds. `count` probes without
    an answer break the connection."""

    idle: int
    interval: int
    count: int

    @property
    def longest(self) -> int:
        """Seconds until a connection to a machine that vanished breaks."""
        return self.idle + self.interval * self.count


KEEPALIVE: Keepalive = Keepalive(idle=30, interval=10, count=3)


class KeepaliveConnection(_Connection):
    """A connection whose TCP socket has the client's keepalive."""

    __slots__ = ()

    def __init__(self, protocol: Any, transport: asyncio.Transport, *rest: Any) -> None:
        super().__init__(protocol, transport, *rest)
        connected = transport.get_extra_info("socket")
        if connected.family != socket.AF_UNIX:
            _set_options(connected, KEEPALIVE)


def _set_options(connected: socket.socket, keepalive: Keepalive) -> None:
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    options = {
        "TCP_KEEPIDLE": keepalive.idle,
        "TCP_KEEPINTVL": keepalive.interval,
        "TCP_KEEPCNT": keepalive.count,
        "TCP_USER_TIMEOUT": 1000 * keepalive.longest,  # no probe is sent while sent data is not acknowledged
    }
    for name, value in options.items():
        if hasattr(socket, name):  # not every system has all of them
            connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def keepalive_settings() -> dict[str, str]:
    """The settings of a session that make the server send probes as well."""
    return {
        "tcp_keepalives_idle": str(KEEPALIVE.idle),
        "tcp_keepalives_interval": str(KEEPALIVE.interval),
        "tcp_keepalives_count": str(KEEPALIVE.count),
    }
