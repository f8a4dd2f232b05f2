"""Reading the log: a consumer whose offsets lie in PostgreSQL, in the transaction of the rows they stand for.

Kafka's group hands out partitions; an assignment raises the owner epoch and loads the partition's state and
offset in one snapshot; each batch compares and sets the offset. After a failed or unclear commit the memory of
the partitions is thrown away and loaded again.
"""

import asyncio
import gc
import logging
import time
from collections.abc import Collection, Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final, Protocol, TypeVar

import msgspec
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from broker.client_close import close_client
from broker.log_identity import open_admin, read_identity, watch_identity
from broker.pulse import Progress
from broker.topics import count_partitions
from contract.errors import RemedyError
from store.offsets import Claim, FencedError, advance, claim, keep_partitions
from store.pool import UNREACHABLE, Connection, Pool, may_pass
from store.signs import Role, Signs
from store.tasks import end_tasks

log = logging.getLogger(__name__)

_T = TypeVar("_T")
_CLOSE_TIMEOUT: Final = 8.0
_LOADS: Final = 2


class Handler(Protocol):
    """What a consumer does with its partitions. `now` is the monotonic clock in seconds."""

    async def load(self, connection: Connection, held: Claim) -> None:
        """Read the state of a partition that was just claimed, in the claim's snapshot."""

    def apply(self, partition: int, records: Sequence[ConsumerRecord[bytes, bytes]], now: float) -> None:
        """Take records in, in memory only. Never raises for what a record contains."""

    def due(self, now: float) -> bool:
        """Whether what was taken in is to be committed now."""

    async def save(self, connection: Connection, partitions: Collection[int]) -> None:
        """Write what was taken in for these partitions; the caller commits it together with the offsets."""

    def saved(self, partitions: Collection[int]) -> None:
        """The transaction of `save` is committed."""

    def forget(self, partitions: Collection[int]) -> None:
        """Throw away the memory of these partitions."""


class ConsumerConfig(msgspec.Struct, frozen=True, kw_only=True):
    """`name` is the Kafka group and the consumer in consumer_offset; times in seconds.

    `poll`: how often the handler is asked whether a commit is due, while something waits for one; `idle_poll`:
    otherwise. `fetch_wait`: how long Kafka may keep a fetch open for which it has nothing. Apache Kafka answers as soon
    as something comes; Tansu looks again after up to half of that time.
    """

    name: str
    topic: str
    servers: str
    instance: str
    max_records: int = 20_000
    session_timeout: float = 6.0
    commit_timeout: float = 60.0
    stall_timeout: float = 20.0
    poll: float = 0.1
    idle_poll: float = 0.5
    fetch_wait: float = 2.0


