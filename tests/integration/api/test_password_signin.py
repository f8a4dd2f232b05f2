"""Sign-in by login and password: who gets in, who is held back, and which sessions a new password ends."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import httpx
import pytest
from argon2 import PasswordHasher

from access.passwords import hash_password
from access.roles import Role
from access.rules import OPERATOR
from access.scope import WHOLE
from access.store import add_account, disable_account, set_password
from api.http import sessions
from api.http.guesses import EACH
from api.http.identity import passwords, tries
from api.http.identity.actors import COOKIE
from api.http.identity.known_places import DEVICE_COOKIE, MOST
from api.http.identity.lockout import ACCOUNT, HERE
from api.service import open_app
from store.pool import Pool
from tests.integration.api_world import OWN_PAGE, TOKEN, config, new_code

PASSWORD: Final = "correct horse battery"
NEW: Final = "staple of another horse"
HASHED: Final = hash_password(PASSWORD)
STATIONS = "/api/v1/stations"


async def person(pool: Pool, login: str = "zhang", *, hashed: str | None = HASHED, role: Role = Role.SUPERVISOR) -> str:
    """The id of a new account of everything."""
    async with pool.acquire() as connection:
        made = await add_account(connection, login=login, name="张伟", role=role, scope=WHOLE, by=OPERATOR)
        if hashed is not None:
            await set_password(connection, made.id, hashed, by=OPERATOR)
    return made.id


class Site:
    """A server, and browsers at addresses."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def browser(self, address: str = "10.0.0.1") -> httpx.AsyncClient:
        """A new browser, without cookies."""
        transport = httpx.ASGITransport(self._app, raise_app_exceptions=False, client=(address, 4000))
        return httpx.AsyncClient(
            transport=transport, base_url="http://milepost.test", headers={"Accept-Language": "en"}
        )

    async def signed_in(self, login: str = "zhang", password: str = PASSWORD, **fields: str) -> httpx.AsyncClient:
        """A new browser that is signed in."""
        browser = self.browser()
        assert (await enter(browser, login, password, **fields)).status_code == 303
        return browser


@pytest.fixture
async def site(pool: Pool, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    """A server that looks sessions up at each request, and whose clock of tries stands still."""
    monkeypatch.setattr(sessions, "KNOWN_FOR", 0.0)
    for module in (passwords, tries):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: 1000.0))
    async with open_app(config(database, tmp_path)) as (app, _):
        yield Site(app)


async def enter(browser: httpx.AsyncClient, login: str, password: str, **fields: str) -> httpx.Response:
    """Send the form to sign in."""
    return await browser.post("/signin", data={"login": login, "password": password, **fields}, headers=OWN_PAGE)


async def is_in(browser: httpx.AsyncClient) -> bool:
    return (await browser.get(STATIONS)).status_code == 200


async def test_login_and_password_sign_a_browser_in(pool: Pool, site: Site) -> None:
    account = await person(pool)
    browser = site.browser()
    answer = await enter(browser, "ZHANG", PASSWORD, goes_to="/incidents?status=open")
    assert (answer.status_code, answer.headers["location"]) == (303, "/incidents?status=open")
    assert "httponly" in answer.headers["set-cookie"].lower()
    assert await is_in(browser)
    assert await pool.fetchval("SELECT account FROM session") == account
    assert "张伟" in (await browser.get("/signin")).text


async def test_the_form_fits_password_managers_and_needs_no_script(site: Site) -> None:
    form = (await site.browser().get("/signin")).text
    for part in ('name="login"', 'autocomplete="username"', 'autocomplete="current-password"', "<details"):
        assert part in form
    assert "<script" not in form


async def test_unknown_wrong_and_disabled_are_answered_alike(pool: Pool, site: Site) -> None:
    await person(pool)
    await person(pool, "without", hashed=None)
    gone = await person(pool, "gone")
    async with pool.acquire() as connection:
        await disable_account(connection, gone, by=OPERATOR)
    answers = []
    given = (
        ("zhang", "wrong"),
        ("nobody", PASSWORD),
        ("gone", PASSWORD),
        ("without", ""),
        ("without", PASSWORD),
        ("a\0", "x"),
    )
    for number, (login, password) in enumerate(given):
        answer = await enter(site.browser(f"10.0.1.{number}"), login, password)
        assert "set-cookie" not in answer.headers
        answers.append((answer.status_code, answer.text.replace(f'value="{login}"', "")))
    assert {status for status, _ in answers} == {403}
    assert "The login or the password is not right" in answers[0][1]
    assert len({text for _, text in answers[:5]}) == 1


