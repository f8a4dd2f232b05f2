"""The ingest service: from Kafka into TimescaleDB or plain PostgreSQL."""

import asyncio
import logging

import msgspec

from broker.consumer import ConsumerConfig, LogConsumer
from contract.log import DEADLETTER, RECORDS
from ingest.handler import DeadLettersHandler, RecordsHandler
from store.migrate import require_current
from store.pool import open_pool
from store.tasks import end_tasks

log = logging.getLogger(__name__)

_MAX_RECORDS = 5000
_COMMIT_TIMEOUT = 120.0  # seconds: long enough to find single culprits in a batch


class IngestConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the service. `instance` is the name of this process in the offsets that it owns."""

    database_url: str
    kafka_servers: str
    instance: str


async def run(config: IngestConfig, stop: asyncio.Event) -> None:
    """Store records and dead letters until `stop`.

    Raises RemedyError for what a person must mend, and what the consumer raises when only a restart helps.
    """
    async with open_pool(config.database_url, name="ingest") as pool:
        async with pool.acquire() as connection:
            await require_current(connection)
        records, letters = RecordsHandler(), DeadLettersHandler()
        consumers = [
            LogConsumer(_consumer(config, "ingest", RECORDS), pool, records),
            LogConsumer(_consumer(config, "deadletters", DEADLETTER), pool, letters),
        ]
        await _run_together(consumers, stop)
        log.info("stopped", extra={"tally": str(records.tally), "dead_letters": letters.tally.refused})


def _consumer(config: IngestConfig, name: str, topic: str) -> ConsumerConfig:
    return ConsumerConfig(
        name=name,
        topic=topic,
        servers=config.kafka_servers,
        instance=config.instance,
        max_records=_MAX_RECORDS,
        commit_timeout=_COMMIT_TIMEOUT,
    )


async def _run_together(consumers: list[LogConsumer], stop: asyncio.Event) -> None:
    """Run all consumers until `stop`; when one of them fails, end the others."""
    tasks = [asyncio.create_task(consumer.run(stop), name=f"consumer {n}") for n, consumer in enumerate(consumers)]
    try:
        await asyncio.gather(*tasks)
    finally:
        await end_tasks(*tasks)
