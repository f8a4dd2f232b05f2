"""Kept days at scale: the cost of a quiet day and of a bad day, and of reading months and years of areas.

`python -m bench.history.bench_days [--stations N …]`, with the server of MILEPOST_TEST_DATABASE_URL or the wheel's own.
On a bad day each tenth station falls at noon and returns at three. Days: seconds of the processor, of this process and
of its database session. Reading: until the answer is there, the best of three. The year is twelve copies of the month.
"""

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from api.read.uptime.queries import QUERIES
from audit.days.keep_store import keep_days
from bench.bench_ingest import database_server, fresh_database, set_up
from bench.kit.processor import processor
from registry.hours.schedule_store import put_kind_schedules
from registry.model import Area, KindSchedule, Station
from registry.store import upsert_areas, upsert_stations
from store.pool import Connection, open_pool

FIRST: Final = date(2025, 11, 1)
BEGIN: Final = datetime(2025, 10, 31, 16, tzinfo=UTC)
LONG_BEFORE: Final = BEGIN - timedelta(days=9)
DAYS: Final = 42
"""Until the month is frozen."""
BAD: Final = 4
"""The day on which each tenth station falls."""
OF_COUNTY: Final = 250
COUNTIES_OF_PROVINCE: Final = 90
PARTITIONS: Final = 24
HOURS: Final = ("Mo-Su 09:00-17:00", "Mo-Fr 08:30-18:00", "Mo-Su 00:00-24:00")
MONTH: Final = (FIRST, date(2025, 12, 1))

_HEARD: Final = (
    "INSERT INTO terminal_state "
    "(station, terminal, partition, shard, state, boot, run, conn, n, every, seen, deadline) "
    "SELECT id, '001', id::bigint % $1, 'main', 'online', 'b', 1, 1, 1, 30, 0, 0 FROM station"
)
_TURN: Final = (
    "INSERT INTO transition (partition, seq, station, before, after, usable, at, tick_at, shard, reason) "
    "SELECT id::bigint % $1, $2 + id::bigint, id, 'x', $3, true, $4, $4, 'main', 'bench' FROM station "
    "WHERE id::bigint % $5 = 0"
)
_CLOCK: Final = (
    "INSERT INTO partition_clock (partition, shard, clock, tick_at, judged_at, memory) "
    "SELECT n, 'main', 0, $2, $2, '{}' FROM generate_series(0, $1 - 1) AS n "
    "ON CONFLICT (partition, shard) DO UPDATE SET tick_at = excluded.tick_at"
)
# A year from a month: the days of the years before, and frozen months.
_OLDER_DAYS: Final = (
    "INSERT INTO area_day SELECT (day - make_interval(months => n))::date, area, path, scheduled_ms, excused_ms, "
    "unknown_ms, online_ms, service_due_ms, usable_ms FROM area_day, generate_series(1, 11) AS n "
    "WHERE day < '2025-11-28' ON CONFLICT DO NOTHING"
)
_OLDER_MONTHS: Final = (
    "INSERT INTO month_frozen SELECT (month - make_interval(months => n))::date, frozen_at, cut "
    "FROM month_frozen, generate_series(1, 10) AS n",
    "INSERT INTO area_month SELECT (month - make_interval(months => n))::date, area, path, scheduled_ms, excused_ms, "
    "unknown_ms, online_ms, service_due_ms, usable_ms FROM area_month, generate_series(1, 10) AS n",
)