async def test_each_of_them_costs_one_hash(pool: Pool, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """So the time of an answer shows no account."""
    await person(pool)
    gone = await person(pool, "gone")
    await pool.execute("UPDATE account SET disabled_at = now(), disabled_by = 'operator' WHERE id = $1", gone)
    compared: list[str | None] = []
    real = passwords.is_password
    monkeypatch.setattr(
        passwords, "is_password", lambda stored, given: bool(compared.append(stored)) or real(stored, given)
    )
    for login in ("zhang", "nobody", "gone"):
        await enter(site.browser(), login, "wrong")
    assert compared == [HASHED, None, None]


async def test_wrong_tries_are_held_back_and_logged_without_secrets(
    pool: Pool, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    account = await person(pool)
    browser = site.browser()
    statuses = [(await enter(browser, "zhang", "geheim-geraten")).status_code for _ in range(int(HERE) + 3)]
    assert statuses == [403] * int(HERE) + [429] * 3
    for language, words in (("en", "Try again in"), ("zh-CN", "后再试")):
        held = await browser.post(
            "/signin", data={"login": "zhang", "password": PASSWORD}, headers={**OWN_PAGE, "Accept-Language": language}
        )
        assert (held.status_code, words in held.text) == (429, True)
        assert 1 <= int(held.headers["retry-after"]) <= 30
        assert "geheim" not in held.text
    ours = " ".join(str(vars(record)) for record in caplog.records if not record.name.startswith(("httpx", "httpcore")))
    assert "a wrong password" in ours
    assert account in ours
    assert "geheim" not in ours
    assert PASSWORD not in ours


async def test_many_tries_at_once_are_no_way_around(pool: Pool, site: Site) -> None:
    await person(pool)
    browser = site.browser()
    answers = await asyncio.gather(*(enter(browser, "zhang", f"guess {number}") for number in range(40)))
    assert sum(answer.status_code == 403 for answer in answers) <= HERE


async def test_an_attacker_from_many_addresses_does_not_lock_out_a_person_in_a_known_browser(
    pool: Pool, site: Site
) -> None:
    await person(pool)
    office = site.browser("10.7.7.7")
    assert (await enter(office, "zhang", PASSWORD)).status_code == 303
    for number in range(25):
        await enter(site.browser(f"192.0.2.{number}"), "zhang", "wrong")
        await site.browser(f"192.0.2.{number}").get(STATIONS, headers={"Authorization": "Bearer wrong"})
    assert (await enter(site.browser("203.0.113.9"), "zhang", PASSWORD)).status_code == 429
    assert (await enter(office, "zhang", PASSWORD)).status_code == 303


async def test_nor_does_one_behind_the_same_reverse_proxy(pool: Pool, site: Site) -> None:
    """There all share an address; the person's browser is known by its cookie."""
    await person(pool)
    mine = await site.signed_in()
    assert (await mine.post("/signout", headers=OWN_PAGE)).status_code == 303
    stranger = site.browser()
    assert 429 in [(await enter(stranger, "zhang", f"guess {number}")).status_code for number in range(30)]
    assert (await enter(mine, "zhang", PASSWORD)).status_code == 303
    forged = {"Cookie": f"{DEVICE_COOKIE}=x.{'0' * 64}"}
    held = await stranger.post("/signin", data={"login": "zhang", "password": PASSWORD}, headers={**OWN_PAGE, **forged})
    assert held.status_code == 429


async def test_another_account_of_a_known_browser_is_not_known_there(pool: Pool, site: Site) -> None:
    await person(pool)
    await person(pool, "li")
    attacker = await site.signed_in("li")
    statuses = [(await enter(attacker, "zhang", f"guess {number}")).status_code for number in range(30)]
    assert statuses.count(403) <= HERE


async def test_wrong_tokens_from_that_address_do_not_either(pool: Pool, site: Site) -> None:
    await person(pool)
    office = site.browser("10.7.7.7")
    await enter(office, "zhang", PASSWORD)
    for _ in range(15):
        await office.get(STATIONS, headers={"Authorization": "Bearer wrong"})
    assert (await office.get(STATIONS, headers={"Authorization": "Bearer wrong"})).status_code == 429
    assert (await enter(office, "zhang", PASSWORD)).status_code == 303
    assert (await enter(site.browser("10.7.7.7"), "zhang", PASSWORD)).status_code == 429, "an address knows nobody"


async def test_an_address_does_not_tell_which_accounts_signed_in_there(pool: Pool, site: Site) -> None:
    """However many wrong tries its address has had, the answers for an account and for no account are alike."""
    await person(pool)
    await site.signed_in()
    for number in range(int(EACH) + 2):
        answers = [await enter(site.browser(), login, f"guess {number}") for login in ("zhang", "nobody")]
        assert answers[0].status_code == answers[1].status_code
    assert answers[0].status_code == 429


async def test_a_new_browser_behind_a_shared_address_waits_seconds_and_can_use_a_link(pool: Pool, site: Site) -> None:
    await person(pool)
    code = await new_code(site.browser())
    for number in range(40):
        await enter(site.browser(), "zhang", f"guess {number}")
        await site.browser().get(STATIONS, headers={"Authorization": "Bearer wrong"})
    held = await enter(site.browser(), "zhang", PASSWORD)
    assert (held.status_code, 1 <= int(held.headers["retry-after"]) <= 30) == (429, True)
    by_link = await site.browser().post("/signin", data={"code": code}, headers=OWN_PAGE)
    assert by_link.status_code == 303


async def test_wrong_tries_are_held_back_in_whatever_letters_the_login_is_typed(pool: Pool, site: Site) -> None:
    """PostgreSQL compares some letters as equal that Python's lower case keeps apart."""
    await person(pool, "li")
    lower = await pool.fetchval("SELECT lower('lİ')")
    statuses = [
        (await enter(site.browser(f"10.4.0.{number}"), "lİ" if number % 2 else lower, "wrong")).status_code
        for number in range(int(ACCOUNT) + 5)
    ]
    assert statuses == [403] * int(ACCOUNT) + [429] * 5


@pytest.mark.parametrize(
    ("trusted", "forwarded", "apart"),
    [
        ((), "203.0.113.{}", False),
        (("10.0.0.1",), "203.0.113.{}", True),
        (("10.0.0.0/24",), "203.0.113.{}, 10.0.0.9", True),
        (("10.0.0.0/24",), "203.0.113.{}, 198.51.100.1", False),
        (("10.9.0.0/16",), "203.0.113.{}", False),
    ],
)
async def test_a_trusted_proxy_says_where_a_client_is(
    trusted: tuple[str, ...], forwarded: str, apart: bool, pool: Pool, database: str, tmp_path: Path
) -> None:
    """What a client itself wrote into the header, left of what the proxy adds, changes nothing."""
    await person(pool)
    async with open_app(config(database, tmp_path, trusted_proxies=trusted)) as (app, _):
        site = Site(app)
        statuses = []
        for number in range(int(EACH) + 2):
            header = {"X-Forwarded-For": forwarded.format(number), "Authorization": "Bearer wrong"}
            statuses.append((await site.browser().get(STATIONS, headers=header)).status_code)
    assert (429 not in statuses) == apart


async def test_the_places_of_an_account_are_few_and_hashed(pool: Pool, site: Site) -> None:
    await person(pool)
    for number in range(MOST + 2):
        assert (await enter(site.browser(f"10.3.0.{number}"), "zhang", PASSWORD)).status_code == 303
    rows = await pool.fetch("SELECT place FROM known_place")
    assert len(rows) == MOST
    assert {len(row["place"]) for row in rows} == {32}
    await pool.execute("UPDATE known_place SET used_at = used_at - interval '31 days'")
    await enter(site.browser("10.3.0.99"), "zhang", PASSWORD)
    assert await pool.fetchval("SELECT count(*) FROM known_place") == 1, "a month later the others are forgotten"


async def test_a_hash_with_old_parameters_is_made_anew_and_signs_nobody_out(pool: Pool, site: Site) -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    account = await person(pool, hashed=weak)
    first = await site.signed_in()
    stored = await pool.fetchval("SELECT password FROM account WHERE id = $1", account)
    assert "m=65536,t=3" in stored
    assert await is_in(first)
    assert await is_in(await site.signed_in())


async def test_too_many_hashes_at_once_are_refused(pool: Pool, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    await person(pool)
    monkeypatch.setattr(passwords, "MOST_WAITING", 0)
    answer = await enter(site.browser(), "zhang", PASSWORD)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "3")
    assert "Too many people are signing in" in answer.text
    for _ in range(2 * int(HERE)):
        assert (await enter(site.browser(), "zhang", PASSWORD)).status_code == 503
    monkeypatch.setattr(passwords, "MOST_WAITING", 20)
    assert (await enter(site.browser(), "zhang", PASSWORD)).status_code == 303, (
        "a try that was not checked is no wrong one"
    )


async def test_strangers_leave_room_for_who_is_known(pool: Pool, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    await person(pool)
    mine = await site.signed_in()
    monkeypatch.setattr(passwords, "MOST_WAITING", 1)  # so half of it is none
    assert (await enter(site.browser(), "zhang", PASSWORD)).status_code == 503
    assert (await enter(mine, "zhang", PASSWORD)).status_code == 303


async def change(browser: httpx.AsyncClient, password: str = NEW, **fields: str) -> httpx.Response:
    """Send the form of the page for a password."""
    data = {"current": PASSWORD, "password": password, "again": password, **fields}
    return await browser.post("/password", data=data, headers=OWN_PAGE)


async def test_a_new_password_ends_the_other_sessions_and_links(pool: Pool, site: Site) -> None:
    account = await person(pool)
    mine, other, wall = await site.signed_in(), await site.signed_in(), await site.signed_in(wall="yes")
    await pool.execute("INSERT INTO signin_code VALUES ($1, $2, now() + interval '1 h')", b"1" * 32, account)
    assert (await change(mine, goes_to="/incidents")).headers["location"] == "/incidents"
    assert [await is_in(one) for one in (mine, other, wall)] == [True, False, False]
    assert await pool.fetchval("SELECT count(*) FROM signin_code") == 0
    assert (await enter(site.browser("10.0.0.2"), "zhang", PASSWORD)).status_code == 403
    assert (await enter(site.browser("10.0.0.2"), "zhang", NEW)).status_code == 303


REFUSED: Final = {
    "the present one is wrong": ({"current": "wrong"}, "present password is not right"),
    "typed differently": ({"again": "staple of another"}, "not the same"),
    "too short": ({"password": "short", "again": "short"}, "at least 10"),
    "the login": ({"password": "zhang zhang 1", "again": "zhang zhang 1"}, "contains the login"),
}


@pytest.mark.parametrize(("fields", "words"), REFUSED.values(), ids=REFUSED)
async def test_a_refused_password_changes_nothing(fields: dict[str, str], words: str, pool: Pool, site: Site) -> None:
    await person(pool)
    browser = await site.signed_in()
    answer = await browser.post(
        "/password", data={"current": PASSWORD, "password": NEW, "again": NEW, **fields}, headers=OWN_PAGE
    )
    assert (answer.status_code, words in answer.text) == (422, True)
    assert await pool.fetchval("SELECT count(*) FROM account WHERE password = $1", HASHED) == 1


async def test_the_present_password_is_guessed_no_faster_there(pool: Pool, site: Site) -> None:
    await person(pool)
    browser = await site.signed_in()
    statuses = [(await change(browser, current=f"guess {number}")).status_code for number in range(int(HERE) + 3)]
    assert 429 in statuses


async def test_a_link_lets_a_person_without_a_password_set_one(pool: Pool, site: Site) -> None:
    account = await person(pool, hashed=None)
    browser = site.browser()
    code = await new_code(browser)
    await pool.execute("UPDATE signin_code SET account = $1", account)
    answer = await browser.post("/signin", data={"code": code, "goes_to": "/areas"}, headers=OWN_PAGE)
    assert answer.headers["location"] == "/password?goes_to=%2Fareas"
    page = (await browser.get(answer.headers["location"])).text
    assert 'name="current"' not in page
    assert 'autocomplete="new-password"' in page
    assert (await change(browser, goes_to="/areas")).headers["location"] == "/areas"
    assert await is_in(browser)
    assert (await enter(site.browser(), "zhang", NEW)).status_code == 303
    again = await change(browser, "a third one, quite long", current="")
    assert again.status_code == 422, "from now on the present one is asked for"


async def test_accounts_of_milepost_and_walls_and_tokens_set_no_password(pool: Pool, site: Site) -> None:
    account = await person(pool)
    admin = site.browser()
    assert (await admin.post("/signin", data={"token": TOKEN}, headers=OWN_PAGE)).status_code == 303
    assert 'name="password"' not in (await admin.get("/password")).text
    assert "/password" not in (await admin.get("/signin")).text
    assert (await change(admin)).status_code == 422
    wall = await site.signed_in(wall="yes")
    assert 'name="password"' not in (await wall.get("/password")).text
    assert (await change(wall)).status_code == 403
    bearer = {**OWN_PAGE, "Authorization": f"Bearer {TOKEN}"}
    data = {"current": PASSWORD, "password": NEW, "again": NEW}
    assert (await site.browser().post("/password", data=data, headers=bearer)).status_code == 403
    assert await pool.fetchval("SELECT password FROM account WHERE id = $1", account) == HASHED


async def test_a_password_that_changes_during_a_sign_in_begins_no_session(
    pool: Pool, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    await person(pool)
    real = sessions.Sessions.begin

    async def late(*given: Any, **named: Any) -> Any:
        await pool.execute("UPDATE account SET password = 'changed', password_at = now() WHERE login = 'zhang'")
        return await real(*given, **named)

    monkeypatch.setattr(sessions.Sessions, "begin", late)
    answer = await enter(site.browser(), "zhang", PASSWORD)
    assert (answer.status_code, COOKIE in answer.headers.get("set-cookie", "")) == (403, False)
    assert await pool.fetchval("SELECT count(*) FROM session") == 0


async def test_a_link_of_a_disabled_account_signs_nobody_in(pool: Pool, site: Site) -> None:
    account = await person(pool)
    browser = site.browser()
    code = await new_code(browser)
    await pool.execute("UPDATE signin_code SET account = $1", account)
    await pool.execute("UPDATE account SET disabled_at = now(), disabled_by = 'operator' WHERE id = $1", account)
    answer = await browser.post("/signin", data={"code": code}, headers=OWN_PAGE)
    assert (answer.status_code, await is_in(browser)) == (403, False)


async def test_sessions_of_one_account_push_out_none_of_another(
    pool: Pool, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "MOST_SESSIONS", 3)
    await person(pool)
    await person(pool, "li")
    li = await site.signed_in("li")
    browsers = [await site.signed_in() for _ in range(4)]
    assert [await is_in(one) for one in (li, *browsers)] == [True, False, True, True, True]


async def test_who_manages_accounts_makes_a_link_for_another_person(pool: Pool, site: Site) -> None:
    li = await person(pool, "li")
    await person(pool, "zhang", role=Role.ADMIN)
    admin, supervisor = await site.signed_in("zhang"), await site.signed_in("li")
    links = "/api/v1/signin-links"
    made = await admin.post(links, json={"account": li}, headers=OWN_PAGE)
    assert made.status_code == 201
    guest = site.browser()
    code = made.json()["link"].partition("code=")[2]
    await guest.post("/signin", data={"code": code}, headers=OWN_PAGE)
    assert (await guest.get("/api/v1/account")).json()["account"]["id"] == li
    refused = await supervisor.post(links, json={"account": "admin"}, headers=OWN_PAGE)
    assert (refused.status_code, refused.json()["permission"]) == (403, "manage_accounts")
    assert (await admin.post(links, json={"account": "a-000000000000"}, headers=OWN_PAGE)).status_code == 404
    own = await supervisor.post(links, json={"account": li}, headers=OWN_PAGE)
    assert own.status_code == 201
