"""Every query of every dashboard, run as the role that Grafana has, against a database with something of everything."""

import re
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grafana import alerts
from grafana.dashboard import LANGUAGES, Dashboard
from grafana.fields import COLUMNS
from grafana.files import DASHBOARDS
from store.migrate import migrate
from store.pool import Pool, _prepare
from tests.integration.api_world import World
from tests.integration.grafana.grafana_macros import ALL, expand
from tests.integration.grafana.grafana_world import STATION, fill

pytestmark = pytest.mark.timeout(240)  # the first run installs the server

Panel = dict[str, Any]
Reader = tuple[World, asyncpg.Connection]
NUMERIC = {"int4", "int8", "float8"}
UNITS = {"percentunit", "dtdhms", "suffix:h", "suffix:min", "none", "bytes", "celsius", "ms"}
"""Units of numbers."""
UNTIL = "SELECT to_char(date_trunc('hour', now()) + interval '1 hour', 'YYYY-MM-DD HH24:MI:SSOF')"


@pytest.fixture
async def plain_reader(pool: Pool, database: str) -> AsyncIterator[Reader]:
    world = World(pool)
    await fill(world)
    until = await pool.fetchval(UNTIL)
    await pool.execute(f'CALL roll_up_records(0, \'{{"until": "{until}"}}\')')
    connection = await asyncpg.connect(database)
    await connection.execute("SET ROLE milepost_reader")
    yield world, connection
    await connection.close()


@pytest.fixture
async def timescale_reader(timescale_url: str) -> AsyncIterator[Reader]:
    """TimescaleDB takes one connection, and keeps one database for all tests."""
    connection = await asyncpg.connect(timescale_url, statement_cache_size=0)
    try:
        await migrate(connection)
        await _prepare(connection)
        await connection.execute("BEGIN")
        world = World(connection)  # type: ignore[arg-type] # it has the methods of a pool that are called
        await fill(world)
        await connection.execute("SET LOCAL ROLE milepost_reader")
        yield world, connection
        await connection.execute("ROLLBACK")
    finally:
        connection.terminate()


@pytest.fixture(params=["plain", "timescale"])
def reader(request: pytest.FixtureRequest) -> Reader:
    """A filled database of each kind, and a connection with the rights of Grafana."""
    made: Reader = request.getfixturevalue(f"{request.param}_reader")
    return made


def expanded(sql: str, world: World, **values: str) -> str:
    # Not after now: a query that ends with the present hour would have one row more when the next hour begins.
    begin, end = world.now - timedelta(days=2), world.now
    return expand(sql, begin=begin, end=end, seconds=3600, **{**ALL, "station": STATION, **values})


def panels_of(dashboard: Dashboard, language: str) -> Iterator[Panel]:
    yield from (panel for panel in dashboard.build(language)["panels"] if panel.get("targets"))


def named_in(panel: Panel) -> set[str]:
    """The columns that a panel names: in its overrides, its links, and the fields of its map."""
    overrides = panel["fieldConfig"]["overrides"]
    named = {each["matcher"]["options"] for each in overrides}
    named |= set(re.findall(r"\$\{__data\.fields\.(\w+)\}", str(overrides)))
    for layer in panel["options"].get("layers", ()):
        style, location = layer["config"]["style"], layer["location"]
        named |= {style[part]["field"] for part in ("color", "size", "text")}
        named |= {location["latitude"], location["longitude"]}
    return named


