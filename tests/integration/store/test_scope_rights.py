"""What SQL shows and changes as the role of the API, within a scope; and that the services see everything."""

import random
from collections.abc import Mapping

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.pool import Pool
from store.sql import load_queries
from tests.integration.api_world import World
from tests.integration.store.scope_world import (
    EAST,
    PROVINCE,
    SCOPES,
    STATIONS,
    TOWN,
    WEST,
    a_country,
    is_refused,
    scoped,
)
from tests.integration.store.test_service_role import refused
from tests.machine_words import ROOT

OF_A_STATION: Mapping[str, str] = {
    "station": "SELECT id FROM station",
    **{name: f"SELECT DISTINCT station FROM {name}" for name in (  # noqa: S608
        "terminal", "station_programme", "station_state", "terminal_state", "suspicion_member", "transition", "health",
        "usage", "presence", "inventory", "station_lifecycle", "dead_letter", "station_stand", "station_aside",
    )},
    "closure": "SELECT station FROM closure",
    "incident": "SELECT station FROM incident",
    "incident_entry": "SELECT i.station FROM incident_entry e JOIN incident i ON i.id = e.incident",
    "set_aside by a judge": "SELECT split_part(subject, '/', 2) FROM set_aside WHERE service = 'judge'",
    "set_aside by the incident process": "SELECT subject FROM set_aside WHERE service = 'incidents'",
}  # fmt: skip
NUMBERS = {
    "nothing is set": set[str](),
    "a county": {EAST, TOWN},
    "the province": {PROVINCE, EAST, WEST, TOWN},
    "an area that is not there": set[str](),
    "the whole": {PROVINCE, EAST, WEST, TOWN},
}
NAMES = {
    "nothing is set": set[str](),
    "a town": {PROVINCE, EAST, TOWN},
    "a county": {PROVINCE, EAST, TOWN},
    "the whole": {PROVINCE, EAST, WEST, TOWN},
}


@pytest.mark.parametrize("scope", SCOPES)
async def test_a_scope_shows_the_rows_of_its_stations(pool: Pool, scope: str) -> None:
    await a_country(pool)
    setting, stations = SCOPES[scope]
    async with scoped(pool, setting) as connection:
        shown = {name: {row[0] for row in await connection.fetch(sql)} for name, sql in OF_A_STATION.items()}
    assert shown == dict.fromkeys(OF_A_STATION, stations)


async def test_the_services_see_everything(pool: Pool) -> None:
    await a_country(pool)
    async with scoped(pool, None, "milepost_service") as connection:
        await connection.execute("SET LOCAL search_path = public")
        shown = {name: {row[0] for row in await connection.fetch(sql)} for name, sql in OF_A_STATION.items()}
    assert shown == {name: set(STATIONS) for name in OF_A_STATION}


@pytest.mark.parametrize("scope", NUMBERS)
async def test_numbers_are_those_of_areas_in_the_scope(pool: Pool, scope: str) -> None:
    await a_country(pool)
    async with scoped(pool, SCOPES[scope][0]) as connection:
        assert {row["area"] for row in await connection.fetch("SELECT area FROM area_count")} == NUMBERS[scope]


async def test_an_assessment_is_seen_with_its_area_and_that_of_everything_by_the_whole(pool: Pool) -> None:
    """An account may add one for its areas only, and change none."""
    await a_country(pool)
    insert = (
        "INSERT INTO assessment (area, period, revision, made_at, made_by, method, rules_name, rules_version, outcome, "
        "places, rules, inputs, result) "
        "VALUES ($1::text, '2026-11', 1, now(), 'a', 1, 'r', 1, 'none', 0, 'r', 'i', 'r') "
    )
    for area in (PROVINCE, EAST, TOWN, WEST, None):
        await pool.execute(insert, area)
    expected = {
        None: set[str | None](),
        TOWN: {TOWN},
        EAST: {EAST, TOWN},
        PROVINCE: {PROVINCE, EAST, TOWN, WEST},
        "99": set[str | None](),
        "*": {PROVINCE, EAST, TOWN, WEST, None},
    }
    for setting, seen in expected.items():
        async with scoped(pool, setting) as connection:
            assert {row["area"] for row in await connection.fetch("SELECT area FROM assessment")} == seen, setting
            again = insert.replace("'2026-11', 1,", "'2026-12', 1,")
            made = {
                area for area in (PROVINCE, EAST, TOWN, WEST, None) if not await is_refused(connection, again, area)
            }
            assert made == seen, setting
            assert await is_refused(connection, "UPDATE assessment SET score = 1")
            assert await is_refused(connection, "DELETE FROM assessment")


