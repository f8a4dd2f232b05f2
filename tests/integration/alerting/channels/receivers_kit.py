"""Receivers of messages on loopback: an HTTP server that answers as told, and an SMTP server."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec

from alerting.delivery.facts import AlertMessage
from alerting.delivery.sending import MessageContent, PageEnvelope

LINK = "https://m.example.org/incidents/1"
TEXT = AlertMessage(
    title="【离线】官亭镇农家书屋",
    body=f"自 16:00 起\n查看：{LINK}",
    short="【离线】官亭镇农家书屋 https://m.example.org/i/1",
    link=LINK,
)
EVENT = {"type": "milepost.incident.opened", "at": "2026-11-28T08:00:00Z", "incident": 1, "title": TEXT.title}


def envelope(key: str = "0c5e4f7e-6d0d-4c0e-9d7e-0d6c2f9b1a11", **content: Any) -> PageEnvelope:
    given = {"text": TEXT, "language": "zh-CN", "severity": "warning", "events": [EVENT], **content}
    return PageEnvelope(key=key, at=datetime(2026, 11, 28, 8, tzinfo=UTC), number=1, content=MessageContent(**given))


class Asked(msgspec.Struct):
    """One request that arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class HttpReceiver:
    """Answers each request with `status`, `headers` and `body`; `hangs`: takes the request and does not answer;
    `drops`: takes it and closes the connection."""

    def __init__(self) -> None:
        self.status, self.body = 200, b"{}"
        self.headers: dict[str, str] = {}
        self.hangs = self.drops = False
        self.got: list[Asked] = []
        self.url = ""

    def say(self, document: Any, status: int = 200) -> None:
        self.status, self.body = status, msgspec.json.encode(document)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := (await reader.readline()).decode("latin-1"):
                method, path, _ = line.split(" ")
                headers = await _headers(reader)
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                self.got.append(Asked(method, path, headers, body))
                if self.hangs:
                    await asyncio.Event().wait()
                if self.drops:
                    return
                await self._answer(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    async def _answer(self, writer: asyncio.StreamWriter) -> None:
        head = {"Content-Length": str(len(self.body)), **self.headers}
        lines = [f"HTTP/1.1 {self.status} X", *(f"{name}: {value}" for name, value in head.items()), "", ""]
        writer.write("\r\n".join(lines).encode() + self.body)
        await writer.drain()


async def _headers(reader: asyncio.StreamReader) -> dict[str, str]:
    headers: dict[str, str] = {}
    while line := (await reader.readline()).decode("latin-1").strip():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return headers


class SmtpReceiver:
    """A mail server. `replies`: other answers, by the first word of the command (`.` is the end of the mail)."""

    def __init__(self) -> None:
        self.replies: dict[str, str] = {}
        self.hangs_at: str | None = None
        self.commands: list[str] = []
        self.mails: list[bytes] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def say(word: str, text: str) -> None:
            writer.write(f"{self.replies.get(word, text)}\r\n".encode())

        try:
            say("", "220 here")
            while line := (await reader.readline()).decode().rstrip("\r\n"):
                word = line.split(" ")[0].split(":")[0].upper()
                self.commands.append(line)
                if word == "DATA" and not self.replies.get("DATA"):
                    say("DATA", "354 go on")
                    self.mails.append(await _mail(reader))
                    word = "."
                if word == self.hangs_at:
                    await asyncio.Event().wait()
                say(word, "250-here\r\n250 AUTH PLAIN" if word == "EHLO" else "235 in" if word == "AUTH" else "250 ok")
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()


async def _mail(reader: asyncio.StreamReader) -> bytes:
    lines = b""
    while (line := await reader.readline()) not in {b".\r\n", b""}:
        lines += line
    return lines


@asynccontextmanager
async def listening(serve: Callable[..., Any]) -> AsyncIterator[int]:
    """The port on which `serve` is called with each connection."""
    tasks: set[asyncio.Task[Any]] = set()

    async def track(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            # At the end of the block its connections are cut.
            with contextlib.suppress(asyncio.CancelledError):
                await serve(reader, writer)
        finally:
            tasks.discard(task)

    server = await asyncio.start_server(track, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


@asynccontextmanager
async def http_receiver() -> AsyncIterator[HttpReceiver]:
    receiver = HttpReceiver()
    async with listening(receiver.serve) as port:
        receiver.url = f"http://127.0.0.1:{port}"
        yield receiver


@asynccontextmanager
async def smtp_receiver() -> AsyncIterator[SmtpReceiver]:
    receiver = SmtpReceiver()
    async with listening(receiver.serve) as port:
        receiver.url = f"127.0.0.1:{port}"
        yield receiver
