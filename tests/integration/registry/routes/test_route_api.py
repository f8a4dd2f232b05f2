"""Who would be told of an incident, over HTTP: as `milepost route explain` says it, and within a scope."""

from pathlib import Path
from typing import Any

import httpx

from registry.routes.model import Route
from registry.routes.steps import parse_steps
from registry.routes.store import put_routes
from store.author import Author
from store.pool import Pool
from tests.integration.api.test_api_scope import client, east, world  # noqa: F401 -- fixtures
from tests.integration.api_world import config, serving
from tests.integration.registry.routes.test_route_store import add_people
from tests.integration.store.scope_world import EAST, TOWN, WEST, a_country

API = "/api/v1"


async def routes(pool: Pool) -> None:
    async with pool.acquire() as connection:
        await add_people(connection)
        steps = parse_steps("technician; lead@county after 30m; head@province after 2h")
        some = [Route(id="default", name="all", steps=steps), Route(id="w", name="w", area=WEST, steps=steps)]
        await put_routes(connection, some, by=Author("operator"))


def told(answer: dict[str, Any]) -> list[str]:
    return [", ".join(one["contact"] for one in step["recipients"]) or step["why"] for step in answer["steps"]]


async def test_who_would_be_told(pool: Pool, database: str, tmp_path: Path) -> None:
    await a_country(pool)
    async with serving(config(database, tmp_path)) as (http, _):
        none = (await http.get(f"{API}/stations/s-town/routing")).json()
        assert (none["route"], none["verdicts"], none["steps"]) == (None, [], [])
        await routes(pool)
        answer = await http.get(f"{API}/stations/s-town/routing?at=2026-12-01T09:00:00%2B08:00")
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert (found["kind"], found["severity"], found["route"]) == ("station_offline", "warning", "default")
        assert found["verdicts"] == [{"route": "default", "why": "chosen"}, {"route": "w", "why": "other_area"}]
        assert told(found) == ["li", "ma", "zhao"]
        assert [step["at"] for step in found["steps"]] == [
            "2026-12-01T01:00:00Z", "2026-12-01T01:30:00Z", "2026-12-01T03:00:00Z",
        ]  # fmt: skip
        assert found["steps"][0]["recipients"] == [
            {
                "contact": "li", "name": "li", "room": False, "area": TOWN, "duty": None, "instead_of": None,
                "channels": ["mail"], "quiet_until": None,
            }
        ]  # fmt: skip
        of_area = (await http.get(f"{API}/areas/{EAST}/routing?kind=area_outage")).json()
        assert (of_area["severity"], told(of_area)) == ("critical", ["nobody_on_duty", "ma", "zhao"])
        for query in ("kind=fire", "severity=loud", "at=noon"):
            assert (await http.get(f"{API}/stations/s-town/routing?{query}")).status_code == 422
        assert (await http.get(f"{API}/stations/nothing/routing")).status_code == 404
        assert (await http.get(f"{API}/areas/99/routing")).status_code == 404


async def test_a_county_is_told_what_it_cannot_know(pool: Pool, client: httpx.AsyncClient) -> None:  # noqa: F811
    await routes(pool)
    found = (await client.get(f"{API}/stations/s-town/routing")).json()
    assert told(found) == ["li", "ma", "outside_scope"]
    assert [verdict["route"] for verdict in found["verdicts"]] == ["default"]
    for path in ("stations/s-west", f"areas/{WEST}"):
        assert (await client.get(f"{API}/{path}/routing")).status_code == 404