@pytest.mark.parametrize("scope", NAMES)
async def test_names_are_shown_of_the_areas_above_too(pool: Pool, scope: str) -> None:
    await a_country(pool)
    async with scoped(pool, SCOPES[scope][0]) as connection:
        assert {row["code"] for row in await connection.fetch("SELECT code FROM area")} == NAMES[scope]


async def test_areas_below_are_those_in_the_scope(pool: Pool) -> None:
    await a_country(pool)
    wanted = {EAST: {EAST, TOWN}, f"{TOWN},{WEST}": {TOWN, WEST}, "*": {PROVINCE, EAST, WEST, TOWN}, "99": set[str]()}
    for setting, codes in wanted.items():
        async with scoped(pool, setting) as connection:
            found = await connection.fetch("SELECT areas_below(ARRAY[$1])", PROVINCE)
            assert {row[0] for row in found} == codes, setting


async def test_the_tops_of_a_scope_lie_in_no_other_area_of_it(pool: Pool) -> None:
    await a_country(pool)
    for setting, codes in {"*": [PROVINCE], f"{EAST},{TOWN}": [EAST], f"{TOWN},{WEST},99": [TOWN, WEST]}.items():
        async with scoped(pool, setting) as connection:
            assert sorted(row[0] for row in await connection.fetch("SELECT scope_tops()")) == sorted(codes)


async def incidents_shown(pool: Pool, setting: str) -> set[int]:
    async with scoped(pool, setting) as connection:
        return {row["id"] for row in await connection.fetch("SELECT id FROM incident")}


async def test_an_incident_without_a_place_is_shown_where_it_concerns_the_platform(pool: Pool) -> None:
    world = World(pool)
    await a_country(pool)
    await pool.execute("DELETE FROM incident_entry; DELETE FROM incident")
    shard = await pool.fetchval(
        "INSERT INTO incident (kind, key, shard, began_at, opened_at) "
        "VALUES ('pipeline_blind', 'b', 'main', now(), now()) RETURNING id"
    )
    placeless = await world.incident("area_outage")
    unknown = await world.incident("station_offline", station="s-unknown")
    of_area = await world.incident("area_outage", area=TOWN)
    above = await world.incident("area_outage", area=PROVINCE)
    assert await incidents_shown(pool, EAST) == {shard, of_area}
    assert await incidents_shown(pool, "*") == {shard, placeless, unknown, of_area, above}
    async with scoped(pool, EAST) as connection:
        changed = await connection.fetch("UPDATE incident SET assignee = 'x' RETURNING id")
    assert [row["id"] for row in changed] == [of_area], "only the whole acts on the platform"


async def test_a_wider_incident_is_seen_by_whoever_has_a_share_of_it(pool: Pool) -> None:
    world = await a_country(pool)
    parent = await world.incident("area_outage", area=PROVINCE)
    await pool.execute("INSERT INTO incident_share VALUES ($1, $2, 2, 1), ($1, $3, 1, 1)", parent, EAST, WEST)
    for setting, shares in {EAST: {EAST}, f"{EAST},{WEST}": {EAST, WEST}, TOWN: set[str](), "*": {EAST, WEST}}.items():
        async with scoped(pool, setting) as connection:
            assert {row["area"] for row in await connection.fetch("SELECT area FROM incident_share")} == shares, setting
            shown = await connection.fetch("SELECT id FROM scoped.shared_incident")
        assert [row["id"] for row in shown] == ([parent] if shares and setting != "*" else []), setting
        assert (parent in await incidents_shown(pool, setting)) is (setting == "*"), setting
    async with scoped(pool, EAST) as connection:
        assert await connection.fetch("UPDATE incident SET assignee = 'x' WHERE id = $1 RETURNING id", parent) == []
        await connection.execute("INSERT INTO incident_share_ack VALUES ($1, $2, now(), 'admin')", parent, EAST)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("INSERT INTO incident_share_ack VALUES ($1, $2, now(), 'admin')", parent, WEST)


