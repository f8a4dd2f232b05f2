"""Sign-in in a real browser: by password, held back, and how sessions and tokens end."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import pytest

from access.passwords import hash_password
from access.roles import Role
from access.rules import OPERATOR, Account
from access.scope import WHOLE
from access.store import add_account, add_token, set_password
from access.tokens import new_token
from api.http import sessions
from api.http.identity import api_tokens, passwords
from api.http.identity.lockout import HERE
from store.pool import Pool
from tests.integration.api.test_api_pages import browser  # noqa: F401 -- a fixture
from tests.integration.api.test_api_service import running
from tests.integration.api_world import World, config, leave, new_code, sign_in_page
from tests.servers import find_free_port

LANGUAGES: Final = ("zh-CN", "en")
PHONE: Final = {"width": 360, "height": 720}
PASSWORD: Final = "correct horse battery"
NEW: Final = "staple of another horse"
HASHED: Final = hash_password(PASSWORD)
FITS: Final = "document.documentElement.scrollWidth <= innerWidth"
ASKED: Final = (
    "async (token) => (await fetch('/api/v1/stations', {headers: {Authorization: 'Bearer ' + token}})).status"
)
SIGNED_OUT: Final = 40_000
"""Milliseconds in which an open page notices that its session is over."""


async def person(pool: Pool, *, hashed: str | None = HASHED) -> Account:
    """A new account of everything with the login zhang."""
    async with pool.acquire() as connection:
        made = await add_account(connection, login="zhang", name="张伟", role=Role.SUPERVISOR, scope=WHOLE, by=OPERATOR)
        if hashed is not None:
            await set_password(connection, made.id, hashed, by=OPERATOR)
    return made


class Phones:
    """Browsers of one person at a server, each with cookies of its own."""

    def __init__(self, chromium: Any, url: str, language: str) -> None:
        self._chromium, self.url, self._language = chromium, url, language
        self.complaints: list[str] = []

    async def new(self, *, scripts: bool = True) -> Any:
        """A page of a new browser."""
        context = await self._chromium.new_context(locale=self._language, viewport=PHONE, java_script_enabled=scripts)
        page = await context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return page

    async def enter(self, page: Any, password: str, login: str = "zhang") -> None:
        """Fill the form to sign in and send it."""
        await page.locator("input[name=login]").fill(login)
        await page.locator("input[name=password]").fill(password)
        await leave(page, page.locator("form:has(input[name=login]) button"))

    async def signed_in(self, *, scripts: bool = True) -> Any:
        """A page of a new browser that is signed in by password, at the board."""
        page = await self.new(scripts=scripts)
        await page.goto(f"{self.url}/")
        await self.enter(page, PASSWORD)
        await page.locator("#headline").wait_for()
        return page


async def change(page: Any, **fields: str) -> None:
    """Fill the form of a new password and send it."""
    for name, value in fields.items():
        await page.locator(f"input[name={name}]").fill(value)
    await leave(page, page.locator("form.signin button"))


Opened = Callable[[str], AbstractAsyncContextManager[tuple[Phones, Any]]]


@pytest.fixture
def phones(browser: Any, pool: Pool, database: str, tmp_path: Path) -> Opened:  # noqa: F811
    """Opens, in a language, a server with a station, and browsers of 360 px; no page may fail in them."""

    @asynccontextmanager
    async def opened(language: str) -> AsyncIterator[tuple[Phones, Any]]:
        world = World(pool)
        await world.clock()
        await world.station("6321220007")
        settings = config(database, tmp_path, port=find_free_port())
        async with running(settings) as (client, _, _):
            found = Phones(browser, settings.url, language)
            yield found, client
            assert found.complaints == []
            for context in browser.contexts:
                await context.close()

    return opened


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sessions and tokens are looked up at each request."""
    monkeypatch.setattr(sessions, "KNOWN_FOR", 0.0)
    monkeypatch.setattr(api_tokens, "KNOWN_FOR", 0.0)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_person_signs_in_by_password_after_a_wrong_one(language: str, phones: Opened, pool: Pool) -> None:
    await person(pool)
    async with phones(language) as (site, _):
        page = await site.new()
        await page.goto(f"{site.url}/stations/6321220007")
        assert await page.locator("html").get_attribute("lang") == language
        assert await page.evaluate(FITS)
        assert not await page.locator("input[name=token]").is_visible(), "folded"
        await site.enter(page, "not this one")
        await page.locator(".banner.bad").wait_for()
        assert await page.locator("input[name=login]").input_value() == "zhang"
        assert await page.locator("input[name=password]").input_value() == ""
        assert await page.evaluate(FITS)
        await site.enter(page, PASSWORD)
        await page.wait_for_url(f"{site.url}/stations/6321220007")
        await page.goto(f"{site.url}/signin")
        assert "zhang" in await page.locator("main").inner_text()
        assert await page.evaluate(FITS)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_who_tries_too_often_is_told_how_long_to_wait(
    language: str, phones: Opened, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "time", SimpleNamespace(monotonic=lambda: 1000.0))
    monkeypatch.setattr(passwords, "is_password", lambda stored, given: stored == HASHED and given == PASSWORD)
    await person(pool)
    async with phones(language) as (site, _):
        page, mine = await site.new(), await site.signed_in()
        await page.goto(f"{site.url}/signin")
        for number in range(int(HERE)):
            await site.enter(page, f"guess {number}")
            await page.locator(".banner.bad").wait_for()
        await site.enter(page, PASSWORD)
        words = "后再试" if language == "zh-CN" else "Try again in"
        await page.locator(".banner.bad", has_text=words).wait_for()
        assert await page.evaluate(FITS)
        await mine.goto(f"{site.url}/signin")
        await leave(mine, mine.locator("form[action='/signout']:not(:has(input)) button"))
        await mine.locator("input[name=login]").wait_for()
        await site.enter(mine, PASSWORD)
        await mine.locator("#headline").wait_for()


