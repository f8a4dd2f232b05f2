"""How long every query of every dashboard takes at scale.

`python -m bench.bench_dashboards [--stations N] [--times N]`, with the database of MILEPOST_TEST_DATABASE_URL or the
wheel's own. Each query is sent as Grafana sends it, as the role milepost_reader, for the whole, a province and a
county, over the time range with which its dashboard opens; and as the login of the province, which sees this province
alone. Printed: median and worst of the slowest queries, and how many rows.
"""

import argparse
import asyncio
import os
import re
import statistics
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import asyncpg
import msgspec

from bench.bench_board import COUNTY, PROVINCE, WORLD, fill
from bench.bench_ingest import database_server, fresh_database
from grafana.dashboard import Dashboard
from grafana.files import DASHBOARDS
from grafana.variables import PART, QUERIES, sql_of
from store.dashboard_logins import PREFIX, dashboard_login, put_dashboard_login
from store.pool import Connection
from store.sql import load_queries
from tests.integration.grafana.grafana_macros import ALL, expand

MORE: Final = load_queries(Path(__file__).with_name("dashboard_world.sql"))
LIMIT_MS: Final = 300
_POINTS: Final = 500
"""Points of a curve on a screen."""
_UNITS: Final = {"h": "hours", "d": "days", "y": "years"}
_SHOWN: Final = 12
_LAST: Final = "a_station"


class Asked(msgspec.Struct, frozen=True):
    """A query of a dashboard, with the length of its time range."""

    name: str
    sql: str
    range: timedelta


class Took(msgspec.Struct, frozen=True):
    """The result for a query: milliseconds of each time, and the number of rows."""

    name: str
    ms: list[float]
    rows: int


def every_query() -> Iterator[Asked]:
    """Those of the panels and annotations and, once, those of the variables."""
    for dashboard in DASHBOARDS:
        for name, sql in dashboard.queries.items():
            yield Asked(f"{dashboard.name}: {name}", sql_of(sql, "en"), _range(dashboard))
        (annotation,) = dashboard.build("en")["annotations"]["list"]
        yield Asked(f"{dashboard.name}: annotations", annotation["target"]["rawSql"], _range(dashboard))
    for name, sql in QUERIES.items():
        if not name.startswith(PART):
            yield Asked(f"variable: {name}", sql_of(sql, "en"), timedelta(hours=1))


def _range(dashboard: Dashboard) -> timedelta:
    found = re.fullmatch(r"now-(\d+)([hdy])", dashboard.begins)
    assert found is not None, dashboard.begins
    number = int(found[1])
    return timedelta(days=365 * number) if found[2] == "y" else timedelta(**{_UNITS[found[2]]: number})


async def measure(connection: Connection, values: Mapping[str, str], times: int) -> list[Took]:
    """Ask every query some times, after a first time that is not counted."""
    took = []
    is_of_area = values["login"].startswith(PREFIX)
    for asked in (each for each in every_query() if not (is_of_area and each.name.startswith("pipeline: "))):
        end = datetime.now(UTC)
        seconds = max(int(asked.range.total_seconds()) // _POINTS, 1)
        sql = expand(asked.sql, begin=end - asked.range, end=end, seconds=seconds, **values)
        ms = []
        for _ in range(times + 1):
            await connection.execute("RESET SESSION AUTHORIZATION")
            await connection.execute(WORLD.tick, "")
            await connection.execute(WORLD.tell)
            await connection.execute(
                f"SET SESSION AUTHORIZATION {values['login']}; SET search_path = dashboards, public"
            )
            began = time.perf_counter()
            rows = await connection.fetch(sql)
            ms.append(1000 * (time.perf_counter() - began))
        took.append(Took(asked.name, ms[1:], len(rows)))
    return sorted(took, key=lambda each: -statistics.median(each.ms))


def say(name: str, took: list[Took]) -> None:
    """The slowest queries, and what is over the limits."""
    slow = [each for each in took if statistics.median(each.ms) > LIMIT_MS]
    print(f"{name}: {len(took)} queries, {len(slow)} over {LIMIT_MS} ms, most rows {max(each.rows for each in took)}")
    for each in took[:_SHOWN]:
        print(f"    {each.name:32}{statistics.median(each.ms):8.0f}{max(each.ms):8.0f}{each.rows:8} rows", flush=True)


async def run(stations: int, times: int) -> None:
    with database_server() as server:
        async with fresh_database(server) as url:
            connection = await asyncpg.connect(url)
            try:
                await fill(connection, stations)
                for name, sql in MORE.items():
                    if name != _LAST:
                        await connection.execute(sql)
                await connection.execute("VACUUM ANALYZE")
                await cases(connection, times)
            finally:
                await connection.execute("RESET SESSION AUTHORIZATION; DROP ROLE IF EXISTS bench_reader")
                await connection.execute(f"DROP ROLE IF EXISTS {dashboard_login(PROVINCE).name}")
                await connection.close()


async def cases(connection: Connection, times: int) -> None:
    """As the reader of the whole for each size of area, and as the login of a province."""
    await connection.execute("CREATE ROLE bench_reader IN ROLE milepost_reader")
    await put_dashboard_login(connection, PROVINCE, "bench")
    values = {**ALL, "station": await connection.fetchval(MORE.a_station), "login": "bench_reader"}
    county = {"area1": PROVINCE, "area2": COUNTY, "area": COUNTY}
    print(f"load {os.getloadavg()[0]:.1f}; ms: median, worst of {times}")
    say("the whole", await measure(connection, values, times))
    say("a province", await measure(connection, {**values, "area1": PROVINCE, "area": PROVINCE}, times))
    say("a county", await measure(connection, {**values, **county}, times))
    own = {"login": dashboard_login(PROVINCE).name, "area1": PROVINCE, "area": PROVINCE}
    say("a province, by its own login", await measure(connection, {**values, **own}, times))
    print(f"load {os.getloadavg()[0]:.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stations", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=5)
    given = parser.parse_args()
    asyncio.run(run(given.stations, given.times))


if __name__ == "__main__":
    main()
