"""The incident process: reads the data that the judges committed, and decides about incidents. One process leads.

The leader holds a PostgreSQL advisory lock of one session, and makes all writes through the same session. When that
session is gone, the process can write nothing more, and another process may lead. Then the process discards its memory
and waits for the lock again.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial

import msgspec

from alerting.causes.suspicion_rules import MassSettings
from alerting.incident_process.decide_pass import Decider, PassConfig
from alerting.incident_process.stages import PartSettings
from alerting.incidents.book import Decision
from alerting.pipeline.blind_incidents import OutageMeter
from alerting.pipeline.transitions import PublisherConfig, publish
from alerting.station_incidents.rules import RuleSettings
from registry.hours.calendar_keeper import kept_calendars
from store.leading import LeaderLock, LockLostError, compete
from store.migrate import require_current
from store.pool import UNREACHABLE, Connection, Pool, listening, may_pass, open_pool
from store.signs import Signs
from store.tasks import background_task, finish_after_stop, wait_for_wake

log = logging.getLogger(__name__)

LOCK = 0x696E636964656E74  # "incident"
_FAILURES = 10
_DRAIN = 2.0
# The SQLSTATEs with which the server ends a session after `frozen_after`: idle in a transaction, a transaction that
# took too long, and idle without a transaction.
_PUT_OUT = frozenset({"25P03", "25P04", "57P05"})


class IncidentsConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the incident process; times in seconds.

    `kafka_servers` None: no transitions are published. `limit`: rows of each partition that one pass reads. `poll`: the
    time between two passes while transitions wait for another partition; `idle_poll`: otherwise. Commits of the judges
    wake passes and the publisher earlier. `frozen_after`: the server ends the session of a leader that sends nothing
    for this long.
    """

    database_url: str
    kafka_servers: str | None = None
    kafka_idempotent: bool = True
    instance: str = "incidents"
    poll: float = 0.5
    idle_poll: float = 2.0
    publish_poll: float = 5.0
    limit: int = 200
    standby_poll: float = 1.0
    frozen_after: float = 30.0
    rules: RuleSettings = RuleSettings()
    mass: MassSettings = MassSettings()
    parts: PartSettings = PartSettings()
    max_backoff: float = 5.0


async def run(config: IncidentsConfig, stop: asyncio.Event) -> None:
    """Lead or stand by until `stop`. Raises RemedyError when the database cannot be reached at the start."""
    async with open_pool(config.database_url, name=f"incidents {config.instance}"[:60], size=4) as pool:
        async with pool.acquire() as connection:
            await require_current(connection)
        meter, signs = OutageMeter(), Signs("incidents", config.instance)
        work = compete(
            pool,
            _lock(config),
            stop,
            lead=partial(_lead, config, pool, meter, signs, stop),
            stand_by=partial(_stand_by, meter, signs),
            watch=_Watch(meter),
        )
        await finish_after_stop(asyncio.create_task(work, name="incidents"), stop, pool, _DRAIN)


def _lock(config: IncidentsConfig) -> LeaderLock:
    return LeaderLock(
        number=LOCK,
        frozen_after=config.frozen_after,
        standby_poll=config.standby_poll,
        max_backoff=config.max_backoff,
        away="not leading: the database is away",
    )


class _Watch:
    """Measures outages of the database while the process asks for the lock."""

    def __init__(self, meter: OutageMeter) -> None:
        self._meter = meter

    def asked(self) -> None:
        self._meter.call(time.monotonic())

    def answered(self) -> None:
        self._meter.answered(time.monotonic())


async def _stand_by(meter: OutageMeter, signs: Signs, connection: Connection) -> None:
    meter.take()  # the leader measured the same outage
    await signs.give(connection, "standby")


async def _lead(
    config: IncidentsConfig, pool: Pool, meter: OutageMeter, signs: Signs, stop: asyncio.Event, connection: Connection
) -> None:
    log.info("leading", extra={"instance": config.instance})
    leader = Leader(config, connection, meter, signs)
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
    """Runs passes as long as its session holds the lock."""

    def __init__(self, config: IncidentsConfig, connection: Connection, meter: OutageMeter, signs: Signs) -> None:
        self._config = config
        self._connection = connection
        self._meter = meter
        self._decider = Decider(
            PassConfig(limit=config.limit, rules=config.rules, mass=config.mass, parts=config.parts), connection
        )
        self._signs = signs
        self._wake = asyncio.Event()
        self.unpublished = asyncio.Event()

    def listening(self) -> AbstractAsyncContextManager[None]:
        """Wake passes on commits of judges, of the health process and of people (LISTEN)."""
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
        """Run passes until `stop`. Raises LockLostError when the session is gone."""
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
        """Return if the pass should be tried again, as after a conflict with a person's edit.

        Raises LockLostError when the session is gone, and `exc` for an error that does not pass or after too many
        failures.
        """
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
        _log_decisions(passed.decisions)
        return passed.more or self._meter.outage is not None


async def _set_when(stop: asyncio.Event, wake: asyncio.Event) -> None:
    await stop.wait()
    wake.set()


def _log_decisions(decisions: Iterable[Decision]) -> None:
    for decision in decisions:
        level = logging.DEBUG if decision.incident is None else logging.INFO
        log.log(level, "incident %s", decision.action, extra={"key": decision.key, "reason": decision.reason})