async def check(panel: Panel, world: World, connection: asyncpg.Connection, *, rows: bool) -> None:
    """The queries of a panel return what it names, in types that it can show, and `rows`: something to show."""
    columns: set[str] = set()
    for target in panel["targets"]:
        statement = await connection.prepare(expanded(target["rawSql"], world))
        types = {each.name: each.type.name for each in statement.get_attributes()}
        found = await statement.fetch()
        columns |= set(types)
        assert found or not rows, target["rawSql"]
        assert len(found) == 1 or panel["type"] != "stat", f"a stat of {len(found)} rows"
        assert len(found) <= 5000
        if target["format"] == "time_series":
            assert types.pop("time") in ("timestamptz", "numeric", "float8")
            assert types.pop("metric", "text") == "text"
            assert set(types.values()) == {"float8"}, types
        shown = {name: COLUMNS[name].unit for name in types if name in COLUMNS}
        assert {name for name, unit in shown.items() if unit in UNITS and types[name] not in NUMERIC} == set(), types
        assert {name for name, unit in shown.items() if unit == "dateTimeAsIso"} <= {
            name for name in types if types[name] == "timestamptz"
        }
    assert named_in(panel) == columns - {"time", "metric"}


async def test_every_alert_rule_has_one_number(reader: Reader) -> None:
    """As the role of Grafana, in a database with something of everything."""
    _, connection = reader
    found = {
        rule["uid"]: await connection.fetch(rule["data"][0]["model"]["rawSql"])
        for rule in alerts.build()["groups"][0]["rules"]
    }
    assert {name: [type(value) for row in rows for value in row] for name, rows in found.items()} == {
        name: [float] for name in found
    }


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_panel_shows_what_its_queries_return(reader: Reader, language: str) -> None:
    world, connection = reader
    is_timescale = await connection.fetchval("SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb')")
    for dashboard in DASHBOARDS:
        for panel in panels_of(dashboard, language):
            # On TimescaleDB rollups are refreshed outside of the transaction in which the tests fill it.
            rolled = is_timescale and "usage_" in str(panel["targets"])
            try:
                await check(panel, world, connection, rows=not rolled)
            except (AssertionError, asyncpg.PostgresError) as exc:
                exc.add_note(f"{dashboard.name}: {panel['title']}")
                raise


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_annotation_has_what_grafana_reads(reader: Reader, language: str) -> None:
    world, connection = reader
    for dashboard in DASHBOARDS:
        (annotation,) = dashboard.build(language)["annotations"]["list"]
        values = {"area": "632122", "area1": "63", "area2": "632122"}
        statement = await connection.prepare(expanded(annotation["target"]["rawSql"], world, **values))
        types = {each.name: each.type.name for each in statement.get_attributes()}
        assert types == {"time": "timestamptz", "timeend": "timestamptz", "text": "text", "tags": "text"}
        rows = await statement.fetch()
        assert rows, dashboard.name
        assert all(row["time"] <= row["timeend"] and row["text"].startswith("#") for row in rows)


async def test_annotations_of_a_country_are_of_areas_and_of_an_area_of_all(plain_reader: Reader) -> None:
    world, connection = plain_reader
    sql = DASHBOARDS[0].build("en")["annotations"]["list"][0]["target"]["rawSql"]
    outage = await world.incident("area_outage", area="63", detail={"children": 2})
    country = [row["text"] for row in await connection.fetch(expanded(sql, world))]
    assert any(text.startswith(f"#{outage} ") for text in country)
    below = [row["text"] for row in await connection.fetch(expanded(sql, world, area="632122"))]
    assert len(below) == 2
    assert not set(country) & set(below)


async def test_every_variable_has_values(reader: Reader) -> None:
    world, connection = reader
    seen = set()
    for variable in (each for dashboard in DASHBOARDS for each in dashboard.build("en")["templating"]["list"]):
        if variable["name"] not in seen:
            seen.add(variable["name"])
            found = await connection.fetch(expanded(variable["query"], world, area1="63", area2="632122"))
            assert found, variable["name"]
            assert "__value" in found[0]


async def test_a_chosen_area_is_chosen_down_the_tree(plain_reader: Reader) -> None:
    world, connection = plain_reader
    (overview,) = (dashboard for dashboard in DASHBOARDS if dashboard.name == "overview")
    values = {each["name"]: each["query"] for each in overview.build("en")["templating"]["list"]}
    below = await connection.fetch(expanded(values["area2"], world, area1="63"))
    assert [row["__value"] for row in below] == ["*", "632122"]
    chosen = await connection.fetchval(expanded(values["area"], world, area1="63", area2="632122"))
    assert chosen == "632122"


