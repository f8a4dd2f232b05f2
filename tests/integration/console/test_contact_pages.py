"""The console's pages of contacts: made, changed, retired; addresses are never shown again."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from access.roles import Role
from access.scope import AreaScope
from store.pool import Pool
from tests.integration.api_world import World, config, other_account, serving, sign_in
from tests.integration.console.test_console import AREA, NASTY, OWN, TOWN, read, world  # noqa: F401

FORM = {
    "id": "li", "name": NASTY, "role": "技术员", "area": TOWN, "language": "zh-CN", "room": "no",
    "quiet": "21:00-06:30", "account": "", "channels": "手机:13700137000\r\nwecom://geheim",
}  # fmt: skip


@pytest.fixture
async def client(world: World, database: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:  # noqa: F811
    async with serving(config(database, tmp_path), token=None) as (client, _):
        await sign_in(client)
        yield client


async def test_made_changed_and_retired_on_pages(client: httpx.AsyncClient, pool: Pool) -> None:
    made = await client.post("/contacts", data=FORM, headers=OWN)
    assert made.status_code == 303, made.text
    text = await read(client, made.headers["location"])
    for word in ("&lt;script&gt;", "technician", "21:00-06:30", "SMS", "WeCom", "Retire"):
        assert word in text, word
    assert "geheim" not in text and "137001" not in text
    assert 'href="/contacts/li"' in await read(client, f"/contacts?area={AREA}")
    changed = await client.post("/contacts/li", data={**FORM, "quiet": "", "channels": ""}, headers=OWN)
    assert changed.status_code == 303, changed.text
    assert "21:00-06:30" not in await read(client, "/contacts/li")
    assert await pool.fetchval("SELECT count(*) FROM contact_channel") == 2
    await client.post("/contacts/li", data={**FORM, "channels": "mail:a@b.cn"}, headers=OWN)
    assert await pool.fetchval("SELECT address FROM contact_channel") == "a@b.cn"
    retired = await client.post("/contacts/li/retire", data={}, headers=OWN)
    assert retired.headers["location"] == "/contacts/li"
    assert "已停用" in await read(client, "/contacts/li", "zh-CN")
    assert 'href="/contacts/li"' not in await read(client, "/contacts")
    assert 'href="/contacts/li"' in await read(client, "/contacts?retired=yes")


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"role": "Technik"},
        {"area": "99"},
        {"quiet": "nachts"},
        {"account": "nobody"},
        {"channels": "sms:geheim"},
        {"language": "fr"},
    ],
)
async def test_a_refusal_keeps_what_was_written_but_no_address(
    client: httpx.AsyncClient, changes: dict[str, str]
) -> None:
    for path in ("/contacts", "/contacts/li"):
        answer = await client.post(path, data={**FORM, **changes}, headers=OWN)
        assert answer.status_code == 422
        assert 'role="alert"' in answer.text
        assert "geheim" not in answer.text
        assert "name" in changes or "&lt;script&gt;" in answer.text
        await client.post("/contacts", data=FORM, headers=OWN)


async def test_another_site_makes_no_contact(client: httpx.AsyncClient, pool: Pool) -> None:
    assert (await client.post("/contacts", data=FORM)).status_code == 403
    assert await pool.fetchval("SELECT count(*) FROM contact") == 0


async def test_whoever_may_not_has_no_form(world: World, pool: Pool, database: str, tmp_path: Path) -> None:  # noqa: F811
    await world.contact("li", area=TOWN)
    county = AreaScope(areas=frozenset({TOWN}))
    supervisor = (await other_account(pool, Role.SUPERVISOR, "boss", scope=county)).headers
    technician = (await other_account(pool, Role.TECHNICIAN, "worker", scope=county)).headers
    async with serving(config(database, tmp_path), token=None) as (client, _):
        for headers, shown in ((supervisor, True), (technician, False)):
            client.headers.update(headers)
            assert ("New contact" in await read(client, "/contacts")) is shown
            assert ("Retire the contact" in await read(client, "/contacts/li")) is shown
