"""On TimescaleDB itself: the migrations, and what records do to chunks and compressed chunks."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from store.migrate import migrate, read_migrations
from tests.integration.store.test_queries import FILES, broken_queries

RECORD_TABLES = ["event", "health", "inventory", "presence", "usage"]
ROLLUPS = ["health_day", "health_hour", "usage_day", "usage_hour"]
DAY = datetime(2026, 3, 1, tzinfo=UTC)

pytestmark = pytest.mark.timeout(240)  # the first run installs the server


@pytest.fixture
async def timescale(timescale_url: str) -> AsyncIterator[asyncpg.Connection]:
    """The one connection that the server takes, to a migrated database that all tests here share."""
    connection = await asyncpg.connect(timescale_url, statement_cache_size=0)
    try:
        await migrate(connection)
        yield connection
    finally:
        await connection.close()


async def test_every_migration_runs_and_only_once(timescale: asyncpg.Connection) -> None:
    assert await timescale.fetchval("SELECT count(*) FROM schema_migration") == len(read_migrations())
    assert await migrate(timescale) == []


async def test_records_are_hypertables_whose_chunks_are_worth_compressing(timescale: asyncpg.Connection) -> None:
    """A station has at least some thirty records in a chunk, except of presence."""
    rows = await timescale.fetch(
        "SELECT hypertable_name::text AS name, time_interval, column_name::text AS by, compression_enabled "
        "FROM timescaledb_information.dimensions JOIN timescaledb_information.hypertables USING (hypertable_name) "
        "ORDER BY hypertable_name"
    )
    assert [row["name"] for row in rows] == RECORD_TABLES
    assert {(row["by"], row["compression_enabled"]) for row in rows} == {("ts", True)}
    assert {row["name"]: row["time_interval"].days for row in rows} == {
        "health": 1, "usage": 10, "inventory": 30, "presence": 30, "event": 30
    }  # fmt: skip
    figures = await timescale.fetch(
        "SELECT a.view_name::text AS name, d.time_interval FROM timescaledb_information.continuous_aggregates a "
        "JOIN timescaledb_information.dimensions d ON d.hypertable_name = a.materialization_hypertable_name"
    )
    assert {row["name"]: row["time_interval"].days for row in figures} == {
        "health_hour": 20, "usage_hour": 20, "health_day": 120, "usage_day": 120
    }  # fmt: skip


async def test_a_month_of_a_few_records_a_day_is_smaller_when_compressed(timescale: asyncpg.Connection) -> None:
    start = datetime(2026, 3, 2, tzinfo=UTC)
    await timescale.execute(
        "INSERT INTO usage (ts, station, terminal, box, id, device_at, up, received_at, time_source, until, "
        "device_until, sessions, minutes, by, bytes) "
        "SELECT $1::timestamptz + make_interval(days => day, hours => hour), station, '001', 'box', day * 8 + hour, 0, "
        "1, $1::timestamptz, 'anchor', $1::timestamptz, 0, 3, 12.5, '{\"category\": {\"books\": 3}}', hour * 1000 "
        "FROM generate_series(0, 29) AS day, generate_series(0, 7) AS hour, unnest('{a,b,c}'::text[]) AS station",
        start,
    )  # fmt: skip
    await timescale.execute(
        "SELECT compress_chunk(c) FROM show_chunks('usage', newer_than => $1::timestamptz, "
        "older_than => $1::timestamptz + interval '50 days') AS c",
        start,
    )
    before, after = await timescale.fetchrow(
        "SELECT sum(before_compression_table_bytes)::bigint, sum(after_compression_table_bytes)::bigint "
        "FROM chunk_compression_stats('usage') WHERE compression_status = 'Compressed'"
    )
    assert after < before / 2


async def test_old_chunks_are_to_be_compressed_by_station(timescale: asyncpg.Connection) -> None:
    jobs = await timescale.fetch(
        "SELECT hypertable_name::text AS name, config->>'compress_after' AS after FROM timescaledb_information.jobs "
        "WHERE proc_name IN ('policy_compression', 'policy_columnstore') ORDER BY 1"
    )
    assert [(row["name"], row["after"]) for row in jobs] == [(name, "7 days") for name in RECORD_TABLES]
    segments = await timescale.fetch(
        "SELECT hypertable::text AS name, segmentby FROM timescaledb_information.hypertable_compression_settings "
        "ORDER BY 1"
    )
    assert {row["segmentby"] for row in segments} == {"station"}
    # Those of figures by hour and day have names of their own; the job that makes figures compresses them.
    assert len(segments) == len(RECORD_TABLES) + len(ROLLUPS) and {row["name"] for row in segments} > set(RECORD_TABLES)


async def test_figures_are_continuous_aggregates_that_a_job_refreshes(timescale: asyncpg.Connection) -> None:
    rows = await timescale.fetch(
        "SELECT view_name::text AS name, materialized_only, compression_enabled "
        "FROM timescaledb_information.continuous_aggregates ORDER BY 1"
    )
    assert [tuple(row) for row in rows] == [(name, True, True) for name in ROLLUPS]
    job = "SELECT schedule_interval FROM timescaledb_information.jobs WHERE proc_name = 'roll_up_records'"
    assert await timescale.fetchval(job) == timedelta(minutes=1)


async def insert_health(connection: asyncpg.Connection, station: str, ids: range, start: datetime) -> None:
    """One record a minute."""
    await connection.execute(
        "INSERT INTO health (ts, station, terminal, box, id, device_at, received_at, time_source, cpu) "
        "SELECT $1::timestamptz + id * interval '1 minute', $2, '001', 'box', id, 0, $1, 'anchor', 0.5 "
        "FROM unnest($3::bigint[]) AS new (id)",
        start,
        station,
        list(ids),
    )


async def chunks(connection: asyncpg.Connection, start: datetime, days: int) -> list[tuple[datetime, bool]]:
    rows = await connection.fetch(
        "SELECT range_start, is_compressed FROM timescaledb_information.chunks "
        "WHERE hypertable_name = 'health' AND range_start >= $1 AND range_end <= $2 ORDER BY range_start",
        start,
        start + timedelta(days=days),
    )
    return [(row["range_start"], row["is_compressed"]) for row in rows]


async def test_each_day_is_a_chunk(timescale: asyncpg.Connection) -> None:
    start = DAY + timedelta(days=100)
    await insert_health(timescale, "s-days", range(0, 3 * 24 * 60, 60), start)
    assert await chunks(timescale, start, 4) == [(start + timedelta(days=day), False) for day in range(3)]


async def test_late_records_go_into_a_compressed_chunk(timescale: asyncpg.Connection) -> None:
    start = DAY + timedelta(days=200)
    for station in ("s-late-1", "s-late-2"):
        await insert_health(timescale, station, range(1000), start)
    await timescale.execute(
        "SELECT compress_chunk(chunk) FROM show_chunks('health', newer_than => $1::timestamptz, "
        "older_than => $2::timestamptz) AS chunk",
        start,
        start + timedelta(days=1),
    )
    assert await chunks(timescale, start, 1) == [(start, True)]

    await insert_health(timescale, "s-late-1", range(1000, 1200), start)
    await insert_health(timescale, "s-late-3", range(10), start)

    counts = await timescale.fetch(
        "SELECT station, count(*), count(DISTINCT id) AS ids FROM health WHERE station LIKE 's-late-%' "
        "GROUP BY station ORDER BY station"
    )
    assert [tuple(row) for row in counts] == [("s-late-1", 1200, 1200), ("s-late-2", 1000, 1000), ("s-late-3", 10, 10)]
    assert len(await chunks(timescale, start, 1)) == 1


async def test_a_scope_shows_the_records_of_its_stations_also_compressed(timescale: asyncpg.Connection) -> None:
    start = DAY + timedelta(days=300)
    await timescale.execute(
        "INSERT INTO area (code, name, level, path) VALUES ('e', 'e', 'x', '{e}'), ('w', 'w', 'x', '{w}'); "
        "INSERT INTO station (id, name, area) VALUES ('s-scope-e', 'e', 'e'), ('s-scope-w', 'w', 'w')"
    )
    for station in ("s-scope-e", "s-scope-w"):
        await insert_health(timescale, station, range(10), start)
    await timescale.execute(
        "SELECT compress_chunk(chunk) FROM show_chunks('health', newer_than => $1::timestamptz) AS chunk", start
    )
    assert await chunks(timescale, start, 1) == [(start, True)]
    async with timescale.transaction():
        await timescale.execute("SET LOCAL ROLE milepost_api; SET LOCAL search_path = scoped, public")
        for scope, stations in (("e", ["s-scope-e"]), ("", []), ("*", ["s-scope-e", "s-scope-w"])):
            await timescale.execute("SELECT set_config('milepost.scope', $1, true)", scope)
            rows = await timescale.fetch(
                "SELECT station, count(*) FROM health WHERE ts >= $1 GROUP BY 1 ORDER BY 1", start
            )
            assert [tuple(row) for row in rows] == [(station, 10) for station in stations]


@pytest.mark.parametrize("path", FILES, ids=map(str, FILES))
async def test_every_query_is_prepared(timescale: asyncpg.Connection, path: str) -> None:
    assert await broken_queries(timescale, path) == []
