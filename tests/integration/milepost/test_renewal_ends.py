"""The end of a log, which is asked before an empty log takes its place."""

import asyncio

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from contract.log import DEADLETTER, RECORDS
from milepost.processes.renewal import find_ends
from tests.servers import Tansu

FULL, ONE, EMPTY = TopicPartition(RECORDS, 0), TopicPartition(DEADLETTER, 0), TopicPartition(RECORDS, 1)


async def test_the_last_batch_is_counted_whole(tansu: Tansu) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=tansu.servers, acks="all", linger_ms=200)
    consumer = AIOKafkaConsumer(bootstrap_servers=tansu.servers)
    await producer.start()
    await consumer.start()
    try:
        before = await find_ends(consumer, await consumer.end_offsets([FULL, ONE, EMPTY]))
        assert before == {FULL: 0, ONE: 0, EMPTY: 0}
        for _ in range(2):
            sent = [await producer.send(RECORDS, b"x", partition=0) for _ in range(10)]
            await asyncio.gather(*sent, await producer.send(DEADLETTER, b"x", partition=0))
        told = await consumer.end_offsets([FULL, ONE, EMPTY])
        assert told[FULL] < 20, "as long as Tansu tells an end within the last batch"
        assert await find_ends(consumer, told) == {FULL: 20, ONE: 2, EMPTY: 0}
    finally:
        await consumer.stop()
        await producer.stop()
