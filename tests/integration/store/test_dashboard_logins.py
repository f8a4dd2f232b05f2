"""What a login of dashboards about one area can read by SQL of its own: nothing of another area."""

import os
from collections.abc import AsyncIterator
from contextlib import suppress

import asyncpg
import pytest

from store.dashboard_logins import PREFIX, dashboard_login, put_dashboard_login
from store.pool import Pool
from tests.conftest import database_url
from tests.integration.store.scope_world import EAST, STATIONS, TOWN, a_country

OWN = {"s-east", "s-town"}
FOREIGN = set(STATIONS) - OWN
OUTSIDE = (
    "SELECT * FROM public.station",
    "SELECT * FROM public.health",
    "SELECT * FROM scoped.transition",
    "SELECT address FROM public.contact_channel",
    "SELECT * FROM public.dashboard_login",
    "SET ROLE milepost_api",
    "SET ROLE milepost_reader",
    "SET SESSION AUTHORIZATION milepost_reader",
    "INSERT INTO public.area (code, name, level, path) VALUES ('1', '', '', '{}')",
    "UPDATE dashboards.station SET name = ''",
    "DELETE FROM dashboards.incident",
    "INSERT INTO public.dashboard_login VALUES (session_user, '{63}')",
    "CREATE TABLE dashboards.mine (id int)",
    "CREATE TABLE public.mine (id int)",
    "ALTER VIEW dashboards.station SET (security_barrier = false)",
    "SELECT pg_read_file('/etc/passwd')",
    "COPY (SELECT 1) TO PROGRAM 'true'",
)
SETTINGS = (
    "SELECT set_config('milepost.scope', '*', false)",
    "SET ROLE milepost_area_reader",
    "SET search_path = public, dashboards",
    "SELECT set_config('session_authorization', current_user, false)",
)


@pytest.fixture
async def viewer(pool: Pool, database: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection of the login of the eastern county, as Grafana opens it; a viewer may allow himself to write."""
    await a_country(pool)
    async with pool.acquire() as connection:
        await put_dashboard_login(connection, EAST, "first")
        await put_dashboard_login(connection, EAST, "it's new")
    address = database.partition("@")[2]
    name = dashboard_login(EAST).name
    opened = await asyncpg.connect(f"postgresql://{name}@{address}", password="it's new")
    try:
        await opened.execute("SET default_transaction_read_only = off")
        yield opened
    finally:
        await opened.close()
        await pool.execute(f"DROP ROLE {name}")


async def test_every_view_shows_the_own_stations_and_no_other(viewer: asyncpg.Connection) -> None:
    views = await viewer.fetch("SELECT viewname FROM pg_views WHERE schemaname = 'dashboards' ORDER BY 1")
    shown = {
        view: "\n".join(row[0] or "" for row in await viewer.fetch(f"SELECT t::text FROM {view} t"))  # noqa: S608
        for (view,) in views
    }
    assert {view for view, text in shown.items() if any(station in text for station in FOREIGN)} == set()
    for view in ("station", "station_verdict", "terminal", "transition", "health", "incident"):
        assert all(station in shown[view] for station in OWN), view
    assert TOWN in shown["area"]
    assert "西县" not in shown["area"]


async def test_what_is_outside_is_refused(viewer: asyncpg.Connection) -> None:
    done = []
    for sql in OUTSIDE:
        with suppress(asyncpg.InsufficientPrivilegeError):
            await viewer.execute(sql)
            done.append(sql)
    assert done == []


async def test_no_setting_of_its_own_widens_it(viewer: asyncpg.Connection) -> None:
    for sql in SETTINGS:
        await viewer.execute(f"RESET ROLE; {sql}")
        found = await viewer.fetch("SELECT id FROM dashboards.station")
        assert {row["id"] for row in found} == OWN, sql


@pytest.mark.parametrize("view", ["station", "station_day", "transition"])
async def test_a_condition_cannot_look_at_hidden_rows(viewer: asyncpg.Connection, view: str) -> None:
    """A function in a condition that tells what it is given, and that seems to cost nothing."""
    told: list[str] = []
    viewer.add_log_listener(lambda _, message: told.append(message.message))
    await viewer.execute(
        "CREATE FUNCTION pg_temp.tell(text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 "
        "AS 'BEGIN RAISE NOTICE ''%'', $1; RETURN true; END'"
    )
    column = "id" if view == "station" else "station"
    await viewer.execute(f"SELECT FROM dashboards.{view} t WHERE pg_temp.tell(t.{column})")
    assert set(told) <= OWN
    assert told or view == "station_day"


async def test_no_function_with_other_rights_is_open(viewer: asyncpg.Connection) -> None:
    """But for those that the views ask, and three that tell nothing of an area: whether an account exists, how many
    facts there are, and the facts of the own transaction."""
    found = await viewer.fetch(
        "SELECT oid::regprocedure::text AS name FROM pg_proc "
        "WHERE prosecdef AND has_function_privilege(oid, 'EXECUTE') AND prorettype <> 'trigger'::regtype"
    )
    harmless = {"is_account(text)", "newest_registry_fact()", "registry_facts_of_edit(bigint,integer)"}
    assert {row["name"].removeprefix("public.") for row in found} == {
        "areas()",
        "tops()",
        "names()",
        "stations()",
        *harmless,
    }


async def test_the_next_sync_mends_what_a_viewer_did_to_the_login(viewer: asyncpg.Connection, pool: Pool) -> None:
    """PostgreSQL lets every login change its own password and settings."""
    name = dashboard_login(EAST).name
    await viewer.execute(f"ALTER ROLE {name} PASSWORD 'mine'; ALTER ROLE {name} SET work_mem = '1GB'")
    async with pool.acquire() as connection:
        await put_dashboard_login(connection, EAST, "again")
    kept = await pool.fetchval("SELECT array_to_string(rolconfig, ' ') FROM pg_roles WHERE rolname = $1", name)
    assert "work_mem" not in kept
    assert "default_transaction_read_only=on" in kept


async def test_a_login_without_an_area_sees_nothing(pool: Pool, database: str) -> None:
    await a_country(pool)
    name = f"{PREFIX}none{os.getpid()}"
    await pool.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'x' IN ROLE milepost_area_reader")
    opened = await asyncpg.connect(
        database_url(f"postgresql://{name}:x@{database.partition('@')[2]}", database.rpartition("/")[2])
    )
    try:
        assert await opened.fetch("SELECT * FROM dashboards.station") == []
        assert await opened.fetch("SELECT * FROM dashboards.area") == []
    finally:
        await opened.close()
        await pool.execute(f"DROP ROLE {name}")


@pytest.mark.parametrize("code", ["", "63 22", 'x"; DROP ROLE postgres; --', "a" * 33])
def test_what_is_no_code_makes_no_login(code: str) -> None:
    with pytest.raises(ValueError, match="no code of an area"):
        dashboard_login(code)
