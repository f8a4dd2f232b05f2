"""The two kinds of database: plain PostgreSQL and TimescaleDB."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from store.migrate import migrate
from store.pool import Connection, Pool


@pytest.fixture
async def plain_records(pool: Pool) -> AsyncIterator[Connection]:
    """Plain PostgreSQL."""
    async with pool.acquire() as connection:
        yield connection


@pytest.fixture
async def timescale_records(timescale_url: str) -> AsyncIterator[Connection]:
    """TimescaleDB, which takes one connection and keeps one database for all tests."""
    connection = await asyncpg.connect(timescale_url, statement_cache_size=0)
    try:
        await migrate(connection)
        await connection.execute("TRUNCATE rollup_touch, record_kept, health, usage, record_box, boot_anchor")
        await connection.execute("TRUNCATE usage_month, usage_area_day, usage_due")
        for name in ("health_hour", "health_day", "usage_hour", "usage_day"):
            await connection.execute(f"TRUNCATE {name}")
        yield connection
    finally:
        connection.terminate()


@pytest.fixture(params=["plain", "timescale"])
def records(request: pytest.FixtureRequest) -> Connection:
    """A migrated database without records, of each kind."""
    connection: Connection = request.getfixturevalue(f"{request.param}_records")
    return connection