async def test_children_of_an_incident_are_counted_within_the_scope(pool: Pool) -> None:
    world = await a_country(pool)
    parent = await world.incident("area_outage", area=PROVINCE)
    await pool.execute("UPDATE incident SET parent = $1 WHERE station IS NOT NULL", parent)
    async with scoped(pool, EAST) as connection:
        assert await connection.fetchval("SELECT count(*) FROM incident WHERE parent = $1", parent) == 2


async def test_a_station_that_moves_takes_its_incidents_along(pool: Pool) -> None:
    world = await a_country(pool)
    over = await world.incident("station_offline", station="s-east", area=EAST, status="closed")
    assert over in await incidents_shown(pool, EAST)
    await pool.execute("UPDATE station SET area = $1 WHERE id = 's-east'", WEST)
    assert over in await incidents_shown(pool, WEST)
    assert over not in await incidents_shown(pool, EAST)


async def test_closures_are_seen_as_far_as_they_touch_the_scope(pool: Pool) -> None:
    world = await a_country(pool)
    await pool.execute("DELETE FROM closure")
    made = {
        "province": await world.closure(-1, 1, area=PROVINCE),
        "east": await world.closure(-1, 1, area=EAST),
        "west": await world.closure(-1, 1, area=WEST),
        "programme of the east": await world.closure(-1, 1, programme="p-east"),
        "programme of the west": await world.closure(-1, 1, programme="p-west"),
    }
    seen = {EAST: {"province", "east", "programme of the east"}, "*": set(made), "99": set[str]()}
    for setting, names in seen.items():
        async with scoped(pool, setting) as connection:
            found = {row["id"] for row in await connection.fetch("SELECT id FROM closure")}
            assert found == {made[name] for name in names}, setting
    async with scoped(pool, EAST) as connection:
        changed = await connection.fetch("UPDATE closure SET evidence = 'x' RETURNING id")
        assert [row["id"] for row in changed] == [made["east"]], "a wider one is decided by the whole"


DECLARE = (
    "INSERT INTO closure ({}, from_at, until_at, reason, declared_by) VALUES ($1, now(), now() + '1 d', 'r', 'admin')"
)


@pytest.mark.parametrize(
    ("column", "name", "allowed"),
    [
        ("station", "s-town", True),
        ("station", "s-west", False),
        ("station", "s-unknown", False),
        ("station", "s-nowhere", False),
        ("area", TOWN, True),
        ("area", WEST, False),
        ("area", PROVINCE, False),
        ("area", "99", False),
        ("programme", "p-east", False),
    ],
)
async def test_closures_are_declared_within_the_scope(pool: Pool, column: str, name: str, allowed: bool) -> None:
    """What is not there is refused as what lies outside is."""
    await a_country(pool)
    async with scoped(pool, EAST) as connection:
        assert await is_refused(connection, DECLARE.format(column), name) is not allowed


async def test_a_station_is_changed_and_moved_within_the_scope(pool: Pool) -> None:
    await a_country(pool)
    async with scoped(pool, EAST) as connection:
        moved = await connection.fetch("UPDATE station SET area = $1 RETURNING id", TOWN)
        assert {row["id"] for row in moved} == {"s-east", "s-town"}
        assert await is_refused(connection, "UPDATE station SET area = $1 WHERE id = 's-east'", WEST)
        assert await is_refused(connection, "UPDATE station SET area = NULL WHERE id = 's-east'")


