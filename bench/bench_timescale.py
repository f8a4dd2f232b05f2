"""How long every query of every dashboard takes on TimescaleDB, as far as this can be had here.

`python -m bench.bench_timescale [--stations N] [--times N] [--table FILE]`, with the TimescaleDB in WebAssembly of the
tests, or the empty database of MILEPOST_TEST_TIMESCALE_URL. The world is that of `bench_dashboards`, but what is
made of records is made of records, by the job of TimescaleDB. One connection, one processor, everything in memory.
"""

import argparse
import asyncio
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import asyncpg

from bench.bench_board import fill
from bench.bench_dashboards import ASKED, MORE, Results, cases, table
from tests import npm
from tests.timescale_server import FOLDER, find_node, serve

_OF_RECORDS: Final = ("hours", "samples", "use", "use_due")
"""Queries that write what TimescaleDB makes of records, or more records than fit."""
_SAMPLES: Final = """
INSERT INTO health (ts, station, terminal, box, id, device_at, received_at, time_source, cpu, mem, disk, rtt_ms,
                    temp)
SELECT now() - n * interval '5 minutes', id, '001', 'b', n, 0, now(), 'anchor', 0.5, 0.5, 0.5, 40, 50
FROM (SELECT id FROM station ORDER BY id LIMIT 50) AS few, generate_series(1, 2016) AS n
"""
_USE: Final = """
INSERT INTO usage (ts, station, terminal, box, id, device_at, received_at, time_source, sessions, minutes, bytes)
SELECT date_trunc('day', now(), 'UTC') - n * interval '1 day' + interval '3 hours', id, '001', 'b', n, 0, now(),
       'anchor', abs(hashtext(id)) % 9, 60, 1000000
FROM station, generate_series(1, 30) AS n
"""
_TOUCH: Final = """
INSERT INTO rollup_touch (kind, began_at)
SELECT DISTINCT 'usage', date_trunc('hour', ts) FROM usage
UNION ALL SELECT DISTINCT 'health', date_trunc('hour', ts) FROM health
"""


@contextmanager
def timescale() -> Iterator[str]:
    """The URL of an empty TimescaleDB."""
    if given := os.environ.get("MILEPOST_TEST_TIMESCALE_URL"):
        yield given
        return
    node = find_node()
    npm.install(FOLDER)
    with tempfile.TemporaryFile("w+") as log, serve(node, log) as address:
        yield f"postgresql://postgres:postgres@{address}/postgres?sslmode=disable"


async def run(url: str, stations: int, times: int) -> Results:
    connection = await asyncpg.connect(url, statement_cache_size=0, timeout=60)
    await fill(connection, stations)
    for name, sql in MORE.items():
        if name not in ASKED and name not in _OF_RECORDS:
            await connection.execute(sql)
    for sql in ("SET session_replication_role = origin", _SAMPLES, _USE, "TRUNCATE rollup_touch, usage_due", _TOUCH):
        await connection.execute(sql)
    await connection.execute("CALL roll_up_records()")
    await connection.execute("ANALYZE")
    version = await connection.fetchval("SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'")
    print(f"TimescaleDB {version}", flush=True)
    try:
        return await cases(connection, times, None)
    finally:
        connection.terminate()  # the server does not outlive it


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stations", type=int, default=5_000)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--table")
    given = parser.parse_args()
    with timescale() as url:
        results = asyncio.run(run(url, given.stations, given.times))
    if given.table:
        Path(given.table).write_text(table(results), encoding="utf-8")


if __name__ == "__main__":
    main()
