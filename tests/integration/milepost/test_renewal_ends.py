"""The end offsets of a log, which decide whether an empty log may replace it."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from broker.log_identity import open_admin, read_identity
from contract.log import DEADLETTER, RECORDS
from milepost.processes.renewal import find_ends, wait_until_stored
from store.pool import Pool
from tests.servers import Tansu

FULL, ONE, EMPTY = TopicPartition(RECORDS, 0), TopicPartition(DEADLETTER, 0), TopicPartition(RECORDS, 1)


@pytest.fixture
async def producer(tansu: Tansu) -> AsyncIterator[AIOKafkaProducer]:
    client = AIOKafkaProducer(bootstrap_servers=tansu.servers, acks="all")
    await client.start()
    yield client
    await client.stop()


async def send_batch(producer: AIOKafkaProducer, where: TopicPartition, count: int) -> None:
    """Write `count` messages as one batch."""
    batch = producer.create_batch()
    for _ in range(count):
        batch.append(key=None, value=b"x", timestamp=None)
    await (await producer.send_batch(batch, where.topic, partition=where.partition))


async def test_the_last_batch_is_counted_whole(tansu: Tansu, producer: AIOKafkaProducer) -> None:
    consumer = AIOKafkaConsumer(bootstrap_servers=tansu.servers)
    await consumer.start()
    try:
        before = await find_ends(consumer, await consumer.end_offsets([FULL, ONE, EMPTY]))
        assert before == {FULL: 0, ONE: 0, EMPTY: 0}
        for where, count in ((FULL, 10), (FULL, 10), (ONE, 1), (ONE, 1)):
            await send_batch(producer, where, count)
        reported = await consumer.end_offsets([FULL, ONE, EMPTY])
        assert reported[FULL] == 11, "Tansu reports the base offset of the last batch plus 1"
        assert await find_ends(consumer, reported) == {FULL: 20, ONE: 2, EMPTY: 0}
    finally:
        await consumer.stop()


async def test_a_log_waits_until_its_last_batch_is_stored_whole(
    tansu: Tansu, producer: AIOKafkaProducer, pool: Pool, database: str
) -> None:
    await send_batch(producer, FULL, 10)
    async with open_admin(tansu.servers) as admin:
        identity = await read_identity(admin)
    await pool.execute(
        "INSERT INTO consumer_offset VALUES ('ingest', $1, $2, $3, 4, 1, 'x')", FULL.topic, FULL.partition, identity
    )
    waiting = asyncio.create_task(wait_until_stored(database, tansu.servers))
    done, _ = await asyncio.wait({waiting}, timeout=3)
    assert not done, "six messages are not stored"
    await pool.execute("UPDATE consumer_offset SET next_offset = 10")
    await asyncio.wait_for(waiting, 60)
