"""Bytes on disk for a station and a year by kind of data: PostgreSQL, and TimescaleDB before and after compression.

`python -m bench.history.bench_disk [--stations N] [--days N]`, with the database of MILEPOST_TEST_DATABASE_URL or the
wheel's own, and TimescaleDB's code in WebAssembly. Stations are open from nine to five. Each terminal starts once a
day, writes a health record every five minutes and usage each hour; every thirtieth day its link is down for an hour.
Indexes count.
"""

import argparse
import asyncio
import tempfile
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final

import asyncpg

from bench.bench_ingest import database_server, fresh_database, set_up
from bench.history.bench_seal import MIDNIGHT, keep, register, seal
from bench.kit.records import roll_up
from store.migrate import migrate
from store.pool import Connection, open_pool
from store.sql import load_queries
from tests import npm
from tests.timescale_server import FOLDER, find_node, serve

QUERIES: Final = load_queries(Path(__file__).with_name("disk_world.sql"))
RECORDS: Final = ("health", "usage", "inventory", "event", "presence")
KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "transitions": ("transition",),
    **{kind: (kind,) for kind in RECORDS},
    "ids and clocks of starts": ("record_box", "boot_anchor"),
    "figures by hour": ("health_hour", "usage_hour"),
    "figures by day": ("health_day", "usage_day"),
    "kept days": ("day_figure", "day_member", "day_share", "share_day", "area_day"),
    "ledger": ("ledger_entry", "ledger_tile", "ledger_run", "ledger_head", "ledger_checkpoint", "ledger_pending"),
}
Sizes = dict[str, int]
"""Bytes by table."""


async def fill(connection: Connection, stations: int, days: int) -> None:
    """Write records, and make their figures by hour and by day."""
    for query in (*(getattr(QUERIES, kind) for kind in RECORDS), QUERIES.boots):
        await connection.execute(query, stations, days, MIDNIGHT)
    await connection.execute(QUERIES.touches)
    await roll_up(connection)


async def on_plain(server: str, stations: int, days: int) -> Sizes:
    """Everything that is kept, also days and ledger."""
    async with fresh_database(server) as url:
        await set_up(url)
        with tempfile.TemporaryDirectory() as folder:
            async with open_pool(url, name="bench", size=1) as pool, pool.acquire() as connection:
                await register(connection, stations)
                await connection.execute(QUERIES.changes, stations, days, MIDNIGHT)
                await fill(connection, stations, days)
                await keep(connection, MIDNIGHT + timedelta(days=days, hours=5))
                await seal(connection, Path(folder))
                tables = [table for tables in KINDS.values() for table in tables]
                size = "SELECT pg_total_relation_size($1::text::regclass)"
                return {table: await connection.fetchval(size, table) for table in tables}


async def on_timescale(stations: int, days: int) -> tuple[Sizes, Sizes]:
    """Records and their figures, before and after compression."""
    npm.install(FOLDER)
    with tempfile.TemporaryFile("w+") as log, serve(find_node(), log) as address:
        url = f"postgresql://postgres:postgres@{address}/postgres?sslmode=disable"
        connection = await asyncpg.connect(url, statement_cache_size=0, timeout=60)
        await migrate(connection)
        print(
            await connection.fetchval(
                "SELECT 'TimescaleDB ' || extversion FROM pg_extension WHERE extname = 'timescaledb'"
            )
        )
        await fill(connection, stations, days)
        before = {row["name"]: row["bytes"] for row in await connection.fetch(QUERIES.hypertables)}
        await connection.execute(QUERIES.compress)
        after = {row["name"]: row["bytes"] for row in await connection.fetch(QUERIES.hypertables)}
        await connection.close()
        return before, after


def show(stations: int, days: int, plain: Sizes, before: Sizes, after: Sizes) -> None:
    """Print bytes for each station and year."""
    print(f"\n  {'KB for a station and a year':30}{'PostgreSQL':>12}{'TimescaleDB':>13}{'compressed':>12}")
    for kind, tables in KINDS.items():
        columns = [_kilobytes(sizes, tables, stations * days / 365) for sizes in (plain, before, after)]
        print(f"  {kind:30}{columns[0]:>12}{columns[1]:>13}{columns[2]:>12}")


def _kilobytes(sizes: Sizes, tables: tuple[str, ...], years: float) -> str:
    found = [sizes[table] for table in tables if table in sizes]
    return f"{sum(found) / years / 1000:,.1f}" if found else ""


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stations", type=int, default=1000)
    parser.add_argument("--days", type=int, default=3)
    given = parser.parse_args()
    before, after = await on_timescale(given.stations, given.days)
    with database_server() as server:
        plain = await on_plain(server, given.stations, given.days)
    show(given.stations, given.days, plain, before, after)


if __name__ == "__main__":
    asyncio.run(main())
