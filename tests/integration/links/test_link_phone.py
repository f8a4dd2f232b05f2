"""The page behind a link on a phone of 360 px: the connection drops, two windows, two people, and nothing is lost."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import httpx
import pytest

from access.links.store import end_links, give_links
from access.rules import OPERATOR
from store.author import Author
from store.pool import Pool
from tests.integration.api.test_api_pages import browser  # noqa: F401 -- a fixture
from tests.integration.api.test_api_service import running
from tests.integration.api_world import config, leave
from tests.integration.incidents_kit import until
from tests.integration.links.phone_kit import PEOPLE, TOWNS, a_county, phone
from tests.servers import find_free_port

STATION: Final = "6321220000"
TEXT: Final = "钥匙在村委会，<b>下午</b>去"
NOTES: Final = "SELECT count(*) FROM incident_entry WHERE action = 'note'"
LANGUAGES: Final = ("zh-CN", "en")


class Shown(NamedTuple):
    """The addresses of the links of two people for one incident."""

    wang: str
    ma: str
    incident: int
    pool: Pool


@pytest.fixture
async def links(pool: Pool, database: str, tmp_path: Path) -> AsyncIterator[Shown]:
    """The service, and an incident in which two people have links."""
    world = await a_county(pool)
    incident = await world.incident("station_offline", station=STATION, area=next(iter(TOWNS)), began=3000)
    settings = config(database, tmp_path, port=find_free_port())
    tokens = {}
    async with pool.acquire() as connection:
        for person in PEOPLE:
            tokens[person] = (await give_links(connection, person, [incident], datetime.now(UTC)))[incident]
    async with running(settings):
        wang, ma = (f"{settings.url}/i/{tokens[person]}" for person in ("wang", "ma"))
        yield Shown(wang, ma, incident, pool)


def form(page: Any, act: str) -> Any:
    return page.locator(f"form[data-act={act}]")


async def write_note(page: Any, text: str = TEXT) -> Any:
    """Unfold the note and type."""
    await page.locator("details:has(form[data-act=note]) > summary").click()
    await form(page, "note").locator("textarea").fill(text)
    return form(page, "note").locator("button")


async def kept(page: Any) -> list[str]:
    """What the phone keeps."""
    return list(await page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('milepost /i/'))"))


@pytest.mark.parametrize(("language", "offline", "saved"), [
    ("zh-CN", "没有网络", "说明已保存"), ("en", "No connection", "The remark is saved"),
])  # fmt: skip
async def test_offline_in_the_middle(
    language: str,
    offline: str,
    saved: str,
    browser: Any,  # noqa: F811
    links: Shown,
) -> None:
    async with phone(browser, language) as page:
        await page.goto(f"{links.wang}?lang={language}")
        button = await write_note(page)
        await page.context.set_offline(True)
        for _ in range(3):
            await button.click()
            await form(page, "note").get_by_text(offline).wait_for()
        assert await links.pool.fetchval(NOTES) == 0
        async with page.expect_navigation():
            await page.context.set_offline(False)
        await page.get_by_text(saved).wait_for()
        assert await kept(page) == [], "what was sent is kept no longer"
        assert await form(page, "note").locator("textarea").input_value() == ""
        assert await links.pool.fetchval("SELECT text FROM incident_entry WHERE action = 'note'") == TEXT
        await leave(page, await write_note(page, "第二条"))
        await until(links.pool, NOTES, 2)


async def test_a_connection_that_fails_counts_as_none_and_an_answer_that_is_lost_counts_once(
    browser: Any,  # noqa: F811
    links: Shown,
) -> None:
    """The phone says that it is online all the time. The hotspot answers with its own page; then the request arrives
    and its answer is lost; then the server is away. What the phone tries by itself meanwhile waits for the next press
    of the button."""
    pressed = asyncio.Semaphore(0)
    ways: list[str] = ["cut", "hotspot", "lost", "away", "pass"]
    sent: list[str] = []

    async def carry(route: Any) -> None:
        if route.request.method != "POST":
            await route.continue_()
            return
        await pressed.acquire()
        sent.append(route.request.post_data)
        way = ways.pop(0)
        if way == "lost":
            await route.fetch()
        if way in ("cut", "lost"):
            await route.abort("connectionreset")
        elif way in ("hotspot", "away"):
            status = 200 if way == "hotspot" else 503
            await route.fulfill(status=status, body="<h1>WiFi</h1>", content_type="text/html")
        else:
            await route.continue_()

    async with phone(browser, "en") as page:
        await page.route("**/i/*", carry)
        await page.goto(f"{links.wang}?lang=en")
        button = await write_note(page)
        for says in ("No connection", "No connection", "No connection", "does not answer"):
            pressed.release()
            await button.click()
            await form(page, "note").get_by_text(says).wait_for()
        async with page.expect_navigation():
            pressed.release()
            await button.click()
        await page.get_by_text("received before").wait_for()
    assert len(set(sent)) == 1 and ways == []
    assert await links.pool.fetchval(NOTES) == 1


async def test_the_phone_tries_by_itself(browser: Any, links: Shown) -> None:  # noqa: F811
    fails = ["x"]

    async def carry(route: Any) -> None:
        await (route.abort() if route.request.method == "POST" and fails and fails.pop() else route.continue_())

    async with phone(browser, "en") as page:
        await page.route("**/i/*", carry)
        await page.goto(f"{links.wang}?lang=en")
        async with page.expect_navigation():
            await (await write_note(page)).click()
        await page.get_by_text("The remark is saved").wait_for()
    assert await links.pool.fetchval(NOTES) == 1


async def test_what_was_typed_outlives_the_window_and_is_sent_once(browser: Any, links: Shown) -> None:  # noqa: F811
    """It is sent when the link is opened again, also when the first try had arrived."""
    async with phone(browser, "en") as page:
        await page.goto(f"{links.wang}?lang=en")
        button = await write_note(page)
        await form(page, "repair").evaluate("(form) => { form.closest('details').open = true; }")
        await form(page, "repair").locator("[name=parts]").fill("插座")
        lost = True

        async def carry(route: Any) -> None:
            if route.request.method == "POST" and lost:
                await route.fetch()
                await route.abort()
            else:
                await route.continue_()

        await page.context.route("**/i/*", carry)
        await button.click()
        await form(page, "note").get_by_text("No connection").wait_for()
        assert await links.pool.fetchval(NOTES) == 1
        await page.close()
        lost = False
        again = await page.context.new_page()
        await again.goto(links.wang)
        await again.wait_for_url("**done=note**")
        await again.get_by_text("received before").wait_for()
        assert await form(again, "repair").locator("[name=parts]").input_value() == "插座"
        assert await form(again, "repair").get_by_text("was not sent yet").is_visible()
        assert await form(again, "note").locator("textarea").input_value() == ""
        assert [key.rpartition(" ")[2] for key in await kept(again)] == ["repair"]
    assert await links.pool.fetchval(NOTES) == 1


async def test_two_windows_of_one_link(browser: Any, links: Shown) -> None:  # noqa: F811
    """A text shows in a second window; sent in one of them it is gone in both. What differs stays. Another link of the
    same phone sees nothing of it."""
    async with phone(browser, "en") as page:
        await page.goto(f"{links.wang}?lang=en")
        await write_note(page)
        other = await page.context.new_page()
        await other.goto(links.wang)
        area = form(other, "note").locator("textarea")
        assert await area.input_value() == TEXT
        foreign = await page.context.new_page()
        await foreign.goto(links.ma)
        assert await form(foreign, "note").locator("textarea").input_value() == ""
        third = await page.context.new_page()
        await third.goto(links.wang)
        await form(third, "note").locator("textarea").evaluate("(one) => { one.value = 'anderes'; }")
        await leave(page, form(page, "note").locator("button"))
        await form(other, "note").get_by_text("in another window").wait_for()
        assert await area.input_value() == ""
        assert await form(third, "note").locator("textarea").input_value() == "anderes"
        # The address of the page says what was done: that it is loaded again deletes nothing.
        await form(page, "note").locator("textarea").evaluate("(one) => { one.closest('details').open = true; }")
        await form(page, "note").locator("textarea").fill("noch eine")
        await page.reload()
        assert await form(page, "note").locator("textarea").input_value() == "noch eine"
    assert await links.pool.fetchval(NOTES) == 1


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without"])
@pytest.mark.parametrize("language", LANGUAGES)
async def test_two_people(language: str, script: bool, browser: Any, links: Shown) -> None:  # noqa: F811
    """Nobody takes an incident away from another person unawares; knowing of the other, one may."""
    said = {
        "zh-CN": ("马军刚刚接手了此故障", "由您处理", "正在处理"),
        "en": ("马军 took this incident just now", "You work on it", "works on it"),
    }
    taken, own, theirs = said[language]
    async with phone(browser, language, java_script_enabled=script) as wang, phone(browser, language) as ma:
        await wang.goto(f"{links.wang}?lang={language}")
        await ma.goto(f"{links.ma}?lang={language}")
        await form(ma, "ack").locator("select").select_option("2")
        await leave(ma, form(ma, "ack").locator("button"))
        await ma.locator(".tag.acknowledged + strong").get_by_text(own).wait_for()
        await form(wang, "ack").locator("[name=text]").fill("我也在路上")
        await form(wang, "ack").locator("button").click()
        await wang.get_by_text(taken).wait_for()
        assert await form(wang, "ack").locator("[name=text]").input_value() == "我也在路上"
        assert await links.pool.fetchval("SELECT count(*) FROM incident_entry WHERE action = 'acknowledged'") == 1
        await leave(wang, form(wang, "ack").locator("button"))
        await wang.locator(".tag.acknowledged + strong").get_by_text(own).wait_for()
        await ma.reload()
        await form(ma, "ack").get_by_text(theirs).wait_for()
    owner = await links.pool.fetchval("SELECT name FROM account JOIN incident ON acknowledged_by = account.id")
    assert owner == "王芳"


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_link_that_ends_while_somebody_types(language: str, browser: Any, links: Shown) -> None:  # noqa: F811
    says = {"zh-CN": "手机已报失", "en": "The phone was reported lost"}[language]
    async with phone(browser, language) as page:
        await page.goto(f"{links.wang}?lang={language}")
        button = await write_note(page)
        async with links.pool.acquire() as connection:
            await end_links(connection, "wang", datetime.now(UTC), by=Author(OPERATOR))
        await button.click()
        await form(page, "note").get_by_text(says).wait_for()
        assert await form(page, "note").locator("textarea").input_value() == TEXT
        await page.reload()
        await page.get_by_text(says).wait_for()
    assert await links.pool.fetchval(NOTES) == 0


async def test_chat_programs_preview_and_nothing_happens(links: Shown) -> None:
    """Opened by GET and HEAD, with the names that such programs give, and compressed only for who takes it."""
    before = await links.pool.fetchval("SELECT count(*) FROM ledger_entry")
    async with httpx.AsyncClient() as client:
        for agent in ("WeChat", "DingTalkBot-LinkService/1.0", "Feishu-LinkPreview", "facebookexternalhit/1.1"):
            for ask in (client.get, client.head):
                answer = await ask(links.wang, headers={"User-Agent": agent})
                assert answer.status_code == 200
                assert "no-store" in answer.headers["cache-control"]
        for accepted, encoding in (
            ("gzip", "gzip"), ("br, gzip;q=0.5", "gzip"), ("identity", None), ("gzip;q=0", None), ("br", None)
        ):  # fmt: skip
            answer = await client.get(links.wang, headers={"Accept-Encoding": accepted})
            assert answer.headers.get("content-encoding") == encoding, accepted
            assert "Accept-Encoding" in answer.headers["vary"] or encoding is None
            assert answer.text.rstrip().endswith("</html>")
    assert await links.pool.fetchval("SELECT count(*) FROM ledger_entry") == before
    assert await links.pool.fetchval("SELECT status FROM incident") == "open"
