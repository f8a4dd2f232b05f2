"""A client with an account that connects under client ids of others: the plain name of a terminal, and a bridge's."""

import asyncio
import ssl
from contextlib import suppress
from itertools import cycle
from typing import Final

from agents.config import Broker
from agents.simulator import packets
from agents.simulator.connection import Connection, open_connection
from contract.topics import terminal_name

HOLDS: Final = 2.0
"""Seconds for which each connection is held."""
BRIDGE: Final = "milepost-bridge-1"
"""The beginning of the client id of the first bridge."""
_KEEPALIVE: Final = 60


class _Deaf:
    """Ignores the events of a connection."""

    def on_up(self) -> None: ...
    def on_heard(self) -> None: ...
    def on_puback(self, mid: int) -> None: ...
    def on_message(self, message: packets.Message) -> None: ...
    def on_lost(self, why: str) -> None: ...


class Thief:
    """Uses the client ids of one terminal and of a bridge in turn, with the fleet's account, until it is stopped."""

    def __init__(self, broker: Broker, tls: ssl.SSLContext | None, station: str, terminal: str) -> None:
        self._broker, self._tls = broker, tls
        self._user = broker.user or (station if broker.password else None)
        self._names = (terminal_name(station, terminal), BRIDGE)
        self._task = asyncio.create_task(self._run(), name=f"thief of {self._names[0]}")

    async def stop(self) -> None:
        """End, and the connection with it."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        for name in cycle(self._names):
            hello = packets.connect(name, keepalive=_KEEPALIVE, user=self._user, password=self._broker.password)
            connection = Connection(_Deaf(), hello, _KEEPALIVE)
            try:
                with suppress(OSError):
                    await open_connection(self._broker, connection, self._tls)
                await asyncio.sleep(HOLDS)
            finally:
                connection.abandon()
