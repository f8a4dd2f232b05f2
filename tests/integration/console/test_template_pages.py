"""The console's pages of message templates: the list, the form, the preview, the way back, and who may change them."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from access.roles import Role
from access.scope import WHOLE, AreaScope
from store.pool import Pool
from tests.integration.api_world import World, config, other_account, serving, sign_in
from tests.integration.console.test_console import AREA, OWN, read, world  # noqa: F401

SHORT = "/templates/short/en"
IN_ENGLISH = {**OWN, "Accept-Language": "en"}


@pytest.fixture
async def client(world: World, database: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:  # noqa: F811
    async with serving(config(database, tmp_path), token=None) as (client, _):
        await sign_in(client)
        yield client


async def test_previewed_changed_and_reset(client: httpx.AsyncClient, pool: Pool) -> None:
    listed = await read(client, "/templates")
    assert listed.count("· default") == 12 and "· changed" not in listed
    page = await read(client, SHORT)
    assert ">{short}</textarea>" in page and "{advice}" in page and "Remove" not in page
    text = {"text": "[CLOUD] {short} <b>"}
    tried = await client.post(SHORT, data={**text, "preview": "1"}, headers=IN_ENGLISH)
    assert tried.status_code == 200 and "[CLOUD] {short} &lt;b&gt;</textarea>" in tried.text
    assert tried.text.count('tabindex="0">[CLOUD] ') == 3 and "not saved yet" in tried.text
    assert await pool.fetchval("SELECT count(*) FROM message_template") == 0, "a preview stores nothing"
    saved = await client.post(SHORT, data=text, headers=OWN)
    assert (saved.status_code, saved.headers["location"]) == (303, SHORT)
    assert await pool.fetchval("SELECT text FROM message_template") == text["text"]
    assert (await read(client, "/templates")).count("· changed") == 1
    assert "[CLOUD] " in await read(client, "/templates/title/en"), "a preview has all templates of the language"
    assert "[CLOUD] " not in await read(client, "/templates/short/zh-CN")
    gone = await client.post(f"{SHORT}/reset", data={}, headers=OWN)
    assert (gone.status_code, gone.headers["location"]) == (303, "/templates")
    kinds = await pool.fetch("SELECT kind, actor FROM ledger_entry WHERE subject = 'template/short/en' ORDER BY id")
    assert [row["kind"] for row in kinds] == ["template.changed", "template.reset"]


@pytest.mark.parametrize("do", ["save", "preview"])
@pytest.mark.parametrize(
    ("text", "says"),
    [("{link}", "there is no placeholder {link} here"), ("{short", "a single {"), ("", "1 to 2000 characters"),
     ("x" * 31 + "{short}", "may have 30"), ("{short}\n{time}", "has one line")],
)  # fmt: skip
async def test_a_refusal_keeps_what_was_typed(
    client: httpx.AsyncClient, pool: Pool, text: str, says: str, do: str
) -> None:
    answer = await client.post(SHORT, data={"text": text, "do": do}, headers=IN_ENGLISH)
    assert answer.status_code == 422
    assert says in answer.text and f">{text}</textarea>" in answer.text
    assert await pool.fetchval("SELECT count(*) FROM message_template") == 0


async def test_one_of_another_version_is_said_and_can_be_reset(client: httpx.AsyncClient, pool: Pool) -> None:
    await pool.execute(
        "INSERT INTO message_template (name, language, text, edited_by) VALUES "
        "('body', 'en', '{gone}', 'admin'), ('g o?', 'en', 'x', 'admin')"
    )
    listed = await read(client, "/templates")
    assert listed.count("broken, not used") == 2 and "/templates/g%20o%3F/en" in listed
    assert "there is no placeholder {gone} here" in await read(client, "/templates/body/en")
    page = await read(client, "/templates/g%20o%3F/en")
    assert "no such template" in page and "<textarea" not in page
    assert (await client.post("/templates/g%20o%3F/en/reset", data={}, headers=OWN)).status_code == 303
    assert await pool.fetchval("SELECT count(*) FROM message_template") == 1
    for path in ("/templates/g%20o%3F/en", "/templates/nothing/en"):
        assert (await client.get(path, headers={"Accept": "text/html"})).status_code == 404
    assert (await client.post("/templates/nothing/en", data={"text": "x"}, headers=OWN)).status_code == 404
    assert (await client.get("/templates/body/fr", headers={"Accept": "text/html"})).status_code == 422


async def test_only_an_administrator_of_everything_changes_them(client: httpx.AsyncClient, pool: Pool) -> None:
    county = AreaScope(areas=frozenset({AREA}))
    for login, role, scope in (("s", Role.SUPERVISOR, None), ("a", Role.ADMIN, county)):
        other = await other_account(pool, role, login, scope=scope or WHOLE)
        client.cookies.clear()
        headers = {**other.headers, "Accept-Language": "en"}
        page = await client.get(SHORT, headers=headers)
        assert page.status_code == 200 and "<textarea" not in page.text and "Only an administrator" in page.text
        refused = await client.post(SHORT, data={"text": "x {short}"}, headers={**headers, **OWN})
        assert refused.status_code == 403
    assert await pool.fetchval("SELECT count(*) FROM message_template") == 0
