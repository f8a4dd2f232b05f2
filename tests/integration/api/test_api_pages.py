"""The status page: what it says, that it escapes, and how it looks in a real browser."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from store.pool import Pool
from tests.integration.api.test_api_service import running
from tests.integration.api_world import World, config, look_each_time, serving, sign_in, sign_in_page
from tests.servers import find_free_port

NASTY = "<script>alert(1)</script>&\"'"


async def page(client: httpx.AsyncClient, language: str) -> str:
    answer = await client.get("/", headers={"Accept-Language": language})
    assert answer.status_code == 200
    assert answer.headers["content-language"] == language
    return answer.text


async def test_it_says_what_is_wrong_and_since_when(pool: Pool, database: str, tmp_path: Path) -> None:
    world = World(pool)
    await world.clock()
    await world.station("6321220007", "offline", since=4000, seen=4100, name=NASTY)
    await world.station("6321220008")
    await world.incident("station_offline", station="6321220007", began=4000)
    async with serving(config(database, tmp_path), token=None) as (client, _):
        await sign_in(client)
        chinese, english = await page(client, "zh-CN"), await page(client, "en")
        chosen = (await client.get("/?lang=en", headers={"Accept-Language": "zh-CN"})).text
    for text, words in (
        (chinese, ("离线", "服务点离线", "待处理", "已持续 1 小时 6 分钟", "北京时间")),
        (english, ("Offline", "Station offline", "open", "for 1 h 6 min", "Open incidents: 1")),
    ):
        assert all(word in text for word in words), text
        assert "6321220007" in text
        assert NASTY not in text
        assert "&lt;script&gt;" in text
    assert 'lang="en"' in chosen


async def test_no_parameter_of_an_address_breaks_a_page(database: str, tmp_path: Path) -> None:
    async with serving(config(database, tmp_path), token=None) as (client, _):
        for status in (401, 200):
            for name in ("path", "query", "request", "self", "lang", "words"):
                answer = await client.get("/", params={name: "x"}, headers={"Accept": "text/html"})
                assert answer.status_code == status, name
            assert (await client.get("/signin?path=x")).status_code == 200
            await sign_in(client)


async def test_our_own_blindness_is_said_first(
    monkeypatch: pytest.MonkeyPatch, pool: Pool, database: str, tmp_path: Path
) -> None:
    look_each_time(monkeypatch)
    world = World(pool)
    async with serving(config(database, tmp_path), token=None) as (client, _):
        await sign_in(client)
        assert "No tick was judged yet" in await page(client, "en")
        await world.clock()
        assert "No station has reported yet" in await page(client, "en")
        await world.station("s")
        assert "All is well" in await page(client, "en")
        await world.clock(age=90)
        await world.station("t", "offline")
        text = await page(client, "en")
    assert "The platform itself cannot see" in text
    assert "All is well" not in text
    assert "Not known now" in text
    assert "No station is offline" not in text


async def test_the_page_tells_strangers_how_to_sign_in(database: str, tmp_path: Path) -> None:
    async with serving(config(database, tmp_path), token=None) as (client, _):
        answer = await client.get("/", headers={"Accept-Language": "en"})
        chinese = await client.get("/")
    assert answer.status_code == 401
    assert "one-use link" in answer.text
    assert 'name="token"' in answer.text
    assert "登录" in chinese.text


CHROMIUM = shutil.which("chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture
async def browser() -> AsyncIterator[Any]:
    """A real Chromium."""
    if CHROMIUM is None:
        pytest.skip("chromium is missing: apt-get install chromium")
    reason = "playwright is missing: pip install playwright"
    playwright = pytest.importorskip("playwright.async_api", reason=reason)
    async with playwright.async_playwright() as driver:
        opened = await driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        await opened.close()


@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_a_real_browser_shows_it_on_a_phone_and_keeps_it_true(
    language: str, browser: Any, pool: Pool, database: str, tmp_path: Path
) -> None:
    """Style sheet, script and stream work under the page's own policy, and nothing comes from elsewhere."""
    world = World(pool)
    await world.clock()
    await world.station("6321220007", name="官亭镇光明村农家书屋" * 4)
    await world.incident("station_offline", station="6321220007")
    settings = config(database, tmp_path, port=find_free_port())
    async with running(settings):
        page = await browser.new_page(locale=language, viewport={"width": 360, "height": 740})
        complaints: list[str] = []
        asked: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        await sign_in_page(page, settings.url)
        assert await page.locator(".counts .online b").inner_text() == "1"
        assert await page.locator("html").get_attribute("lang") == language
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "no horizontal scroll"
        assert await page.evaluate("getComputedStyle(document.querySelector('.counts')).display") == "grid"

        await pool.execute("UPDATE station_state SET state = 'offline'")
        await world.transition("6321220007", 1, "offline")
        await world.clock()
        await pool.execute("SELECT pg_notify('milepost_transition', '')")
        await page.locator(".counts .offline b", has_text="1").wait_for(timeout=20_000)
        assert f"{settings.url}/api/v1/stream" in asked
        assert complaints == []
        assert all(url.startswith(settings.url + "/") for url in asked), asked
        await page.close()
