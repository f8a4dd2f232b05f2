"""Ingest on TimescaleDB: into hypertables, on a server without COPY."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from ingest.handler import RecordsHandler
from ingest.store import can_copy
from store.migrate import migrate
from tests.integration.ingest.test_ingest_handler import FULL
from tests.integration.ingest_kit import CLAIM, NOW, data, health, kafka_record

pytestmark = pytest.mark.timeout(240)  # the first run installs the server


@pytest.fixture
async def timescale(timescale_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(timescale_url, statement_cache_size=0)
    try:
        await migrate(connection)
        yield connection
    finally:
        connection.terminate()


async def feed(connection: asyncpg.Connection, handler: RecordsHandler, *values: bytes) -> None:
    handler.apply(0, [kafka_record(value, key=b"ingest-ts", offset=n) for n, value in enumerate(values)], 0.0)
    async with connection.transaction():
        await handler.save(connection, (0,))
    handler.saved((0,))


async def test_every_kind_is_stored_once_and_broken_clocks_make_no_chunks(timescale: asyncpg.Connection) -> None:
    handler = RecordsHandler()
    await handler.load(timescale, CLAIM)
    assert not await can_copy(timescale)
    broken = data([health(n, at=at, up=None) for n, at in enumerate((0, 4_090_000_000_000))], boot="broken", up=None)
    await feed(timescale, handler, data(FULL), broken, data(FULL), data([health(9)], received=NOW + 60_000))
    handler.forget((0,))
    await feed(timescale, handler, data(FULL), broken)
    assert handler.tally.stored == len(FULL) + 3
    assert handler.tally.refused == 0
    for table in ("health", "usage", "inventory", "presence", "event"):
        found = await timescale.fetchval(
            f"SELECT array_agg(id ORDER BY id) FROM {table} WHERE station = 'ingest-ts' AND box = 'b1'"  # noqa: S608
        )
        expected = [record.id for record in FULL if type(record).__name__.lower() == table]
        assert found == expected + ([9] if table == "health" else [])
    years = await timescale.fetch(
        "SELECT DISTINCT extract(year FROM range_start)::int AS year FROM timescaledb_information.chunks"
    )
    assert {row["year"] for row in years} <= {2025, 2026, 2027}


async def test_the_services_role_writes_into_new_chunks_and_reads_them(timescale: asyncpg.Connection) -> None:
    handler = RecordsHandler()
    await handler.load(timescale, CLAIM)
    # In this build only the superuser may read pg_range, which the client asks for the types of arguments, once.
    await feed(timescale, handler, data([health(0)], box="today"))
    await timescale.execute("SET ROLE milepost_service")
    try:
        days = [data([health(n, at=NOW - n * 86_400_000)], box=f"day{n}") for n in range(1, 4)]
        await feed(timescale, handler, *days)
        assert handler.tally.stored == 1 + len(days)
        chunks = "SELECT count(DISTINCT tableoid) FROM health WHERE box LIKE 'day%'"
        assert await timescale.fetchval(chunks) == len(days)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await timescale.execute("DELETE FROM health")
    finally:
        await timescale.execute("RESET ROLE")
