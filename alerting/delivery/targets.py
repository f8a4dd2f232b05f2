"""Where notifications go: a file with a JSON line each, and what apprise sends to."""

import asyncio
import logging
import os
import re
import stat
import threading
from collections.abc import Callable
from contextvars import ContextVar
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

import msgspec
from apprise import Apprise, NotifyFormat

from alerting.delivery.facts import AlertFacts, AlertMessage
from alerting.delivery.fields import fields_of
from alerting.delivery.retry import LOG_TARGET, target_of
from contract.errors import RemedyError

_WEBHOOKS: Final = frozenset({"xmls", "forms"})
_SMS: Final = 160
"""Characters at most that apprise says of a plugin which sends SMS."""
_STATUS = re.compile(r"error=(\d{3})\b")


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery: the same `key` whenever it is sent again."""

    key: str
    at: datetime
    facts: AlertFacts
    message: AlertMessage


class SendError(Exception):
    """The target did not take it. The text holds no secret; `status` is an HTTP status if there was one.

    `refused`: the target says that it will never take this message. `wait`: seconds for which it takes nothing.
    """

    def __init__(self, text: str, status: int | None = None, *, refused: bool = False, wait: float = 0.0) -> None:
        super().__init__(text)
        self.status, self.refused, self.wait = status, refused, wait


class AlertTarget(Protocol):
    @property
    def name(self) -> str:
        """Its name in the database."""

    async def send(self, parcel: Parcel) -> None:
        """Returns when the target has it, else raises SendError."""


class LogTarget:
    """A file to which each notification is appended as one JSON line, on disk when `send` returns."""

    name = LOG_TARGET

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with _open_for_append(path):
                pass
        except OSError as exc:
            raise RemedyError(
                f"alerts cannot be written to {path} ({exc.strerror}): "
                "create its directory, make it writable, or correct MILEPOST_ALERT_LOG",
                (f"告警无法写入 {path}（{exc.strerror}）：请创建其目录、赋予写权限，或改正 MILEPOST_ALERT_LOG"),
            ) from exc

    async def send(self, parcel: Parcel) -> None:
        try:
            await _in_thread(lambda: _append_line(self._path, _line(parcel)), "deliver log")
        except OSError as exc:
            raise SendError(f"{self._path}: {exc.strerror}") from exc


def _line(parcel: Parcel) -> bytes:
    return msgspec.json.encode(fields_of(parcel.key, parcel.at, parcel.facts, parcel.message))


def _open_for_append(path: Path) -> BinaryIO:
    """For reading too; a file of ours gets mode 600, because what people are told names stations and causes."""
    file = os.fdopen(os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600), "ab+")
    _keep_private(file.fileno())
    return file


def _keep_private(handle: int) -> None:
    """Take the rights of others from a regular file of ours. A device such as /dev/null belongs to all."""
    info = os.fstat(handle)
    if stat.S_ISREG(info.st_mode) and info.st_uid == os.geteuid() and info.st_mode & 0o077:
        os.fchmod(handle, 0o600)


def _append_line(path: Path, line: bytes) -> None:
    """Append a line, after closing one that an earlier crash or a full disk cut off."""
    with _open_for_append(path) as file:
        if file.tell() > 0:
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                line = b"\n" + line
        file.write(line + b"\n")
        file.flush()
        os.fsync(file.fileno())


def open_plugin(url: str, place: int) -> Any:
    """apprise's plugin for a URL; `place` is the URL's number in the setting. Raises RemedyError."""
    quiet_apprise()
    notifier = Apprise.instantiate(url)
    if notifier is None:
        raise RemedyError(
            f"MILEPOST_ALERT_URLS: URL {place} is none that apprise understands (it is secret and not shown): "
            "correct it as https://github.com/caronc/apprise says",
            f"MILEPOST_ALERT_URLS：apprise 不识别第 {place} 个地址（地址保密，不显示）："
            "请按 https://github.com/caronc/apprise 的说明改正",
        )
    return notifier


def text_for(notifier: Any, message: AlertMessage) -> tuple[str, str]:
    """Title and body for a plugin; one that sends SMS gets the short form, whose length is one segment's."""
    is_sms = notifier.body_maxlen <= _SMS
    return ("", message.short) if is_sms and message.short else (message.title, message.body)


class AppriseTarget:
    """One apprise URL with its plugin. An XML or form webhook also gets the key as the header `Idempotency-Key`."""

    def __init__(self, notifier: Any, url: str, timeout: float) -> None:
        self.name = target_of(url)
        self._timeout = timeout
        self._running: asyncio.Future[None] | None = None
        # What a plugin offers differs from one to the next.
        self._notifier = notifier
        self._all = Apprise(services=notifier)

    async def send(self, parcel: Parcel) -> None:
        """In a thread and within the time limit; one that hangs beyond it blocks this target alone."""
        if self._running is not None and not self._running.done():
            raise SendError("the last attempt has not come back yet")
        self._running = _in_thread(lambda: self._notify(parcel), f"deliver {self.name}")
        try:
            await asyncio.wait_for(asyncio.shield(self._running), self._timeout)
        except TimeoutError as exc:
            raise SendError(f"no answer within {self._timeout:g} s") from exc

    def _notify(self, parcel: Parcel) -> None:
        notifier = self._notifier
        if notifier.secure_protocol in _WEBHOOKS:
            notifier.headers["Idempotency-Key"] = parcel.key
        said: list[str] = []
        _said.set(said)
        try:
            # Said to be text, it is sent as text, or made into text of what the target reads: HTML, Markdown.
            title, body = text_for(notifier, parcel.message)
            taken = self._all.notify(title=title, body=body, body_format=NotifyFormat.TEXT)
        except Exception as exc:
            # Its text may show the URL; the plugin's kind of error is enough.
            raise SendError(f"apprise raised {type(exc).__name__}") from None
        if not taken:
            raise _error_of(said)


def _error_of(lines: list[str]) -> SendError:
    """What a plugin's own log lines say of a failure, without what they may show."""
    for line in lines:
        match = _STATUS.search(line)
        if match:
            return SendError(f"answered with HTTP status {match[1]}", int(match[1]))
    if any("onnection error" in line for line in lines):
        return SendError("cannot be reached")
    return SendError("was not accepted")


_said: ContextVar[list[str]] = ContextVar("said", default=[])  # noqa: B039 -- each attempt sets its own
"""The log lines of the plugin of one attempt; apprise hands our context on to the threads it runs plugins in."""


class _Listener(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        lines = _said.get()
        if len(lines) < 100:
            lines.append(record.getMessage())


_listener = _Listener(logging.WARNING)


def quiet_apprise() -> None:
    """Keep apprise's log lines, which show hosts and sometimes tokens, out of ours; we read them for the status."""
    logger = logging.getLogger("apprise")
    logger.propagate = False
    logger.setLevel(logging.WARNING)
    if _listener not in logger.handlers:
        logger.addHandler(_listener)


def _in_thread(work: Callable[[], None], name: str) -> "asyncio.Future[None]":
    """Run `work` in a daemon thread, which unlike an executor's does not hold up the end of the process."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[None] = loop.create_future()

    def settle(error: BaseException | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)
            future.exception()  # retrieved, even if nobody waits any more

    def body() -> None:
        error: BaseException | None = None
        try:
            work()
        except Exception as exc:
            error = exc
        try:
            loop.call_soon_threadsafe(settle, error)
        except RuntimeError:  # the loop is closed: nobody is waiting
            return

    threading.Thread(target=body, name=name, daemon=True).start()
    return future
