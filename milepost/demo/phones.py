"""Phones of the demo: a server on this machine that takes the messages to contacts, as the webhook of a phone would."""

import asyncio
from contextlib import suppress
from typing import Any, Final

import msgspec

_LONGEST: Final = 1024 * 1024
"""Bytes of a message."""
_SECONDS: Final = 5.0
_TAKEN: Final = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
_HEADER: Final = b"content-length:"


class Phones:
    """Takes messages; each contact has a path of its own. `open` comes first."""

    def __init__(self) -> None:
        self._server: asyncio.Server | None = None
        self._messages: dict[str, list[Any]] = {}

    async def open(self) -> None:
        """Listen on a free port of this machine."""
        self._server = await asyncio.start_server(self._take, "127.0.0.1", 0, limit=_LONGEST)

    async def close(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        self._server = None

    def address(self, contact: str) -> str:
        """Where the messages to a contact go."""
        assert self._server is not None  # noqa: S101  # `open` comes first
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/{contact}"

    def messages(self, contact: str) -> list[Any]:
        """The messages to a contact, in the order of their arrival."""
        return self._messages.get(contact, [])

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_SECONDS):
                contact, body = await _read(reader)
                self._messages.setdefault(contact, []).append(msgspec.json.decode(body))
                writer.write(_TAKEN)
                await writer.drain()
        except (TimeoutError, OSError, ValueError, EOFError, msgspec.DecodeError):
            pass  # the sender sends it again
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


async def _read(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    """The contact and the body of a request."""
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    sizes = [int(line[len(_HEADER) :]) for line in lines if line.lower().startswith(_HEADER)]
    if not sizes or not 0 < sizes[0] <= _LONGEST:
        raise ValueError("a message without a size, or one that is too large")
    return first.split(b" ")[1].decode().lstrip("/"), await reader.readexactly(sizes[0])
