"""Dashboards of one area: `milepost grafana sync --area`, and what their queries show to the login of the area."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from contract.said import Said
from grafana.area_copy import DashboardArea, copy_for
from grafana.dashboard import LANGUAGES
from grafana.files import DASHBOARDS
from grafana.variables import sql_of
from store.dashboard_logins import dashboard_login, put_dashboard_login
from store.migrate import migrate
from store.pool import _prepare
from tests.grafana_server import GrafanaServer, grafana_server
from tests.integration.api_world import World
from tests.integration.grafana.grafana_world import COUNTY, PROVINCE, STATION, fill
from tests.integration.grafana.test_grafana_queries import UNTIL, check, expanded, figures
from tests.integration.grafana.test_grafana_sync import refusal, run, said

pytestmark = pytest.mark.timeout(240)  # the first run installs the server

BESIDE, THEIRS = "632123", "6321230001"
"""A county beside, and its station."""
LOGIN = dashboard_login(COUNTY).name
PATH = ((PROVINCE, Said("Qinghai", "青海省")), (COUNTY, Said("Minhe", "民和县")))
SOURCE, OVERVIEW = f"milepost-{COUNTY}", f"milepost-{COUNTY}-overview-en"
COPIES = [copy_for(DashboardArea(PATH), each.build("en"), "en") for each in DASHBOARDS if each.name != "pipeline"]
PANELS = [panel for copy in COPIES for panel in copy["panels"] if panel.get("targets")]
ROLLED = ("usage_", "health_hour", "health_day")
"""On TimescaleDB rollups are refreshed outside of the transaction in which the tests fill it."""
THINGS = len(LANGUAGES) + 1 + len(COPIES) * len(LANGUAGES)


@pytest.fixture
async def plain_world(database: str) -> AsyncIterator[World]:
    connection = await asyncpg.connect(database)
    await _prepare(connection)
    world = await filled(connection)
    until = await connection.fetchval(UNTIL)
    await connection.execute(f'CALL roll_up_records(0, \'{{"until": "{until}"}}\')')
    await world.clock()
    yield world
    await connection.execute(f"DROP ROLE {LOGIN}")
    await connection.close()


@pytest.fixture
async def timescale_world(timescale_url: str) -> AsyncIterator[World]:
    """TimescaleDB takes one connection, and keeps one database for all tests."""
    connection = await asyncpg.connect(timescale_url, statement_cache_size=0)
    try:
        await migrate(connection)
        await _prepare(connection)
        user = await connection.fetchval("SELECT session_user")
        transaction = connection.transaction()
        await transaction.start()
        yield await filled(connection)
        await transaction.rollback()
        # The login of the county is gone with the transaction, and the server would go on under its name.
        await connection.execute(f"SET SESSION AUTHORIZATION {user}")
    finally:
        connection.terminate()


async def filled(connection: asyncpg.Connection) -> World:
    """Everything that dashboards of the county show, and its login."""
    world = World(connection)  # type: ignore[arg-type] # it has the methods of a pool that are called
    await fill(world)
    await connection.execute("UPDATE contact SET area = $1", COUNTY)
    await put_dashboard_login(connection, COUNTY, "word")
    return world


@pytest.fixture(params=["plain", "timescale"])
def world(request: pytest.FixtureRequest) -> World:
    """A filled database of each kind, over one connection of a superuser."""
    made: World = request.getfixturevalue(f"{request.param}_world")
    return made


@asynccontextmanager
async def as_viewer(world: World) -> AsyncIterator[asyncpg.Connection]:
    """The same connection, as the login of the county has it."""
    connection: Any = world.pool
    user, path = await connection.fetchrow("SELECT session_user, current_setting('search_path')")
    await connection.execute(f"SET SESSION AUTHORIZATION {LOGIN}; SET search_path = dashboards")
    try:
        yield connection
    finally:
        await connection.execute(f"SET SESSION AUTHORIZATION {user}; SET search_path = {path}")


async def beside(world: World) -> None:
    """One of everything in the county beside, and an incident that both counties are part of."""
    await world.area(BESIDE, "循化县", PROVINCE)
    await world.station(THEIRS, "offline", area=BESIDE, since=4000)
    await world.transition(THEIRS, 4000, "offline")
    for table in ("health", "usage", "inventory", "terminal_facts", "health_state", "day_figure"):
        await clone(world, table, "station", STATION, station=THEIRS, path=[PROVINCE, BESIDE])
    for table in ("area_day", "area_month"):
        await clone(world, table, "area", COUNTY, area=BESIDE, path=[PROVINCE, BESIDE])
    await world.pool.execute("UPDATE terminal SET refresh_due = current_date - 9 WHERE station = $1", THEIRS)
    await world.pool.execute("INSERT INTO programme VALUES ('theirs', '边境')")
    await world.pool.execute("INSERT INTO station_programme VALUES ($1, 'theirs'), ($1, 'reading')", THEIRS)
    await world.suspicion(THEIRS, began=60)
    wide = await world.incident("pipeline_blind", area=PROVINCE, began=9000)
    down = await world.incident("station_offline", station=THEIRS, area=BESIDE, parent=wide)
    await world.incident("blind_spot", station=THEIRS, area=BESIDE, detail={"kind": "dark", "clears": "session"})
    await world.pool.execute("UPDATE incident SET parent = $1 WHERE station = $2", wide, STATION)
    await world.pool.execute(
        "INSERT INTO repair (incident, at, made_by, cause, text, stable, verify_at) "
        "VALUES ($1, now(), 'wu', 'link', '', '30 minutes', now())", down,
    )  # fmt: skip
    await world.contact("wu", area=BESIDE)
    await clone(world, "message", "contact", "li", id=str(uuid4()), contact="wu", kind="dingtalk")
    await clone(world, "channel_state", "contact", "li", contact="wu", channel="dingtalk")


async def clone(world: World, table: str, column: str, value: str, **changes: Any) -> None:
    """The rows of a table once more, with other values in some columns that it has."""
    await world.pool.execute(
        f"INSERT INTO {table} SELECT (jsonb_populate_record(t, $2)).* FROM {table} t WHERE {column} = $1",  # noqa: S608
        value, changes,
    )  # fmt: skip


async def shown(world: World, area: str) -> dict[str, list[list[Any]]]:
    """What each query of each dashboard shows, with an area chosen."""
    async with as_viewer(world) as viewer:
        queries = {target["rawSql"] for panel in PANELS for target in panel["targets"]}
        queries |= {each["query"] for copy in COPIES for each in copy["templating"]["list"]}
        return {sql: await figures(viewer, expanded(sql, world, area=area, area1=area)) for sql in queries}


async def test_a_viewer_of_an_area_sees_in_every_panel_what_it_shows(world: World) -> None:
    is_timescale = await world.pool.fetchval("SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb')")
    async with as_viewer(world) as viewer:
        for panel in PANELS:
            rolled = is_timescale and any(table in str(panel["targets"]) for table in ROLLED)
            try:
                await check(panel, world, viewer, rows=not rolled)
            except (AssertionError, asyncpg.PostgresError) as exc:
                exc.add_note(panel["title"])
                raise


async def test_no_figure_depends_on_what_is_beside_the_area(world: World) -> None:
    """Whatever is chosen, each query shows the same before and after the county beside has one of everything."""
    chosen = ("*", BESIDE)
    before = [await shown(world, area) for area in chosen]
    await beside(world)
    after = [await shown(world, area) for area in chosen]
    for area, old, new in zip(chosen, before, after, strict=True):
        assert {sql: (old[sql], new[sql]) for sql in old if old[sql] != new[sql]} == {}, area


async def test_a_login_sees_its_part_of_what_is_above_it(plain_world: World) -> None:
    """With the province or everything chosen, a county's login sees the figures of the county, which ranks alone."""
    await beside(plain_world)
    uptime = next(each for each in DASHBOARDS if each.name == "uptime")
    sums = [getattr(uptime.queries, name) for name in ("figures", "by_day", "by_month")]
    async with as_viewer(plain_world) as viewer:

        async def rows(sql: str, area: str) -> list[list[Any]]:
            return await figures(viewer, expanded(sql_of(sql, "en"), plain_world, area=area))

        for sql in sums:
            own = await rows(sql, COUNTY)
            assert own
            assert [await rows(sql, area) for area in (PROVINCE, "*")] == [own, own]
            assert await rows(sql, BESIDE) in ([], [[None] * len(own[0])])
        ranked = [await rows(uptime.queries.ranking, area) for area in (PROVINCE, "*")]
        assert ranked[0] == ranked[1]
        assert len(ranked[0]) == 1