@contextmanager
def _uncollected() -> Iterator[None]:
    """What a load brings stays: to look for garbage in it would take a tenth of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class StalledError(Exception):
    """The log grows and the consumer gets nothing: a known fault of Kafka clients that only a restart cures."""


class LogConsumer(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Runs one handler over the partitions that the group assigns to this process."""

    def __init__(self, config: ConsumerConfig, pool: Pool, handler: Handler) -> None:
        self._config = config
        self._pool = pool
        self._handler = handler
        self._claims: dict[int, Claim] = {}
        self._positions: dict[int, int] = {}
        # Assigned, but not loaded yet.
        self._waiting: set[int] = set()
        self._lock = asyncio.Lock()
        self._log = ""
        self._consumer: AIOKafkaConsumer = None
        self._signs = Signs(config.name, config.instance)

    @property
    def partitions(self) -> frozenset[int]:
        return frozenset(self._claims)

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until `stop`. Raises FencedError, LogReplacedError or StalledError when only a restart helps."""
        async with open_admin(self._config.servers) as admin:
            self._log = await read_identity(admin)
            await self._refuse_other_partitions(admin)
            self._consumer = self._open_consumer()
            await self._consumer.start()
            self._consumer.subscribe([self._config.topic], listener=self)
            tasks = [
                asyncio.create_task(self._consume(), name=f"{self._config.name} consume"),
                asyncio.create_task(
                    watch_identity(self._log, lambda: read_identity(admin)), name=f"{self._config.name} identity"
                ),
                asyncio.create_task(self._watch_progress(), name=f"{self._config.name} progress"),
                asyncio.create_task(stop.wait(), name=f"{self._config.name} stop"),
            ]
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            finally:
                await self._close(tasks)

    async def _refuse_other_partitions(self, admin: AIOKafkaAdminClient) -> None:
        """A station's state lies by its partition: with another number it would be judged in two places."""
        topic = self._config.topic
        found = (await count_partitions(admin, [topic]))[topic]
        async with self._pool.acquire() as connection:
            kept = await keep_partitions(connection, topic, found)
        if found != kept:
            raise RemedyError(
                f"topic {topic} has {found} partitions, but this database was begun with {kept}: delete the topic, "
                f"set MILEPOST_PARTITIONS={kept} and run `milepost topics`, or begin with an empty database",
                f"主题 {topic} 有 {found} 个分区，而此数据库以 {kept} 个开始：请删除该主题，"
                f"设置 MILEPOST_PARTITIONS={kept} 后运行 `milepost topics`，或改用空数据库",
            )

    def _open_consumer(self) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            bootstrap_servers=self._config.servers,
            group_id=f"milepost.{self._config.name}",
            client_id=self._config.instance,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=int(self._config.session_timeout * 1000),
            heartbeat_interval_ms=int(self._config.session_timeout * 1000 / 3),
            metadata_max_age_ms=10_000,
            fetch_max_wait_ms=int(self._config.fetch_wait * 1000),
        )

    async def _close(self, tasks: Sequence[asyncio.Task[object]]) -> None:
        await end_tasks(*tasks)
        await close_client(self._consumer.stop(), seconds=_CLOSE_TIMEOUT)

    async def _consume(self) -> None:
        while True:
            await self._load_waiting()
            patience = self._config.poll if self._positions or not self._claims else self._config.idle_poll
            batches = await self._consumer.getmany(
                timeout_ms=int(patience * 1000), max_records=self._config.max_records
            )
            async with self._lock:
                self._apply(batches)
                if self._positions and self._handler.due(time.monotonic()):
                    await self._commit(frozenset(self._positions))
                if self._signs.due(self._role):
                    await self._give_sign()

    @property
    def _role(self) -> Role:
        return "working" if self._claims else "standby"

    async def _give_sign(self) -> None:
        """Say that this loop goes round; a database that is away needs no sign to be noticed."""
        behind = {partition: self._behind(partition) for partition in sorted(self._claims)}
        detail = {"partitions": list(behind), "behind": sum(behind.values())}
        try:
            async with self._pool.acquire() as connection:
                await self._unless_hung(connection, self._signs.give(connection, self._role, detail))
        except UNREACHABLE as exc:
            log.warning("no sign of life", extra={"consumer": self._config.name, "error": repr(exc)})

    def _behind(self, partition: int) -> int:
        """Entries that Kafka's last answer showed beyond where we are."""
        end = self._consumer.highwater(TopicPartition(self._config.topic, partition))
        return max(0, (end or 0) - self._position(partition))

    def _apply(self, batches: dict[TopicPartition, list[ConsumerRecord[bytes, bytes]]]) -> None:
        now = time.monotonic()
        for where, records in batches.items():
            held = self._claims.get(where.partition)
            if held is None:
                continue
            position = self._positions.get(where.partition, held.next_offset)
            fresh = records if records[0].offset >= position else [r for r in records if r.offset >= position]
            if fresh:
                self._handler.apply(where.partition, fresh, now)
                self._positions[where.partition] = fresh[-1].offset + 1

    async def _commit(self, partitions: Collection[int]) -> None:
        """Commit rows and offsets; when that fails in any unclear way, load everything again."""
        try:
            await self._within_timeout(partitions)
        except UNREACHABLE as exc:
            if not may_pass(exc):
                raise
            log.warning("commit failed, loading again", extra={"consumer": self._config.name, "error": repr(exc)})
            self._load_later(partitions)

    async def _within_timeout(self, partitions: Collection[int]) -> None:
        async with self._pool.acquire() as connection:
            claims = await self._unless_hung(connection, self._write(connection, partitions))
        self._claims.update(claims)
        for partition in partitions:
            self._positions.pop(partition, None)
        self._handler.saved(partitions)

    async def _unless_hung(self, connection: Connection, work: Coroutine[None, None, _T]) -> _T:
        """A writer is never cancelled: its connection is broken, so that the outcome is looked up, not guessed."""
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
            moves = {p: (self._claims[p], self._positions[p]) for p in partitions}
            claims = await advance(connection, moves)
            await self._handler.save(connection, partitions)
        return claims

    def _load_later(self, partitions: Collection[int]) -> None:
        """Forget these partitions and hold them back until they are loaded."""
        self._drop(partitions)
        self._waiting.update(partitions)
        self._consumer.pause(*(TopicPartition(self._config.topic, partition) for partition in partitions))

    async def _load_waiting(self) -> None:
        """Load the partitions, a few at once: while one waits for the database another is taken in.

        Not within Kafka's call that assigns them: no heartbeat reaches the group until that returns, and the load of
        hundreds of thousands of rows takes longer than a session lasts, so that the group would go on without us.
        """
        delay = 0.2
        while self._waiting:
            try:
                async with self._lock:
                    with _uncollected():
                        loads = (self._load(partition) for partition in sorted(self._waiting)[:_LOADS])
                        ended = await asyncio.gather(*loads, return_exceptions=True)
                    for failed in ended:
                        if failed is not None:
                            raise failed
            except UNREACHABLE as exc:
                if not may_pass(exc):
                    raise
                log.warning("database away", extra={"consumer": self._config.name, "error": repr(exc)})
                await asyncio.sleep(delay)
                delay = min(delay * 2, 5.0)
            else:
                delay = 0.2

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
        self._claims[partition] = held
        self._waiting.discard(partition)
        where = TopicPartition(config.topic, partition)
        self._consumer.seek(where, held.next_offset)
        self._consumer.resume(where)

    def _drop(self, partitions: Collection[int]) -> None:
        self._handler.forget(partitions)
        for partition in partitions:
            self._claims.pop(partition, None)
            self._positions.pop(partition, None)

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        async with self._lock:
            mine = {where.partition for where in revoked} & set(self._claims)
            dirty = mine & set(self._positions)
            if dirty:
                with suppress(FencedError, *UNREACHABLE):
                    await self._within_timeout(dirty)
            self._drop(mine)
            self._waiting.clear()

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        async with self._lock:
            partitions = [where.partition for where in assigned]
            log.info("assigned", extra={"consumer": self._config.name, "partitions": sorted(partitions)})
            self._load_later(partitions)

    async def _watch_progress(self) -> None:
        """Notice a consumer that hangs although Kafka answers and there is something to read."""
        progress = Progress(self._config.stall_timeout)
        while True:
            await asyncio.sleep(self._config.stall_timeout / 4)
            unread = await self._unread()
            if unread is None:
                progress.excuse(time.monotonic())
            elif progress.stalled(time.monotonic(), sum(map(self._position, self._claims)), sum(unread.values())):
                behind = sorted(partition for partition, count in unread.items() if count)
                raise StalledError(f"{self._config.name} gets nothing of partitions {behind} of {self._config.topic}")

    async def _unread(self) -> dict[int, int] | None:
        """Entries to be read by partition; None while it is not this consumer's turn, or Kafka does not answer."""
        if self._lock.locked() or self._waiting or not self._claims:
            return None
        mine = [TopicPartition(self._config.topic, partition) for partition in self._claims]
        try:
            async with asyncio.timeout(self._config.stall_timeout / 4):
                ends = await self._consumer.end_offsets(mine)
        except (KafkaError, TimeoutError):
            return None
        # The in-memory broker tells an end that is a batch old, so that we may be beyond it.
        held = {where.partition: end for where, end in ends.items() if where.partition in self._claims}
        return {partition: max(0, end - self._position(partition)) for partition, end in held.items()}

    def _position(self, partition: int) -> int:
        return self._positions.get(partition, self._claims[partition].next_offset)
