"""Reading the log: a consumer whose offsets lie in PostgreSQL, in the transaction of the rows they stand for.

Kafka's group hands out partitions; an assignment raises the owner epoch and loads the partition's state and
offset in one snapshot; each batch compares and sets the offset. After a failed or unclear commit the memory of
the partitions is thrown away and loaded again.
"""

import asyncio
import gc
import logging
import math
import time
from collections.abc import Collection, Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final, Protocol, TypeVar

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from broker.client_close import close_client
from broker.consumer_config import ConsumerConfig
from broker.log_identity import open_admin, read_identity, watch_identity
from broker.positions import Positions
from broker.stall_watch import StalledError, StallWatch
from broker.topics import count_partitions
from contract.clocks import MonotonicSeconds
from contract.errors import RemedyError
from store.offsets import Claim, FencedError, advance, claim, keep_partitions
from store.pool import UNREACHABLE, Connection, Pool, may_pass
from store.signs import Role, Signs
from store.tasks import Backoff, end_tasks, wait_for_first

__all__ = ["ConsumerConfig", "Handler", "LogConsumer", "StalledError"]

log = logging.getLogger(__name__)

_T = TypeVar("_T")
_CLOSE_TIMEOUT: Final = 8.0
_LOADS: Final = 2
_FETCHER_LOOKS: Final = 5.0
"""Seconds after which the fetching task of aiokafka looks at its partitions although nothing woke it."""


class Handler(Protocol):
    """What a consumer does with its partitions."""

    async def load(self, connection: Connection, held: Claim) -> None:
        """Read the state of a partition that was just claimed, in the claim's snapshot."""

    def apply(self, partition: int, records: Sequence[ConsumerRecord[bytes, bytes]], now: MonotonicSeconds) -> None:
        """Take records in, in memory only. Never raises for what a record contains."""

    def due_in(self, now: MonotonicSeconds) -> float:
        """Seconds until what was taken in is to be committed; 0 or less: now."""

    async def save(self, connection: Connection, partitions: Collection[int]) -> None:
        """Write what was taken in for these partitions; the caller commits it together with the offsets."""

    def saved(self, partitions: Collection[int]) -> None:
        """The transaction of `save` is committed."""

    def forget(self, partitions: Collection[int]) -> None:
        """Throw away the memory of these partitions."""


