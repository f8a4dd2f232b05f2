"""The self-check process: notifies people when a part of Milepost does not work, even if it is the delivery process.

It asks the database, Kafka and the API, and reads the signs of life of the services. Its notifications are sent to the
targets directly, without the database and the delivery process. It is itself watched by a dead man's switch elsewhere,
which it pings as long as everything works.
"""

import asyncio
import logging
import time
import urllib.request
from collections.abc import Awaitable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import asyncpg
import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from alerting.delivery.apprise_target import quiet_apprise
from alerting.delivery.direct import DirectSender
from alerting.delivery.service import DeliverConfig, open_targets
from alerting.delivery.texts import Language
from alerting.pipeline.transitions import INCIDENTS
from alerting.selfcheck.rules import API, DATABASE, KAFKA, TRANSITIONS, CheckRound, Pace, Position, SelfCheck
from alerting.selfcheck.texts import write_notice
from broker.client_close import close_client
from broker.log_identity import open_admin, read_identity
from contract.errors import RemedyError
from store.pool import UNREACHABLE, Connection, Pool, open_pool
from store.signs import Signs
from store.sql import queries_beside
from store.tasks import end_tasks, wait_for_first

log = logging.getLogger(__name__)

QUERIES = queries_beside(__file__)
_T = TypeVar("_T")
_Seen = tuple[Mapping[str, float], tuple[Position, ...], float | None]
"""Signs of life, positions, and seconds until the end of an announced restart."""
_FAILED = (RemedyError, KafkaError, *UNREACHABLE)


class WatchConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the process. `urls` and `deadman_url` are secret; times in seconds."""

    database_url: str
    kafka_servers: str
    api_url: str
    pace: Pace = Pace()
    urls: tuple[str, ...] = ()
    log_path: Path | None = None
    language: Language = "zh-CN"
    deadman_url: str | None = None
    deadman_every: float = 60.0
    instance: str = "watch"

    def __repr__(self) -> str:
        return f"WatchConfig(api_url={self.api_url}, limit={self.pace.limit}, {len(self.urls)} urls)"


async def run(config: WatchConfig, stop: asyncio.Event) -> None:
    """Check until `stop`. Raises RemedyError for a target that cannot work; no part that is away ends the process."""
    quiet_apprise()
    targets = open_targets(DeliverConfig(database_url="", urls=config.urls, log_path=config.log_path))
    if not targets:
        log.warning("no target for alerts about Milepost itself: set MILEPOST_ALERT_URLS or MILEPOST_ALERT_LOG")
    sender = DirectSender(targets, name=config.instance)
    tasks = [
        asyncio.create_task(_CheckLoop(config, sender).run(), name="watch"),
        *(asyncio.create_task(lane, name="watch send") for lane in sender.send_loops()),
        asyncio.create_task(stop.wait(), name="watch stop"),
    ]
    try:
        await wait_for_first(*tasks)
    finally:
        await end_tasks(*tasks)


class _CheckLoop:
    """Runs one round after the other, notifies, and pings the dead man's switch."""

    def __init__(self, config: WatchConfig, sender: DirectSender) -> None:
        self._config = config
        self._sender = sender
        self._self_check = SelfCheck(config.pace, began=time.monotonic())
        self._checks = OutsideChecks(config)
        self._pinged = float("-inf")

    async def run(self) -> None:
        """Run until cancelled."""
        while True:
            seen = await self._checks.check_all()
            for notice in self._self_check.judge_round(seen, time.monotonic()):
                facts, message = write_notice(
                    notice, language=self._config.language, now=datetime.now(UTC), mono=time.monotonic()
                )
                log.warning(message.title, extra={"parts": facts.detail, "phase": notice.phase})
                self._sender.send_to_all(facts, message)
            await self._ping()
            await asyncio.sleep(self._config.pace.every)

    async def _ping(self) -> None:
        """Ping the dead man's switch while everything works; it alerts when no ping comes."""
        config = self._config
        explained = self._self_check.all_well or self._self_check.is_restarting(time.monotonic())
        if config.deadman_url is None or not explained:
            return
        if time.monotonic() - self._pinged >= config.deadman_every:
            self._pinged = time.monotonic()
            if not await asyncio.to_thread(_answers, config.deadman_url, seconds=config.pace.ask, proxies=None):
                log.warning("the dead man's switch does not answer: correct MILEPOST_DEADMAN_URL")


