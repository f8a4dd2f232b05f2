"""Accounts and tokens in a real browser: an account from its making to its end, and what is shown only once."""

import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from store.pool import Pool
from tests.integration.api.test_api_pages import browser  # noqa: F401 -- a fixture
from tests.integration.api.test_api_service import running
from tests.integration.api_world import OWN_PAGE, TOKEN, World, config, leave, serving, sign_in, sign_in_page
from tests.servers import find_free_port

PROVINCE, CITY, COUNTY, TOWN, OTHER = "630000000000", "632100000000", "632122000000", "632122101000", "632123101000"
PASSWORD = "correct horse battery"


@pytest.fixture
async def world(pool: Pool) -> World:
    world = World(pool)
    await world.clock()
    await world.area(PROVINCE, "青海省", level="province")
    await world.area(CITY, "海东市", PROVINCE, level="city")
    await world.area(COUNTY, "民和县", PROVINCE, CITY)
    await world.area(TOWN, "官亭镇", PROVINCE, CITY, COUNTY, level="township")
    await world.area(OTHER, "官亭镇", PROVINCE, CITY, level="township")
    return world


async def new_account(page: Any, url: str, login: str, role: str, areas: str) -> None:
    await page.goto(f"{url}/accounts")
    form = page.locator("form[action='/accounts']")
    await form.locator("input[name=login]").fill(login)
    await form.locator("select[name=role]").select_option(role)
    await form.locator("textarea[name=areas]").fill(areas)
    await leave(page, form.locator("p.buttons button"))


async def first_password(page: Any, link: str) -> None:
    """What a person does with the link: sign in, and choose a password."""
    await page.goto(link)
    await leave(page, page.locator("form.signin button").last)
    await page.locator("input[name=password]").fill(PASSWORD)
    await page.locator("input[name=again]").fill(PASSWORD)
    await leave(page, page.locator("form[action='/password'] button"))


async def test_an_account_from_its_making_to_its_end(
    world: World,
    browser: Any,  # noqa: F811
    database: str,
    tmp_path: Path,
) -> None:
    settings = config(database, tmp_path, port=find_free_port())
    async with running(settings):
        admin = await (await browser.new_context(locale="zh-CN")).new_page()
        await sign_in_page(admin, settings.url)
        await leave(admin, admin.locator("nav a[href='/accounts']"))
        # A name that two areas have is asked about; the form keeps what was typed.
        await new_account(admin, settings.url, "li", "supervisor", "6321 海东市\n官亭镇")
        await admin.locator(".picks button").first.wait_for()
        assert await admin.locator(".picks button").count() == 2
        assert await admin.locator("input[name=login]").input_value() == "li"
        await leave(admin, admin.locator(f".picks button[value='{TOWN}']"))
        await admin.locator("[role=status]", has_text="账户已建立").wait_for()
        assert await admin.locator("textarea[name=areas]").input_value() == f"{CITY} · 海东市\n{TOWN} · 官亭镇"
        # Narrowed by its name.
        await admin.locator("textarea[name=areas]").fill("民和县")
        await admin.locator("input[name=name]").fill("李四")
        await leave(admin, admin.locator("p.buttons button", has_text="保存"))
        await admin.locator("[role=status]", has_text="已保存").wait_for()
        assert await admin.locator("dl.facts a").all_text_contents() == ["民和县"]
        await leave(admin, admin.locator("form[action$='/link'] button"))
        link = await admin.locator("#secret").text_content()

        li = await (await browser.new_context(locale="zh-CN")).new_page()
        await first_password(li, link)
        assert await li.locator("nav a[href='/accounts']").count() == 0
        await leave(li, li.locator("nav a[href='/account']"))
        assert "李四" in await li.locator("h2.title").text_content()
        form = li.locator("form[action='/account/tokens']")
        await form.locator("input[name=name]").fill("大屏")
        await form.locator("select[name=role]").select_option("auditor")
        await leave(li, form.locator("button"))
        token = await li.locator("#secret").text_content()
        async with httpx.AsyncClient(base_url=settings.url, headers={"Authorization": f"Bearer {token}"}) as client:
            own = (await client.get("/api/v1/account")).json()
            assert (own["token"]["name"], own["token"]["role"]) == ("大屏", "auditor")
            await leave(li, li.locator("a.button"))
            await li.locator("summary", has_text="更换或吊销").click()
            await leave(li, li.locator("button.grave"))
            await li.locator("text=没有有效的令牌").wait_for()
            assert token not in await li.content()
            assert (await client.get("/api/v1/account")).status_code == 401

        await admin.goto(f"{settings.url}/accounts")
        await leave(admin, admin.locator("a.row", has_text="李四"))
        await leave(admin, admin.locator("button.grave"))
        await admin.locator(".big", has_text="已停用").wait_for()
        await li.goto(f"{settings.url}/account")
        assert "请先登录" in await li.content()


async def test_a_new_token_can_be_copied_with_and_without_scripts(
    world: World,
    browser: Any,  # noqa: F811
    database: str,
    tmp_path: Path,
) -> None:
    settings = config(database, tmp_path, port=find_free_port())
    async with running(settings):
        for scripts in (True, False):
            context = await browser.new_context(locale="en", java_script_enabled=scripts)
            if scripts:
                await context.grant_permissions(["clipboard-read", "clipboard-write"], origin=settings.url)
            page = await context.new_page()
            await sign_in_page(page, settings.url)
            await page.goto(f"{settings.url}/account")
            form = page.locator("form[action='/account/tokens']")
            await form.locator("input[name=name]").fill("pump")
            await form.locator("button").click()
            token = await page.locator("#secret").text_content()
            assert token.startswith("mp_")
            if scripts:
                await page.locator(".copy").click()
                await page.locator(".copy", has_text="Copied").wait_for()
                assert await page.evaluate("navigator.clipboard.readText()") == token
            else:
                assert not await page.locator(".copy").is_visible()
                assert await page.locator("#secret").is_visible()


