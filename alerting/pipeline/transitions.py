"""Reads the transitions and gaps that the judges committed, with one cursor for each reader and partition.

Each partition has one writer, which increments `seq`. So no row with a smaller number can appear later, and the rows
that a snapshot shows after the cursor are complete. The publisher copies transitions to Kafka, at least once.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

import asyncpg
import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from broker.client_close import close_client
from contract.clocks import WallMs
from contract.codec import encode
from contract.log import TRANSITIONS, TransitionEntry
from store.pool import UNREACHABLE, Connection, Pool
from store.sql import queries_beside
from store.tasks import Backoff, wait_for_wake

log = logging.getLogger(__name__)

QUERIES = queries_beside(__file__)
INCIDENTS = "incidents"
INCIDENTS_GAPS = "incidents.gaps"
PUBLISH = "publish"


class Batch(msgspec.Struct, frozen=True):
    """Rows after a reader's cursor, in the order of partition and seq; `more`: partitions that may have more rows."""

    rows: Sequence[asyncpg.Record]
    more: frozenset[int]

    @property
    def full(self) -> bool:
        """Whether any partition may have more rows."""
        return bool(self.more)


async def read_transitions(connection: Connection, reader: str, limit: int) -> Batch:
    """Read at most `limit` transitions of each partition after the reader's cursor."""
    return _batch(await connection.fetch(QUERIES.read_transitions, reader, limit), limit)


async def read_further(connection: Connection, read: Mapping[int, int], limit: int, full: Collection[int]) -> Batch:
    """Read at most `limit` transitions of each partition after the numbers in `read` ({partition: seq}); skip the
    partitions in `full`."""
    rows = await connection.fetch(QUERIES.read_further, list(read), list(read.values()), limit, list(full))
    return _batch(rows, limit)


async def load_cursors(connection: Connection, reader: str) -> dict[int, int]:
    """The cursors of a reader, {partition: seq}: the last number that was processed."""
    return {row["partition"]: row["seq"] for row in await connection.fetch(QUERIES.load_cursors, reader)}


async def read_gaps(connection: Connection, reader: str, limit: int) -> Batch:
    """Read at most `limit` pipeline gaps of each partition after the reader's cursor."""
    return _batch(await connection.fetch(QUERIES.read_gaps, reader, limit), limit)


async def set_cursors(connection: Connection, reader: str, batch: Batch) -> None:
    """Move the cursors to the end of the batch; call this in the transaction that stores the results of the batch."""
    await put_cursors(connection, reader, _newest(batch.rows))


async def put_cursors(connection: Connection, reader: str, newest: Mapping[int, int]) -> None:
    """Move the cursors to these numbers, {partition: seq}."""
    if newest:
        await connection.execute(QUERIES.set_cursors, reader, list(newest), list(newest.values()))


def _batch(rows: Sequence[asyncpg.Record], limit: int) -> Batch:
    counts = Counter(row["partition"] for row in rows)
    return Batch(rows, frozenset(partition for partition, count in counts.items() if count >= limit))


def _newest(rows: Iterable[asyncpg.Record]) -> dict[int, int]:
    return {row["partition"]: row["seq"] for row in rows}


def to_entry(row: asyncpg.Record) -> TransitionEntry:
    """A row of `transition` as an entry for Kafka."""
    return TransitionEntry(
        partition=row["partition"],
        seq=row["seq"],
        station=row["station"],
        terminal=row["terminal"],
        before=row["before"],
        after=row["after"],
        usable=row["usable"],
        at=_ms(row["at"]),
        decided=_ms(row["tick_at"]),
        reason=row["reason"],
    )


def _ms(moment: datetime) -> WallMs:
    return WallMs(round(moment.timestamp() * 1000))


class PublisherConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the publisher. `limit`: transitions of each partition in one batch; times in seconds."""

    servers: str
    idempotent: bool = True
    limit: int = 500
    poll: float = 5.0
    ack_timeout: float = 30.0
    max_backoff: float = 5.0


async def publish(config: PublisherConfig, pool: Pool, wake: asyncio.Event) -> None:
    """Copy transitions to Kafka until cancelled. After any error, wait and try again: the incident process must not
    stop because of Kafka."""
    backoff = Backoff(longest=config.max_backoff)
    while True:
        try:
            async with _producer(config) as producer:
                while True:
                    more = await _publish_batch(config, pool, producer)
                    backoff.reset()
                    if not more:
                        await wait_for_wake(wake, config.poll)
        except Exception as exc:
            expected = isinstance(exc, (KafkaError, *UNREACHABLE))
            extra = {"error": repr(exc), "retry_s": backoff.delay}
            log.warning("publishing transitions waits", extra=extra, exc_info=None if expected else exc)
            await backoff.pause()


@asynccontextmanager
async def _producer(config: PublisherConfig) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(
        bootstrap_servers=config.servers,
        acks="all",
        enable_idempotence=config.idempotent,
        linger_ms=5,
    )
    try:
        await asyncio.wait_for(producer.start(), config.ack_timeout)
        yield producer
    finally:
        await close_client(producer.stop())


async def _publish_batch(config: PublisherConfig, pool: Pool, producer: AIOKafkaProducer) -> bool:
    """Send one batch, and set the cursors after Kafka acknowledged all of it. Returns whether there may be more."""
    async with pool.acquire() as connection:
        batch = await read_transitions(connection, PUBLISH, config.limit)
    if not batch.rows:
        return False
    async with asyncio.timeout(config.ack_timeout):
        sent = [await _send(producer, row) for row in batch.rows]
        await asyncio.gather(*sent)
    async with pool.acquire() as connection:
        await set_cursors(connection, PUBLISH, batch)
    return batch.full


async def _send(producer: AIOKafkaProducer, row: asyncpg.Record) -> "asyncio.Future[object]":
    future: asyncio.Future[object] = await producer.send(
        TRANSITIONS, value=encode(to_entry(row)), key=row["station"].encode()
    )
    return future
