"""Between a bridge and its MQTT broker: passes everything on, or drops heartbeats as an overloaded path does."""

import asyncio
import contextlib
import random
import threading


class LossyPath:
    """A TCP proxy on a port of its own that understands enough of MQTT to leave PUBLISH packets of QoS 0 out."""

    def __init__(self, port: int) -> None:
        self._broker = port
        self.port = 0
        self.share = 0.0
        self.dropped = 0
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="lossy path", daemon=True)

    def start(self) -> "LossyPath":
        self._thread.start()
        assert self._ready.wait(10)
        return self

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await server.serve_forever()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        down_reader, down_writer = await asyncio.open_connection("127.0.0.1", self._broker)
        ways = [self._up(reader, down_writer), self._down(down_reader, writer)]
        tasks = [asyncio.create_task(way) for way in ways]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for end in (writer, down_writer):
                end.close()

    @staticmethod
    async def _up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()

    async def _down(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):
            while True:
                packet = await _packet(reader)
                if self._is_heartbeat(packet) and random.random() < self.share:
                    self.dropped += 1
                    continue
                writer.write(packet)
                await writer.drain()

    @staticmethod
    def _is_heartbeat(packet: bytes) -> bool:
        return packet[0] >> 4 == 3 and not packet[0] & 0b110 and b"/heartbeat" in packet[:120]


async def _packet(reader: asyncio.StreamReader) -> bytes:
    """One MQTT packet: a type, a length of up to four bytes, and so much more."""
    head = await reader.readexactly(2)
    length, shift = head[1] & 127, 7
    while head[-1] & 128:
        head += await reader.readexactly(1)
        length |= (head[-1] & 127) << shift
        shift += 7
    return head + await reader.readexactly(length)
