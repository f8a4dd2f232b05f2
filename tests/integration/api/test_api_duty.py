"""Duty over HTTP: given, listed and removed; who is on duty; what is refused; what a narrower scope sees."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from access.roles import Role
from store.pool import Pool
from tests.integration.api.test_api_scope import client, east, items, world  # noqa: F401 -- fixtures
from tests.integration.api.test_api_stations import walk
from tests.integration.api_world import World, config, other_account, serving
from tests.integration.duty_kit import add_contact, add_duty, add_substitute
from tests.integration.store.scope_world import EAST, PROVINCE, TOWN, WEST, a_country

API = "/api/v1"
AREAS = {"li": TOWN, "ma": EAST, "wang": WEST, "zhao": None}


async def contacts(pool: Pool) -> None:
    for contact, area in AREAS.items():
        await add_contact(pool, contact, area)


def body(**more: Any) -> dict[str, Any]:
    return {"area": TOWN, "role": "technician", "contact": "li", **more}


def away(**more: Any) -> dict[str, Any]:
    usual = {"contact": "li", "substitute": "ma", "from": "2026-12-01T00:00Z", "until": "2026-12-02T00:00Z"}
    return {**usual, **more}


async def test_duties_are_given_listed_and_removed(pool: Pool, database: str, tmp_path: Path) -> None:
    await a_country(pool)
    await contacts(pool)
    async with serving(config(database, tmp_path)) as (http, _):
        made = await http.post(f"{API}/duty", json=body(times="Mo,Tu,We,Th,Fr 8:00-18:00"))
        assert made.status_code == 201, made.text
        first = made.json()
        given = body(times="Mo-Fr 08:00-18:00", weeks=1, week=1, valid_from=None, valid_to=None)
        assert first == {"id": 1, **given}
        again = await http.post(f"{API}/duty", json=body(times="Mo-Fr 08:00-18:00"))
        assert (again.status_code, again.json()) == (201, first)
        until = await http.post(f"{API}/duty", json=body(times="Mo-Fr 08:00-18:00", valid_to="2026-12-31"))
        assert until.json() == {**first, "valid_to": "2026-12-31"}
        second = (await http.post(f"{API}/duty", json=body(area=EAST, contact="ma", role="lead"))).json()
        third = (await http.post(f"{API}/duty", json=body(area=None, contact="zhao", role="head"))).json()
        listed = {
            name: [one["id"] for one in await walk(http, f"{API}/duty", limit=1, **params)]
            for name, params in FILTERS.items()
        }
        gone = await http.delete(f"{API}/duty/{second['id']}")
        assert (gone.status_code, gone.json()) == (200, second)
        assert (await http.delete(f"{API}/duty/{second['id']}")).status_code == 404
        assert {one["id"] for one in await items(http, "/duty")} == {1, third["id"]}
    assert listed == {
        "all": [third["id"], second["id"], 1],
        "of an area": [second["id"], 1],
        "of a town": [1],
        "of a role": [second["id"]],
        "of a contact": [third["id"]],
        "of an area that is not there": [],
    }


FILTERS: dict[str, dict[str, str]] = {
    "all": {},
    "of an area": {"area": EAST},
    "of a town": {"area": TOWN},
    "of a role": {"role": "lead"},
    "of a contact": {"contact": "zhao"},
    "of an area that is not there": {"area": "99"},
}


async def test_substitutes_are_given_listed_and_removed(pool: Pool, database: str, tmp_path: Path) -> None:
    await a_country(pool)
    await contacts(pool)
    over = await add_substitute(pool, "wang", "li", datetime(2020, 1, 1, tzinfo=UTC))
    async with serving(config(database, tmp_path)) as (http, _):
        made = await http.post(f"{API}/substitutes", json=away(**{"from": "2098-12-01", "until": "2099-12-01"}))
        assert made.status_code == 201, made.text
        first = made.json()
        assert (first["from"], first["until"]) == ("2098-12-01T00:00:00Z", "2099-12-01T00:00:00Z")
        other = {"from": "2098-12-01", "until": "2099-12-01", "substitute": "wang", "reason": "培训"}
        changed = (await http.post(f"{API}/substitutes", json=away(**other))).json()
        assert changed == {**first, "substitute": "wang", "reason": "培训"}
        assert await items(http, "/substitutes") == [changed]
        assert [one["id"] for one in await items(http, "/substitutes?past=true&contact=li")] == [first["id"], over]
        assert (await http.delete(f"{API}/substitutes/{first['id']}")).json() == changed
        assert (await http.delete(f"{API}/substitutes/{first['id']}")).status_code == 404


async def test_who_is_on_duty(pool: Pool, database: str, tmp_path: Path) -> None:
    await a_country(pool)
    await contacts(pool)
    async with serving(config(database, tmp_path)) as (http, _):
        for said in (body(times="WD 08:00-18:00"), body(area=EAST, contact="ma", role="lead")):
            assert (await http.post(f"{API}/duty", json=said)).status_code == 201
        assert (await http.post(f"{API}/substitutes", json=away())).status_code == 201
        lines = await walk(http, f"{API}/duty/now", limit=2, at="2026-12-01T09:00:00+08:00")
        assert [(one["area"], one["role"]) for one in lines] == [
            (None, "technician"), (EAST, "lead"), (EAST, "technician"), (TOWN, "technician"), (WEST, "technician"),
        ]  # fmt: skip
        assert lines[3] == {
            "area": TOWN,
            "role": "technician",
            "on_duty": [{"contact": "ma", "name": "ma", "duty": 1, "instead_of": "li"}],
            "passed_over": [{"contact": "li", "why": "absent"}],
        }
        [night] = await items(http, f"/duty/now?area={TOWN}&at=2026-12-01T23:00:00%2B08:00")
        assert (night["on_duty"], night["passed_over"]) == ([], [{"contact": "li", "why": "not_on_duty"}])
        assert len(await items(http, "/duty/now")) == 5
        assert (await http.get(f"{API}/duty/now?at=noon")).status_code == 422


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown contact": (body(contact="sun"), "there is no contact sun"),
    "an unknown area": (body(area="99"), "there is no area 99"),
    "times that cannot be read": (body(times="whenever"), "character 1, before 'whenever'"),
    "a role in words": (body(role="night watch"), "'night watch' is not a role"),
    "a rotation without a first day": (body(weeks=2), "a rotation has no first day"),
    "a week that does not come": (body(weeks=2, week=3, valid_from="2026-11-30"), "week 3 of a rotation of 2"),
    "a year that was mistyped": (body(valid_from="9026-11-30"), "9026-11-30 lies outside"),
    "its own substitute": (away(substitute="li"), "a contact is its own substitute"),
    "an unknown substitute": (away(substitute="sun"), "there is no contact sun"),
    "ends before it begins": (away(until="2026-11-30T00:00Z"), "it ends before it begins"),
    "a time that is none": (away(until="soon"), "until"),
}


async def test_what_makes_no_sense_is_a_problem(pool: Pool, database: str, tmp_path: Path) -> None:
    await a_country(pool)
    await contacts(pool)
    async with serving(config(database, tmp_path)) as (http, _):
        for case, (said, says) in REFUSED.items():
            path = "substitutes" if "substitute" in said else "duty"
            answer = await http.post(f"{API}/{path}", json=said)
            assert answer.status_code == 422, (case, answer.text)
            assert says in answer.json()["detail"], case
    assert await pool.fetchval("SELECT count(*) FROM duty") == await pool.fetchval(
        "SELECT count(*) FROM duty_substitute"
    )
    assert await pool.fetchval("SELECT count(*) FROM duty") == 0


async def test_a_technician_reads_and_does_not_change(pool: Pool, database: str, tmp_path: Path) -> None:
    await a_country(pool)
    await contacts(pool)
    number, other = await add_duty(pool, "li", TOWN), await add_substitute(pool, "li", "ma", datetime.now(UTC))
    headers = (await other_account(pool, Role.TECHNICIAN)).headers
    async with serving(config(database, tmp_path), token=None) as (http, _):
        http.headers.update(headers)
        for path in ("duty", "duty/now", "substitutes"):
            assert (await http.get(f"{API}/{path}")).status_code == 200
        assert (await http.post(f"{API}/duty", json=body())).status_code == 403
        assert (await http.delete(f"{API}/duty/{number}")).status_code == 403
        assert (await http.post(f"{API}/substitutes", json=away())).status_code == 403
        assert (await http.delete(f"{API}/substitutes/{other}")).status_code == 403


async def test_outside_the_scope_is_as_unknown(
    client: httpx.AsyncClient,  # noqa: F811
    world: World,  # noqa: F811
) -> None:
    pool = world.pool
    await contacts(pool)
    near = [await add_duty(pool, "li", TOWN), await add_duty(pool, "ma", EAST)]
    far = [await add_duty(pool, "wang", WEST), await add_duty(pool, "zhao")]
    within = await add_substitute(pool, "li", "ma", world.now)
    beyond = [await add_substitute(pool, *pair, world.now) for pair in (("wang", "li"), ("ma", "wang"))]
    assert {one["id"] for one in await items(client, "/duty")} == set(near)
    assert {one["id"] for one in await items(client, f"/duty?area={PROVINCE}")} == set(near)
    assert [one["id"] for one in await items(client, "/substitutes")] == [within]
    assert {one["area"] for one in await items(client, "/duty/now")} == {EAST, TOWN}
    for number in far:
        assert (await client.delete(f"{API}/duty/{number}")).status_code == 404
    for number in beyond:
        assert (await client.delete(f"{API}/substitutes/{number}")).status_code == 404
    foreign = [body(contact="wang"), body(area=WEST), body(area=PROVINCE), body(area=None)]
    for said, name in zip(foreign, ("wang", WEST, PROVINCE, None), strict=True):
        answer = await client.post(f"{API}/duty", json=said)
        assert answer.status_code == 422
        if name is not None:
            key = "contact" if name == "wang" else "area"
            unknown = await client.post(f"{API}/duty", json={**said, key: "unknown"})
            assert answer.text.replace(name, "unknown") == unknown.text
    assert (await client.post(f"{API}/duty", json=body(contact="ma"))).status_code == 201
    assert (await client.delete(f"{API}/duty/{near[0]}")).status_code == 200


@pytest.mark.parametrize("path", ["duty", "duty/now", "substitutes"])
async def test_a_strange_cursor_is_refused(client: httpx.AsyncClient, path: str) -> None:  # noqa: F811
    assert (await client.get(f"{API}/{path}?cursor=abc")).status_code == 400
