"""One message through a plugin of apprise, in a thread."""

import asyncio
from typing import Any, Final

from apprise import Apprise

from alerting.delivery.apprise_target import notify_plainly, quiet_apprise
from alerting.delivery.facts import AlertMessage
from alerting.delivery.in_thread import run_in_thread
from alerting.delivery.sending import SendOutcome, SendVerdict
from alerting.delivery.targets import SendError

APPRISE_AT_ONCE: Final = 20
"""Threads at one time. A plugin that hangs holds its thread."""
_LONGER: Final = 10.0
"""Seconds that a plugin waits for an answer beyond the limit of the message. The limit must come first, because a
plugin reports a missing answer as a failure, although the message may have been taken."""


class AppriseSender:
    """Sends to any URL of apprise, each time with a new plugin: a plugin waits between its messages. `timeout`: seconds
    for one message."""

    def __init__(self, timeout: float) -> None:
        quiet_apprise()
        self._timeout = timeout
        self._running: set[asyncio.Future[None]] = set()

    async def send_to_url(self, url: str, message: AlertMessage, key: str) -> SendOutcome:
        """Make one attempt, within the time limit."""
        self._running = {thread for thread in self._running if not thread.done()}
        if len(self._running) >= APPRISE_AT_ONCE:
            return SendOutcome(verdict=SendVerdict.FAILED, why="too many attempts hang")
        notifier: Any = Apprise.instantiate(url)
        if notifier is None:
            return SendOutcome(
                verdict=SendVerdict.REFUSED, why="the address is none that apprise understands", dead=True
            )
        notifier.redirects = False
        notifier.socket_connect_timeout = self._timeout
        notifier.socket_read_timeout = self._timeout + _LONGER
        thread = run_in_thread(lambda: notify_plainly(notifier, message, key), "deliver apprise")
        self._running.add(thread)
        try:
            await asyncio.wait_for(asyncio.shield(thread), self._timeout)
        except TimeoutError:
            return SendOutcome(verdict=SendVerdict.UNKNOWN, why=f"no answer within {self._timeout:g} s")
        except SendError as exc:
            return SendOutcome(verdict=SendVerdict.FAILED, why=str(exc))
        return SendOutcome(verdict=SendVerdict.TAKEN)