@pytest.mark.parametrize("broken", ["a missing column", "two rows"])
async def test_a_panel_that_does_not_fit_its_query_is_noticed(plain_reader: Reader, broken: str) -> None:
    world, connection = plain_reader
    panel = next(each for each in panels_of(DASHBOARDS[0], "en") if each["type"] == "stat")
    (target,) = panel["targets"]
    sql = (
        target["rawSql"].replace(" AS away", " AS gone") if broken == "a missing column" else "SELECT 1 UNION SELECT 2"
    )
    with pytest.raises(AssertionError):
        await check({**panel, "targets": [{**target, "rawSql": sql}]}, world, connection, rows=True)


async def test_every_query_bears_an_empty_database(pool: Pool) -> None:
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL ROLE milepost_reader")
        for panel in (panel for dashboard in DASHBOARDS for panel in panels_of(dashboard, "en")):
            for target in panel["targets"]:
                found = await connection.fetch(expanded(target["rawSql"], World(pool)))
                assert panel["type"] != "stat" or len(found) <= 1


HOSTILE = (
    "' OR true --",
    "\\' OR true --",
    "${station:sqlstring}",
    "$$",
    "*'; SELECT pg_sleep(9); --",
    "%",
    "{63}",
    "",
)


async def test_no_value_of_a_variable_changes_a_query(plain_reader: Reader) -> None:
    """A value that is no area, programme, kind or station finds nothing, whatever characters it has."""
    world, connection = plain_reader
    queries = queries_of(*(dashboard.name for dashboard in DASHBOARDS))
    queries += [
        each["target"]["rawSql"] for dashboard in DASHBOARDS for each in dashboard.build("en")["annotations"]["list"]
    ]
    asked = [sql for sql in queries if "sqlstring}" in sql]
    nothing = {}
    for sql in asked:
        nothing[sql] = await figures(connection, expanded(sql, world, **dict.fromkeys([*ALL, "station"], "none")))
    for value in HOSTILE:
        for sql in asked:
            found = await figures(connection, expanded(sql, world, **dict.fromkeys([*ALL, "station"], value)))
            assert found == nothing[sql], (value, sql)


async def figures(connection: asyncpg.Connection, sql: str) -> list[list[Any]]:
    """The rows of a query, without numbers that go on with the time."""
    return [
        [value for name, value in row.items() if name not in ("age", "time", "lasts", "late")]
        for row in await connection.fetch(sql)
    ]


@settings(max_examples=200)
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20))
def test_a_value_stays_between_its_quotes(value: str) -> None:
    """What stands for a value is one literal of SQL, which is what PostgreSQL reads between two single quotes."""
    world = World(None)  # type: ignore[arg-type] # only its moment is read
    sql = expanded("SELECT ${area:sqlstring}", world, area=value)
    literal = sql.removeprefix("SELECT ")
    assert (literal[0], literal[-1]) == ("'", "'")
    assert re.fullmatch(r"(?:[^']|'')*", literal[1:-1], re.DOTALL)
    assert literal[1:-1].replace("''", "'") == value


async def test_what_is_not_expanded_is_noticed() -> None:
    with pytest.raises(ValueError, match="not expanded"):
        expanded("SELECT $__unixEpochFrom()", World(None))  # type: ignore[arg-type] # only its moment is read


async def test_kept_sums_of_use_are_those_of_the_days(plain_reader: Reader) -> None:
    """A chosen kind is summed from days, and everything from kept sums: all stations of an area are of this kind."""
    world, connection = plain_reader
    (usage,) = (dashboard for dashboard in DASHBOARDS if dashboard.name == "usage")
    queries = [target["rawSql"] for panel in panels_of(usage, "en") for target in panel["targets"]]
    for sql in queries:
        for area in ("*", "63", "632122", "65"):
            sums = await connection.fetch(expanded(sql, world, area=area))
            days = await connection.fetch(expanded(sql, world, area=area, kind="reading_room"))
            assert sums == days, (area, sql)
    totals = await connection.fetchrow(expanded(queries[0], world, area="632122"))
    assert tuple(totals) == (3, 25.5, 1000, 1)


