"""The incident process: one at a time, it reads what judges committed and decides what is wrong.

The right to decide is a PostgreSQL advisory lock of one session, and every write goes through that very session:
when it is gone, nothing can be written any more, and another process may have taken over. Then everything that
was in memory is thrown away and the process queues for the lock again.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import msgspec

from alerting.causes.suspicion_rules import MassSettings
from alerting.incident_process.decide_pass import Decider, PassConfig
from alerting.incident_process.stages import PartSettings
from alerting.incidents.book import Decision
from alerting.incidents.store import QUERIES
from alerting.pipeline.blind_incidents import OutageMeter
from alerting.pipeline.transitions import PublisherConfig, publish
from alerting.station_incidents.rules import RuleSettings
from registry.hours.calendar_keeper import kept_calendars
from store.migrate import require_current
from store.pool import UNREACHABLE, Connection, Pool, listening, may_pass, open_pool
from store.signs import Signs
from store.tasks import Backoff, background_task, finish_after_stop, wait_at_most, wait_for_wake

log = logging.getLogger(__name__)

LOCK = 0x696E636964656E74  # "incident"
_FAILURES = 10
_DRAIN = 2.0
# What the server says when it ends a session that said nothing for `frozen_after`, or was frozen itself.
_PUT_OUT = frozenset({"25P03", "25P04", "57P05"})


class IncidentsConfig(msgspec.Struct, frozen=True, kw_only=True):
    """`kafka_servers` None: nothing is published. `limit` rows of each partition a pass; times in seconds.

    `poll`: between two passes while something waits for another partition, `idle_poll`: otherwise. Both passes and
    publishing are woken by what is committed. `frozen_after`: a leader that said nothing for so long loses its session.
    """

    database_url: str
    kafka_servers: str | None = None
    kafka_idempotent: bool = True
    instance: str = "incidents"
    poll: float = 0.5
    idle_poll: float = 1.0
    publish_poll: float = 5.0
    limit: int = 200
    standby_poll: float = 1.0
    frozen_after: float = 30.0
    rules: RuleSettings = RuleSettings()
    mass: MassSettings = MassSettings()
    parts: PartSettings = PartSettings()
    max_backoff: float = 5.0


class LockLostError(Exception):
    """The session that held the lock is gone: another process may be deciding already."""


async def run(config: IncidentsConfig, stop: asyncio.Event) -> None:
    """Lead, or stand by, until `stop`. RemedyError when the database is not to be had at the start."""
    async with open_pool(config.database_url, name=f"incidents {config.instance}"[:60], size=4) as pool:
        async with pool.acquire() as connection:
            await require_current(connection)
        work = asyncio.create_task(_compete(config, pool, stop), name="incidents")
        await finish_after_stop(work, stop, pool, _DRAIN)


async def _compete(config: IncidentsConfig, pool: Pool, stop: asyncio.Event) -> None:
    """Lead or stand by; when the database is away, come back to it."""
    meter, backoff = OutageMeter(), Backoff(longest=config.max_backoff)
    while not stop.is_set():
        try:
            await _stand_by_or_lead(config, pool, meter, stop)
            backoff.reset()
        except (LockLostError, *UNREACHABLE) as exc:
            await backoff.wait_out(exc, log, "not leading: the database is away", stop=stop)


async def _stand_by_or_lead(config: IncidentsConfig, pool: Pool, meter: OutageMeter, stop: asyncio.Event) -> None:
    meter.call(time.monotonic())
    signs = Signs("incidents", config.instance)
    async with pool.acquire() as connection:
        await connection.execute(QUERIES.bound_session, f"{int(config.frozen_after * 1000)}ms")
        while not stop.is_set():
            meter.call(time.monotonic())
            leading = await connection.fetchval(QUERIES.try_lock, LOCK)
            meter.answered(time.monotonic())
            if leading:
                await _lead(config, pool, connection, meter, stop)
                return
            meter.take()  # whoever leads has measured it too
            await signs.give(connection, "standby")
            await wait_at_most(stop, config.standby_poll)


async def _lead(
    config: IncidentsConfig, pool: Pool, connection: Connection, meter: OutageMeter, stop: asyncio.Event
) -> None:
    log.info("leading", extra={"instance": config.instance})
    leader = Leader(config, connection, meter)
    async with leader.listening(), _publishing(config, pool, leader.unpublished), kept_calendars(pool):
        await leader.run(stop)


@asynccontextmanager
async def _publishing(config: IncidentsConfig, pool: Pool, wake: asyncio.Event) -> AsyncIterator[None]:
    if config.kafka_servers is None:
        yield
        return
    settings = PublisherConfig(
        servers=config.kafka_servers, idempotent=config.kafka_idempotent, poll=config.publish_poll
    )
    async with background_task(publish(settings, pool, wake), name="incidents publish"):
        yield


class Leader:
    """Decides for as long as its session holds the lock."""

    def __init__(self, config: IncidentsConfig, connection: Connection, meter: OutageMeter) -> None:
        self._config = config
        self._connection = connection
        self._meter = meter
        self._decider = Decider(
            PassConfig(limit=config.limit, rules=config.rules, mass=config.mass, parts=config.parts), connection
        )
        self._signs = Signs("incidents", config.instance)
        self._wake = asyncio.Event()
        self.unpublished = asyncio.Event()

    def listening(self) -> AbstractAsyncContextManager[None]:
        """Be woken by what judges and people commit."""
        handlers = {
            "milepost_transition": self._on_transition,
            "milepost_registry": self._on_registry,
            "milepost_health": self._on_health,
        }
        return listening(self._connection, handlers)

    def _on_transition(self, *_: object) -> None:
        self._wake.set()
        self.unpublished.set()

    def _on_health(self, *_: object) -> None:
        self._wake.set()

    def _on_registry(self, *_: object) -> None:
        self._decider.ask_registry()
        self._wake.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Pass after pass until `stop`. Raises LockLostError when the session is gone."""
        failures = 0
        stopping = asyncio.create_task(_set_when(stop, self._wake), name="incidents stop")
        try:
            while not stop.is_set():
                try:
                    more = await self._measured_pass()
                    failures = 0
                except UNREACHABLE as exc:
                    failures += 1
                    self._give_up_if_lost(exc, failures)
                    more = False
                if not more:
                    config = self._config
                    await wait_for_wake(self._wake, config.idle_poll if self._decider.idle else config.poll)
        finally:
            stopping.cancel()

    def _give_up_if_lost(self, exc: BaseException, failures: int) -> None:
        """A conflict with a person's edit is tried again; on a broken session, or in a broken query, it is not."""
        if self._connection.is_closed() or getattr(exc, "sqlstate", None) in _PUT_OUT:
            raise LockLostError(f"the session with the lock is gone ({exc!r})") from exc
        if not may_pass(exc) or failures >= _FAILURES:
            raise exc
        log.info("a pass is tried again", extra={"error": repr(exc), "failures": failures})

    async def _measured_pass(self) -> bool:
        self._meter.call(time.monotonic())
        outage = self._meter.outage
        passed = await self._decider.decide(outage)
        await self._signs.give(self._connection, "leading")
        self._meter.answered(time.monotonic())
        if outage is not None and outage == self._meter.outage:
            self._meter.take()
        _tell(passed.decisions)
        return passed.more or self._meter.outage is not None


async def _set_when(stop: asyncio.Event, wake: asyncio.Event) -> None:
    await stop.wait()
    wake.set()


def _tell(decisions: Iterable[Decision]) -> None:
    for decision in decisions:
        level = logging.DEBUG if decision.incident is None else logging.INFO
        log.log(level, "incident %s", decision.action, extra={"key": decision.key, "reason": decision.reason})
