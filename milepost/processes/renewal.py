"""Waits until all messages of an in-memory log are stored, so that an empty log may replace it."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from broker.client_close import close_client
from broker.log_identity import open_admin, read_identity
from contract.log import DEADLETTER, RECORDS
from store.pool import Connection

# An offset of another log has no meaning in this one; a topic may have several readers.
_OFFSETS = """
SELECT topic, partition, min(CASE WHEN log = $2 THEN next_offset ELSE 0 END) AS next_offset
FROM consumer_offset WHERE topic = ANY($1) GROUP BY topic, partition
"""
_TAIL_MS: Final = 500
"""Milliseconds without a message, after which the read has reached the ends of all partitions."""


async def wait_until_stored(database_url: str, kafka_servers: str) -> None:
    """Wait until all readers of records and dead letters are at the end of the log.

    No message may be written to the log meanwhile. Raises the errors of the clients when a server is away.
    """
    async with open_admin(kafka_servers) as admin:
        identity = await read_identity(admin)
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka_servers)
    connection = await asyncpg.connect(database_url, timeout=10)
    try:
        await consumer.start()
        while not await _is_stored(connection, consumer, identity):  # noqa: ASYNC110  # another process writes the offsets
            await asyncio.sleep(0.2)
    finally:
        await close_client(consumer.stop())
        await connection.close(timeout=5)


async def _is_stored(connection: Connection, consumer: AIOKafkaConsumer, identity: str) -> bool:
    rows = await connection.fetch(_OFFSETS, [RECORDS, DEADLETTER], identity)
    stored = {TopicPartition(row["topic"], row["partition"]): row["next_offset"] for row in rows}
    reported = await consumer.end_offsets(stored)
    return not behind(reported, stored) and not behind(await find_ends(consumer, reported), stored)


async def find_ends(consumer: AIOKafkaConsumer, reported: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
    """The true end offset of each partition: the offset of its last message plus 1.

    `reported`: the end offsets from the broker. Tansu reports the base offset of the last batch plus 1, which is too
    low for a batch of several messages. This function therefore reads the messages from the last reported offset on.
    """
    ends = dict(reported)
    unread = {where for where, end in reported.items() if end > 0}
    consumer.assign(sorted(unread))
    for where in unread:
        consumer.seek(where, reported[where] - 1)
    batches: Mapping[TopicPartition, Sequence[Any]] = {}
    while unread or batches:
        batches = await consumer.getmany(timeout_ms=_TAIL_MS)
        for where, messages in batches.items():
            ends[where] = messages[-1].offset + 1
            unread.discard(where)
    return ends


def behind(ends: dict[TopicPartition, int], stored: dict[TopicPartition, int]) -> list[TopicPartition]:
    """The partitions with messages that are not stored yet."""
    return [where for where, end in ends.items() if stored.get(where, 0) < end]
