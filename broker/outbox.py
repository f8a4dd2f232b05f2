"""Batches on their way to Kafka: one lane for each partition, in which the order of messages is kept.

A lane has one batch in flight; messages that come meanwhile fill the next batches. Messages are stored in the batches
only, as bytes, so that waiting messages take little more memory than their bytes.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError
from aiokafka.producer.message_accumulator import BatchBuilder

from broker.acks import PendingReceipt
from broker.metrics import Counters
from store.tasks import end_tasks

log = logging.getLogger(__name__)

_OVERHEAD: Final = 40
"""Bytes of memory that a message takes beside its key and value."""


class Producer(Protocol):
    """The methods of aiokafka's producer that the outbox calls."""

    def create_batch(self) -> BatchBuilder:
        """An empty batch."""

    async def send_batch(self, batch: BatchBuilder, topic: str, *, partition: int) -> "asyncio.Future[object]":
        """Queue a batch; the future ends when Kafka has acknowledged it."""


class _KafkaBatch:
    __slots__ = ("builder", "bytes", "messages", "receipts")

    def __init__(self, builder: BatchBuilder) -> None:
        self.builder = builder
        self.bytes = 0
        self.messages = 0
        self.receipts: list[PendingReceipt] = []


class _Lane:
    __slots__ = ("filling", "flying", "full", "partition", "topic")

    def __init__(self, topic: str, partition: int) -> None:
        self.topic = topic
        self.partition = partition
        self.filling: _KafkaBatch | None = None
        self.full: deque[_KafkaBatch] = deque()
        self.flying = False

    def pop(self) -> _KafkaBatch | None:
        """The oldest batch; the one being filled if there is no other."""
        if self.full:
            return self.full.popleft()
        batch, self.filling = self.filling, None
        return batch


class KafkaOutbox:
    """Takes messages and sends them in batches.

    `on_safe` gets the receipts of each batch that Kafka acknowledged; `on_failed` the error of a batch that was given
    up; `on_drained` is called whenever less is waiting than before. `linger`: seconds between flushes, because a batch
    takes some 100 µs, however few messages are in it. `fatal` fails when only a restart helps.
    """

    def __init__(
        self,
        producer: Producer,
        counters: Counters,
        *,
        on_safe: Callable[[Sequence[PendingReceipt]], None],
        on_failed: Callable[[BaseException], None],
        on_drained: Callable[[], None],
        idempotent: bool,
        linger: float,
    ) -> None:
        self._producer = producer
        self._counters = counters
        self._on_safe = on_safe
        self._on_failed = on_failed
        self._on_drained = on_drained
        self._idempotent = idempotent
        self._linger = linger
        self._lanes: dict[tuple[str, int], _Lane] = {}
        self._dirty: set[_Lane] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._flushed_at = 0.0
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self._empty = asyncio.Event()
        self._empty.set()
        self.fatal: asyncio.Future[object] = self._loop.create_future()
        self.fatal.add_done_callback(lambda ended: ended.cancelled() or ended.exception())

    def append(
        self,
        topic: str,
        partition: int,
        key: bytes | None,
        value: bytes,
        at: int,
        receipt: PendingReceipt | None = None,
    ) -> None:
        """Append a message behind all others of this partition; `at` is its timestamp, ms."""
        lane = self._lanes.get((topic, partition))
        if lane is None:
            lane = self._lanes[topic, partition] = _Lane(topic, partition)
        batch = lane.filling
        if batch is None or batch.builder.append(timestamp=at, key=key, value=value) is None:
            batch = self._next_batch(lane)
            batch.builder.append(timestamp=at, key=key, value=value)
        size = len(value) + _OVERHEAD
        batch.bytes += size
        batch.messages += 1
        if receipt is not None:
            batch.receipts.append(receipt)
        counters = self._counters
        counters.waiting_bytes += size
        counters.waiting_messages += 1
        if not lane.flying and (lane.full or lane not in self._dirty):
            self._mark(lane)

    def _next_batch(self, lane: _Lane) -> _KafkaBatch:
        if lane.filling is not None:
            lane.full.append(lane.filling)
        lane.filling = _KafkaBatch(self._producer.create_batch())
        return lane.filling

    def _mark(self, lane: _Lane) -> None:
        """Send the lane's oldest batch at the next flush, or now if it is full."""
        self._empty.clear()
        if lane.full:
            self._dirty.discard(lane)
            self._launch(lane)
            return
        self._dirty.add(lane)
        if self._timer is None:
            self._timer = self._loop.call_at(max(self._flushed_at, self._loop.time()) + self._linger, self._flush)

    def _flush(self) -> None:
        self._timer = None
        self._flushed_at = self._loop.time()
        lanes, self._dirty = self._dirty, set()
        for lane in lanes:
            self._launch(lane)

    def _launch(self, lane: _Lane) -> None:
        batch = lane.pop()
        if batch is not None:
            lane.flying = True
            task = self._loop.create_task(self._send(lane, batch), name=f"send {lane.topic} {lane.partition}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _send(self, lane: _Lane, batch: _KafkaBatch) -> None:
        try:
            self._counters.batches += 1
            await (await self._producer.send_batch(batch.builder, lane.topic, partition=lane.partition))
        except (KafkaError, OSError, TimeoutError) as exc:
            self._fail(lane, batch, exc)
        except Exception as exc:
            log.exception("sending a batch failed in an unexpected way")
            self._fail(lane, batch, exc)
            self._end(exc)
        else:
            self._counters.safe += batch.messages
            if batch.receipts:
                self._on_safe(batch.receipts)
        self._done(lane, batch)

    def _fail(self, lane: _Lane, batch: _KafkaBatch, exc: Exception) -> None:
        self._counters.batches_failed += 1
        log.error(
            "a batch was given up",
            extra={"topic": lane.topic, "partition": lane.partition, "messages": batch.messages, "error": repr(exc)},
        )
        self._on_failed(exc)
        if self._idempotent or needs_restart(exc):
            self._end(exc)

    def _end(self, exc: Exception) -> None:
        if not self.fatal.done():
            self.fatal.set_exception(exc)

    def _done(self, lane: _Lane, batch: _KafkaBatch) -> None:
        lane.flying = False
        self._counters.waiting_bytes -= batch.bytes
        self._counters.waiting_messages -= batch.messages
        if lane.full or lane.filling is not None:
            self._mark(lane)
        elif self._counters.waiting_messages == 0:
            self._empty.set()
        self._on_drained()

    async def drain(self) -> None:
        """Stop waiting for more messages to fill batches, and wait until Kafka has everything."""
        self._linger = 0.0
        if self._timer is not None:
            self._timer.cancel()
            self._flush()
        await self._empty.wait()

    async def close(self) -> None:
        """Give up the batches that are still waiting."""
        if self._timer is not None:
            self._timer.cancel()
        await end_tasks(*self._tasks)


def needs_restart(exc: BaseException) -> bool:
    """Whether the next batch would fail in the same way, so that only a restart helps."""
    if isinstance(exc, UnknownTopicOrPartitionError):
        return True  # aiokafka has tried until the delivery timeout: the topic was deleted
    return isinstance(exc, KafkaError) and not exc.retriable
