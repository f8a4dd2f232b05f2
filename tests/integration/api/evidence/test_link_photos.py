"""Photos and closures by a link, as a phone sends them."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

import httpx
import pytest

from access.links.store import give_links
from access.roles import Role
from access.scope import AreaScope
from registry.photos.rules import MAX_UPLOAD
from store.pool import Pool
from tests.integration.api_world import World, config, other_account, serving
from tests.pictures import of_a_phone

HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00"
COUNTY = "632122000000"


async def post(client: httpx.AsyncClient, path: str, act: str, content: bytes | None, **fields: str) -> httpx.Response:
    """Send a form of the page as it is shown now, in Chinese."""
    shown = await client.get(path, headers={"Accept-Language": "zh-CN"})
    assert shown.status_code == 200
    once = re.findall(r'name="once" value="([^"]+)"', shown.text)[0]
    return await send(client, path, {"act": act, "once": once, **fields}, content)


async def send(client: httpx.AsyncClient, path: str, said: dict[str, str], content: bytes | None) -> httpx.Response:
    files = {"photo": ("x.jpg", content)} if content is not None else {"photo": ("", b"")}
    return await client.post(path, data=said, files=files, headers={"Accept-Language": "zh-CN"})


class Sender(NamedTuple):
    """A link of a technician, for an incident."""

    path: str
    incident: int
    account: str


@pytest.fixture
async def sender(pool: Pool) -> Sender:
    world = World(pool)
    await world.clock()
    await world.area(COUNTY, "民和县")
    await world.station("6321220007", "offline", area=COUNTY)
    incident = await world.incident("station_offline", station="6321220007", area=COUNTY)
    account = (await other_account(pool, Role.TECHNICIAN, scope=AreaScope(areas=frozenset({COUNTY})))).account
    await world.contact("li", area=COUNTY, room=False)
    await pool.execute("UPDATE contact SET account = $1 WHERE id = 'li'", account)
    async with pool.acquire() as connection, connection.transaction():
        token = (await give_links(connection, "li", [incident], datetime.now(UTC)))[incident]
    return Sender(f"/i/{token}", incident, account)


MEANWHILE: Final = {
    "the account is disabled": (
        "UPDATE account SET disabled_at = now(), disabled_by = 'operator' WHERE login = 'li'",
        410,
        "已停用",
    ),
    "the contact is retired": ("UPDATE contact SET retired_at = now()", 410, "已停用"),
    "the link expires": ("UPDATE link SET expires_at = made_at + interval '1 ms'", 404, "链接不正确"),
    "the account has another area": ("UPDATE account_area SET area = '630000000000'", 404, "看不到此故障"),
    "the account only reads now": ("UPDATE account SET role = 'auditor' WHERE login = 'li'", 403, ""),
}
"""What happens while a photo is sent: the statement, the status of the answer, and a word of the page."""


@pytest.mark.parametrize("what", MEANWHILE)
async def test_a_photo_of_a_person_who_may_no_longer_act_does_not_count(
    what: str, sender: Sender, pool: Pool, database: str, tmp_path: Path
) -> None:
    """A photo takes minutes over a slow line: the link and its account are looked up again when it has arrived."""
    sql, status, said = MEANWHILE[what]
    await World(pool).area("630000000000", "别处")
    fields = {"act": "repair", "once": "0123456789abcdef", "cause": "power"}
    form = httpx.Request("POST", "http://x", data=fields, files={"photo": ("x.jpg", of_a_phone())})
    content = form.read()

    async def slowly() -> AsyncIterator[bytes]:
        yield content[:400]
        await pool.execute(sql)
        yield content[400:]

    headers = {"Content-Type": form.headers["content-type"], "Accept-Language": "zh-CN"}
    async with serving(config(database, tmp_path), token=None) as (client, _):
        answer = await client.post(sender.path, content=slowly(), headers=headers)
    assert (answer.status_code, said in answer.text) == (status, True), answer.text
    assert await pool.fetchval("SELECT (SELECT count(*) FROM photo) + (SELECT count(*) FROM repair)") == 0


async def test_a_link_sends_photos_and_declares_a_closure(
    sender: Sender, pool: Pool, database: str, tmp_path: Path
) -> None:
    path, incident, account = sender
    async with serving(config(database, tmp_path), token=None) as (client, _):
        sent = await post(client, path, "photo", of_a_phone())
        assert (sent.status_code, sent.headers["location"]) == (303, f"{path}?done=photo")
        assert "照片已保存" in (await client.get(sent.headers["location"], headers={"Accept-Language": "zh-CN"})).text
        for content, status, said in (
            (HEIC, 415, "HEIC"),
            (None, 422, "没有收到照片"),
            (bytes(MAX_UPLOAD + 99), 413, "超过 20 MB"),
        ):
            refused = await post(client, path, "photo", content)
            assert (refused.status_code, said in refused.text) == (status, True), said
        repaired = await post(client, path, "repair", of_a_phone(6), cause="power")
        assert (repaired.status_code, repaired.headers["location"]) == (303, f"{path}?done=repair")
        form = {"act": "closure", "once": "0123456789abcdef", "days": "7", "text": "停电检修"}
        refused = await send(client, path, form, HEIC)
        assert refused.status_code == 415
        assert "停电检修" in refused.text, "what was typed is still there"
        assert (await send(client, path, {**form, "text": " "}, None)).status_code == 422
        assert await pool.fetchval("SELECT count(*) FROM closure") == 0
        for again in ("", "&again=yes"):
            made = await send(client, path, form, of_a_phone(3))
            assert (made.status_code, made.headers["location"]) == (303, f"{path}?done=closure{again}")
        forged = await send(client, f"{path}x", form, of_a_phone())
        assert forged.status_code == 404
    of_repair = await pool.fetchrow("SELECT p.made_by FROM photo p JOIN repair r ON r.id = p.repair")
    assert of_repair is not None and of_repair["made_by"] == account
    rows = await pool.fetch(
        "SELECT incident, closure, made_by, made_remark FROM photo WHERE repair IS NULL ORDER BY incident NULLS LAST"
    )
    closure = await pool.fetchrow("SELECT * FROM closure")
    assert [(row["incident"], row["closure"]) for row in rows] == [(incident, None), (None, closure["id"])]
    assert {row["made_by"] for row in rows} == {account, closure["declared_by"]} == {account}
    assert rows[0]["made_remark"] == closure["declared_remark"]
    assert (closure["station"], closure["reason"], closure["approved_at"]) == ("6321220007", "停电检修", None)
    assert (closure["until_at"] - closure["from_at"]).days == 7