class OutsideChecks:
    """Asks the parts of Milepost from outside."""

    def __init__(self, config: WatchConfig) -> None:
        self._config = config
        self._signs = Signs("watch", config.instance)
        self._ends: dict[TopicPartition, int] = {}
        self._log = ""
        self._wanted: set[TopicPartition] = set()

    async def check_all(self) -> CheckRound:
        """One round: ask all parts at once, each within `pace.ask` seconds."""
        began = time.monotonic()
        url, ask = f"{self._config.api_url}/healthz", self._config.pace.ask
        kafka, seen, answers = await asyncio.gather(
            _within(ask, self._ask_kafka()),
            _within(ask, self._ask_database()),
            asyncio.to_thread(_answers, url, seconds=ask, proxies={}),
        )
        states = {DATABASE: seen is not None, KAFKA: kafka is not None, API: answers}
        signs, positions, restart = seen or (None, (), None)
        return CheckRound(
            began=began,
            unreachable=frozenset(part for part, works in states.items() if not works),
            signs=signs,
            positions=positions if kafka else (),
            restart=restart,
        )

    async def _ask_kafka(self) -> bool:
        """Read the identity of the log, and the ends of the partitions that consumers read."""
        async with open_admin(self._config.kafka_servers, wait=self._config.pace.ask) as admin:
            self._log = await read_identity(admin)
        consumer = AIOKafkaConsumer(bootstrap_servers=self._config.kafka_servers)
        try:
            await consumer.start()
            self._ends = await consumer.end_offsets(sorted(self._wanted)) if self._wanted else {}
        finally:
            await close_client(consumer.stop(), seconds=self._config.pace.ask)
        return True

    async def _ask_database(self) -> _Seen:
        async with open_pool(self._config.database_url, name="watch", size=1) as pool:
            work = asyncio.create_task(self._read(pool), name="watch read")
            done, _ = await asyncio.wait({work}, timeout=self._config.pace.ask / 2)
            if not done:  # a server that does not answer cannot be asked to cancel either
                pool.terminate()
            return await work

    async def _read(self, pool: Pool) -> _Seen:
        """Read signs of life, and the positions of consumers against the partition ends of the last round."""
        async with pool.acquire() as connection:
            signs = {row["service"]: row["age"] for row in await connection.fetch(QUERIES.read_signs)}
            rows = await connection.fetch(QUERIES.read_positions)
            self._wanted = {TopicPartition(row["topic"], row["partition"]) for row in rows}
            streams = await connection.fetch(QUERIES.read_streams, INCIDENTS)
            restart: float | None = await connection.fetchval(QUERIES.read_restart)
            await self._save_ends(connection)
            await self._signs.give(connection, "working")
        ages = {service: age for service, age in signs.items() if age is not None}
        return ages, (*self._positions(rows), *map(_stream, streams)), restart

    async def _save_ends(self, connection: Connection) -> None:
        where = list(self._ends)
        columns = [w.topic for w in where], [w.partition for w in where], [self._ends[w] for w in where]
        await connection.execute(QUERIES.save_ends, self._log, *columns)

    def _positions(self, rows: Sequence[asyncpg.Record]) -> list[Position]:
        """The positions of consumers in this log; a consumer that was in another log stands at its beginning."""
        return [
            Position(row["consumer"], row["topic"], row["partition"], self._offset(row), self._ends[where])
            for row in rows
            if (where := TopicPartition(row["topic"], row["partition"])) in self._ends
        ]

    def _offset(self, row: asyncpg.Record) -> int:
        return int(row["next_offset"]) if row["log"] == self._log else 0


def _stream(row: asyncpg.Record) -> Position:
    return Position(INCIDENTS, TRANSITIONS, row["partition"], row["next_offset"], row["end_offset"])


async def _within(seconds: float, work: Awaitable[_T]) -> _T | None:
    """The result of `work`, or None when it fails or takes longer than `seconds`."""
    try:
        return await asyncio.wait_for(work, seconds)
    except _FAILED as exc:
        log.info("a part does not answer", extra={"error": repr(exc)})
        return None


def _answers(url: str, *, seconds: float, proxies: dict[str, str] | None) -> bool:
    """Whether a GET is answered with a status of 2xx."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler(proxies))
    try:
        with opener.open(url, timeout=seconds) as answer:
            return bool(200 <= answer.status < 300)
    except (OSError, ValueError):
        return False
