"""Stations that were registered by mistake: what is removed, what is retired, who may, and where they still count."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from registry.removal import Removal
from registry.removal_store import find_removal, remove_station, restore_station
from store.author import Author
from store.pool import Pool
from tests.integration.api_world import TOKEN, World, config, look_each_time, serving, sign_in
from tests.integration.console.test_console import read

AREA = "632122000000"
API = "/api/v1"
WANG = Author("operator", "王")
OWN = {"Origin": "http://milepost.test"}
# Tables with a column `station` whose rows alone are no history: the registration itself, and what comes only with
# something else that is looked for.
NO_HISTORY = {
    "day_figure",
    "day_member",
    "day_touch",
    "day_wake",
    "dead_letter",
    "health_change",
    "health_day",
    "health_hour",
    "rollup_touch",
    "shard_move",
    "schedule",
    "schedule_override",
    "silence",
    "station_deleted",
    "station_programme",
    "suspicion_member",
    "terminal",
    "unregistered",
    "usage_day",
    "usage_hour",
    "usage_month",
}


@pytest.fixture
async def world(pool: Pool) -> World:
    """Stations with coordinates: 1 and 2 of a county were heard, 3 never, 4 is suspended; 5 lies nowhere."""
    world = World(pool)
    await world.clock()
    await world.area(AREA, "民和县")
    await world.area("540000000000", "西藏自治区", level="province")
    await world.station("1", area=AREA)
    await world.station("2", "offline", area=AREA)
    await world.station("3", None, area=AREA)
    await world.station("4", area=AREA, lifecycle="suspended")
    await world.station("5")
    await pool.execute("UPDATE station SET lat = 36.3, lon = 102.8 + id::int * 0.1")
    return world


@pytest.fixture
async def client(world: World, database: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(config(database, tmp_path), token=None) as (client, _):
        await sign_in(client)
        yield client


async def test_what_never_had_anything_is_removed_and_any_other_is_retired(world: World, pool: Pool) -> None:
    async with pool.acquire() as connection:
        assert [await find_removal(connection, one) for one in "123"] == [
            Removal.RETIRED,
            Removal.RETIRED,
            Removal.REMOVED,
        ]
        assert await remove_station(connection, "3", by=WANG, reason="打错了") is Removal.REMOVED
        assert await remove_station(connection, "1", by=WANG, reason="搬走了") is Removal.RETIRED
        assert await remove_station(connection, "none", by=WANG, reason="x") is None
    assert await pool.fetchval("SELECT count(*) FROM station WHERE id = '3'") == 0
    gone = await pool.fetchrow("SELECT station, name, actor, remark, reason FROM station_deleted")
    assert gone is not None and tuple(gone) == ("3", "3", "operator", "王", "打错了")
    changed = await pool.fetchrow("SELECT station, before, after, actor, remark, reason FROM station_lifecycle")
    assert changed is not None and tuple(changed) == ("1", "commissioned", "retired", "operator", "王", "搬走了")


async def test_a_retirement_is_taken_back_to_what_was_before(world: World, pool: Pool) -> None:
    async with pool.acquire() as connection:
        await remove_station(connection, "4", by=WANG, reason="b")
        assert await restore_station(connection, "4", by=WANG, reason="d") == "suspended"
        assert await restore_station(connection, "none", by=WANG, reason="d") is None
    rows = await pool.fetch("SELECT after, actor, reason FROM station_lifecycle ORDER BY id")
    assert [tuple(row) for row in rows] == [("retired", "operator", "b"), ("suspended", "operator", "d")]
    await pool.execute("UPDATE station SET lifecycle = 'planned' WHERE id = '4'")
    last = await pool.fetchrow("SELECT actor, reason FROM station_lifecycle ORDER BY id DESC LIMIT 1")
    assert last is not None and tuple(last) == (None, None), "who acted before has nothing to do with it"


HISTORIES = {
    "an incident": "INSERT INTO incident (kind, key, station, status, began_at, opened_at) "
    "VALUES ('never_seen', 'k', '3', 'closed', now(), now())",
    "a closure": "INSERT INTO closure (station, from_at, until_at, reason, declared_by) "
    "VALUES ('3', now(), now() + interval '1 h', 'r', 'p')",
    "a transition": "INSERT INTO transition (partition, seq, station, before, after, at, tick_at, shard, reason) "
    "VALUES (0, 1, '3', 'never_seen', 'online', now(), now(), 'main', 'heartbeat')",
    "a change of its lifecycle": "UPDATE station SET lifecycle = 'planned' WHERE id = '3'",
}


@pytest.mark.parametrize("what", HISTORIES)
async def test_anything_on_record_keeps_a_station(what: str, world: World, pool: Pool) -> None:
    await pool.execute(HISTORIES[what])
    async with pool.acquire() as connection:
        assert await find_removal(connection, "3") is Removal.RETIRED
        assert await remove_station(connection, "3", by=WANG, reason="b") is Removal.RETIRED
    assert await pool.fetchval("SELECT lifecycle FROM station WHERE id = '3'") == "retired"


async def test_every_table_about_stations_was_thought_of(pool: Pool) -> None:
    rows = await pool.fetch(
        "SELECT table_name FROM information_schema.columns c "
        "JOIN information_schema.tables t USING (table_schema, table_name) "
        "WHERE column_name = 'station' AND table_type = 'BASE TABLE' AND table_schema = current_schema()"
    )
    source: str = await pool.fetchval("SELECT prosrc FROM pg_proc WHERE proname = 'station_has_history'")
    assert {row["table_name"] for row in rows if f"FROM {row['table_name']} " not in source} == NO_HISTORY


async def test_the_services_delete_a_station_by_no_other_way(world: World, pool: Pool) -> None:
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL ROLE milepost_service")
        await connection.execute("CREATE TEMP TABLE terminal_state (station text) ON COMMIT DROP")
        assert await remove_station(connection, "1", by=WANG, reason="b") is Removal.RETIRED, "its own table is no way"
        assert await remove_station(connection, "3", by=WANG, reason="b") is Removal.REMOVED
    allowed = await pool.fetchval(
        "SELECT bool_or(grantee = 0) FROM pg_proc, aclexplode(proacl) WHERE proname = 'remove_untouched_station'"
    )
    assert not allowed, "not everybody"


async def numbers(client: httpx.AsyncClient) -> dict[str, int]:
    """How many stations each place counts."""
    area = (await client.get(f"{API}/areas/{AREA}")).json()
    return {
        "of the area": area["counts"]["total"],
        "everywhere": int((await read(client, "/areas")).split(" in all")[0].split(">")[-1]),
        "on the board": int((await read(client, "/")).split(" in all")[0].split(">")[-1]),
        "on the map": (await read(client, "/")).count('aria-label="') - (await read(client, "/")).count("<nav"),
        "in the list": (await read(client, "/stations")).count('href="/stations/'),
    }


async def test_retired_ones_are_in_no_total(
    monkeypatch: pytest.MonkeyPatch, world: World, pool: Pool, client: httpx.AsyncClient
) -> None:
    look_each_time(monkeypatch)
    before = await numbers(client)
    assert (before["of the area"], before["everywhere"], before["on the board"], before["in the list"]) == (4, 5, 5, 5)
    async with pool.acquire() as connection:
        for station in "25":
            await remove_station(connection, station, by=WANG, reason="b")
    after = await numbers(client)
    assert {place: before[place] - after[place] for place in before} == {
        "of the area": 1,
        "everywhere": 2,
        "on the board": 2,
        "on the map": 2,
        "in the list": 2,
    }
    text = await read(client, "/stations?verdict=retired")
    assert 'href="/stations/2"' in text and 'href="/stations/1"' not in text
    assert '<option value="retired" selected>' in text
    shown = [
        len((await client.get(f"{API}/stations{query}")).json()["items"])
        for query in ("", "?retired=true", "?retired=false")
    ]
    assert shown == [5, 2, 3], "the API lists all unless it is asked otherwise"


async def test_the_api_removes_and_restores(world: World, client: httpx.AsyncClient) -> None:
    own = {"Authorization": f"Bearer {TOKEN}"}
    client.cookies.clear()
    why = {"reason": "typo", "by": "Li"}
    for path, said, status in (
        ("/stations/3/remove", {}, 422),
        ("/stations/3/remove", {"reason": ""}, 422),
        ("/stations/3/remove", {"reason": "x" * 501}, 422),
        ("/stations/3/remove", why, 200),
        ("/stations/3/remove", why, 404),
        ("/stations/1/restore", why, 409),
        ("/stations/1/remove", why, 200),
        ("/stations/1/remove", why, 409),
        ("/stations/1/restore", why, 200),
        ("/stations/none/restore", why, 404),
    ):
        answer = await client.post(API + path, json=said, headers=own)
        assert answer.status_code == status, (path, said, answer.text)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_pages_ask_before_they_remove(world: World, pool: Pool, client: httpx.AsyncClient) -> None:
    for station, said in (("3", "will be deleted from the registry"), ("1", "will be retired")):
        assert f'href="/stations/{station}/remove"' in await read(client, f"/stations/{station}")
        assert said in await read(client, f"/stations/{station}/remove")
    assert await pool.fetchval("SELECT count(*) FROM station WHERE lifecycle = 'commissioned'") == 4, "only asked"

    answer = await client.post("/stations/3/remove", data={"reason": " "}, headers=OWN)
    assert answer.status_code == 422
    answer = await client.post("/stations/3/remove", data={"reason": "typo", "by": "Li"}, headers=OWN)
    assert (answer.status_code, answer.headers["location"]) == (303, "/stations?removed=3")
    assert "Station 3 was deleted" in await read(client, "/stations?removed=3")
    assert (await client.post("/stations/3/remove", data={"reason": "typo"}, headers=OWN)).status_code == 404

    answer = await client.post("/stations/1/remove", data={"reason": "搬走了", "by": "Li"}, headers=OWN)
    assert answer.headers["location"] == "/stations/1"
    text = await read(client, "/stations/1")
    assert "This station is retired" in text and "搬走了" in text and 'action="/stations/1/restore"' in text
    assert 'class="grave"' not in await read(client, "/stations/1/remove"), "once is enough"
    for reason in ("", "x" * 501):
        answer = await client.post(
            "/stations/1/restore", data={"reason": reason}, headers=OWN | {"Accept-Language": "en"}
        )
        assert answer.status_code == 422
        assert 'action="/stations/1/restore"' in answer.text and "Give a reason" in answer.text
    answer = await client.post("/stations/1/restore", data={"reason": "doch"}, headers=OWN)
    assert answer.headers["location"] == "/stations/1"
    assert await pool.fetchval("SELECT lifecycle FROM station WHERE id = '1'") == "commissioned"


async def test_others_may_not(world: World, pool: Pool, client: httpx.AsyncClient) -> None:
    answer = await client.post("/stations/3/remove", data={"reason": "x"}, headers={"Origin": "http://elsewhere.test"})
    assert answer.status_code == 403
    client.cookies.clear()
    assert (await client.post("/stations/3/remove", data={"reason": "x"}, headers=OWN)).status_code == 401
    assert (await client.post(f"{API}/stations/3/remove", json={"reason": "x"})).status_code == 401
    await sign_in(client, wall="yes")
    assert (await client.post("/stations/3/remove", data={"reason": "x"}, headers=OWN)).status_code == 403
    assert "/remove" not in await read(client, "/stations/3")
    assert "<form" not in await read(client, "/stations/3/remove", status=403)
    assert await pool.fetchval("SELECT count(*) FROM station") == 5