async def test_it_works_without_scripts(phones: Opened, pool: Pool) -> None:
    await person(pool)
    async with phones("en") as (site, _):
        page = await site.signed_in(scripts=False)
        await page.goto(f"{site.url}/password")
        await change(page, current=PASSWORD, password=NEW, again=NEW)
        await page.locator("#headline").wait_for()


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_new_password_ends_the_session_of_another_browser(language: str, phones: Opened, pool: Pool) -> None:
    await person(pool)
    async with phones(language) as (site, _):
        mine, other = await site.signed_in(), await site.signed_in()
        await mine.goto(f"{site.url}/password")
        assert await mine.evaluate(FITS)
        await change(mine, current=PASSWORD, password=NEW, again=NEW + "r")
        await mine.locator(".banner.bad").wait_for()
        await change(mine, current=PASSWORD, password=NEW, again=NEW)
        await mine.locator("#headline").wait_for()
        await other.locator("input[name=login]").wait_for(timeout=SIGNED_OUT)
        await site.enter(other, PASSWORD)
        await other.locator(".banner.bad").wait_for()
        await site.enter(other, NEW)
        await other.locator("#headline").wait_for()


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_link_leads_to_the_first_password(language: str, phones: Opened, pool: Pool) -> None:
    account = await person(pool, hashed=None)
    async with phones(language) as (site, client):
        code = await new_code(client)
        await pool.execute("UPDATE signin_code SET account = $1", account.id)
        page = await site.new()
        await page.goto(f"{site.url}/signin?code={code}")
        await leave(page, page.locator("form.signin button"))
        await page.locator("input[name=again]").wait_for()
        assert await page.locator("input[name=current]").count() == 0
        assert await page.evaluate(FITS)
        await change(page, password=PASSWORD, again=PASSWORD)
        await page.locator("#headline").wait_for()
        await site.signed_in()


@pytest.mark.usefixtures("at_once")
async def test_a_token_that_expires_or_is_replaced_gets_nothing_more(phones: Opened, pool: Pool) -> None:
    li = await person(pool)
    tokens = [new_token() for _ in range(2)]
    async with pool.acquire() as connection:
        for one in tokens:
            await add_token(
                connection, one, account=li.id, name="报表", role=Role.AUDITOR, scope=WHOLE, by=OPERATOR,
                expires_at=datetime.now(UTC) + timedelta(days=1),
            )  # fmt: skip
    async with phones("en") as (site, _):
        page = await site.new()
        await page.goto(f"{site.url}/signin")
        assert [await page.evaluate(ASKED, one.text) for one in tokens] == [200, 200]
        await pool.execute(
            "UPDATE api_token SET created_at = now() - interval '2 d', expires_at = now() WHERE id = $1", tokens[0].id
        )
        await pool.execute(
            "UPDATE api_token SET revoked_at = now(), revoked_by = 'operator' WHERE id = $1", tokens[1].id
        )
        assert [await page.evaluate(ASKED, one.text) for one in tokens] == [401, 401]


@pytest.mark.usefixtures("at_once")
async def test_a_new_admin_token_ends_every_session(phones: Opened, pool: Pool, tmp_path: Path) -> None:
    await person(pool)
    async with phones("en") as (site, _):
        admin, zhang = await site.new(), await site.signed_in()
        await sign_in_page(admin, site.url)
        (tmp_path / "admin.token").write_text("another token entirely")
        for page in (admin, zhang):
            await page.locator("input[name=login]").wait_for(timeout=SIGNED_OUT)
        assert await admin.evaluate(ASKED, "another token entirely") == 200
        await site.enter(zhang, PASSWORD)
        await zhang.locator("#headline").wait_for()
