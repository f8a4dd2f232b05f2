"""Signing browsers in and out: the form, one-use links, how long it lasts, and who may do what then."""

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.http import guesses
from api.http.identity.actors import COOKIE
from api.http.session_rules import CODE_SECONDS, IDLE, LONGEST, WALL_IDLE
from store.pool import Pool
from tests.integration.api.test_api_pages import browser  # noqa: F401 -- a fixture
from tests.integration.api.test_api_service import running
from tests.integration.api_world import (
    OWN_PAGE,
    TOKEN,
    World,
    config,
    enter_token,
    leave,
    new_code,
    serving,
    sign_in,
    sign_in_page,
)
from tests.servers import clean_environ, find_free_port

DAY = 86_400


async def redeem(client: httpx.AsyncClient, code: str, **fields: str) -> httpx.Response:
    """Press the button of a one-use link's page."""
    return await client.post("/signin", data={"code": code, **fields}, headers=OWN_PAGE)


async def is_in(client: httpx.AsyncClient) -> bool:
    return (await client.get("/api/v1/stations")).status_code == 200


async def test_the_token_signs_a_browser_in(database: str, tmp_path: Path) -> None:
    async with serving(config(database, tmp_path), token=None) as (client, _):
        assert not await is_in(client)
        wrong = await sign_in(client, token="wrong")
        assert (wrong.status_code, "set-cookie" in wrong.headers) == (403, False)
        assert "令牌不正确" in wrong.text
        assert (await sign_in(client, token="")).status_code == 403
        answer = await sign_in(client)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        cookie = answer.headers["set-cookie"].lower()
        assert all(word in cookie for word in (f"{COOKIE}=", "httponly", "samesite=strict", "path=/", "max-age="))
        assert "secure" not in cookie, "on plain http a secure cookie would never come back"
        assert TOKEN not in cookie
        assert await is_in(client)


ASKED = {
    "/incidents?status=open": "/incidents?status=open",
    "//evil.test/": "/",
    "https://evil.test/": "/",
    "/\\evil.test": "/",
    "/signout": "/",
    "javascript:alert(1)": "/",
    "": "/",
}


async def test_it_goes_on_with_what_was_asked_for_on_this_server_only(database: str, tmp_path: Path) -> None:
    async with serving(config(database, tmp_path), token=None) as (client, _):
        stranger = await client.get("/incidents", params={"status": "open"})
        assert stranger.status_code == 401
        assert 'value="/incidents?status=open"' in stranger.text
        for asked, location in ASKED.items():
            assert (await sign_in(client, goes_to=asked)).headers["location"] == location, asked


async def test_a_link_signs_one_browser_in_and_its_preview_changes_nothing(database: str, tmp_path: Path) -> None:
    async with serving(config(database, tmp_path), token=None) as (client, _):
        code = await new_code(client)
        for _ in range(3):
            preview = await client.get("/signin", params={"code": code}, headers={"Accept-Language": "en"})
            assert (preview.status_code, "set-cookie" in preview.headers) == (200, False)
            assert "Sign in this browser" in preview.text
            assert (await client.head("/signin", params={"code": code})).status_code == 200
        assert (await redeem(client, code + "x")).status_code == 403
        assert (await redeem(client, code)).headers["location"] == "/"
        assert await is_in(client)
        assert (await redeem(client, code)).status_code == 303, "the button was pressed twice"
        client.cookies.clear()
        again = await client.post("/signin", data={"code": code}, headers={**OWN_PAGE, "Accept-Language": "en"})
        assert again.status_code == 403
        assert "milepost signin" in again.text


async def test_of_two_that_use_a_link_at_once_one_gets_in(database: str, tmp_path: Path) -> None:
    async with serving(config(database, tmp_path), token=None) as (client, _):
        code = await new_code(client)
        answers = await asyncio.gather(*(redeem(client, code) for _ in range(5)))
    assert sorted("set-cookie" in answer.headers for answer in answers) == [False] * 4 + [True]