async def test_a_station_has_the_rates_of_its_days(plain_reader: Reader) -> None:
    """Of the same figures as those of its area."""
    world, connection = plain_reader
    (days,) = (sql for sql in queries_of("station") if "excused_h, d.revision" in sql)
    (figures,) = (sql for sql in queries_of("uptime") if "excused_h\nFROM standing" in sql)
    (day,) = await connection.fetch(expanded(days, world))
    area = await connection.fetchrow(expanded(figures, world))
    assert area is not None
    rates = ("online_rate", "service_rate", "coverage")
    assert [day[name] for name in rates] == [area[name] for name in rates] == [0.813, 0.7317, 0.9761]


async def test_a_platform_without_clocks_has_no_numbers_of_them(pool: Pool) -> None:
    (standing,) = (sql for sql in queries_of("pipeline") if "AS doubtful" in sql and "AS aside" in sql)
    row = await pool.fetchrow(expanded(standing, World(pool)))
    assert row is not None
    assert (row["age"], row["doubtful"], row["lag"], row["aside"]) == (None, None, None, 0)


async def test_what_the_platform_does_not_know_is_neither_well_nor_down(plain_reader: Reader) -> None:
    world, connection = plain_reader
    (standing,) = (sql for sql in queries_of("overview") if "AS expected" in sql)
    areas, *_ = queries_of("map")
    assert await connection.fetchval(expanded(standing, world), column=1) == 1 / 3, "one of four is unknown"
    known = {row["name"]: row["not_down"] for row in await connection.fetch(expanded(areas, world))}
    assert known == {"青海省": pytest.approx(2 / 3), "O'Brien": 0.0}
    await world.pool.execute("UPDATE partition_clock SET tick_at = now() - interval '1 hour'")
    assert await connection.fetchval(expanded(standing, world), column=1) is None
    blind = await connection.fetch(expanded(areas, world))
    assert {row["not_down"] for row in blind if row["name"] == "O'Brien"} == {None}


VERDICTS = ("online", "unusable", "offline", "away", "unknown", "closed", "excused", "never_seen", "suspended")
_BY_VERDICT = ", ".join(f"count(*) FILTER (WHERE verdict = '{verdict}')" for verdict in VERDICTS)
KEEP = (
    f"INSERT INTO area_count (area, {', '.join(VERDICTS)}) SELECT up, {_BY_VERDICT} "  # noqa: S608 -- constants
    "FROM station_verdict v JOIN area a ON a.code = v.area CROSS JOIN LATERAL unnest(a.path) AS up "
    "WHERE lifecycle <> 'retired' GROUP BY up"
)
_COLUMNS = ("online", "unusable", "offline", "away", "closed", "excused", "unknown", "never_seen", "suspended")


