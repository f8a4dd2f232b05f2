"""One MQTT connection of a simulated terminal, over asyncio. It reports what happens to its listener."""

import asyncio
import ssl
from typing import Final, Protocol, cast

from agents.config import Broker
from agents.simulator import packets
from agents.simulator.packets import BrokenStreamError, Connack, Message, Packet, Puback

CONNECT_SECONDS: Final = 20.0
MOST_UNSENT: Final = 1024 * 1024
"""Bytes that may wait for the broker; beyond them the connection is given up."""


class ConnectionListener(Protocol):
    """Receives the events of a connection; `on_lost` is the last one."""

    def on_up(self) -> None:
        """The broker accepted the connection."""

    def on_heard(self) -> None:
        """The broker sent something."""

    def on_puback(self, mid: int) -> None:
        """The broker confirmed message `mid`."""

    def on_message(self, message: Message) -> None:
        """A message arrived."""

    def on_lost(self, why: str) -> None:
        """The connection is over."""


class Connection(asyncio.Protocol):
    """A connection from CONNECT to its end; `open_connection` connects it. `hello` is the CONNECT packet."""

    def __init__(self, listener: ConnectionListener, hello: bytes, keepalive: int) -> None:
        self._listener: ConnectionListener | None = listener
        self._hello, self._keepalive = hello, keepalive
        self._reader = packets.PacketReader()
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self._wrote_at = self._heard_at = self._loop.time()
        self._is_up = False
        self.closed = asyncio.Event()
        """Set when the transport is closed and all written bytes are sent."""

    def write(self, data: bytes) -> None:
        """Hand bytes to the socket; their arrival is not reported."""
        if self._transport is None or self._transport.is_closing():
            return
        self._wrote_at = self._loop.time()
        self._transport.write(data)
        if self._transport.get_write_buffer_size() > MOST_UNSENT:
            self._lose("the broker takes nothing")

    def abandon(self) -> None:
        """Close the connection without DISCONNECT: the broker publishes the Last Will."""
        self._listener = None
        self._close(abort=True)

    def say_goodbye(self) -> None:
        """DISCONNECT after what was written: no Last Will."""
        self._listener = None
        self.write(packets.DISCONNECT)
        self._close(abort=False)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send CONNECT; called by asyncio."""
        # TCP and TLS give nothing else; uvloop's is no asyncio.Transport by inheritance.
        self._transport = cast(asyncio.Transport, transport)
        if self._listener is None:
            self._close(abort=True)
            return
        self.write(self._hello)
        self._timer = self._loop.call_later(CONNECT_SECONDS, self._check)

    def data_received(self, data: bytes) -> None:
        """Report the packets in the bytes that arrived; called by asyncio."""
        self._heard_at = self._loop.time()
        if self._listener is not None:
            self._listener.on_heard()
        try:
            found = self._reader.feed(data)
        except BrokenStreamError as exc:
            self._lose(str(exc))
            return
        for packet in found:
            self._take(packet)

    def _take(self, packet: Packet) -> None:
        if self._listener is None:
            return
        if isinstance(packet, Message):
            if packet.qos:
                self.write(packets.puback(packet.mid))
            self._listener.on_message(packet)
        elif isinstance(packet, Puback):
            self._listener.on_puback(packet.mid)
        elif isinstance(packet, Connack):
            self._welcomed(packet.code)

    def _welcomed(self, code: int) -> None:
        if code or self._is_up:
            self._lose(f"the broker refused us with code {code}")
            return
        self._is_up = True
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(self._keepalive / 2, self._check)
        if self._listener is not None:
            self._listener.on_up()

    def _check(self) -> None:
        """Send a ping when nothing else was written for long; close the connection when nothing arrives for long."""
        now = self._loop.time()
        if not self._is_up:
            self._lose("the broker does not answer CONNECT")
        elif now - self._heard_at > 2 * self._keepalive:
            self._lose("the broker is silent")
        else:
            # A ping also while messages are written all the time: without it the broker might send nothing.
            if now - min(self._wrote_at, self._heard_at) > self._keepalive / 2:
                self.write(packets.PING)
            self._timer = self._loop.call_later(self._keepalive / 2, self._check)

    def connection_lost(self, exc: Exception | None) -> None:
        """Report the end; called by asyncio."""
        self.closed.set()
        self._lose(str(exc or "the broker closed the connection"))

    def _lose(self, why: str) -> None:
        listener, self._listener = self._listener, None
        self._close(abort=True)
        if listener is not None:
            listener.on_lost(why)

    def _close(self, *, abort: bool) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._transport is not None:
            if abort:
                self._transport.abort()
            else:
                self._transport.close()


async def open_connection(
    broker: Broker,
    connection: Connection,
    tls: ssl.SSLContext | None = None,
) -> None:
    """Connect `connection`. Raises OSError (TimeoutError, ssl.SSLError too) when there is no broker."""
    async with asyncio.timeout(CONNECT_SECONDS):
        await asyncio.get_running_loop().create_connection(lambda: connection, broker.host, broker.port, ssl=tls)
