"""The console's page of duty: who is on duty, and the forms to give and to remove duties and substitutes."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from access.roles import Role
from access.scope import AreaScope
from store.pool import Pool
from tests.integration.api_world import World, config, other_account, serving, sign_in
from tests.integration.console.test_console import AREA, NASTY, OWN, TOWN, read, world  # noqa: F401
from tests.integration.duty_kit import add_contact, add_duty, add_substitute

DUTY = {"area": AREA, "role": "technician", "contact": "li", "times": "WD 8:00-18:00", "weeks": "", "week": ""}
AWAY = {"contact": "li", "substitute": "ma", "from": "2098-12-01T09:00", "until": "2099-12-01T09:00", "reason": NASTY}


@pytest.fixture
async def client(world: World, database: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:  # noqa: F811
    for contact in ("li", "ma"):
        await add_contact(world.pool, contact, AREA, role="none")
    await world.pool.execute("UPDATE contact SET name = $1 WHERE id = 'ma'", NASTY)
    async with serving(config(database, tmp_path), token=None) as (client, _):
        await sign_in(client)
        yield client


async def test_given_shown_and_removed_on_the_page(client: httpx.AsyncClient, pool: Pool) -> None:
    for path, form in (("/duty", {**DUTY, "role": "技术员"}), ("/substitutes", AWAY)):
        made = await client.post(path, data=form, headers=OWN)
        assert (made.status_code, made.headers.get("location")) == (303, "/duty"), made.text
    text = await read(client, "/duty")
    for word in ("WD 08:00-18:00", "instead of li", "&lt;script&gt;", "2098-12-01 09:00", "Remove duty 1 of li"):
        assert word in text, word
    assert "<script>alert" not in text
    on_duty = await read(client, "/duty?at=2026-12-01T09:00")
    assert "2026-12-01 09:00" in on_duty and "not on duty at this time" not in on_duty
    assert "li: not on duty at this time" in await read(client, "/duty?at=2026-12-01T23:00")
    absent = await read(client, "/duty?at=2098-12-02T09:00", "zh-CN")
    assert "代 li" in absent and "谁在值班" in absent and '<span class="tag">技术员</span>' in absent
    assert await pool.fetchval("SELECT role FROM duty") == "technician"
    for path in ("/duty/1/remove", "/substitutes/1/remove"):
        gone = await client.post(path, data={}, headers=OWN)
        assert (gone.status_code, gone.headers["location"]) == (303, "/duty")
        assert (await client.post(path, data={}, headers=OWN)).status_code == 404
    assert await pool.fetchval("SELECT count(*) FROM duty") == await pool.fetchval(
        "SELECT count(*) FROM duty_substitute"
    )
    assert "No duties" in await read(client, "/duty")


@pytest.mark.parametrize(
    ("path", "changes", "says"),
    [
        ("/duty", {"contact": "sun"}, "there is no contact sun"),
        ("/duty", {"contact": ""}, "check these: Id of the contact"),
        ("/duty", {"times": "nights"}, "character 1"),
        ("/duty", {"weeks": "2"}, "a rotation has no first day"),
        ("/duty", {"valid_from": "soon"}, "check these: First day"),
        ("/substitutes", {"substitute": "li"}, "a contact is its own substitute"),
        ("/substitutes", {"until": "soon"}, "check this time: Until"),
        ("/substitutes", {"from": ""}, "check these: From"),
    ],
)
async def test_a_refusal_keeps_what_was_written(
    client: httpx.AsyncClient, path: str, changes: dict[str, str], says: str
) -> None:
    form = {**(DUTY if path == "/duty" else AWAY), **changes}
    answer = await client.post(path, data=form, headers={**OWN, "Accept-Language": "en"})
    assert answer.status_code == 422
    assert says in answer.text
    assert 'role="alert"' in answer.text
    assert all(f'value="{value}"' in answer.text for value in changes.values() if value and value != "soon")


async def test_a_list_goes_on_and_an_area_is_chosen(client: httpx.AsyncClient, pool: Pool) -> None:
    for week in range(1, 52):
        await add_duty(pool, "li", AREA, week=week)
    text = await read(client, f"/duty?area={AREA}")
    assert text.count('action="/duty/') == 50
    assert 'rel="next"' in text
    await add_contact(pool, "sun", TOWN, role="lead")
    assert '<span class="tag">lead</span>' in await read(client, f"/duty?area={TOWN}")
    assert (await read(client, f"/duty?area={TOWN}")).count('action="/duty/') == 0


async def test_a_technician_has_no_forms_and_another_site_does_nothing(client: httpx.AsyncClient, pool: Pool) -> None:
    await add_duty(pool, "li", AREA)
    await add_substitute(pool, "li", "ma", (await pool.fetchval("SELECT now()")))
    assert (await client.post("/duty", data=DUTY, headers={"Origin": "http://evil.test"})).status_code == 403
    other = await other_account(pool, Role.TECHNICIAN, scope=AreaScope(areas=frozenset({AREA})))
    client.cookies.clear()
    answer = await client.get("/duty", headers=other.headers)
    assert answer.status_code == 200
    assert 'method="post" action="/duty' not in answer.text and 'action="/substitutes' not in answer.text
