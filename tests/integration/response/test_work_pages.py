"""The pages of work and answers: what they say, in both languages, on a phone and on paper."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from store.pool import Pool
from tests.integration.api.test_api_pages import browser  # noqa: F401 -- a fixture
from tests.integration.api.test_api_service import running
from tests.integration.api_world import World, config, serving, sign_in
from tests.integration.console.test_accessibility import FITS, FOUND, RULES, axe, looking  # noqa: F401 -- a fixture
from tests.integration.console.test_console import NASTY, read
from tests.integration.console_world import COUNTY, PROVINCE, TOWN, a_country
from tests.integration.duty_kit import add_contact
from tests.integration.response.test_api_work import NORTH, OPEN_FROM_NINE, SHUT, a_page, an_incident
from tests.servers import find_free_port

PHONE = {"width": 360, "height": 780}


@pytest.fixture
async def world(pool: Pool) -> World:
    """Work of the contact ma in two townships, one part of it overdue and one escalated."""
    world = await a_country(pool)
    await world.area(NORTH, "中川乡", PROVINCE, COUNTY, level="township")
    for number, (town, name) in enumerate(((TOWN, "官亭镇第一阅览室"), (TOWN, NASTY), (NORTH, "中川乡文化站"))):
        await world.station(f"632122000{number}", "offline", area=town, name=name)
    await pool.execute("UPDATE station SET lat = 36.33, lon = 102.81, address = '团结街 3 号' WHERE id = '6321220000'")
    await pool.execute(
        "INSERT INTO contact (id, name, role, area, edited_by) VALUES ('ma', $1, 'technician', $2, 'x')", "马军", COUNTY
    )
    await add_contact(pool, "su", "640000000000")
    for station, definition in (("6321220000", OPEN_FROM_NINE), ("6321220001", SHUT)):
        await world.hours(station, definition=definition)
    await an_incident(world, "6321220000", TOWN, 30, assignee="马军")
    await an_incident(
        world, "6321220001", TOWN, 50, status="acknowledged", acknowledged_by="admin", eta_at=world.ago(600),
        first_acknowledged_at=world.ago(40 * 3600),
    )  # fmt: skip
    climbed = await an_incident(world, "6321220002", NORTH, 5)
    await a_page(world, climbed, "ma", "escalated")
    over = await an_incident(world, "6321220002", NORTH, 20, status="closed", ended_at=world.ago(3600))
    await pool.execute("INSERT INTO repair (incident, at, made_by, cause) VALUES ($1, now(), 'admin', 'power')", over)
    return world


@pytest.fixture
async def client(world: World, database: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(config(database, tmp_path), token=None) as (client, _):
        await sign_in(client)
        yield client


WORK_SAYS = {
    "en": ("Work of 马军", "中川乡", "官亭镇", "团结街 3 号", "geo:36.33000,102.81000", "told", "on duty", "has passed",
           "not open until the end of tomorrow", "always open", "1 d 6 h in all", "acknowledged by administrator",
           "&lt;script&gt;"),
    "zh-CN": ("马军的任务", "共 3 项，2 个乡镇", "开放时间内 1 天 6 小时", "由管理员确认", "已过",
              "到明天为止不开放", "全天开放"),
}  # fmt: skip
RESPONSE_SAYS = {
    "en": ("Nobody owns it", "Past the expected end", "Escalated", "10 h (10 h)", "19 h (19 h)", "By area", "By kind",
           "By cause", "官亭镇", "0 s (0 s)"),
    "zh-CN": ("无人负责", "已过预计恢复时间", "10 小时 (10 小时)", "确认用时（开放）",
              "按原因", "供电", "最近 7 天"),
}  # fmt: skip


async def test_what_the_pages_say(client: httpx.AsyncClient) -> None:
    for path, says in (("/work?contact=ma", WORK_SAYS), (f"/response?area={COUNTY}", RESPONSE_SAYS)):
        for language, expected in says.items():
            text = await read(client, path, language)
            assert [word for word in expected if word not in text] == [], (path, language)
            assert "<script>alert" not in text
    work = await read(client, "/work?contact=ma")
    assert work.index("中川乡") > work.index("官亭镇"), "what was open longest comes first"
    own = await read(client, "/work", "en")
    assert "My work" in own and "Your account has no contact" in own and own.count('<li class="acknowledged">') == 1
    assert "No incident needs you" in await read(client, "/work?contact=su", "en")
    assert 'href="/work?contact=ma"' in await read(client, "/contacts/ma")
    unknown = await client.get("/work?contact=nobody", headers={"Accept-Language": "en"})
    assert unknown.status_code == 404 and "There is no contact with this id" in unknown.text
    month = await read(client, "/response?days=30&area=99", "en")
    assert "No incidents in this period" in month and "Every incident has an owner" in month


async def test_few_bytes_over_a_slow_line(client: httpx.AsyncClient) -> None:
    """20 kbit/s are 2500 bytes a second; the style is loaded once."""
    page = await client.get("/work?contact=ma")
    style = await client.get("/static/page.css", headers={"Accept-Encoding": "gzip"})
    assert (style.headers["content-encoding"], style.headers["cache-control"]) == ("gzip", "public, max-age=300")
    assert len(page.content) < 8000 and int(style.headers["content-length"]) < 6000
    assert page.headers["cache-control"] == "no-store" and "content-encoding" not in page.headers
    again = await client.get("/static/page.css", headers={"If-None-Match": style.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert (await client.get("/static/none.js")).status_code == 404


async def test_on_a_phone_and_on_paper(
    world: World,
    browser: Any,  # noqa: F811
    axe: str,  # noqa: F811
    database: str,
    tmp_path: Path,
) -> None:
    settings = config(database, tmp_path, port=find_free_port())
    found: list[str] = []
    async with running(settings):
        for language in ("zh-CN", "en"):
            async with looking(browser, settings.url, language) as page:
                await page.set_viewport_size(PHONE)
                for path in ("/work?contact=ma", "/response?days=30"):
                    await page.goto(settings.url + path)
                    await page.evaluate(axe)
                    found += await page.evaluate(FOUND, RULES)
                    assert await page.evaluate(FITS), path
                await page.goto(f"{settings.url}/work?contact=ma")
                await page.emulate_media(media="print")
                assert not await page.locator("header nav").is_visible()
                assert not await page.locator("form").is_visible()
                assert await page.locator(".rows li").first.is_visible()
                await page.emulate_media(media="screen")
                async with page.expect_navigation():
                    await page.locator(".rows a").first.click()
                assert "/incidents/" in page.url
    assert found == []
