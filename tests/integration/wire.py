"""A TCP relay to the database that a test can break."""

import asyncio
import socket
from contextlib import suppress
from urllib.parse import urlsplit

from tests.servers import find_free_port


class Wire:
    """A TCP relay to the database: `cut` ends all connections, `hold` stops all bytes until `release`, and `lose` drops
    each piece that contains some bytes. `url`: the database through the relay, after `mend`."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname, parts.port)
        self._port = find_free_port()
        self.url = url.replace(f":{parts.port}/", f":{self._port}/")
        self._passing = asyncio.Event()
        self._passing.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._lost: bytes | None = None

    async def mend(self) -> None:
        await self.begin(socket.create_server(("127.0.0.1", self._port)))

    async def begin(self, listener: socket.socket) -> None:
        """Relay the connections that `listener` accepts."""
        self._passing.set()
        self._server = await asyncio.start_server(self._connect, sock=listener)

    async def cut(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def hold(self) -> None:
        self._passing.clear()

    def release(self) -> None:
        self._passing.set()

    def lose(self, part: bytes) -> None:
        self._lost = part

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection(*self._target)
        except BaseException:
            writer.close()
            raise
        for source, sink in ((reader, back), (there, writer)):
            task = asyncio.create_task(self._pass(source, sink))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            try:
                while data := await source.read(65536):
                    await self._passing.wait()
                    if self._lost is not None and self._lost in data:
                        continue
                    sink.write(data)
                    await sink.drain()
            finally:
                sink.close()