def counties(stations: int) -> list[Area]:
    """Provinces with their counties, as many as the stations need."""
    many = max(1, stations // OF_COUNTY)
    provinces = [f"{10 + n}" for n in range(1 + (many - 1) // COUNTIES_OF_PROVINCE)]
    codes = [f"{provinces[n // COUNTIES_OF_PROVINCE]}{n:04}" for n in range(many)]
    return [
        *(Area(code=code, name=code, level="province", path=(code,)) for code in provinces),
        *(Area(code=code, name=code, parent=code[:2], level="county", path=(code[:2], code)) for code in codes),
    ]


async def fill(connection: Connection, stations: int) -> str:
    """Register stations that come online on the first day; the code of a county."""
    areas = counties(stations)
    leaves = [area.code for area in areas if area.level == "county"]
    await connection.execute("SELECT set_config('milepost.effective_at', $1, false)", LONG_BEFORE.isoformat())
    async with connection.transaction():
        await upsert_areas(connection, areas, at=LONG_BEFORE)
        schedules = [
            KindSchedule(kind=f"k{n}", valid_from=date(2025, 1, 1), rules=rules) for n, rules in enumerate(HOURS)
        ]
        await put_kind_schedules(connection, schedules, by="bench")
        names = [f"{n:010}" for n in range(stations)]
        made = [
            Station(id=name, name=name, area=leaves[n % len(leaves)], kind=f"k{n % len(HOURS)}")
            for n, name in enumerate(names)
        ]
        await upsert_stations(connection, made)
        await connection.execute(_HEARD, PARTITIONS)
        await turn(connection, "online", BEGIN + timedelta(hours=1), 1)
    await connection.execute("ANALYZE")
    return leaves[0]


async def turn(connection: Connection, state: str, at: datetime, every: int) -> None:
    """Put every n-th station into another state."""
    number = int((at - BEGIN) / timedelta(minutes=1))
    await connection.execute(_TURN, PARTITIONS, number * 10**10, state, at, every)


async def close(connection: Connection, day: int) -> tuple[float, float]:
    """Close a day. Returns processor seconds and wall-clock seconds."""
    await connection.execute(_CLOCK, PARTITIONS, BEGIN + timedelta(days=day + 1, hours=5))
    session = await connection.fetchval("SELECT pg_backend_pid()")
    began, wall = processor(session), time.monotonic()
    assert (await keep_days(connection)).closed == FIRST + timedelta(days=day)
    return processor(session) - began, time.monotonic() - wall


async def keep(connection: Connection) -> None:
    """Close days until the first month is frozen, and print the cost."""
    names = {0: "the first day: every station by itself", 2: "a quiet day", BAD: "a bad day", BAD + 1: "the day after"}
    for day in range(DAYS):
        if day == BAD:
            await turn(connection, "offline", BEGIN + timedelta(days=day, hours=12), 10)
            await turn(connection, "online", BEGIN + timedelta(days=day, hours=15), 10)
        spent, wall = await close(connection, day)
        if day in names:
            print(f"{names[day]:<50}{spent:10.2f} s of a core{wall:10.2f} s", flush=True)


async def best(name: str, read: Callable[[], Awaitable[list[Any]]]) -> None:
    """Print the best of three times, and how many rows came."""
    times = []
    for _ in range(3):
        began = time.perf_counter()
        rows = await read()
        times.append(time.perf_counter() - began)
    print(f"{name:<50}{min(times) * 1000:10.1f} ms{len(rows):10} rows", flush=True)


async def read(connection: Connection, county: str) -> None:
    """Measure the queries of the API and of the page /uptime."""
    await connection.execute(_OLDER_DAYS)
    for statement in _OLDER_MONTHS:
        await connection.execute(statement)
    await connection.execute("ANALYZE")
    year = date(2025, 1, 1), date(2026, 1, 1)
    fetch = connection.fetch
    await best("the country's month by province and day", lambda: fetch(QUERIES.days_of_areas, None, 0, *MONTH))
    await best("the country's frozen month by province", lambda: fetch(QUERIES.frozen_of_areas, None, 0, *MONTH))
    await best("the country's year by province and day", lambda: fetch(QUERIES.days_of_areas, None, 0, *year))
    await best("the country's year by frozen months", lambda: fetch(QUERIES.frozen_of_areas, None, 0, *year))
    await best("a county's month by day", lambda: fetch(QUERIES.days_of_areas, [county], 2, *MONTH))
    stations = QUERIES.stations_of_period
    await best("a county's stations in a month", lambda: fetch(stations, [county], "", *MONTH, [county], 1000))


async def sizes(connection: Connection, stations: int) -> None:
    """Print bytes on disk, with indexes, of the tables that grow with stations, days and events."""
    figures = await connection.fetchval("SELECT pg_total_relation_size('day_figure')")
    rows = await connection.fetchval("SELECT count(*) FROM day_figure")
    members = await connection.fetchval("SELECT pg_total_relation_size('day_member')")
    areas = await connection.fetchval("SELECT pg_total_relation_size('area_day')")
    days = await connection.fetchval("SELECT count(DISTINCT day) FROM area_day")
    row = figures / rows
    quiet = members / stations + 365 * areas / days / stations
    print(f"a day on which something happens: {row:.0f} bytes; a station's quiet year: {quiet:.0f} bytes")
    print(f"a station's year with something on each tenth day: {quiet + 36.5 * row:.0f} bytes", flush=True)


async def measure(server: str, stations: int) -> None:
    async with fresh_database(server) as url:
        await set_up(url)
        async with open_pool(url, name="bench", size=1) as pool, pool.acquire() as connection:
            began = time.monotonic()
            county = await fill(connection, stations)
            print(f"{stations} stations, registered in {time.monotonic() - began:.0f} s", flush=True)
            await keep(connection)
            await sizes(connection, stations)
            await read(connection, county)


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--stations", type=int, nargs="+", default=[10_000, 100_000])
    given = parser.parse_args()
    with database_server() as server:
        for stations in given.stations:
            await measure(server, stations)


if __name__ == "__main__":
    asyncio.run(main())
