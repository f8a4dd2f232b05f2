"""Silences over HTTP: made, listed, ended; what is refused; what a narrower scope sees and may end."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from access.roles import Role
from store.pool import Pool
from tests.integration.api.test_api_scope import client, east, items, world  # noqa: F401 -- fixtures
from tests.integration.api.test_api_stations import walk
from tests.integration.api_world import World, config, other_account, serving
from tests.integration.store.scope_world import EAST, PROVINCE, TOWN, WEST, a_country

API = "/api/v1"


def later(hours: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat()


def body(**more: Any) -> dict[str, Any]:
    return {"station": "s-town", "until": later(2), "reason": "换交换机", **more}


async def test_made_listed_and_ended(pool: Pool, database: str, tmp_path: Path) -> None:
    await a_country(pool)
    async with serving(config(database, tmp_path)) as (http, _):
        made = await http.post(f"{API}/silences", json=body(kinds=["health"]))
        assert made.status_code == 201, made.text
        silence = made.json()
        assert (silence["status"], silence["made_by"], silence["kinds"]) == ("current", "admin", ["health"])
        assert (await http.get(f"{API}/silences/{silence['id']}")).json() == silence
        planned = (await http.post(f"{API}/silences", json=body(**{"from": later(1)}))).json()
        assert planned["status"] == "planned"
        of_area = (await http.post(f"{API}/silences", json=body(station=None, area=EAST))).json()
        everything = (await http.post(f"{API}/silences", json=body(station=None, whole=True))).json()
        ended = await http.post(f"{API}/silences/{silence['id']}/end")
        assert (ended.json()["status"], ended.json()["ended_by"]) == ("over", "admin")
        assert (await http.post(f"{API}/silences/{silence['id']}/end")).json() == ended.json()
        listed = {
            name: [one["id"] for one in await walk(http, f"{API}/silences", limit=1, **params)]
            for name, params in FILTERS.items()
        }
    first, second, third, fourth = (one["id"] for one in (silence, planned, of_area, everything))
    assert listed == {
        "all": [fourth, third, second, first],
        "current": [fourth, third],
        "planned": [second],
        "over": [first],
        "of a station": [fourth, third, second, first],
        "of another station": [fourth],
        "of an area": [third, second, first],
        "of an area below": [second, first],
        "of an area that is not there": [],
    }


FILTERS: dict[str, dict[str, str]] = {
    "all": {},
    "current": {"status": "current"},
    "planned": {"status": "planned"},
    "over": {"status": "over"},
    "of a station": {"station": "s-town"},
    "of another station": {"station": "s-west"},
    "of an area": {"area": EAST},
    "of an area below": {"area": TOWN},
    "of an area that is not there": {"area": "99"},
}

REFUSED: dict[str, dict[str, Any]] = {
    "of nothing": {"station": None},
    "of two": {"area": EAST},
    "of a station that is not there": {"station": "s-none"},
    "of no kind": {"kinds": ["rain"]},
    "over already": {"until": later(-1)},
    "too long": {"until": later(31 * 24)},
    "without a time": {"until": "soon"},
    "without a reason": {"reason": " "},
    "with far too many kinds": {"kinds": ["health"] * 33},
}


async def test_what_makes_no_sense_is_a_problem(pool: Pool, database: str, tmp_path: Path) -> None:
    await a_country(pool)
    async with serving(config(database, tmp_path)) as (http, _):
        for case, changes in REFUSED.items():
            answer = await http.post(f"{API}/silences", json=body(**changes))
            assert answer.status_code == 422, (case, answer.text)
        assert (await http.get(f"{API}/silences/77")).status_code == 404
        assert (await http.post(f"{API}/silences/77/end")).status_code == 404
    assert await pool.fetchval("SELECT count(*) FROM silence") == 0


async def test_a_technician_reads_and_does_not_silence(pool: Pool, database: str, tmp_path: Path) -> None:
    number = await (await a_country(pool)).silence(station="s-town")
    headers = (await other_account(pool, Role.TECHNICIAN)).headers
    async with serving(config(database, tmp_path), token=None) as (http, _):
        assert (await http.get(f"{API}/silences/{number}", headers=headers)).status_code == 200
        assert (await http.post(f"{API}/silences", json=body(), headers=headers)).status_code == 403
        assert (await http.post(f"{API}/silences/{number}/end", headers=headers)).status_code == 403


async def test_a_wider_silence_is_seen_and_left_to_the_whole(
    client: httpx.AsyncClient,  # noqa: F811
    world: World,  # noqa: F811
) -> None:
    wide = [await world.silence(area=PROVINCE), await world.silence()]
    far = [
        await world.silence(area=WEST),
        await world.silence(station="s-west"),
        await world.silence(station="s-nowhere"),
    ]
    own = await world.silence(area=TOWN)
    assert {one["id"] for one in await items(client, "/silences")} == {*wide, own}
    for number in (*wide, *far):
        seen = 200 if number in wide else 404
        assert (await client.get(f"{API}/silences/{number}")).status_code == seen
        assert (await client.get(f"/silences/{number}")).status_code == seen
        assert (await client.post(f"{API}/silences/{number}/end")).status_code == 404
    assert (await client.post(f"{API}/silences/{own}/end")).status_code == 200


@pytest.mark.parametrize("scope", [{"station": "s-west"}, {"area": WEST}, {"area": PROVINCE}])
async def test_a_foreign_place_is_refused_as_an_unknown_one(
    client: httpx.AsyncClient,  # noqa: F811
    scope: dict[str, str],
) -> None:
    ((kind, name),) = scope.items()
    foreign = await client.post(f"{API}/silences", json=body(station=None) | scope)
    unknown = await client.post(f"{API}/silences", json=body(station=None) | {kind: "unknown"})
    assert (foreign.status_code, unknown.status_code) == (422, 422)
    assert foreign.text.replace(name, "unknown") == unknown.text
    assert (await client.post(f"{API}/silences", json=body(station=None, whole=True))).status_code == 422
