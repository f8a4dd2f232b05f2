"""Phones of the demo: a server on this machine that takes the messages to contacts, as the webhook of a phone would."""

import asyncio
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Final

import msgspec

_LONGEST: Final = 1024 * 1024
"""Bytes of a message."""
_SECONDS: Final = 5.0
_POLL: Final = 0.05
"""Seconds until the server notices that it must stop."""


class Phones:
    """Takes messages; each contact has a path of its own. `open` comes first."""

    def __init__(self) -> None:
        self._server: HTTPServer | None = None
        self._messages: dict[str, list[Any]] = {}

    async def open(self) -> None:
        """Listen on a free port of this machine."""
        self._server = _PhoneServer(_phone_handler(self._messages))
        threading.Thread(target=self._server.serve_forever, args=(_POLL,), name="phones", daemon=True).start()

    async def close(self) -> None:
        """Listen no more."""
        if self._server is not None:
            await asyncio.to_thread(self._server.shutdown)
            self._server.server_close()
        self._server = None

    def address(self, contact: str) -> str:
        """Where the messages to a contact go."""
        assert self._server is not None  # noqa: S101  # `open` comes first
        return f"http://127.0.0.1:{self._server.server_port}/{contact}"

    def messages(self, contact: str) -> list[Any]:
        """The messages to a contact, in the order of their arrival."""
        return self._messages.get(contact, [])


class _PhoneServer(HTTPServer):
    """Takes one message at a time."""

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)

    def handle_error(self, *_: object) -> None:
        """Ignore a cut connection: the sender sends the message again."""


def _phone_handler(messages: dict[str, list[Any]]) -> type[BaseHTTPRequestHandler]:
    """Stores messages by their paths. A request that is not a message gets no answer."""

    class PhoneHandler(BaseHTTPRequestHandler):
        timeout = _SECONDS

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if not length.isdecimal() or not 0 < int(length) <= _LONGEST:
                return
            try:
                body = self.rfile.read(int(length))
                message = msgspec.json.decode(body)
            except (OSError, msgspec.DecodeError):
                return
            if len(body) < int(length):
                return
            messages.setdefault(self.path.lstrip("/"), []).append(message)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Log nothing: the demo prints the received messages."""

    return PhoneHandler