class LogConsumer(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Runs one handler over the partitions that the group assigns to this process."""

    def __init__(self, config: ConsumerConfig, pool: Pool, handler: Handler) -> None:
        self._config = config
        self._pool = pool
        self._handler = handler
        self._positions = Positions[Claim]()
        self._lock = asyncio.Lock()
        self._log = ""
        self._consumer: AIOKafkaConsumer = None
        self._signs = Signs(config.name, config.instance)

    @property
    def partitions(self) -> frozenset[int]:
        """The partitions that are assigned to this process and loaded."""
        return frozenset(self._positions.held)

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until `stop`. Raises FencedError, LogReplacedError or StalledError when only a restart helps."""
        config = self._config
        async with open_admin(config.servers) as admin:
            self._log = await read_identity(admin)
            await _refuse_other_partitions(admin, self._pool, config.topic)
            self._consumer = _open_consumer(config)
            await self._consumer.start()
            self._consumer.subscribe([config.topic], listener=self)
            watch = StallWatch(config, self._consumer, self._positions, self._lock)
            identity = watch_identity(self._log, lambda: read_identity(admin))
            tasks = [
                asyncio.create_task(self._consume(), name=f"{config.name} consume"),
                asyncio.create_task(identity, name=f"{config.name} identity"),
                asyncio.create_task(watch.run(), name=f"{config.name} progress"),
                asyncio.create_task(stop.wait(), name=f"{config.name} stop"),
            ]
            try:
                await wait_for_first(*tasks)
            finally:
                await end_tasks(*tasks)
                await close_client(self._consumer.stop(), seconds=_CLOSE_TIMEOUT)

    async def _consume(self) -> None:
        config, positions = self._config, self._positions
        while True:
            await self._load_waiting()
            patience = config.patience(holds=bool(positions.held), commit_in=self._commit_in())
            batches = await self._consumer.getmany(
                timeout_ms=math.ceil(patience * 1000), max_records=config.max_records
            )
            async with self._lock:
                self._apply(batches)
                if self._commit_in() <= 0:
                    await self._commit(frozenset(positions.uncommitted))
                if self._signs.due(self._role):
                    await self._give_sign()

    def _commit_in(self) -> float:
        """Seconds until the commit; infinite without anything to commit."""
        if not self._positions.uncommitted:
            return math.inf
        return self._handler.due_in(MonotonicSeconds(time.monotonic()))

    # --- signs of life

    @property
    def _role(self) -> Role:
        return "working" if self._positions.held else "standby"

    async def _give_sign(self) -> None:
        """Record that this loop goes round. A database that is away is noticed without a sign."""
        ends = {partition: self._end_of(partition) for partition in sorted(self._positions.held)}
        behind = self._positions.behind(ends)
        detail = {"partitions": list(behind), "behind": sum(behind.values())}
        try:
            async with self._pool.acquire() as connection:
                await self._unless_hung(connection, self._signs.give(connection, self._role, detail))
        except UNREACHABLE as exc:
            log.warning("no sign of life", extra={"consumer": self._config.name, "error": repr(exc)})

    def _end_of(self, partition: int) -> int:
        """The end of a partition in Kafka's last answer; 0 while there is none."""
        return self._consumer.highwater(TopicPartition(self._config.topic, partition)) or 0

    # --- reading and committing

    def _apply(self, batches: dict[TopicPartition, list[ConsumerRecord[bytes, bytes]]]) -> None:
        now = MonotonicSeconds(time.monotonic())
        for where, records in batches.items():
            fresh = self._positions.unread_of(where.partition, records)
            if fresh:
                self._handler.apply(where.partition, fresh, now)
                self._positions.note_read(where.partition, fresh[-1].offset)

    async def _commit(self, partitions: Collection[int]) -> None:
        """Commit rows and offsets; when that fails in any unclear way, load everything again."""
        try:
            await self._commit_once(partitions)
        except UNREACHABLE as exc:
            if not may_pass(exc):
                raise
            log.warning("commit failed, loading again", extra={"consumer": self._config.name, "error": repr(exc)})
            self._load_later(partitions)

    async def _commit_once(self, partitions: Collection[int]) -> None:
        async with self._pool.acquire() as connection:
            claims = await self._unless_hung(connection, self._write(connection, partitions))
        self._positions.note_committed(claims)
        self._handler.saved(partitions)

    async def _unless_hung(self, connection: Connection, work: Coroutine[None, None, _T]) -> _T:
        """Wait for `work` for the commit timeout, then break the connection.

        A writer is never cancelled: with a broken connection the outcome is looked up, not guessed.
        """
        write = asyncio.create_task(work, name=f"{self._config.name} write")
        try:
            done, _ = await asyncio.wait({write}, timeout=self._config.commit_timeout)
        except asyncio.CancelledError:
            await asyncio.wait({write}, timeout=5)
            connection.terminate()
            raise
        if not done:
            connection.terminate()
        return await write

    async def _write(self, connection: Connection, partitions: Collection[int]) -> dict[int, Claim]:
        async with connection.transaction():
            claims = await advance(connection, self._positions.moves_of(partitions))
            await self._handler.save(connection, partitions)
        return claims

    # --- loading

    def _load_later(self, partitions: Collection[int]) -> None:
        """Forget these partitions and hold them back until they are loaded."""
        self._handler.forget(partitions)
        self._positions.wait_for(partitions)
        self._consumer.pause(*(TopicPartition(self._config.topic, partition) for partition in partitions))

    async def _load_waiting(self) -> None:
        """Load the partitions, a few at once: while one waits for the database another is taken in.

        Not within Kafka's call that assigns them: no heartbeat reaches the group until that returns, and the load of
        hundreds of thousands of rows takes longer than a session lasts, so that the group would go on without us.
        """
        backoff = Backoff()
        while waiting := self._positions.waiting:
            try:
                async with self._lock:
                    with _without_gc():
                        loads = (self._load(partition) for partition in sorted(waiting)[:_LOADS])
                        ended = await asyncio.gather(*loads, return_exceptions=True)
                    for failed in ended:
                        if failed is not None:
                            raise failed
            except UNREACHABLE as exc:
                await backoff.wait_out(exc, log, "database away", consumer=self._config.name)
            else:
                backoff.reset()

    async def _load(self, partition: int) -> None:
        config = self._config
        async with self._pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
            held = await claim(
                connection,
                consumer=config.name,
                topic=config.topic,
                partition=partition,
                log=self._log,
                instance=config.instance,
            )
            await self._handler.load(connection, held)
        self._positions.hold(partition, held)
        where = TopicPartition(config.topic, partition)
        self._consumer.seek(where, held.next_offset)
        self._consumer.resume(where)

    # --- what the group assigns; aiokafka names these methods

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Commit what was read of these partitions, if that is still possible, and drop them."""
        async with self._lock:
            positions = self._positions
            mine = {where.partition for where in revoked} & set(positions.held)
            dirty = mine & set(positions.uncommitted)
            if dirty:
                with suppress(FencedError, *UNREACHABLE):
                    await self._commit_once(dirty)
            self._handler.forget(mine)
            positions.drop(mine)
            positions.waiting.clear()

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Hold these partitions back until they are loaded."""
        async with self._lock:
            partitions = [where.partition for where in assigned]
            log.info("assigned", extra={"consumer": self._config.name, "partitions": sorted(partitions)})
            self._load_later(partitions)


def _open_consumer(config: ConsumerConfig) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        bootstrap_servers=config.servers,
        group_id=f"milepost.{config.name}",
        client_id=config.instance,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        session_timeout_ms=int(config.session_timeout * 1000),
        heartbeat_interval_ms=int(config.session_timeout * 1000 / 3),
        metadata_max_age_ms=10_000,
        fetch_max_wait_ms=int(config.fetch_wait * 1000),
        # What lets it fetch again wakes it: an answer, a read batch, a resumed partition, another assignment.
        consumer_timeout_ms=int(_FETCHER_LOOKS * 1000),
    )


async def _refuse_other_partitions(admin: AIOKafkaAdminClient, pool: Pool, topic: str) -> None:
    """A station's state lies by its partition: with another number it would be judged in two places."""
    found = (await count_partitions(admin, [topic]))[topic]
    async with pool.acquire() as connection:
        kept = await keep_partitions(connection, topic, found)
    if found != kept:
        raise RemedyError(
            f"topic {topic} has {found} partitions, but this database was begun with {kept}: delete the topic, "
            f"set MILEPOST_PARTITIONS={kept} and run `milepost topics`, or begin with an empty database",
            f"主题 {topic} 有 {found} 个分区，而此数据库以 {kept} 个开始：请删除该主题，"
            f"设置 MILEPOST_PARTITIONS={kept} 后运行 `milepost topics`，或改用空数据库",
        )


@contextmanager
def _without_gc() -> Iterator[None]:
    """What a load brings stays: to look for garbage in it would take a tenth of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
