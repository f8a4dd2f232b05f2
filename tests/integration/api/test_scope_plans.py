"""The plans of a county's lists: they look for the county's rows and never read a large table whole."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import asyncpg

from alerting.stations.verdict import Verdict
from api.console.queries import QUERIES as CONSOLE
from api.http.database import with_query_settings
from api.http.paging import Page
from api.read.areas import load_area
from api.read.closures import list_closures
from api.read.counting import grounds, survey_at
from api.read.history import list_health
from api.read.incidents import list_incidents
from api.read.moment import load_clocks, load_cover
from api.read.response.report import load_report
from api.read.response.work_list import load_work
from api.read.scope import scope_codes
from api.read.stations import list_stations, load_station
from bench.bench_board import FILL, WORLD
from store.pool import Connection, Pool, _prepare

STATIONS = 60_000
COUNTY, STATION = "110001000000", "1100010000"
LARGE = {"station", "station_state", "terminal", "terminal_state", "health"}
NOW = datetime.now(UTC)
PAST = NOW - timedelta(days=1)


class Explained:
    """A connection that notes the plan of each query."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.plans: list[dict[str, Any]] = []

    async def _note(self, sql: str, values: tuple[object, ...]) -> None:
        (plan,) = await self._connection.fetchval(f"EXPLAIN (FORMAT JSON) {sql}", *values)
        self.plans.append(plan["Plan"])

    async def fetch(self, sql: str, *values: object) -> Any:
        await self._note(sql, values)
        return await self._connection.fetch(sql, *values)

    async def fetchrow(self, sql: str, *values: object) -> Any:
        await self._note(sql, values)
        return await self._connection.fetchrow(sql, *values)

    async def fetchval(self, sql: str, *values: object) -> Any:
        await self._note(sql, values)
        return await self._connection.fetchval(sql, *values)

    def read_whole(self) -> set[str]:
        """The large tables that a plan reads from end to end."""
        nodes = (node for plan in self.plans for node in nodes_of(plan))
        return {node["Relation Name"] for node in nodes if "Seq Scan" in node["Node Type"]} & LARGE


def nodes_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes_of(below)


async def survey_of(connection: Connection) -> None:
    await survey_at(connection, await load_clocks(connection), await load_cover(connection))


async def fallen_of(connection: Connection) -> None:
    clocks, cover = await load_clocks(connection), await load_cover(connection)
    await connection.fetch(CONSOLE.list_fallen, *grounds(clocks, cover), 8, await scope_codes(connection))


async def fill(pool: Pool) -> None:
    async with pool.acquire() as connection:
        await connection.execute("SET session_replication_role = replica")
        for name in FILL:
            await connection.execute(getattr(WORLD, name), *([STATIONS] if name == "stations" else []))
        await connection.execute(
            "INSERT INTO health (ts, station, terminal, box, id, device_at, received_at, time_source) "
            "SELECT now(), id, '001', 'b', n, 0, now(), 'anchor' FROM station, generate_series(1, 3) AS n"
        )
        await connection.execute("RESET session_replication_role")
        await connection.execute("VACUUM ANALYZE")


ASKED: Mapping[str, Callable[[Connection], Awaitable[object]]] = {
    "stations": lambda connection: list_stations(connection, Page(100, None)),
    "stations of an area": lambda connection: list_stations(connection, Page(100, None), area=[COUNTY]),
    "offline": lambda connection: list_stations(connection, Page(100, None), verdict=Verdict.OFFLINE),
    "excused": lambda connection: list_stations(connection, Page(100, None), verdict=Verdict.EXCUSED),
    "a part of a name": lambda connection: list_stations(connection, Page(100, None), text="9"),
    "a station": lambda connection: load_station(connection, STATION),
    "its health": lambda connection: list_health(connection, STATION, PAST, NOW, Page(100, None)),
    "the counts of an area": lambda connection: load_area(connection, COUNTY),
    "the map and the counts of all": survey_of,
    "what is offline longest": fallen_of,
    "incidents": lambda connection: list_incidents(connection, Page(100, None)),
    "closures": lambda connection: list_closures(connection, Page(100, None)),
    "the answers of a week": lambda connection: load_report(connection, NOW - timedelta(days=7), NOW),
    "the work of a person": lambda connection: load_work(connection, "a-li"),
}
"""What a county's supervisor asks for. The lists of the county are found by the index on the area of stations; states,
terminals and records by their keys."""


async def test_a_county_is_found_without_reading_a_large_table_whole(pool: Pool, database: str) -> None:
    await fill(pool)
    connection = await asyncpg.connect(with_query_settings(database))
    try:
        await _prepare(connection)
        await connection.execute("SELECT set_config('milepost.scope', $1, false)", COUNTY)
        found = {}
        for name, ask in ASKED.items():
            explained = Explained(connection)
            await ask(cast("Connection", explained))
            found[name] = explained.read_whole()
    finally:
        await connection.close()
    assert found == {name: set() for name in ASKED}