async def test_sessions_are_ended_on_the_page(
    world: World,
    browser: Any,  # noqa: F811
    database: str,
    tmp_path: Path,
) -> None:
    settings = config(database, tmp_path, port=find_free_port())
    async with running(settings):
        pages = [await (await browser.new_context(locale="en")).new_page() for _ in range(3)]
        for page in pages:
            await sign_in_page(page, settings.url)
            # The board, where a session begins, loads itself again when the session has ended.
            await page.goto(f"{settings.url}/account")
        await pages[0].reload()
        ends = pages[0].locator("form[action^='/account/sessions/'] button")
        assert await ends.count() == 3, "two others, and all others at once"
        for end in (ends.first, pages[0].locator("form[action='/account/sessions/end'] button")):
            # A click ends before the page that it leads to is there.
            await leave(pages[0], end)
        assert await pages[0].locator("form[action^='/account/sessions/']").count() == 0
        for page in pages[1:]:
            await page.goto(f"{settings.url}/account")
            assert await page.locator("form.signin").count() > 0


REFUSED = [
    ("/accounts", {"login": "admin", "role": "auditor", "scope": "whole"}, "已被使用"),
    ("/accounts", {"login": "a b", "role": "auditor", "scope": "whole"}, "登录名"),
    ("/accounts", {"login": "x", "role": "king", "scope": "whole"}, "角色"),
    ("/accounts", {"login": "x", "role": "auditor", "scope": "areas", "areas": "无此地"}, "没有名为“无此地”的区划"),
    ("/accounts", {"login": "x", "role": "auditor", "scope": "areas", "areas": ""}, "范围中没有任何区划"),
    ("/accounts/operator", {"name": "x", "role": "auditor", "scope": "whole"}, "属于 Milepost 本身"),
    ("/accounts/operator/disable", {}, "属于 Milepost 本身"),
    ("/account/tokens", {"name": "", "role": "auditor", "scope": "own"}, "请检查：用途"),
    ("/account/tokens", {"name": "x", "role": "auditor", "scope": "own", "days": "500"}, "有效天数"),
    (
        "/account/tokens",
        {"name": "x", "role": "auditor", "scope": "areas", "areas": "无此地"},
        "没有名为“无此地”的区划",
    ),
    ("/account/sessions/abc/end", {}, "此前已退出"),
]


@pytest.mark.parametrize(("path", "form", "said"), REFUSED)
async def test_a_refusal_is_said_beside_the_form(
    world: World, database: str, tmp_path: Path, path: str, form: dict[str, str], said: str
) -> None:
    async with serving(config(database, tmp_path), token=None) as (client, _):
        await sign_in(client)
        answer = await client.post(path, data=form, headers={**OWN_PAGE, "Accept-Language": "zh-CN"})
        assert answer.status_code in {404, 409, 422}
        assert said in answer.text
        assert 'role="alert"' in answer.text


async def test_the_page_of_a_new_token_says_until_when_the_old_one_works(
    world: World, database: str, tmp_path: Path
) -> None:
    async with serving(config(database, tmp_path), token=None) as (client, _):
        await sign_in(client)
        headers = {**OWN_PAGE, "Accept-Language": "en"}
        for overlap, goes_on in (("24", True), ("0", False)):
            form = {"name": "pump", "role": "auditor", "scope": "own"}
            made = await client.post("/account/tokens", data=form, headers=headers)
            token = re.search(r"mp_([0-9a-f]+)_", made.text)
            assert token is not None
            answer = await client.post(f"/account/tokens/{token[1]}/rotate", data={"overlap": overlap}, headers=headers)
            assert answer.status_code == 201
            assert ("The old token is good until " in answer.text) is goes_on


async def test_what_is_not_there_is_a_page_too(world: World, database: str, tmp_path: Path) -> None:
    async with serving(config(database, tmp_path), token=None) as (client, _):
        await sign_in(client)
        headers = {**OWN_PAGE, "Accept-Language": "zh-CN"}
        for method, path in (
            ("GET", "/accounts/none"), ("POST", "/accounts/none"), ("POST", "/accounts/none/link"),
            ("POST", "/accounts/operator/explode"), ("POST", "/account/tokens/none/revoke"),
            ("POST", "/account/tokens/none/explode"),
        ):  # fmt: skip
            answer = await client.request(
                method, path, headers=headers, data={"name": "x"} if method == "POST" else None
            )
            assert answer.status_code == 404, path


async def test_only_who_manages_accounts_comes_to_their_pages(
    world: World, pool: Pool, database: str, tmp_path: Path
) -> None:
    async with serving(config(database, tmp_path)) as (client, _):
        said = {"login": "li", "name": "li", "role": "supervisor", "areas": [COUNTY]}
        account = (await client.post("/api/v1/accounts", json=said)).json()["id"]
        made = await client.post("/api/v1/tokens", json={"name": "x", "account": account})
        headers = {"Authorization": f"Bearer {made.json()['token']}", "Accept": "text/html"}
        for path in ("/accounts", f"/accounts/{account}"):
            assert (await client.get(path, headers=headers)).status_code == 403
        assert (await client.get("/account", headers=headers)).status_code == 200
        assert TOKEN not in (await client.get("/account")).text
