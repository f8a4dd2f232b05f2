"""The API and the console of a county's supervisor: what lies outside the county is not shown, counted, named or
streamed, and is answered as what is not there."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from access.roles import Role
from access.scope import AreaScope
from api.live.event_hub import EventHub
from store.pool import Pool
from tests.integration.api_world import World, config, join_all, other_account, serving
from tests.integration.store.scope_world import EAST, PROVINCE, TOWN, WEST, a_country

V1 = "/api/v1"


@pytest.fixture
async def world(pool: Pool) -> World:
    world = await a_country(pool)
    await pool.execute("UPDATE station SET name = '外县书屋' WHERE id = 's-west'")
    await pool.execute("UPDATE station SET lat = 36, lon = 101")
    return world


@pytest.fixture
async def east(pool: Pool, world: World) -> dict[str, str]:
    """The headers of the eastern county's supervisor."""
    scope = AreaScope(areas=frozenset({EAST}))
    return (await other_account(pool, Role.SUPERVISOR, scope=scope)).headers


@pytest.fixture
async def client(east: dict[str, str], database: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client as this supervisor."""
    async with serving(config(database, tmp_path), token=None) as (client, _):
        client.headers.update(east)
        yield client


async def items(client: httpx.AsyncClient, path: str) -> list[Any]:
    answer = await client.get(V1 + path)
    assert answer.status_code == 200, answer.text
    found: list[Any] = answer.json()["items"]
    return found


async def test_lists_are_of_the_scope(client: httpx.AsyncClient) -> None:
    for path, key in {
        "/stations": "id",
        "/incidents": "station",
        "/closures": "station",
        "/deadletters": "station",
    }.items():
        assert {one[key] for one in await items(client, path)} == {"s-east", "s-town"}, path
    assert await items(client, "/unregistered") == []


@pytest.mark.parametrize("area", [PROVINCE, EAST])
async def test_a_wider_area_is_met_with_the_scope(client: httpx.AsyncClient, area: str) -> None:
    for path, key in {"/stations": "id", "/incidents": "station", "/closures": "station"}.items():
        assert {one[key] for one in await items(client, f"{path}?area={area}")} == {"s-east", "s-town"}, path


async def test_a_foreign_area_is_empty_as_an_unknown_one(client: httpx.AsyncClient) -> None:
    for path in ("/stations", "/incidents", "/closures", "/blind-spots"):
        assert await items(client, f"{path}?area={WEST}") == await items(client, f"{path}?area=99") == [], path


FOREIGN = {
    "a station": ("/stations/{}", "s-west", "s-none"),
    "its timeline": ("/stations/{}/timeline", "s-west", "s-none"),
    "its health": ("/stations/{}/health", "s-west", "s-none"),
    "its schedule": ("/stations/{}/schedule", "s-west", "s-none"),
    "a station in no area": ("/stations/{}", "s-nowhere", "s-none"),
    "an area": ("/areas/{}", WEST, "99"),
    "an area above": ("/areas/{}", PROVINCE, "98"),
}


@pytest.mark.parametrize("what", FOREIGN)
async def test_outside_is_answered_as_what_is_not_there(client: httpx.AsyncClient, what: str) -> None:
    path, foreign, unknown = FOREIGN[what]
    found, missing = await client.get(V1 + path.format(foreign)), await client.get(V1 + path.format(unknown))
    assert (found.status_code, missing.status_code) == (404, 404)
    assert found.text.replace(foreign, unknown) == missing.text


async def test_a_foreign_incident_and_closure_are_not_there(client: httpx.AsyncClient, pool: Pool) -> None:
    incident = await pool.fetchval("SELECT id FROM incident WHERE station = 's-west'")
    closure = await pool.fetchval("SELECT id FROM closure WHERE station = 's-west'")
    for path in (f"/incidents/{incident}", f"/closures/{closure}"):
        assert (await client.get(V1 + path)).status_code == 404
        assert (await client.get(path)).status_code == 404
    for act in ("ack", "note", "resolve"):
        answer = await client.post(f"{V1}/incidents/{incident}/{act}", json={"text": "x"})
        assert answer.status_code == 404, act
    for act in ("approve", "withdraw"):
        assert (await client.post(f"{V1}/closures/{closure}/{act}")).status_code == 404
    assert (await client.post(f"{V1}/stations/s-west/remove", json={"reason": "x"})).status_code == 404


async def test_a_wider_closure_is_seen_and_left_to_the_whole(client: httpx.AsyncClient, world: World) -> None:
    wide = await world.closure(-1, 1, area=PROVINCE, approved=False)
    assert (await client.get(f"{V1}/closures/{wide}")).status_code == 200
    for act in ("approve", "withdraw"):
        assert (await client.post(f"{V1}/closures/{wide}/{act}")).status_code == 404


@pytest.mark.parametrize("scope", [{"station": "s-west"}, {"area": WEST}, {"area": PROVINCE}, {"programme": "p-east"}])
async def test_a_foreign_place_is_refused_as_an_unknown_one(client: httpx.AsyncClient, scope: dict[str, str]) -> None:
    said = {"from": "2026-03-01T00:00:00Z", "until": "2026-03-02T00:00:00Z", "reason": "r"}
    ((kind, name),) = scope.items()
    foreign = await client.post(f"{V1}/closures", json=said | scope)
    unknown = await client.post(f"{V1}/closures", json=said | {kind: "unknown"})
    assert (foreign.status_code, unknown.status_code) == (422, 422)
    assert foreign.text.replace(name, "unknown") == unknown.text
    own = await client.post(f"{V1}/closures", json=said | {"area": TOWN})
    assert own.status_code == 201, own.text


async def test_counts_are_of_the_scope(client: httpx.AsyncClient, pool: Pool) -> None:
    for kept in (False, True):
        if kept:
            await pool.execute("UPDATE area_count SET online = 0, offline = 2 WHERE area = $1", EAST)
            await pool.execute("INSERT INTO area_count_known (known_at, told_at) VALUES (now(), now())")
            await pool.execute("DELETE FROM set_aside")
        area = (await client.get(f"{V1}/areas/{EAST}")).json()
        assert area["counts"]["total"] == 2, kept
        page = (await client.get("/areas", follow_redirects=True)).text
        assert "东县" in page
        assert "西县" not in page


async def test_pages_name_nothing_foreign(client: httpx.AsyncClient, pool: Pool) -> None:
    for path in (
        "/", "/stations", "/stations?q=外县", "/stations?area=西", "/incidents", "/closures", "/blind-spots", "/areas",
        "/stations/s-town", f"/areas/{TOWN}", f"/closures?area={PROVINCE}",
    ):  # fmt: skip
        answer = await client.get(path, follow_redirects=True)
        assert answer.status_code == 200, path
        for foreign in ("外县书屋", "s-west", "西县", "s-nowhere"):
            assert foreign not in answer.text.replace("?area=西", "").replace('value="外县"', ""), (path, foreign)


async def test_areas_above_are_named_without_a_link(client: httpx.AsyncClient) -> None:
    page = (await client.get("/stations/s-town")).text
    assert "青海" in page
    assert f'"/areas/{PROVINCE}"' not in page
    assert f"/areas/{EAST}" in page


async def test_boards_are_not_shared_between_scopes(client: httpx.AsyncClient, pool: Pool) -> None:
    west = await other_account(pool, Role.SUPERVISOR, "wang", AreaScope(areas=frozenset({WEST})))
    await pool.execute("DELETE FROM set_aside")
    ours = (await client.get("/")).text
    theirs = (await client.get("/", headers=west.headers)).text
    assert "s-east" in ours
    assert "s-west" not in ours
    assert "s-west" in theirs
    assert "s-east" not in theirs


async def test_metrics_are_of_the_platform(client: httpx.AsyncClient) -> None:
    text = (await client.get("/metrics")).text
    assert "s-west" not in text
    # The value at the end of a line may have any digits.
    assert EAST not in re.sub(r"^([^#\n].*) \S+$", r"\1", text, flags=re.MULTILINE)


async def next_events(hub: EventHub, areas: set[str], pool: Pool) -> tuple[list[str], list[str]]:
    """What a client of some areas gets, and one of the whole, of a transition and an entry of every station."""
    clients = await join_all(hub, AreaScope(areas=frozenset(areas)), AreaScope(whole=True))
    await pool.execute(
        "INSERT INTO transition (partition, seq, station, before, after, at, tick_at, shard, reason) "
        "SELECT 0, 100 + row_number() OVER (), id, 'online', 'offline', now(), now(), 'main', 'x' FROM station"
    )
    await pool.execute("INSERT INTO incident_entry (incident, actor, action) SELECT id, 'admin', 'note' FROM incident")
    await pool.execute("SELECT pg_notify('milepost_transition', '')")
    async with asyncio.timeout(20):
        whole = [await clients[1].queue.get() for _ in range(8)]
    return data_of(drain(clients[0])), data_of(whole)


def data_of(events: list[Any]) -> list[str]:
    return [event.data.decode() for event in events]


def drain(client: Any) -> list[Any]:
    return [client.queue.get_nowait() for _ in range(client.queue.qsize())]


async def test_the_stream_is_of_the_scope(world: World, database: str, tmp_path: Path, pool: Pool) -> None:
    async with serving(config(database, tmp_path)) as (_, hub):
        ours, all_of_them = await next_events(hub, {EAST}, pool)
    assert len(all_of_them) == 8
    assert len(ours) == 4
    assert not [text for text in ours if "s-west" in text or "s-nowhere" in text]
    assert not [text for text in all_of_them if "places" in text]


async def test_what_was_missed_is_of_the_scope_too(world: World, database: str, tmp_path: Path, pool: Pool) -> None:
    async with serving(config(database, tmp_path)) as (_, hub):
        (whole,) = await join_all(hub, AreaScope(whole=True))
        await next_events(hub, {EAST}, pool)
        first = drain(whole)[0].id
        again = drain(hub.join(first, AreaScope(areas=frozenset({WEST}))))
    assert {"s-west"} == {
        station for event in again for station in ("s-east", "s-west", "s-town") if station.encode() in event.data
    }
