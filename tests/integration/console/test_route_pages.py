"""The console's pages of routes: the list, the forms, who would be told, and gaps."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from access.roles import Role
from access.scope import AreaScope
from api.console.routing import told_pages
from api.http.problems import Problem
from store.pool import Pool
from tests.integration.api_world import World, config, other_account, serving, sign_in
from tests.integration.console.test_console import AREA, NASTY, OWN, read, world  # noqa: F401
from tests.integration.duty_kit import add_contact, add_route

ROUTE = {
    "id": "r",
    "name": NASTY,
    "area": AREA,
    "kinds": "Station offline",
    "steps": "technician\nlead@county after 30m",
}


@pytest.fixture
async def client(world: World, database: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:  # noqa: F811
    async with serving(config(database, tmp_path), token=None) as (client, _):
        await sign_in(client)
        yield client


async def test_made_shown_changed_and_removed(client: httpx.AsyncClient, pool: Pool) -> None:
    assert "There is no default route" in await read(client, "/routes")
    made = await client.post("/routes", data={**ROUTE, "kinds": ""}, headers=OWN)
    assert (made.status_code, made.headers.get("location")) == (303, "/routes/r"), made.text
    text = await read(client, "/routes")
    assert "technician · at once" in text and "&lt;script&gt;" in text and "<script>alert" not in text
    assert "没有默认路由" in await read(client, "/routes", "zh-CN")
    again = await client.post("/routes", data=ROUTE, headers={**OWN, "Accept-Language": "en"})
    assert again.status_code == 422 and "the id r is taken" in again.text
    changed = await client.post("/routes/r", data={**ROUTE, "kinds": "", "area": "", "steps": "head"}, headers=OWN)
    assert changed.status_code == 303, changed.text
    assert "There is no default route" not in await read(client, "/routes")
    gone = await client.post("/routes/r/remove", data={}, headers=OWN)
    assert (gone.status_code, gone.headers["location"]) == (303, "/routes")
    assert await pool.fetchval("SELECT count(*) FROM route") == 0


@pytest.mark.parametrize(
    ("changes", "says"),
    [({"steps": "lead@@"}, "step 1"), ({"kinds": "fire"}, "check these: Kind of incident"), ({"area": "99"}, "99")],
)
async def test_a_refusal_keeps_what_was_typed(client: httpx.AsyncClient, changes: dict[str, str], says: str) -> None:
    answer = await client.post(
        "/routes", data={**ROUTE, "kinds": "", **changes}, headers={**OWN, "Accept-Language": "en"}
    )
    assert answer.status_code == 422
    assert says in answer.text and all(value in answer.text for value in changes.values())


async def test_who_would_be_told_and_gaps(client: httpx.AsyncClient, pool: Pool) -> None:
    await add_contact(pool, "li", AREA)
    await add_route(pool, "default")
    told = await read(client, f"/who-is-told?area={AREA}&kind=area_outage")
    assert "without a channel" in told and "taken" in told
    gaps = await read(client, f"/gaps?area={AREA}&days=2")
    assert 'class="rows"' in gaps and AREA in gaps
    await pool.execute(
        "INSERT INTO contact_channel (contact, place, kind, address) VALUES ('li', 1, 'mail', 'mail:a@b.cn')"
    )
    assert "e-mail" in await read(client, f"/who-is-told?area={AREA}&kind=area_outage")
    assert "No gaps" in await read(client, f"/gaps?area={AREA}")


async def test_only_a_place_that_does_not_exist_is_said_to_be_unknown(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "no such station" in await read(client, "/who-is-told?station=nothing")

    async def busy(*_: object, **__: object) -> None:
        raise Problem(503, "too much is asked at once")

    monkeypatch.setattr(told_pages, "load_incident_asked", busy)
    answer = await client.get("/who-is-told?station=nothing", headers={"Accept-Language": "en"})
    assert (answer.status_code, "no such station" in answer.text) == (503, False)


async def test_a_county_does_not_change_what_lies_above(client: httpx.AsyncClient, pool: Pool) -> None:
    await add_route(pool, "default")
    other = await other_account(pool, Role.SUPERVISOR, scope=AreaScope(areas=frozenset({AREA})))
    client.cookies.clear()
    page = await client.get("/routes/default", headers={**other.headers, "Accept-Language": "en"})
    assert "lies above your scope" in page.text and 'method="post" action="/routes' not in page.text