async def test_a_change_of_lifecycle_is_written_down_in_the_name_of_the_api(pool: Pool) -> None:
    await a_country(pool)
    async with scoped(pool, EAST) as connection:
        await connection.execute("UPDATE station SET lifecycle = 'retired' WHERE id = 's-east'")
        assert await connection.fetchval("SELECT count(*) FROM station_lifecycle WHERE station = 's-east'") == 2


async def test_a_foreign_station_is_not_removed(pool: Pool) -> None:
    await a_country(pool)
    await pool.execute("INSERT INTO station (id, name, area) VALUES ('s-new', 'n', $1)", WEST)
    for setting, done in {EAST: False, WEST: True}.items():
        async with scoped(pool, setting) as connection:
            assert await connection.fetchval("SELECT remove_untouched_station('s-new')") is done
            assert await is_refused(connection, "SELECT public.remove_untouched_station('s-new')")


async def test_accounts_are_those_whose_areas_lie_in_the_scope(pool: Pool) -> None:
    await a_country(pool)
    await pool.execute("INSERT INTO account (id, login, name, role, whole) SELECT n, n, n, 'technician', false "
                       "FROM unnest(ARRAY['a-town', 'a-west', 'a-both']) AS n")  # fmt: skip
    await pool.execute("INSERT INTO account_area VALUES ('a-town', $1), ('a-west', $2), ('a-both', $1), ('a-both', $2)",
                       TOWN, WEST)  # fmt: skip
    shown = {EAST: {"a-town"}, f"{EAST},{WEST}": {"a-town", "a-west", "a-both"}, "": set[str]()}
    for setting, accounts in shown.items():
        async with scoped(pool, setting) as connection:
            assert {row["id"] for row in await connection.fetch("SELECT id FROM account")} == accounts
            assert {row["account"] for row in await connection.fetch("SELECT account FROM account_area")} == accounts
    async with scoped(pool, EAST) as connection:
        add = "INSERT INTO account (id, login, name, role, whole) VALUES ('a-x', 'x', 'x', 'admin', $1)"
        assert await is_refused(connection, add, True), "nobody grants a scope wider than one's own"
        assert not await is_refused(connection, add, False)
        give = "INSERT INTO account_area VALUES ('a-x', $1)"
        assert await is_refused(connection, give, WEST)
        assert not await is_refused(connection, give, TOWN)


async def test_an_account_sees_itself_also_through_a_narrower_token(pool: Pool) -> None:
    await a_country(pool)
    add = "INSERT INTO account (id, login, name, role, whole) VALUES ('a-x', 'x', 'x', 'technician', false)"
    await pool.execute(add)
    await pool.execute("INSERT INTO account_area VALUES ('a-x', $1)", EAST)
    async with scoped(pool, TOWN) as connection:
        assert await connection.fetch("SELECT id FROM account") == []
        await connection.execute("SELECT set_config('milepost.account', 'a-x', true)")
        assert [row["id"] for row in await connection.fetch("SELECT id FROM account")] == ["a-x"]
        assert [row["area"] for row in await connection.fetch("SELECT area FROM account_area")] == [EAST]
        assert await is_refused(connection, "UPDATE account SET whole = true WHERE id = 'a-x'")
        assert await is_refused(connection, "INSERT INTO account_area VALUES ('a-x', $1)", WEST)
        change = "UPDATE account SET password = 'x', password_at = now() WHERE id = 'a-x'"
        assert not await is_refused(connection, change)


