"""The protocol of the server's connections: uvicorn's, with a bound on their number and on their silence.

uvicorn counts silent connections like requests and refuses every client when there are many. It never ends a connection
that sends no request.
"""

import asyncio
import time
from typing import Any, Final

from uvicorn.protocols.http.h11_impl import H11Protocol

from api.http.connections import Connections

SWEEP: Final = 5.0
"""Seconds between two searches for silent connections."""
_WHY: Final = b'{"title":"Service Unavailable","status":503,"detail":"too many connections are busy: try again"}'
_FULL: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\nRetry-After: 2\r\n"
    b"Content-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(_WHY), _WHY)
)


class ConnectionBook:
    """The connections of one server; `protocol` is the class of which uvicorn makes one for each connection."""

    def __init__(self, most: int) -> None:
        self.connections: Connections[Any] = Connections(most)
        book = self

        class Protocol(_Bounded):
            its = book

        self.protocol = Protocol

    async def sweep(self) -> None:
        """End silent connections, until cancelled."""
        while True:
            await asyncio.sleep(SWEEP)
            self.end_silent(time.monotonic())

    def end_silent(self, now: float) -> None:
        """End the connections that have been silent for too long, but none whose client still takes its answer."""
        for one in self.connections.silent(now):
            if one.is_taking():
                self.connections.note_idle(one, now)
            else:
                one.transport.abort()


class _Bounded(H11Protocol):
    its: ConnectionBook

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        self._unsent = 0
        address = self.client[0] if self.client else ""
        surplus = self.its.connections.open(self, address, time.monotonic())
        if surplus is self:
            transport.write(_FULL)
            transport.close()
        elif surplus is not None:
            surplus.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self.its.connections.close(self)
        super().connection_lost(exc)

    def handle_events(self) -> None:
        super().handle_events()
        if self.cycle is not None and not self.cycle.response_complete:
            self.its.connections.note_busy(self)

    def on_response_complete(self) -> None:
        self.its.connections.note_idle(self, time.monotonic())
        super().on_response_complete()

    def is_taking(self) -> bool:
        """Whether the client took a part of its answer since the last call."""
        before, self._unsent = self._unsent, self.transport.get_write_buffer_size()
        return 0 < self._unsent != before
