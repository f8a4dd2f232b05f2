"""How long every query of every dashboard takes at scale.

`python -m bench.bench_dashboards [--stations N] [--times N] [--days N] [--database NAME] [--table FILE]
[--plans FILE]`, with the database of MILEPOST_TEST_DATABASE_URL or the wheel's own. Each query is sent as Grafana sends
it, as the role milepost_reader, for the whole, a province and a county, over the time range with which its dashboard
opens or over the last N days; and as the login of the province, which sees this province alone. Printed: least, median
and worst of the slowest queries, and how many rows. `--database`: this database is filled if it does not exist, and
stays. `--table`: a row for every query, in Markdown. `--plans`: what the plan of every query reads, for the whole and
for the login of the province.
"""

import argparse
import asyncio
import os
import re
import statistics
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import asyncpg
import msgspec

from bench.bench_board import COUNTY, PROVINCE, WORLD, fill
from bench.bench_ingest import database_server, fresh_database
from bench.dashboard_plans import PlanFacts, facts_of, plan_table
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
ASKED: Final = ("a_station", "one_use_sum", "uses_left")
"""The queries that do not fill the world."""
_VACUUM_EVERY: Final = 5
"""Days of use between two times that the sums are vacuumed, about as often as autovacuum does that."""
_PLANNED: Final = ("whole", "login of a province")
"""The readers whose plans are shown."""
Results = dict[str, dict[str, "Took"]]
"""{reader: {query: result}}"""


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

    @property
    def least(self) -> float:
        return min(self.ms)

    @property
    def median(self) -> float:
        return statistics.median(self.ms)


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


async def measure(connection: Connection, values: Mapping[str, str], times: int, days: int | None) -> dict[str, Took]:
    """Ask every query some times, after a first time that is not counted."""
    return {name: await time_of(connection, name, sql, values, times) for name, sql in expanded_queries(values, days)}


async def explain(connection: Connection, values: Mapping[str, str], days: int | None) -> dict[str, PlanFacts]:
    """The plan of every query, the second time that it is asked."""
    found = {}
    for name, sql in expanded_queries(values, days):
        await time_of(connection, name, sql, values, 0)
        (plan,) = msgspec.json.decode(await connection.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}"))
        found[name] = facts_of(plan)
    return found