async def test_links_do_not_end_each_other_and_end_in_time(pool: Pool, database: str, tmp_path: Path) -> None:
    async with serving(config(database, tmp_path), token=None) as (client, _):
        codes = [await new_code(client) for _ in range(3)]
        await pool.execute("UPDATE signin_code SET until_at = until_at - $1 * interval '1 s'", CODE_SECONDS - 60)
        assert (await redeem(client, codes[0])).status_code == 303
        client.cookies.clear()
        await pool.execute("UPDATE signin_code SET until_at = until_at - interval '60 s'")
        assert (await redeem(client, codes[1])).status_code == 403
        await new_code(client)
        assert await pool.fetchval("SELECT count(*) FROM signin_code") == 1, "old ones are forgotten"


async def test_guesses_at_a_code_are_bounded_and_counted_one_after_the_other(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guesses, "CODES", 10.0)
    monkeypatch.setattr(guesses, "SECONDS_CODES", 1000.0)
    async with serving(config(database, tmp_path), token=None) as (client, _):
        answers = await asyncio.gather(*(redeem(client, f"guess{number}") for number in range(40)))
    assert [answer.status_code for answer in answers].count(403) == 10
    assert [answer.status_code for answer in answers].count(429) == 30


async def test_wrong_codes_hold_no_password_and_no_token_back(database: str, tmp_path: Path) -> None:
    async with serving(config(database, tmp_path), token=None) as (client, _):
        for number in range(15):
            assert (await redeem(client, f"guess{number}")).status_code == 403
        assert (await sign_in(client)).status_code == 303


async def test_only_our_own_page_signs_in_or_out(database: str, tmp_path: Path) -> None:
    """Otherwise another site could sign a browser in or out."""
    foreign: tuple[dict[str, str], ...] = ({}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://evil.test"})
    async with serving(config(database, tmp_path), token=None) as (client, _):
        for headers in foreign:
            answer = await client.post("/signin", data={"token": TOKEN}, headers=headers)
            assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)
        await sign_in(client)
        for headers in foreign:
            assert (await client.post("/signout", headers=headers)).status_code == 403
        assert await is_in(client)


PLAIN = {
    "http://milepost.test": 403,
    "https://milepost.test": 303,
}


async def test_a_browser_that_would_drop_the_cookie_is_told_so(database: str, tmp_path: Path) -> None:
    """Else it would be sent back to the form, without a word of why."""
    async with serving(config(database, tmp_path, public_url="https://milepost.test"), token=None) as (client, _):
        for origin, status in PLAIN.items():
            answer = await client.post("/signin", data={"token": TOKEN}, headers={"Origin": origin, **OWN_PAGE})
            assert answer.status_code == status, origin
        local = {"Origin": "http://127.0.0.1:8000", **OWN_PAGE}
        assert (await client.post("/signin", data={"token": TOKEN}, headers=local)).status_code == 303


async def test_a_wall_display_behind_https_keeps_a_secure_cookie(database: str, tmp_path: Path) -> None:
    settings = config(database, tmp_path, public_url="https://milepost.test")
    async with serving(settings, token=None) as (client, _):
        given = (await sign_in(client, wall="yes")).headers["set-cookie"]
        again = await client.get("/", headers={"Cookie": given.partition(";")[0]})
    assert given.endswith("; Secure")
    assert again.headers["set-cookie"].endswith("; Secure")


@pytest.mark.parametrize("how", ["sign out", "new token"])
async def test_an_open_stream_ends_with_its_session(
    how: str, monkeypatch: pytest.MonkeyPatch, database: str, tmp_path: Path
) -> None:
    monkeypatch.setattr("api.v1.stream.HEARTBEAT", 0.05)
    settings = config(database, tmp_path, port=find_free_port())
    async with running(settings), httpx.AsyncClient(base_url=settings.url) as client, asyncio.timeout(60):
        await sign_in(client)
        async with client.stream("GET", "/api/v1/stream") as stream:
            lines = stream.aiter_lines()
            assert [await anext(lines) for _ in range(3)] == ["retry: 3000", ": milepost", ""]
            assert await anext(lines) == ": still here"
            if how == "sign out":
                await client.post("/signout", headers=OWN_PAGE)
            else:
                (tmp_path / "admin.token").write_text("renewed")
            async for line in lines:
                assert line in ("", ": still here")


