"""Sends notifications without the database: they wait in memory and are retried until the target takes them."""

import asyncio
import logging
import random
import secrets
import time
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime
from typing import Final

from alerting.delivery.facts import AlertFacts, AlertMessage
from alerting.delivery.retry import GIVE_UP, Retry, after_failure
from alerting.delivery.targets import AlertTarget, Parcel, SendError

log = logging.getLogger(__name__)

MOST_WAITING: Final = 100
"""Notifications that wait for one target; more of them drop the oldest."""


class DirectSender:
    """A queue for each target, so that a dead target does not delay the others. A full queue drops its oldest entry."""

    def __init__(self, targets: Sequence[AlertTarget], *, name: str) -> None:
        self._start = f"{name}-{secrets.token_hex(4)}"
        self._number = 0
        self._waiting = {target.name: asyncio.Queue[Parcel](MOST_WAITING) for target in targets}
        self._targets = targets

    def send_to_all(self, facts: AlertFacts, message: AlertMessage) -> None:
        """Queue a notification for every target."""
        self._number += 1
        parcel = Parcel(key=f"{self._start}-{self._number}", at=datetime.now(UTC), facts=facts, message=message)
        for name, queue in self._waiting.items():
            if queue.full():
                log.error("an alert was NOT delivered: too many wait", extra={"key": queue.get_nowait().key})
            queue.put_nowait(parcel)
            log.debug("alert queued", extra={"target": name, "key": parcel.key})

    def send_loops(self) -> list[Coroutine[None, None, None]]:
        """One sending loop for each target; each runs until it is cancelled."""
        return [self._lane(target, self._waiting[target.name]) for target in self._targets]

    async def _lane(self, target: AlertTarget, queue: "asyncio.Queue[Parcel]") -> None:
        while True:
            await _send(target, await queue.get())


async def _send(target: AlertTarget, parcel: Parcel) -> None:
    """Send one parcel, with the retries and back-off of the delivery outbox."""
    began, attempts = time.monotonic(), 0
    while True:
        try:
            await target.send(parcel)
        except SendError as exc:
            attempts += 1
            choice = after_failure(
                status=exc.status,
                refused=exc.refused,
                wait=exc.wait,
                attempts=attempts,
                age=time.monotonic() - began,
                give_up=GIVE_UP,
                roll=random.random(),  # noqa: S311 -- spreads retries, guards nothing
            )
            fields = {"target": target.name, "key": parcel.key, "attempts": attempts, "error": str(exc)}
            seconds = choice.seconds if isinstance(choice, Retry) else None
            log.warning("an alert is not delivered", extra={**fields, "retry_s": seconds and round(seconds, 1)})
            if seconds is None:
                return
            await asyncio.sleep(seconds)
        else:
            log.info("alert delivered", extra={"key": parcel.key})
            return