async def test_kept_counts_are_those_of_the_stations_and_are_read_only_while_they_hold(plain_reader: Reader) -> None:
    world, connection = plain_reader
    asked = [sql for sql in queries_of("overview", "map") if "area_count" in sql]
    assert len(asked) >= 3
    await world.station("nowhere", "offline")
    await world.station("over", "offline", area="65", lifecycle="retired")
    await world.station("rests", "offline", area="65", lifecycle="suspended")
    await world.pool.execute("DELETE FROM set_aside")
    await world.pool.execute("UPDATE partition_clock SET tick_at = now() + interval '1 hour', blind_since = NULL")
    await world.pool.execute("UPDATE partition_clock SET judged_at = tick_at")

    async def found() -> list[list[Any]]:
        return [
            [tuple(row) for row in await connection.fetch(expanded(sql, world, area=area))]
            for sql in asked
            for area in ("*", "63", "632122", "65", "none")
        ]

    counted = await found()
    await world.pool.execute(KEEP)
    tell = (
        "INSERT INTO area_count_known (known_at, told_at) VALUES (now(), now() + interval '1 hour') "
        "ON CONFLICT (one) DO UPDATE SET told_at = excluded.told_at"
    )
    await world.pool.execute(tell)
    assert await found() == counted
    await world.pool.execute("UPDATE area_count SET offline = offline + 7")
    assert await found() != counted
    spoil = {
        "UPDATE area_count_known SET told_at = now() - interval '1 minute'": tell,
        "INSERT INTO set_aside VALUES ('judge', 'station', '0/x', 'odd', now())": "DELETE FROM set_aside",
    }
    for spoiling, mending in spoil.items():
        await world.pool.execute(spoiling)
        assert await found() == counted, spoiling
        await world.pool.execute(mending)
    await world.pool.execute("UPDATE partition_clock SET tick_at = now() - interval '1 minute' WHERE shard = 'far'")
    assert (await found())[0] == await counted_now(connection), "a clock is in doubt"


async def test_stations_that_should_be_open_are_the_same_with_something_set_aside(
    plain_reader: Reader,
) -> None:
    """While nothing is in doubt, most stations are counted without their verdict."""
    world, connection = plain_reader
    (sql,) = [sql for sql in queries_of("overview") if "expected" in sql]
    for number, (state, more) in enumerate(
        [
            ("online", {}), ("online", {"usable": False}), ("online", {"usable": None}), ("offline", {}), ("away", {}),
            ("offline", {}), ("online", {}), ("offline", {}), ("online", {"lifecycle": "suspended"}),
            ("never_seen", {}), ("offline", {}), ("online", {}),
        ]
    ):  # fmt: skip
        await world.station(f"due{number}", state, area="65" if number % 2 else "632122", **more)
    await world.closure(-1, 1, station="due5")
    for station in ("due6", "due7"):
        await world.hours(station, (-9, -8))
    await world.hours("due11", (-1, 5))
    await world.suspicion("due10", began=60)
    await world.pool.execute("DELETE FROM set_aside")
    await world.pool.execute("UPDATE partition_clock SET tick_at = now() + interval '1 hour', blind_since = NULL")
    await world.pool.execute("UPDATE partition_clock SET judged_at = tick_at")

    async def found() -> list[tuple[int, float]]:
        values = [{"area": "*"}, {"area": "65"}, {"area": "none"}, {"kind": "reading_room"}, {"programme": "reading"}]
        return [tuple(await connection.fetchrow(expanded(sql, world, **each)))[:2] for each in values]

    fast = await found()
    in_area = await connection.fetchval(
        "SELECT count(*) FROM station_verdict WHERE lifecycle = 'commissioned' AND open "
        "AND verdict NOT IN ('excused', 'never_seen')"
    )
    assert fast[0][0] == in_area > fast[1][0] > 0
    assert fast[2] == (0, None)
    await world.pool.execute("INSERT INTO set_aside VALUES ('judge', 'station', '0/x', 'odd', now())")
    assert await found() == fast


async def counted_now(connection: asyncpg.Connection) -> list[tuple[int, ...]]:
    """The first row of the overview, from the stations."""
    rows = await connection.fetch(
        "SELECT verdict, count(*) FROM station_verdict WHERE lifecycle <> 'retired' GROUP BY 1"
    )
    numbers = {row[0]: row[1] for row in rows}
    return [tuple(numbers.get(name, 0) for name in _COLUMNS)]


def queries_of(*names: str) -> list[str]:
    """The queries of the panels of some dashboards."""
    return [
        target["rawSql"]
        for dashboard in DASHBOARDS
        if dashboard.name in names
        for panel in panels_of(dashboard, "en")
        for target in panel["targets"]
    ]
