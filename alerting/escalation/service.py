"""The escalation, a part of the delivery process: reads new notifications, takes the steps that are due, makes pages.

Several processes share the work. Each pass is one transaction, so a process that is killed leaves nothing half done,
and the next pass decides the same: docs/adr/0034.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final

import msgspec

from alerting.escalation.routing_now import RoutingNow
from alerting.escalation.store import SERVICE, advance_due, next_wake, route_new, take_wakes
from alerting.silences.store import load_silences
from registry.routes.store import has_stored_default, load_routing
from store.aside import Aside
from store.part_guard import PartGuard
from store.pool import Connection, Pool, listening
from store.tasks import end_tasks, repeat_while_reachable, wait_for_first, wait_for_wake

log = logging.getLogger(__name__)

CONNECTIONS: Final = 2
"""Connections that the loop uses at most: one that listens and one that decides, or names what it cannot decide."""
_SHORTEST: Final = 0.01
_ROUTE: Final = "route"


class EscalationConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Times in seconds. `poll`: the longest time between two looks; `batch`: incidents of one transaction; `keep`:
    after so long the registry is read again, although no change of it was noticed."""

    poll: float = 5.0
    batch: int = 500
    keep: float = 60.0
    max_backoff: float = 5.0


class EscalationLoop:
    """The tasks: `_listen` hears what happened, `_escalate` decides what is due."""

    def __init__(self, config: EscalationConfig, pool: Pool) -> None:
        self._config = config
        self._pool = pool
        self._wake = asyncio.Event()
        self._routing: RoutingNow | None = None
        self._read_at = 0.0
        self._changes = self._read = 0
        self._unreadable = Aside(SERVICE, [_ROUTE])

    async def run(self, stop: asyncio.Event) -> None:
        """Escalate until `stop`. A pass that is under way then is not committed; another one decides the same."""
        await self._warn()
        guard = PartGuard(self._pool, SERVICE, "escalation")
        steps: dict[str, Callable[[], Awaitable[None]]] = {
            "listen": self._listen,
            "decide": lambda: guard.run(self._escalate),
        }
        tasks = [asyncio.create_task(self._forever(step), name=f"escalation {name}") for name, step in steps.items()]
        stopped = asyncio.create_task(stop.wait(), name="escalation stop")
        try:
            await wait_for_first(stopped, *tasks)
        finally:
            await end_tasks(stopped, *tasks)

    async def _warn(self) -> None:
        async with self._pool.acquire() as connection:
            if not await has_stored_default(connection):
                log.warning(NO_DEFAULT)

    async def _forever(self, step: Callable[[], Awaitable[None]]) -> None:
        """One step after the other; while the database is away, with a back-off."""
        longest = self._config.max_backoff
        await repeat_while_reachable(step, log, "the escalation waits for the database", longest=longest)

    async def _listen(self) -> None:
        """Hold a connection that wakes `_escalate`; returns when the connection is lost."""
        lost = asyncio.Event()
        handlers: dict[str, Callable[..., None]] = {
            "milepost_delivery": self._on_event,
            "milepost_escalation": self._on_event,
            "milepost_routing": self._on_change,
        }
        async with self._pool.acquire() as connection:
            connection.add_termination_listener(lambda _: lost.set())
            async with listening(connection, handlers):
                self._on_change()
                await lost.wait()
        await asyncio.sleep(0.2)

    def _on_event(self, *_: object) -> None:
        self._wake.set()

    def _on_change(self, *_: object) -> None:
        """The registry or a silence changed, or a change may have been missed."""
        self._changes += 1
        self._wake.set()

    async def _escalate(self) -> None:
        """Do what is due, then wait for more."""
        async with self._pool.acquire() as connection:
            routing = await self._routing_now(connection)
            most = self._config.batch
            full = await self._pass(connection, lambda: take_wakes(connection, most))
            full |= await self._pass(connection, lambda: route_new(connection, routing, most))
            full |= await self._pass(connection, lambda: advance_due(connection, routing, most))
            due = await next_wake(connection)
        if not full:
            seconds = self._config.poll if due is None else min(self._config.poll, max(due, _SHORTEST))
            await wait_for_wake(self._wake, seconds)

    async def _pass(self, connection: Connection, work: Callable[[], Awaitable[int]]) -> bool:
        """One transaction; whether there may be more to do."""
        async with connection.transaction():
            return await work() >= self._config.batch

    async def _routing_now(self, connection: Connection) -> RoutingNow:
        """The registry as it was read last, or read now."""
        now = time.monotonic()
        if self._routing is None or self._read != self._changes or now - self._read_at >= self._config.keep:
            # What changes while this reads makes the next pass read again.
            self._read, self._read_at = self._changes, now
            at = datetime.now(UTC)
            routing = await load_routing(connection, since=at)
            self._routing = RoutingNow(routing, await load_silences(connection, at))
            await self._unreadable.save(connection, {(_ROUTE, route): why for route, why in routing.unreadable.items()})
        return self._routing


NO_DEFAULT: Final = (
    "no route takes every incident, so nobody is told of an incident that no route covers: make a route without area, "
    "kinds, severities, programme and kind of station"
)
