"""Sends notifications through the plugins of apprise."""

import asyncio
import logging
import re
from contextvars import ContextVar
from typing import Any, Final

from apprise import Apprise, NotifyFormat

from alerting.delivery.facts import AlertMessage
from alerting.delivery.in_thread import run_in_thread
from alerting.delivery.retry import target_of
from alerting.delivery.targets import Parcel, SendError
from contract.errors import RemedyError

_WEBHOOKS: Final = frozenset({"xmls", "forms"})
_SMS: Final = 160
"""The longest message, in characters, that apprise states for a plugin that sends SMS."""
_STATUS = re.compile(r"error=(\d{3})\b")


def open_plugin(url: str, place: int) -> Any:
    """The plugin of apprise for a URL; `place`: the number of the URL in the setting. Raises RemedyError."""
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
    """Title and body for a plugin. A plugin that sends SMS gets the short form, which fits one segment."""
    is_sms = notifier.body_maxlen <= _SMS
    return ("", message.short) if is_sms and message.short else (message.title, message.body)


class AppriseTarget:
    """One apprise URL with its plugin. An XML or form webhook also gets the key as the header `Idempotency-Key`."""

    def __init__(self, notifier: Any, url: str, timeout: float) -> None:
        self.name = target_of(url)
        self._timeout = timeout
        self._running: asyncio.Future[None] | None = None
        # Plugins have no common type for their options.
        self._notifier = notifier

    async def send(self, parcel: Parcel) -> None:
        """Send in a thread, within the time limit. Raises SendError.

        A plugin that hangs longer blocks only this target: the next attempt fails until the thread returns.
        """
        if self._running is not None and not self._running.done():
            raise SendError("the last attempt has not come back yet")
        self._running = run_in_thread(lambda: self._notify(parcel), f"deliver {self.name}")
        try:
            await asyncio.wait_for(asyncio.shield(self._running), self._timeout)
        except TimeoutError as exc:
            raise SendError(f"no answer within {self._timeout:g} s") from exc

    def _notify(self, parcel: Parcel) -> None:
        notify_plainly(self._notifier, parcel.message, parcel.key)


def notify_plainly(notifier: Any, message: AlertMessage, key: str) -> None:
    """Send a message through a plugin, in the present thread. Raises SendError."""
    if notifier.secure_protocol in _WEBHOOKS:
        notifier.headers["Idempotency-Key"] = key
    lines: list[str] = []
    _lines.set(lines)
    try:
        # As TEXT, apprise sends it as text, or converts it into what the target reads: HTML or Markdown.
        title, body = text_for(notifier, message)
        taken = Apprise(services=notifier).notify(title=title, body=body, body_format=NotifyFormat.TEXT)
    except Exception as exc:
        # The text of the error may contain the URL, so only its type is shown.
        raise SendError(f"apprise raised {type(exc).__name__}") from None
    if not taken:
        raise _error_of(lines)


def _error_of(lines: list[str]) -> SendError:
    """The failure that the log lines of a plugin report, without the addresses that they may contain."""
    for line in lines:
        match = _STATUS.search(line)
        if match:
            return SendError(f"answered with HTTP status {match[1]}", int(match[1]))
    if any("onnection error" in line for line in lines):
        return SendError("cannot be reached")
    return SendError("was not accepted")


_lines: ContextVar[list[str]] = ContextVar("lines", default=[])  # noqa: B039 -- each attempt sets its own
"""The log lines of the plugin in one attempt; apprise runs plugins in threads with a copy of this context."""


class _PluginLog(logging.Handler):
    """Keeps the log lines of a plugin for the attempt that runs it."""

    def emit(self, record: logging.LogRecord) -> None:
        lines = _lines.get()
        if len(lines) < 100:
            lines.append(record.getMessage())


_plugin_log = _PluginLog(logging.WARNING)


def quiet_apprise() -> None:
    """Keep the log lines of apprise out of the log, because they contain hosts and sometimes tokens.

    They are only read for the HTTP status of a failure.
    """
    logger = logging.getLogger("apprise")
    logger.propagate = False
    logger.setLevel(logging.WARNING)
    if _plugin_log not in logger.handlers:
        logger.addHandler(_plugin_log)