async def test_the_command_asks_the_api_that_the_settings_name(database: str, tmp_path: Path) -> None:
    """As on a production host: a token file and an API, no data directory."""
    settings = config(database, tmp_path, port=find_free_port(), public_url="https://m.example")
    environ = {"MILEPOST_ADMIN_TOKEN_FILE": str(tmp_path / "admin.token"), "MILEPOST_HTTP_PORT": str(settings.port)}
    command = (sys.executable, "-P", "-m", "milepost", "signin")
    async with running(settings) as (client, _, _):
        asked = await asyncio.to_thread(
            subprocess.run,
            command,
            env=clean_environ(**environ),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert asked.returncode == 0, asked.stderr
        link = asked.stdout.strip()
        assert link.startswith("https://m.example/signin?code=")
        assert (await redeem(client, link.partition("code=")[2])).status_code == 303


ODD = ("", "a\0b", "\x01\x1b[31m\u2028", "\u202e", "\U0010ffff", "x" * 50_000, "<script>\"'{{x}}%s", "%ff%00", "é")


async def test_no_field_of_the_form_is_a_failure_of_the_server(database: str, tmp_path: Path) -> None:
    for odd in ODD:
        # A new server each time, for it looks at few wrong tries.
        async with serving(config(database, tmp_path), token=None) as (client, _):
            for fields in (
                {"token": odd},
                {"code": odd or "x"},
                {"token": TOKEN, "goes_to": odd, "wall": odd},
                {"login": odd, "password": odd},
            ):
                answer = await client.post("/signin", data=fields, headers=OWN_PAGE)
                assert answer.status_code in (303, 403, 413), fields
                assert "<script>" not in answer.text
            shown = await client.get("/signin", params={"code": odd[:3000]})
            assert shown.status_code in (200, 422)
            assert "<script>" not in shown.text


async def test_what_makes_a_link_needs_the_token(database: str, tmp_path: Path) -> None:
    async with serving(config(database, tmp_path, public_url="http://m.example/"), token=None) as (client, _):
        assert (await client.post("/api/v1/signin-links")).status_code == 401
        made = await client.post("/api/v1/signin-links", headers={"Authorization": f"Bearer {TOKEN}"})
        await sign_in(client, wall="yes")
        assert (await client.post("/api/v1/signin-links", headers=OWN_PAGE)).status_code == 403
    assert made.json()["link"].startswith("http://m.example/signin?code=")


async def test_signing_out_ends_the_session_itself(pool: Pool, database: str, tmp_path: Path) -> None:
    async with serving(config(database, tmp_path), token=None) as (client, _):
        await sign_in(client)
        kept = {"Cookie": f"{COOKIE}={client.cookies[COOKIE]}"}
        out = await client.post("/signout", headers=OWN_PAGE)
        assert (out.status_code, out.headers["location"]) == (303, "/signin")
        assert COOKIE not in client.cookies
        assert (await client.get("/api/v1/stations", headers=kept)).status_code == 401, "a copy of the cookie is over"
        assert await pool.fetchval("SELECT count(*) FROM session") == 0


async def test_several_browsers_are_in_and_one_can_end_the_others(database: str, tmp_path: Path) -> None:
    settings = config(database, tmp_path)
    async with serving(settings, token=None) as (first, _), serving(settings, token=None) as (second, _):
        await sign_in(first)
        await sign_in(second, wall="yes")
        assert await is_in(first)
        assert await is_in(second)
        refused = await second.post("/signout", data={"others": "yes"}, headers=OWN_PAGE)
        assert refused.status_code == 403, "a wall display ends nobody's session"
        assert (await first.post("/signout", data={"others": "yes"}, headers=OWN_PAGE)).status_code == 303
        assert await is_in(first)
    async with serving(settings, token=None) as (other, _):
        other.cookies = second.cookies
        assert not await is_in(other)


async def test_signing_in_again_leaves_one_session(pool: Pool, database: str, tmp_path: Path) -> None:
    async with serving(config(database, tmp_path), token=None) as (client, _):
        for wall in ("yes", "", "yes", ""):
            await sign_in(client, wall=wall)
        assert await pool.fetchval("SELECT array_agg(wall) FROM session") == [False]


async def age(pool: Pool, *, used: float, created: float = 0.0) -> None:
    """As if all sessions had been used, and had begun, so many seconds before they were."""
    await pool.execute(
        "UPDATE session SET used_at = now() - $1 * interval '1 s', created_at = now() - $2 * interval '1 s'",
        used,
        max(used, created),
    )


@pytest.mark.parametrize(
    ("wall", "used", "created", "goes_on"),
    [
        pytest.param("", IDLE - 60, 0, True, id="used within a week"),
        pytest.param("", IDLE + 60, 0, False, id="not used for a week"),
        pytest.param("", 0, LONGEST - 60, True, id="used for a month"),
        pytest.param("", 0, LONGEST + 60, False, id="used for longer"),
        pytest.param("yes", WALL_IDLE - 60, 0, True, id="a wall that was off for a month"),
        pytest.param("yes", WALL_IDLE + 60, 0, False, id="a wall that was off for longer"),
        pytest.param("yes", 0, 3000 * DAY, True, id="a wall that is on for years"),
    ],
)
async def test_how_long_a_session_lasts(
    wall: str, used: float, created: float, goes_on: bool, pool: Pool, database: str, tmp_path: Path
) -> None:
    settings = config(database, tmp_path)
    async with serving(settings, token=None) as (client, _):
        await sign_in(client, wall=wall)
    await age(pool, used=used, created=created)
    # Another process of the API, as after a restart.
    async with serving(settings, token=None) as (restarted, _):
        restarted.cookies = client.cookies
        assert await is_in(restarted) is goes_on
        await sign_in(restarted)
        assert await pool.fetchval("SELECT count(*) FROM session") == 1, "the old one is forgotten or replaced"


async def test_use_extends_a_session(pool: Pool, database: str, tmp_path: Path) -> None:
    settings = config(database, tmp_path)
    async with serving(settings, token=None) as (client, _):
        await sign_in(client)
    for _ in range(3):
        await age(pool, used=6 * DAY)
        async with serving(settings, token=None) as (later, _):
            later.cookies = client.cookies
            assert await is_in(later)
            idle = await pool.fetchval("SELECT extract(epoch FROM now() - used_at)::float FROM session")
            assert idle < DAY


async def test_a_wall_display_gets_its_cookie_anew_while_it_is_used(database: str, tmp_path: Path) -> None:
    """Browsers forget a cookie after 400 days at the latest, also one that is used."""
    async with serving(config(database, tmp_path), token=None) as (client, _):
        await sign_in(client, wall="yes")
        answer = await client.get("/")
        assert answer.headers["set-cookie"].startswith(f"{COOKIE}={client.cookies[COOKIE]}; Max-Age={400 * DAY};")
        assert len((await client.post("/signout", headers=OWN_PAGE)).headers.get_list("set-cookie")) == 1
        await sign_in(client)
        assert "set-cookie" not in (await client.get("/")).headers


async def test_a_wall_display_only_looks(pool: Pool, database: str, tmp_path: Path) -> None:
    world = World(pool)
    await world.clock()
    await world.station("s", "offline")
    number = await world.incident("station_offline", station="s")
    closure = await world.closure(1, 2, approved=False, station="s")
    paths = ("/", f"/incidents/{number}", "/closures", f"/closures/{closure}", "/stations/s")
    deeds = (f"/incidents/{number}/ack", "/closures", f"/closures/{closure}/approve")
    deeds += (f"/api/v1/incidents/{number}/ack", "/api/v1/pipeline/restarts")
    async with serving(config(database, tmp_path), token=None) as (client, _):
        await sign_in(client, wall="yes")
        for path in paths:
            page = await client.get(path)
            assert page.status_code == 200
            assert 'method="post"' not in page.text, path
        for deed in deeds:
            answer = await client.post(deed, data={"by": "x"}, headers=OWN_PAGE)
            assert answer.status_code == 403, deed
            assert "大屏" in answer.text or "wall display" in answer.text
        assert await pool.fetchval("SELECT acknowledged_by FROM incident") is None
        await sign_in(client)
        assert 'method="post"' in (await client.get(f"/incidents/{number}")).text


async def test_a_new_token_ends_all_sessions(database: str, tmp_path: Path) -> None:
    settings = config(database, tmp_path)
    async with serving(settings, token=None) as (client, _):
        await sign_in(client, wall="yes")
        assert await is_in(client)
        assert settings.admin_token_file is not None
        settings.admin_token_file.write_text("renewed")
        assert not await is_in(client)


async def test_the_database_holds_nothing_that_lets_in(pool: Pool, database: str, tmp_path: Path) -> None:
    async with serving(config(database, tmp_path), token=None) as (client, _):
        code = await new_code(client)
        await sign_in(client)
        cookie = client.cookies[COOKIE]
        rows = str(await pool.fetch("SELECT * FROM session, signin_code")).encode()
        assert not any(secret.encode() in rows for secret in (code, cookie, cookie.partition(".")[0], TOKEN))


async def test_no_secret_is_logged(database: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    async with serving(config(database, tmp_path), token=None) as (client, _):
        code = await new_code(client)
        await redeem(client, code)
        await client.post("/signin", data={"token": "geheim-geraten"}, headers=OWN_PAGE)
        cookie = client.cookies[COOKIE]
    ours = " ".join(str(vars(record)) for record in caplog.records if not record.name.startswith(("httpx", "httpcore")))
    assert "a browser signed in" in ours
    assert not any(secret in ours for secret in (code, cookie, TOKEN, "geheim-geraten"))


PHONE = {"width": 390, "height": 780}


@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_real_browsers_sign_in_and_out(
    language: str,
    browser: Any,  # noqa: F811
    pool: Pool,
    database: str,
    tmp_path: Path,
) -> None:
    """A person's phone by a link that a chat has previewed, a wall display by the token; the one ends the other."""
    world = World(pool)
    await world.clock()
    await world.station("6321220007")
    number = await world.incident("station_offline", station="6321220007")
    settings = config(database, tmp_path, port=find_free_port())
    async with running(settings) as (client, _, _):
        code = await new_code(client)
        complaints: list[str] = []
        contexts = [await browser.new_context(locale=language, viewport=PHONE) for _ in range(3)]
        phone, wall, stranger = [await context.new_page() for context in contexts]
        for page in (phone, wall, stranger):
            page.on("pageerror", lambda error: complaints.append(str(error)))

        await stranger.goto(f"{settings.url}/signin?code={code}")
        await phone.goto(f"{settings.url}/signin?code={code}")
        assert await phone.locator("html").get_attribute("lang") == language
        assert await phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert await phone.locator("button").count() == 1
        await leave(phone, phone.locator("button"))
        await phone.locator("#headline").wait_for()
        await leave(stranger, stranger.locator("button"))
        await stranger.locator("input[name=login]").wait_for()
        assert await stranger.locator(".banner.bad").count() == 1

        await wall.goto(f"{settings.url}/incidents/{number}")
        assert await wall.evaluate("document.documentElement.scrollWidth <= innerWidth")
        await enter_token(wall, TOKEN, wall=True)
        await wall.wait_for_url(f"{settings.url}/incidents/{number}")
        assert await wall.locator("form[method=post]").count() == 0, "a wall display only looks"
        await phone.goto(f"{settings.url}/incidents/{number}")
        assert await phone.locator("form[method=post]").count() == 5

        await phone.goto(f"{settings.url}/signin")
        assert await phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
        await leave(phone, phone.locator("form:has(input[name=others]) button"))
        await phone.locator("form:has(input[name=others])").wait_for()
        await wall.locator("input[name=login]").wait_for(timeout=30_000)

        await leave(phone, phone.locator("form[action='/signout']:not(:has(input)) button"))
        await phone.locator("input[name=login]").wait_for()
        await phone.goto(settings.url)
        await phone.locator("input[name=login]").wait_for()
        await sign_in_page(phone, settings.url)
        assert complaints == []
        for context in contexts:
            await context.close()
