"""A consumer that hangs ends itself, and one whose Kafka was away does not."""

import asyncio
import math
import time
import uuid
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord, TopicPartition

from broker.consumer import ConsumerConfig, LogConsumer, StalledError
from contract.errors import RemedyError
from contract.log import RECORDS
from store.offsets import Claim
from store.pool import Connection, Pool
from tests.conftest import PARTITIONS, create_topics
from tests.servers import Tansu

STALL = 6.0
"""Seconds: longer than the fetching task of the client may wait before it looks again."""


class Collected:
    """Takes the entries in and keeps nothing else."""

    def __init__(self) -> None:
        self.values: set[bytes] = set()
        self._dirty = False

    async def load(self, connection: Connection, held: Claim) -> None: ...

    def apply(self, partition: int, records: Sequence[ConsumerRecord[bytes, bytes]], now: float) -> None:
        self.values.update(record.value or b"" for record in records)
        self._dirty = True

    def due_in(self, now: float) -> float:
        return 0.0 if self._dirty else math.inf

    async def save(self, connection: Connection, partitions: Collection[int]) -> None: ...

    def saved(self, partitions: Collection[int]) -> None:
        self._dirty = False

    def forget(self, partitions: Collection[int]) -> None:
        self._dirty = False


@asynccontextmanager
async def consuming(
    pool: Pool, kafka: Tansu, collected: Collected
) -> AsyncIterator[tuple[LogConsumer, asyncio.Task[None]]]:
    config = ConsumerConfig(
        name=f"test-{uuid.uuid4().hex[:6]}", topic=RECORDS, servers=kafka.servers, instance="one", stall_timeout=STALL
    )
    consumer, stop = LogConsumer(config, pool, collected), asyncio.Event()
    task = asyncio.create_task(consumer.run(stop))
    try:
        yield consumer, task
    finally:
        stop.set()
        await asyncio.wait({task}, timeout=20)


@asynccontextmanager
async def entries(kafka: Tansu) -> AsyncIterator[set[bytes]]:
    """The entries that were sent so far, twenty more each second."""
    sent: set[bytes] = set()

    async def send() -> None:
        while True:
            value = str(len(sent)).encode()
            sent.add(value)
            await producer.send_and_wait(RECORDS, value, partition=len(sent) % 2)
            await asyncio.sleep(0.05)

    producer = AIOKafkaProducer(bootstrap_servers=kafka.servers)
    await producer.start()
    task = asyncio.create_task(send())
    try:
        yield sent
    finally:
        task.cancel()
        await asyncio.wait({task})
        await producer.stop()


async def until(condition: Callable[[], bool], task: asyncio.Task[None], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if task.done():
            task.result()
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


async def test_a_kafka_that_was_away_is_no_stall(pool: Pool, tansu: Tansu) -> None:
    collected = Collected()
    async with consuming(pool, tansu, collected) as (_, task), entries(tansu) as sent:
        await until(lambda: len(collected.values) >= 20, task)
        tansu.freeze()
        await asyncio.sleep(2 * STALL)
        before = len(sent)
        tansu.thaw()
        await until(lambda: len(collected.values) >= before + 20, task)
        assert not task.done()


async def test_the_end_without_kafka_is_an_end_like_others(pool: Pool, tansu: Tansu) -> None:
    """The client's own cancelled tasks are not taken for a cancellation of the consumer."""
    collected = Collected()
    async with consuming(pool, tansu, collected) as (_, task):
        async with entries(tansu):
            await until(lambda: len(collected.values) >= 20, task)
        tansu.kill()
        await asyncio.sleep(1)
    assert task.done()
    assert not task.cancelled()
    assert task.exception() is None


async def test_a_client_that_gets_nothing_is_ended(pool: Pool, tansu: Tansu) -> None:
    collected = Collected()
    async with consuming(pool, tansu, collected) as (consumer, task), entries(tansu):
        await until(lambda: len(collected.values) >= 20, task)
        consumer._consumer.pause(*(TopicPartition(RECORDS, number) for number in consumer.partitions))
        with pytest.raises(StalledError, match=r"gets nothing of partitions \[0, 1\] of milepost.records"):
            await asyncio.wait_for(task, 10 * STALL)


async def test_another_number_of_partitions_than_the_database_was_begun_with_is_refused(
    pool: Pool, tansu: Tansu
) -> None:
    """Else a station would be judged in two places, and in the old one it would fall silent."""
    collected = Collected()
    async with consuming(pool, tansu, collected) as (consumer, task):
        await until(lambda: len(consumer.partitions) == PARTITIONS, task)
    tansu.restart()
    create_topics(tansu.servers, PARTITIONS + 1)
    async with consuming(pool, tansu, collected) as (_, task):
        await asyncio.wait({task}, timeout=20)
        with pytest.raises(RemedyError, match=f"begun with {PARTITIONS}.*set MILEPOST_PARTITIONS={PARTITIONS} "):
            task.result()
