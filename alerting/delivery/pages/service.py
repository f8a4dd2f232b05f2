"""Delivers pages to contacts: a part of the delivery process. Several processes share the work.

Before each attempt one transaction takes a token under the limits of the address, freezes the content and notes the
attempt; after it another one stores the outcome. So a process that dies in between leaves an attempt of which nobody
knows the outcome, and after its lease the same message is sent again with the same key: docs/adr/0032.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import msgspec

from alerting.delivery.pages.forgetting_store import forget_old_pages
from alerting.delivery.pages.limits import LIMITS
from alerting.delivery.pages.look_queue import LookQueue
from alerting.delivery.pages.named_contacts_store import NamedContacts
from alerting.delivery.pages.outcomes import Settlement, Taken, settle, silence_after
from alerting.delivery.pages.slots import Slots
from alerting.delivery.pages.store import (
    AttemptPace,
    Begun,
    ContactLook,
    age_of,
    begin_attempt,
    due_contacts,
    end_attempt,
    hasten_attempt,
    next_due,
)
from alerting.delivery.retry import GIVE_UP
from alerting.delivery.sending import ChannelSender, PageEnvelope, SendOutcome, SendVerdict
from alerting.escalation.store import SERVICE
from store.part_guard import PartGuard
from store.pool import UNREACHABLE, Pool, listening, may_pass
from store.tasks import Backoff, end_tasks, repeat_while_reachable, wait_for_first, wait_for_wake

log = logging.getLogger(__name__)

LOOKS = 8
"""Contacts that are looked at, at the same time."""
CONNECTIONS = LOOKS + 4
"""Connections that the loop uses at most: also one that listens, one that looks for work, and some for outcomes."""
Wait = Callable[[float], Awaitable[None]]
"""Waits for so many seconds."""
_LEAST_PAUSE = 0.05
_SOON = 1.0
"""Seconds until a contact is looked at again that another process holds, or that could not be looked at."""
_FORGET_AGAIN = 3600.0
_DRAIN = 2.0


class PagingConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Times in seconds. `poll`: the longest time between two searches for what is due; LISTEN and due times make
    earlier ones. `keep`: how long pages of closed incidents are kept. `most_sends`: attempts under way at once by each
    kind of channel; `next_channel_after`: the timeout of an attempt with a critical page, after which the next channel
    of the contact is tried; `look_again`: the longest time between two checks of a contact that waits for a limit or
    for another process."""

    public_url: str | None = None
    poll: float = 5.0
    pace: AttemptPace = AttemptPace()
    most_sends: int = 50
    look_again: float = 10.0
    next_channel_after: float = 8.0
    give_up: float = GIVE_UP
    keep: timedelta = timedelta(days=400)
    max_backoff: float = 5.0


