"""What the tests of ingest share: log entries as the bridge writes them, and what the tables then hold."""

from collections.abc import Sequence
from typing import Any

import msgspec
from aiokafka import ConsumerRecord

from contract.codec import encode
from contract.log import RECORDS, AcceptedData, DataEntry
from contract.messages import KINDS, Health, Record
from ingest.handler import RecordsHandler, _CollectingHandler
from store.offsets import Claim
from store.pool import Connection, Pool

NOW = 1_780_000_000_000
CLAIM = Claim(consumer="ingest", topic=RECORDS, partition=0, log="log-1", owner=1, next_offset=0)
KafkaRecord = ConsumerRecord[bytes, bytes]


def kafka_record(
    value: bytes | None, *, key: bytes | None = b"S1", offset: int = 0, topic: str = RECORDS
) -> KafkaRecord:
    return ConsumerRecord(topic, 0, offset, NOW, 0, key, value, None, len(key or b""), len(value or b""), ())


def data(
    records: Sequence[Record | bytes],
    *,
    boot: str = "b1",
    box: str | None = None,
    run: int = 1,
    up: float | None = 1000.0,
    received: int = NOW,
    terminal: str = "001",
) -> bytes:
    raws = [msgspec.Raw(r if isinstance(r, bytes) else encode(r)) for r in records]
    body = AcceptedData(boot=boot, run=run, at=received, up=up, box=box or boot, records=raws)
    return encode(DataEntry(terminal=terminal, shard="main", start="s", received=received, mono=0, body=body))


def health(number: int, *, at: int = NOW, up: float | None = 900.0, **values: Any) -> Health:
    return Health(id=number, at=at, up=up, **values)


async def feed(pool: Pool, handler: _CollectingHandler, records: Sequence[KafkaRecord]) -> None:
    """One batch through the handler, committed, as the consumer would."""
    async with pool.acquire() as connection:
        if not handler._log:
            await handler.load(connection, CLAIM)
        handler.apply(0, records, 0.0)
        async with connection.transaction():
            await handler.save(connection, (0,))
    handler.saved((0,))


async def store(pool: Pool, *values: bytes, handler: RecordsHandler | None = None) -> RecordsHandler:
    handler = handler or RecordsHandler()
    await feed(pool, handler, [kafka_record(value, offset=offset) for offset, value in enumerate(values)])
    return handler


async def identities(connection: Connection | Pool) -> list[tuple[str, str, str, int]]:
    """(station, terminal, box, id) of every stored record, of all kinds, doubles included."""
    parts = " UNION ALL ".join(f"SELECT station, terminal, box, id FROM {kind}" for kind in KINDS)  # noqa: S608 -- our own names
    return sorted(tuple(row) for row in await connection.fetch(parts))  # type: ignore[misc]