def expanded_queries(values: Mapping[str, str], days: int | None) -> Iterator[tuple[str, str]]:
    """The name and the text of every query that a reader may ask, as Grafana sends it."""
    is_of_area = values["login"].startswith(PREFIX)
    for asked in (each for each in every_query() if not (is_of_area and each.name.startswith("pipeline: "))):
        length = timedelta(days=days) if days else asked.range
        end = datetime.now(UTC)
        seconds = max(int(length.total_seconds()) // _POINTS, 1)
        yield asked.name, expand(asked.sql, begin=end - length, end=end, seconds=seconds, **values)


async def time_of(connection: Connection, name: str, sql: str, values: Mapping[str, str], times: int) -> Took:
    """Ask one query as the login, with clocks and counts as fresh as the processes keep them."""
    ms, rows = [], 0
    for _ in range(times + 1):
        await connection.execute(f"SET SESSION AUTHORIZATION {values['owner']}")
        await connection.execute(WORLD.tick, "")
        await connection.execute(WORLD.tell)
        await connection.execute(f"SET SESSION AUTHORIZATION {values['login']}; SET search_path = dashboards, public")
        began = time.perf_counter()
        rows = len(await connection.fetch(sql))
        ms.append(1000 * (time.perf_counter() - began))
    return Took(name, ms[1:], rows)


def say(name: str, found: Mapping[str, Took]) -> None:
    """The slowest queries, and what is over the limits."""
    took = sorted(found.values(), key=lambda each: -each.median)
    slow = [each for each in took if each.median > LIMIT_MS]
    print(f"{name}: {len(took)} queries, {len(slow)} over {LIMIT_MS} ms, most rows {max(each.rows for each in took)}")
    for each in took[:_SHOWN]:
        print(f"    {each.name:32}{each.least:8.0f}{each.median:8.0f}{max(each.ms):8.0f}{each.rows:8} rows", flush=True)


def table(results: Results) -> str:
    """A row for every query in Markdown: the rows of the first reader that asks it, and least / median ms of each."""
    readers = list(results)
    lines = ["| query | rows | " + " | ".join(readers) + " |", "|---|---:|" + "---:|" * len(readers)]
    for name, first in results[readers[0]].items():
        cells = [results[reader].get(name) for reader in readers]
        shown = ["" if each is None else f"{each.least:.0f} / {each.median:.0f}" for each in cells]
        lines.append(f"| {name} | {first.rows:,} | " + " | ".join(shown) + " |")
    return "\n".join(lines) + "\n"


async def fill_all(connection: Connection, stations: int) -> None:
    """A migrated database with everything that dashboards read."""
    await fill(connection, stations)
    for name, sql in MORE.items():
        if name not in ASKED:
            await connection.execute(sql)
    for number in range(await connection.fetchval(MORE.uses_left)):
        await connection.execute(MORE.one_use_sum)
        if number % _VACUUM_EVERY == 0:
            await connection.execute("VACUUM usage_month")
    await connection.execute("VACUUM ANALYZE")


@asynccontextmanager
async def filled(server: str, stations: int, database: str | None) -> AsyncIterator[Connection]:
    """A filled database; one with a name stays, and is filled only if it does not exist."""
    if database is None:
        async with fresh_database(server) as url, _connected(url) as connection:
            await fill_all(connection, stations)
            yield connection
        return
    async with _connected(server) as admin:
        known = await admin.fetchval("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", database)
        if not known:
            await admin.execute(f'CREATE DATABASE "{database}"')
    async with _connected(server.rpartition("/")[0] + "/" + database) as connection:
        if not known:
            await fill_all(connection, stations)
        yield connection


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def run(given: argparse.Namespace, plans: dict[str, str] | None) -> Results:
    with database_server() as server:
        async with filled(server, given.stations, given.database) as connection:
            try:
                return await cases(connection, given.times, given.days, plans)
            finally:
                await connection.execute("RESET SESSION AUTHORIZATION; DROP ROLE IF EXISTS bench_reader")
                await connection.execute(f"DROP ROLE IF EXISTS {dashboard_login(PROVINCE).name}")


async def cases(connection: Connection, times: int, days: int | None, plans: dict[str, str] | None = None) -> Results:
    """As the reader of the whole for each size of area, and as the login of a province. `plans` gets a table of plans
    for some readers."""
    await connection.execute("CREATE ROLE bench_reader IN ROLE milepost_reader")
    await put_dashboard_login(connection, PROVINCE, "bench")
    station, owner = await connection.fetchval(MORE.a_station), await connection.fetchval("SELECT session_user")
    whole = {**ALL, "station": station, "login": "bench_reader", "owner": owner}
    province = {**whole, "area1": PROVINCE, "area": PROVINCE}
    county = {**province, "area2": COUNTY, "area": COUNTY}
    own = {**province, "login": dashboard_login(PROVINCE).name}
    print(f"load {os.getloadavg()[0]:.1f}; ms: least, median, worst of {times}")
    results: Results = {}
    for name, values in {"whole": whole, "province": province, "county": county, "login of a province": own}.items():
        results[name] = await measure(connection, values, times, days)
        say(name, results[name])
        if plans is not None and name in _PLANNED:
            plans[name] = plan_table(await explain(connection, values, days))
    print(f"load {os.getloadavg()[0]:.1f}")
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stations", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--days", type=int)
    parser.add_argument("--database")
    parser.add_argument("--table")
    parser.add_argument("--plans")
    given = parser.parse_args()
    plans: dict[str, str] = {}
    results = asyncio.run(run(given, plans if given.plans else None))
    if given.table:
        Path(given.table).write_text(table(results), encoding="utf-8")
    if given.plans:
        text = "\n".join(f"As {name}:\n\n{shown}" for name, shown in plans.items())
        Path(given.plans).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