async def test_chunks_and_tables_are_closed_to_it(timescale_world: World) -> None:
    """Rights on a view give none on what lies below it."""
    (chunk,) = await timescale_world.pool.fetchrow(
        "SELECT format('%I.%I', chunk_schema, chunk_name) FROM timescaledb_information.chunks "
        "WHERE hypertable_name = 'health' LIMIT 1"
    )
    async with as_viewer(timescale_world) as viewer:
        for table in (chunk, "public.health", "public.station", "public.usage_day"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                async with viewer.transaction():
                    await viewer.execute(f"SELECT FROM {table}")


@pytest.fixture
def server() -> Iterator[GrafanaServer]:
    with grafana_server() as running:
        yield running


@pytest.fixture
async def counties(database: str) -> AsyncIterator[str]:
    """The address of a database with a county, and its name in English."""
    connection = await asyncpg.connect(database)
    world = World(connection)  # type: ignore[arg-type] # it has the methods of a pool that are called
    await world.area(PROVINCE, "青海省", level="province")
    await world.area(COUNTY, "民和县", PROVINCE)
    await world.area("650000000000", "新疆", level="province")
    await connection.execute("UPDATE area SET name_en = 'Minhe' WHERE code = $1", COUNTY)
    yield database
    await connection.execute(f"DROP ROLE IF EXISTS {LOGIN}; DROP ROLE IF EXISTS milepost_area_650000000000")
    await connection.close()


def reader_of(database: str) -> str:
    """The database as Grafana reaches it; the login in it is never used, its password only derives others."""
    return f"postgresql://any:secret@{database.partition('@')[2]}?sslmode=disable"


def run_area(server: GrafanaServer, database: str, *more: str, **environ: str) -> int:
    given = {"MILEPOST_DATABASE_URL": database, "MILEPOST_READER_URL": reader_of(database)}
    return run(server, "--area", COUNTY, *more, **(given | environ))


def execute(database: str, sql: str) -> None:
    async def ask() -> None:
        connection = await asyncpg.connect(database)
        await connection.execute(sql)
        await connection.close()

    asyncio.run(ask())


def visible(source: dict[str, Any], database: str) -> list[str]:
    """The names of the areas that a data source shows."""

    async def ask() -> list[str]:
        address = database.partition("@")[2]
        password = source["secureJsonData"]["password"]
        connection = await asyncpg.connect(f"postgresql://{source['user']}@{address}", password=password)
        found = await connection.fetch("SELECT name FROM area ORDER BY code")
        await connection.close()
        return [row["name"] for row in found]

    return asyncio.run(ask())


def test_an_area_has_folders_data_source_and_dashboards_of_its_own(
    server: GrafanaServer, counties: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(server) == 0
    whole = {uid: dict(kept["dashboard"]) for uid, kept in server.dashboards.items()}
    capsys.readouterr()
    assert run_area(server, counties) == 0
    assert said(capsys) == ["created"] * (1 + THINGS)
    assert server.folders[f"milepost-{COUNTY}-en"]["title"] == "Milepost en · Minhe"
    assert server.folders[f"milepost-{COUNTY}-zh"]["title"] == "Milepost zh-CN · 民和县"
    assert {uid: server.dashboards[uid]["dashboard"] for uid in whole} == whole
    assert len(server.dashboards) == len(whole) + len(COPIES) * len(LANGUAGES)
    assert server.dashboards[OVERVIEW]["meta"]["folderUid"] == f"milepost-{COUNTY}-en"
    assert visible(server.datasources[SOURCE], counties) == ["青海省", "民和县"]


def test_an_area_that_is_as_it_should_be_is_not_written_again(
    server: GrafanaServer, counties: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_area(server, counties, "--dry-run") == 0
    assert said(capsys) == [*["created"] * (1 + THINGS), "nothing was written"]
    assert server.written == []
    assert run_area(server, counties) == 0
    with grafana_server() as second:
        assert run_area(second, counties) == 0
        assert second.datasources == server.datasources, "two Grafanas have the same password"
    server.written.clear()
    capsys.readouterr()
    assert run_area(server, counties) == 0
    assert said(capsys) == ["as it should be"] * (1 + THINGS)
    assert server.written == []


def test_an_area_that_broke_off_is_finished_by_the_next_run(
    server: GrafanaServer, counties: str, capsys: pytest.CaptureFixture[str]
) -> None:
    server.breaks_after = 2  # the login and the folders are there
    assert run_area(server, counties) == 2
    assert "cannot be reached" in refusal(capsys)
    server.breaks_after = None
    assert run_area(server, counties) == 0
    assert said(capsys)[-THINGS:] == [*["as it should be"] * 2, *["created"] * (THINGS - 2)]
    assert visible(server.datasources[SOURCE], counties) == ["青海省", "民和县"]


def test_a_new_password_is_written_with_force(server: GrafanaServer, counties: str) -> None:
    assert run_area(server, counties) == 0
    old = server.datasources[SOURCE]["secureJsonData"]
    assert run_area(server, counties, "--force", MILEPOST_READER_URL=reader_of(counties).replace("secret", "new")) == 0
    assert server.datasources[SOURCE]["secureJsonData"] != old
    assert visible(server.datasources[SOURCE], counties) == ["青海省", "民和县"]


def test_a_short_code_is_padded(server: GrafanaServer, counties: str) -> None:
    assert run_area(server, counties, "--area", "65") == 0
    assert "milepost-650000000000-overview-en" in server.dashboards
    assert visible(server.datasources["milepost-650000000000"], counties) == ["新疆"]


@pytest.mark.parametrize(
    ("more", "environ", "says"),
    [
        pytest.param(["--area", "99"], {}, "there is no area 99", id="no such area"),
        pytest.param([], {"MILEPOST_DATABASE_URL": ""}, "MILEPOST_DATABASE_URL", id="no database"),
        pytest.param([], {"MILEPOST_READER_URL": ""}, "MILEPOST_READER_URL is not set", id="no address for Grafana"),
        pytest.param([], {"MILEPOST_READER_URL": "postgresql://r@h/d"}, "has no password", id="no password"),
    ],
)
def test_what_a_person_must_mend_for_an_area(
    server: GrafanaServer,
    counties: str,
    capsys: pytest.CaptureFixture[str],
    more: list[str],
    environ: dict[str, str],
    says: str,
) -> None:
    assert run_area(server, counties, *more, **environ) == 2
    assert says in refusal(capsys)
    assert server.written == []


def test_an_account_that_may_not_make_logins_names_the_remedy(
    server: GrafanaServer, counties: str, capsys: pytest.CaptureFixture[str]
) -> None:
    execute(
        counties,
        "CREATE ROLE no_maker LOGIN PASSWORD 'x'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO no_maker; "
        "CREATE POLICY no_maker ON area TO no_maker USING (true)",
    )
    try:
        url = f"postgresql://no_maker:x@{counties.partition('@')[2]}"
        assert run_area(server, counties, MILEPOST_DATABASE_URL=url) == 2
        assert "cannot be made" in refusal(capsys)
        assert server.written == []
    finally:
        execute(counties, "DROP OWNED BY no_maker; DROP ROLE no_maker")
