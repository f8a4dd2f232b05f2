"""A slow telephone line between a browser and the server: a TCP proxy on loopback that shapes, counts and breaks."""

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final, Literal

import msgspec

BYTES_PER_SECOND: Final = 2500.0
"""20 kbit/s."""
ROUND_TRIP: Final = 0.6
"""Seconds, as on 2G."""
_PIECE: Final = 500
_STALLED_FOR: Final = 20.0

Direction = Literal["up", "down"]


class LineFault(msgspec.Struct, frozen=True, kw_only=True):
    """A connection breaks instead of the next piece in direction `on`, once `up` and `down` bytes of the exchange (a
    request and its answer) have passed. `stall`: nothing passes for so many seconds, and the connection goes on."""

    on: Direction
    up: int = 0
    down: int = 0
    stall: float = 0.0


Faults = Callable[[], "deque[LineFault]"]
"""The faults that are left for the exchange that begins."""


def random_faults(share: float, seed: int) -> Faults:
    """A share of the exchanges, by the seed, has one fault each: the connection breaks in the middle of the request,
    before the answer or in the middle of the answer, or stalls."""
    dice = random.Random(seed)

    def faults() -> deque[LineFault]:
        kinds = (
            LineFault(on="up", up=dice.randrange(500)),
            LineFault(on="down", up=1),
            LineFault(on="down", down=dice.randrange(500, 4000)),
            LineFault(on="down", stall=_STALLED_FOR),
        )
        fault = dice.choice(kinds)
        return deque([fault] if dice.random() < share else [])

    return faults


class _Exchange:
    """The present request of a connection and its answer."""

    def __init__(self, faults: Faults) -> None:
        self._faults, self._left = faults, deque[LineFault]()
        self._passed: dict[Direction, int] = {"up": 0, "down": 1}

    def fault_at(self, way: Direction) -> LineFault | None:
        """The fault that strikes the next piece in this direction; a request after an answer begins an exchange."""
        if way == "up" and self._passed["down"]:
            self._left, self._passed = self._faults(), {"up": 0, "down": 0}
        if not self._left:
            return None
        next_ = self._left[0]
        strikes = next_.on == way and self._passed["up"] >= next_.up and self._passed["down"] >= next_.down
        return self._left.popleft() if strikes else None

    def add(self, way: Direction, size: int) -> None:
        """Count a piece."""
        self._passed[way] += size


class _Way:
    """One direction of the line, which all connections share."""

    def __init__(self, bytes_per_second: float) -> None:
        self._rate, self._free_at, self.passed = bytes_per_second, 0.0, 0

    def take(self, size: int, now: float) -> float:
        """When the last byte of a piece has left, in seconds of the loop's clock."""
        self._free_at = max(now, self._free_at) + size / self._rate
        self.passed += size
        return self._free_at


class SlowLine:
    """`up`, `down`: bytes that passed, without the headers of TCP and IP. `broken`, `stalled`: faults that happened."""

    def __init__(self, port: int, rate: float, round_trip: float, faults: Faults) -> None:
        self._server_port, self._half, self._faults = port, round_trip / 2, faults
        self._ways = {"up": _Way(rate), "down": _Way(rate)}
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = self.connections = self.broken = self.stalled = 0

    @property
    def up(self) -> int:
        return self._ways["up"].passed

    @property
    def down(self) -> int:
        return self._ways["down"].passed

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection of the browser until one side ends it or it breaks."""
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        writers = [writer]
        try:
            exchange = _Exchange(self._faults)
            await asyncio.sleep(2 * self._half)  # the handshake
            answer, request = await asyncio.open_connection("127.0.0.1", self._server_port)
            writers.append(request)
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pass("up", reader, request, exchange))
                both.create_task(self._pass("down", answer, writer, exchange))
        except* (OSError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            for one in writers:
                one.transport.abort()

    async def _pass(
        self, way: Direction, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, exchange: _Exchange
    ) -> None:
        loop = asyncio.get_running_loop()
        waiting = asyncio.Queue[tuple[float, bytes]]()
        async with asyncio.TaskGroup() as both:
            delivery = both.create_task(self._deliver(waiting, writer))
            while piece := await reader.read(_PIECE):
                if (fault := exchange.fault_at(way)) is not None:
                    await self._strike(fault)
                exchange.add(way, len(piece))
                left_at = self._ways[way].take(len(piece), loop.time())
                waiting.put_nowait((left_at + self._half, piece))
                await asyncio.sleep(left_at - loop.time())
            waiting.put_nowait((loop.time() + self._half, b""))
            await delivery
        if way == "down":
            raise ConnectionResetError  # the server has ended the connection

    async def _deliver(self, waiting: "asyncio.Queue[tuple[float, bytes]]", writer: asyncio.StreamWriter) -> None:
        while True:
            at, piece = await waiting.get()
            await asyncio.sleep(at - asyncio.get_running_loop().time())
            if not piece:
                with suppress(OSError):
                    writer.write_eof()
                return
            writer.write(piece)
            await writer.drain()

    async def _strike(self, fault: LineFault) -> None:
        if not fault.stall:
            self.broken += 1
            raise ConnectionResetError
        self.stalled += 1
        await asyncio.sleep(fault.stall)

    async def close(self) -> None:
        """End all connections."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def slow_line(
    port: int, *, rate: float = BYTES_PER_SECOND, round_trip: float = ROUND_TRIP, faults: Faults = deque
) -> AsyncIterator[SlowLine]:
    """A line to the server at a port, while the block runs. `rate`: bytes per second, each way."""
    line = SlowLine(port, rate, round_trip, faults)
    server = await asyncio.start_server(line.carry, "127.0.0.1", 0)
    line.port = server.sockets[0].getsockname()[1]
    try:
        yield line
    finally:
        server.close()
        await line.close()
