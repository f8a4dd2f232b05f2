"""Routes over HTTP: made, changed, listed and removed; gaps; what a narrower scope sees and may not change."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from store.pool import Pool
from tests.integration.api.test_api_scope import client, east, items, world  # noqa: F401 -- fixtures
from tests.integration.api.test_api_stations import walk
from tests.integration.api_world import config, serving
from tests.integration.duty_kit import add_route
from tests.integration.registry.routes.test_route_store import add_people
from tests.integration.store.scope_world import EAST, TOWN, WEST, a_country

API = "/api/v1"
STEPS = "technician; lead@county after 30m open most 3"


def body(**more: Any) -> dict[str, Any]:
    return {"name": "all", "steps": STEPS, **more}


async def test_routes_are_made_changed_listed_and_removed(pool: Pool, database: str, tmp_path: Path) -> None:
    await a_country(pool)
    async with serving(config(database, tmp_path)) as (http, _):
        made = await http.put(f"{API}/routes/default", json=body())
        assert made.status_code == 200, made.text
        first = made.json()
        assert first["rule"] == STEPS
        assert first["steps"][1] == {"role": "lead", "level": "county", "after": 1800, "clock": "open", "most": 3}
        assert (await http.get(f"{API}/routes/default")).json() == first
        again = await http.put(f"{API}/routes/default", json=first)
        assert (again.status_code, again.json()) == (200, first), "what is read can be written"
        narrow = body(area=EAST, kinds=["station_offline"], severities=["critical"], programme="p", tell_past=False)
        changed = await http.put(f"{API}/routes/east", json=narrow)
        assert (changed.json()["area"], changed.json()["kinds"]) == (EAST, ["station_offline"])
        assert [one["id"] for one in await walk(http, f"{API}/routes", limit=1)] == ["default", "east"]
        assert [one["id"] for one in await items(http, f"/routes?area={EAST}")] == ["east"]
        gone = await http.delete(f"{API}/routes/default")
        assert (gone.status_code, gone.json()) == (200, first)
        assert (await http.delete(f"{API}/routes/default")).status_code == 404
        assert (await http.get(f"{API}/routes/default")).status_code == 404


@pytest.mark.parametrize(
    ("name", "changes", "says"),
    [
        ("r", {"steps": "technician @@"}, "step 1"),
        ("r", {"steps": []}, "steps"),
        ("r", {"steps": [{"role": "a; b"}]}, "role"),
        ("r", {"steps": [{"role": "a", "after": 60}, {"role": "b"}]}, "step 2"),
        ("r", {"area": "99"}, "there is no area 99"),
        ("r", {"kinds": ["fire"]}, "kinds"),
        ("r", {"name": " "}, "the name of a route"),
        ("r r", {}, "is not the id of a route"),
    ],
)
async def test_what_cannot_be_is_refused(
    pool: Pool, database: str, tmp_path: Path, name: str, changes: dict[str, Any], says: str
) -> None:
    await a_country(pool)
    async with serving(config(database, tmp_path)) as (http, _):
        answer = await http.put(f"{API}/routes/{name}", json=body(**changes))
        assert answer.status_code == 422
        assert says in answer.text, answer.text


async def test_where_nobody_would_be_told(pool: Pool, database: str, tmp_path: Path) -> None:
    await a_country(pool)
    async with pool.acquire() as connection:
        await add_people(connection)
    await add_route(pool, "default", steps="technician")
    async with serving(config(database, tmp_path)) as (http, _):
        found = await http.get(f"{API}/gaps?from=2026-12-01T00:00:00Z&days=2&area={WEST}")
        assert found.status_code == 200, found.text
        assert (found.json()["gaps"], found.json()["until"]) == ([], "2026-12-03T00:00:00Z")
        everywhere = (await http.get(f"{API}/gaps?from=2026-12-01T00:00:00Z&days=2")).json()
        assert everywhere["area_count"] > 4
        places = {area for gap in everywhere["gaps"] for area in gap["areas"]}
        assert EAST in places and None in places and TOWN not in places
        assert everywhere["gaps"][0]["spans"] == [{"from": "2026-12-01T00:00:00Z", "until": "2026-12-03T00:00:00Z"}]
        assert everywhere["gaps"][0]["hours"] == 48
        for query, status in (("days=63", 422), ("days=0", 422), ("from=noon", 422), ("area=99", 404)):
            assert (await http.get(f"{API}/gaps?{query}")).status_code == status, query


async def test_a_route_may_have_the_name_of_another_path(
    pool: Pool,
    client: httpx.AsyncClient,  # noqa: F811
) -> None:
    for name in ("gaps", "remove"):
        assert (await client.put(f"{API}/routes/{name}", json=body(area=EAST))).status_code == 200
        assert (await client.get(f"{API}/routes/{name}")).json()["id"] == name
        assert (await client.delete(f"{API}/routes/{name}")).status_code == 200


async def test_a_county_reads_the_routes_above_and_changes_its_own(
    pool: Pool,
    client: httpx.AsyncClient,  # noqa: F811
) -> None:
    for name, area in (("default", None), ("w", WEST)):
        await add_route(pool, name, area)
    assert [one["id"] for one in await items(client, "/routes")] == ["default"]
    assert (await client.get(f"{API}/routes/w")).status_code == 404
    assert (await client.put(f"{API}/routes/default", json=body())).status_code == 403
    assert (await client.delete(f"{API}/routes/default")).status_code == 403
    assert (await client.put(f"{API}/routes/w", json=body(area=EAST))).status_code == 422
    assert (await client.put(f"{API}/routes/w", json=body(area=WEST))).status_code == 422
    assert (await client.put(f"{API}/routes/new", json=body())).status_code == 422
    assert (await client.delete(f"{API}/routes/w")).status_code == 404
    assert (await client.put(f"{API}/routes/own", json=body(area=EAST))).status_code == 200
    assert (await client.put(f"{API}/routes/own", json=body(area=None))).status_code == 422
    gaps = (await client.get(f"{API}/gaps")).json()
    assert {area for gap in gaps["gaps"] for area in gap["areas"]} <= {EAST, TOWN}
    assert (await client.get(f"{API}/gaps?area={WEST}")).status_code == 404
    assert (await client.delete(f"{API}/routes/own")).status_code == 200
