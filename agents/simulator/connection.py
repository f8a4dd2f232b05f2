"""One MQTT connection of a simulated terminal, over asyncio. It says what happens to whoever listens."""

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
    """Whoever is told what the connection lives through; nothing follows `on_lost`."""

    def on_up(self) -> None: ...
    def on_heard(self) -> None: ...
    def on_puback(self, mid: int) -> None: ...
    def on_message(self, message: Message) -> None: ...
    def on_lost(self, why: str) -> None: ...


class Connection(asyncio.Protocol):
    """From CONNECT to the end. Made by `open_connection`."""

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
        """Set once the transport is closed and what was written has left us."""

    def write(self, data: bytes) -> None:
        """Hand bytes over; nothing is said of their arrival."""
        if self._transport is None or self._transport.is_closing():
            return
        self._wrote_at = self._loop.time()
        self._transport.write(data)
        if self._transport.get_write_buffer_size() > MOST_UNSENT:
            self._lose("the broker takes nothing")

    def abandon(self) -> None:
        """Drop the connection without a word: the broker publishes the Last Will."""
        self._listener = None
        self._close(abort=True)

    def say_goodbye(self) -> None:
        """DISCONNECT after what was written: no Last Will."""
        self._listener = None
        self.write(packets.DISCONNECT)
        self._close(abort=False)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # TCP and TLS give nothing else; uvloop's is no asyncio.Transport by inheritance.
        self._transport = cast(asyncio.Transport, transport)
        if self._listener is None:
            self._close(abort=True)
            return
        self.write(self._hello)
        self._timer = self._loop.call_later(CONNECT_SECONDS, self._check)

    def data_received(self, data: bytes) -> None:
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
        """Ping when nothing else was written for long; give up when nothing comes back."""
        now = self._loop.time()
        if not self._is_up:
            self._lose("the broker does not answer CONNECT")
        elif now - self._heard_at > 2 * self._keepalive:
            self._lose("the broker is silent")
        else:
            # A ping also when we write all the time: nothing else asks the broker for a sign of life.
            if now - min(self._wrote_at, self._heard_at) > self._keepalive / 2:
                self.write(packets.PING)
            self._timer = self._loop.call_later(self._keepalive / 2, self._check)

    def connection_lost(self, exc: Exception | None) -> None:
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
    """Connect `connection`. Raises OSError (TimeoutError, ssl.SSLError too) when there is nobody."""
    async with asyncio.timeout(CONNECT_SECONDS):
        await asyncio.get_running_loop().create_connection(lambda: connection, broker.host, broker.port, ssl=tls)