class PageLoop:
    """The tasks: `_listen` and `_find` look for contacts with something due, `_look_next` decides for one of them, an
    `_attempt` sends one message, and `_forget` deletes what is too old."""

    def __init__(self, config: PagingConfig, pool: Pool, sender: ChannelSender, *, wait: Wait = asyncio.sleep) -> None:
        """`wait`: returns when an attempt with a critical page had so many seconds for an answer."""
        self._config = config
        self._pool = pool
        self._sender = sender
        self._wait = wait
        self._wake = asyncio.Event()
        self._queue = LookQueue()
        self._waiting: dict[str, tuple[float, int]] = {}
        self._slots = Slots(config.most_sends)
        self._attempts: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._named = NamedContacts(pool)

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop`; attempts under way may finish within `_DRAIN` seconds."""
        find, forget = (PartGuard(self._pool, SERVICE, part) for part in ("pages", "old pages"))
        steps: dict[str, Callable[[], Awaitable[None]]] = {
            "listen": self._listen,
            "find": lambda: find.run(self._find),
            "forget": lambda: forget.run(self._forget),
        }
        steps |= {f"look {number}": self._look_next for number in range(LOOKS)}
        tasks = [asyncio.create_task(self._forever(step), name=f"pages {name}") for name, step in steps.items()]
        stopped = asyncio.create_task(stop.wait(), name="pages stop")
        try:
            await wait_for_first(stopped, *tasks)
            self._stopping = True
            if self._attempts:
                await asyncio.wait(self._attempts, timeout=_DRAIN)
        finally:
            await end_tasks(stopped, *tasks, *self._attempts)

    async def _forever(self, step: Callable[[], Awaitable[None]]) -> None:
        """One step after the other; while the database is away, with a back-off."""
        longest = self._config.max_backoff
        await repeat_while_reachable(
            step, log, "pages wait for the database", goes_on=lambda: not self._stopping, longest=longest
        )

    async def _listen(self) -> None:
        """Hold a connection that wakes `_find`; returns when the connection is lost."""
        lost = asyncio.Event()
        async with self._pool.acquire() as connection:
            connection.add_termination_listener(lambda _: lost.set())
            async with listening(connection, {"milepost_page": lambda *_: self._wake.set()}):
                self._wake.set()
                await lost.wait()
        await asyncio.sleep(0.2)

    async def _find(self) -> None:
        """Queue the contacts for which something is due, then wait for more. `next_due` runs first: see its comment."""
        async with self._pool.acquire() as connection:
            due = await next_due(connection)
            found = await due_contacts(connection)
        now = asyncio.get_running_loop().time()
        for contact, newest, urgent in found:
            until, seen = self._waiting.get(contact, (0.0, 0))
            if newest > seen or now >= until:
                self._queue.put(contact, newest, urgent=urgent)
        waits = [self._config.poll, *(until - now for until, _ in self._waiting.values() if until > now)]
        if due is not None:
            waits.append(due)
        await asyncio.sleep(_LEAST_PAUSE)
        await wait_for_wake(self._wake, max(0.0, min(waits) - _LEAST_PAUSE))

    async def _forget(self) -> None:
        """Delete a part of the pages that are too old, then pause; longer when there are none."""
        async with self._pool.acquire() as connection:
            gone = await forget_old_pages(connection, self._config.keep)
        await asyncio.sleep(1.0 if gone else _FORGET_AGAIN)

    async def _look_next(self) -> None:
        """Decide for the next contact, and begin an attempt if something is to be sent."""
        contact, newest = await self._queue.get()
        again: float | None = min(_SOON, self._config.look_again)
        fault: Exception | None = None
        try:
            again = await self._look(contact)
        except Exception as exc:  # what is wrong with one contact must cost only its pages
            if isinstance(exc, UNREACHABLE) and may_pass(exc):
                raise
            log.exception("the pages of a contact cannot be sent", extra={"contact": contact})
            again, fault = self._config.look_again, exc
        finally:
            self._queue.done(contact)
            if again is None:
                self._waiting.pop(contact, None)
                self._wake.set()
            else:
                self._waiting[contact] = (asyncio.get_running_loop().time() + again, newest)
        # Only now: an attempt that ends meanwhile ends the wait that was noted above.
        await self._named.note_look(contact, fault)

    async def _look(self, contact: str) -> float | None:
        """Seconds until the next look at the contact, None: at once."""
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + self._config.pace.hold
        kinds = self._slots.full()
        async with self._pool.acquire() as connection, connection.transaction():
            looked = await begin_attempt(
                connection, contact, pace=self._config.pace, public_url=self._config.public_url, full=kinds
            )
        if looked is None or looked.begun is None:
            return self._pause_after(looked)
        self._slots.take(looked.begun.address.kind)
        task = asyncio.create_task(self._attempt(looked.begun, ends_at), name=f"page {looked.begun.key}")
        self._attempts.add(task)
        task.add_done_callback(self._attempts.discard)
        # The end of the attempt leads to the next look, unless something can be sent by another channel now.
        return None if looked.again == 0 else self._config.pace.lease

    def _pause_after(self, looked: ContactLook | None) -> float:
        if looked is None or looked.again is None:
            return min(_SOON, self._config.look_again)
        return max(_LEAST_PAUSE, min(looked.again, self._config.look_again))

    async def _attempt(self, begun: Begun, ends_at: float) -> None:
        """Make one attempt and store its outcome."""
        kind = begun.address.kind
        try:
            sending = asyncio.create_task(self._send(begun, ends_at), name=f"page {begun.key} sending")
            try:
                late = await self._hasten(begun, sending)
                await self._store(begun, await sending, late=late)
            finally:
                await end_tasks(sending)
        except Exception:  # the lease ends, and the message is sent again
            log.exception("the outcome of a page cannot be stored", extra={"key": str(begun.key)})
        finally:
            self._slots.release(kind)
            self._waiting.pop(begun.contact, None)
            self._wake.set()

    async def _hasten(self, begun: Begun, sending: asyncio.Task[SendOutcome]) -> bool:
        """If a critical page has no answer in time, let the next channel be tried. Returns whether it is tried."""
        if not begun.sending.may_hasten:
            return False
        await _wait_for_either(sending, self._wait(self._config.next_channel_after))
        if sending.done():
            return False
        log.warning("a provider does not answer, and the next channel is tried", extra=_fields(begun))
        await self._write(partial(hasten_attempt, begun=begun))
        self._waiting.pop(begun.contact, None)
        self._wake.set()
        return True

    async def _send(self, begun: Begun, ends_at: float) -> SendOutcome:
        envelope = PageEnvelope(key=str(begun.key), at=begun.at, number=begun.number, content=begun.content)
        try:
            async with asyncio.timeout_at(ends_at):
                return await self._sender.send(begun.address, envelope)
        except TimeoutError:
            return SendOutcome(verdict=SendVerdict.UNKNOWN, why="no answer in time")
        except Exception as exc:  # any other error must cost only this attempt; its text may contain the address
            fields = {"key": envelope.key, "error": type(exc).__name__}
            log.error("a page cannot be sent", extra=fields)  # noqa: TRY400 -- the traceback may contain the address
            return SendOutcome(verdict=SendVerdict.UNKNOWN, why=f"the sender raised {type(exc).__name__}")

    async def _store(self, begun: Begun, outcome: SendOutcome, *, late: bool) -> None:
        """Store the outcome. If the process dies before, the message is sent again. `late`: the next channel is already
        tried, so only a receipt changes the pages."""
        silence = silence_after(outcome, LIMITS[begun.address.kind])
        settlement: Settlement | None = settle(
            outcome,
            begun.sending.attempts,
            has_next=begun.sending.has_next,
            age=age_of(begun.sending.pages, datetime.now(UTC)),
            roll=random.random(),  # noqa: S311 -- spreads retries, guards nothing
            silence=silence,
            dead=begun.sending.dead,
            give_up=self._config.give_up,
        )
        if late and not isinstance(settlement, Taken):
            settlement = None
        fields = _fields(begun)
        if isinstance(settlement, Taken):
            log.info("page delivered", extra={**fields, "pages": len(begun.sending.pages)})
        else:
            log.warning(
                "a page is not delivered yet",
                extra={**fields, "outcome": outcome.verdict.value, "why": outcome.why, "next": repr(settlement)},
            )
        await self._write(partial(end_attempt, begun=begun, outcome=outcome, settlement=settlement, silence=silence))

    async def _write(self, write: Callable[[Any], Awaitable[None]]) -> None:
        """Write in one transaction; retry while the database cannot be reached."""
        backoff = Backoff(longest=self._config.max_backoff)
        while True:
            try:
                async with self._pool.acquire() as connection, connection.transaction():
                    await write(connection)
            except UNREACHABLE as exc:
                await backoff.wait_out(exc, log, "the outcome of a page cannot be written yet")
            else:
                return


async def _wait_for_either(sending: asyncio.Task[SendOutcome], wait: Awaitable[None]) -> None:
    """Return when the attempt or the wait has ended; the wait does not go on."""
    waiting = asyncio.ensure_future(wait)
    try:
        await asyncio.wait([sending, waiting], return_when=asyncio.FIRST_COMPLETED)
    finally:
        await end_tasks(waiting)


def _fields(begun: Begun) -> dict[str, str]:
    """The fields of an attempt in the log."""
    return {"contact": begun.contact, "channel": begun.address.kind.value, "key": str(begun.key)}