REFUSED = {
    "drops no table": "DROP TABLE station",
    "makes no table": "CREATE TABLE mine (id int)",
    "replaces no view": "CREATE VIEW scoped.mine AS SELECT 1",
    "deletes no station": "DELETE FROM station",
    "deletes no incident": "DELETE FROM incident",
    "adds no station": "INSERT INTO station (id, name) VALUES ('x', 'x')",
    "adds no area": "INSERT INTO area (code, name, level, path) VALUES ('1', 'x', 'x', '{1}')",
    "reads no table below a view": "SELECT * FROM public.transition",
    "reads no record below a view": "SELECT * FROM public.health",
    "reads no memory of stations' numbers": "SELECT memory FROM public.partition_clock",
    "reads no verdict past the scope": "SELECT * FROM station_verdict",
    "changes no history": "UPDATE incident_entry SET actor = 'x'",
    "turns no policy off": "ALTER TABLE station DISABLE ROW LEVEL SECURITY",
    "reads no target of notifications": "SELECT * FROM delivery",
    "becomes no service": "SET ROLE milepost_service",
}


@pytest.mark.parametrize("what", REFUSED)
async def test_the_api_may_do_little_else(pool: Pool, database: str, what: str) -> None:
    """As a login that has nothing but the group of the API."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("CREATE ROLE milepost_test_api NOLOGIN IN ROLE milepost_api")
        await connection.execute(
            "SET LOCAL SESSION AUTHORIZATION milepost_test_api; SET LOCAL search_path = scoped, public"
        )
        await connection.execute("SET LOCAL milepost.scope = '*'")
        refused = await is_refused(connection, REFUSED[what])
        await connection.execute("RESET SESSION AUTHORIZATION; DROP ROLE milepost_test_api")
    assert refused


@given(seed=st.integers(0, 2**32))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_scope_shows_what_lies_below_its_areas(pool: Pool, seed: int) -> None:
    """Random trees, of any depth; stations, incidents and closures anywhere in them; a scope of any areas."""
    draw = random.Random(seed)
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        paths: dict[str, list[str]] = {}
        for number in range(draw.randint(1, 12)):
            above = draw.choice([[], *paths.values()])
            paths[f"a{number}"] = [*above, f"a{number}"]
        for code, path in paths.items():
            await connection.execute(
                "INSERT INTO area (code, name, level, path, parent) VALUES ($1, $1, 'x', $2, $3)",
                code, path, path[-2] if len(path) > 1 else None,
            )  # fmt: skip
        homes = {f"s{number}": draw.choice([None, *paths]) for number in range(12)}
        for station, home in homes.items():
            await connection.execute("INSERT INTO station (id, name, area) VALUES ($1, $1, $2)", station, home)
            await connection.execute(
                "INSERT INTO incident (kind, key, station, area, began_at, opened_at) "
                "VALUES ('k', $1, $1, $2, now(), now())",
                station, draw.choice([home, None]),
            )  # fmt: skip
            await connection.execute(DECLARE.format("station"), station)
        scope = {draw.choice(["none", *paths]) for _ in range(draw.randint(0, 3))}
        wanted = {station for station, home in homes.items() if home and scope & set(paths[home])}
        await connection.execute("SET LOCAL ROLE milepost_api; SET LOCAL search_path = scoped, public")
        await connection.execute("SELECT set_config('milepost.scope', $1, true)", ",".join(sorted(scope)))
        for sql in ("SELECT id FROM station", "SELECT station FROM incident", "SELECT station FROM closure"):
            assert {row[0] for row in await connection.fetch(sql)} == wanted
        areas = {row[0] for row in await connection.fetch("SELECT scope_areas()")}
        assert areas == {code for code, path in paths.items() if scope & set(path)}
        await transaction.rollback()


ASKED = sorted(
    str(path.relative_to(ROOT)) for room in ("api", "access") for path in (ROOT / room).rglob("*queries.sql")
)
# The delivery makes links; the API only finds and ends them.
OF_THE_DELIVERY = {"access/links/queries.sql": {"add_link_key", "add_links"}}


@pytest.mark.parametrize("path", ASKED)
async def test_the_api_may_run_every_query_of_its_own(pool: Pool, path: str) -> None:
    async with scoped(pool, EAST) as connection:
        queries = load_queries(ROOT / path).items()
        found = {name: why for name, sql in queries if (why := await refused(connection, sql))}
        assert set(found) == OF_THE_DELIVERY.get(path, set()), found
