"""Waits until all messages of an in-memory log are stored, so that an empty log may replace it."""

import asyncio

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
    return not behind(await consumer.end_offsets(stored), stored)


def behind(ends: dict[TopicPartition, int], stored: dict[TopicPartition, int]) -> list[TopicPartition]:
    """The partitions with messages that are not stored yet."""
    return [where for where, end in ends.items() if stored.get(where, 0) < end]
