"""Who gets in, what leaves the server, and how errors look."""

import asyncio
import re
from collections.abc import AsyncIterator
from itertools import product
from pathlib import Path

import pytest

from api.http.identity.actors import COOKIE
from api.http.paging import cursor_of
from api.service import open_app
from store.pool import Pool
from tests.integration.api_world import OWN_PAGE, TOKEN, World, calling, config, serving, sign_in

OPEN = ("/healthz", "/metrics", "/docs", "/openapi.json", "/static/page.css", "/static/console.js")


BAD_TOKENS = ("", "Bearer wrong", "Bearer ", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer é")


async def test_without_the_token_the_api_says_401(database: str, tmp_path: Path) -> None:
    paths = ("/api/v1/stations", "/api/v1/nothing", "/api/v1/stream")
    async with serving(config(database, tmp_path), token=None) as (client, _):
        for header, path in product(BAD_TOKENS, paths):
            answer = await client.get(path, headers={"Authorization": header.encode()} if header else {})
            assert answer.status_code == 401, (header, path)
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert answer.headers["content-type"] == "application/problem+json"


async def test_root_paths_need_no_token(database: str, tmp_path: Path) -> None:
    async with serving(config(database, tmp_path), token=None) as (client, _):
        for path in OPEN:
            assert (await client.get(path)).status_code == 200, path


async def test_a_changed_token_file_is_read_again(database: str, tmp_path: Path) -> None:
    settings = config(database, tmp_path)
    async with serving(settings) as (client, _):
        assert (await client.get("/api/v1/stations")).status_code == 200
        assert settings.admin_token_file is not None
        settings.admin_token_file.write_text("another token entirely")
        assert (await client.get("/api/v1/stations")).status_code == 401
        renewed = {"Authorization": "Bearer another token entirely"}
        assert (await client.get("/api/v1/stations", headers=renewed)).status_code == 200
        settings.admin_token_file.unlink()
        assert (await client.get("/api/v1/stations", headers=renewed)).status_code == 401
        settings.admin_token_file.write_text("")
        assert (await client.get("/api/v1/stations", headers={"Authorization": "Bearer "})).status_code == 401


async def test_behind_https_the_cookie_is_secure(database: str, tmp_path: Path) -> None:
    settings = config(database, tmp_path, public_url="https://milepost.example")
    async with serving(settings, token=None) as (client, _):
        assert "secure" in (await sign_in(client)).headers["set-cookie"].lower()


async def test_a_session_reads_and_ends_with_the_token(database: str, tmp_path: Path) -> None:
    settings = config(database, tmp_path)
    async with serving(settings, token=None) as (client, _):
        assert (await client.get("/")).status_code == 401
        await sign_in(client)
        assert (await client.get("/api/v1/stations")).status_code == 200
        assert (await client.get("/")).status_code == 200
        wrong_token = {"Authorization": "Bearer wrong"}
        assert (await client.get("/api/v1/stations", headers=wrong_token)).status_code == 401
    async with serving(settings, token=None) as (restarted, _):
        restarted.cookies = client.cookies
        assert (await restarted.get("/api/v1/stations")).status_code == 200, "a restart signs nobody out"
        assert settings.admin_token_file is not None
        settings.admin_token_file.write_text("renewed")
        assert (await restarted.get("/api/v1/stations")).status_code == 401


BAD_SESSIONS = ("", "x", "1.2.3", "99999999999.abc.", "99999999999.abc." + "0" * 64, "é.é.é", '"', "\x01")


async def test_a_made_up_session_is_none(database: str, tmp_path: Path) -> None:
    async with serving(config(database, tmp_path), token=None) as (client, _):
        for cookie in BAD_SESSIONS:
            answer = await client.get("/api/v1/stations", headers={"Cookie": f"{COOKIE}={cookie}".encode()})
            assert answer.status_code == 401, cookie


ODD_COOKIES = (
    "a[b]=1",
    'x="',
    "plain words",
    "é=é",
    "theme={dark:1}; ;;=;",
    f"{COOKIE}=of-an-older-path",
    "a=1, b=2",
)


async def test_an_odd_cookie_beside_it_signs_nobody_out(database: str, tmp_path: Path) -> None:
    async with serving(config(database, tmp_path), token=None) as (client, _):
        await sign_in(client)
        session = client.cookies[COOKIE]
        client.cookies.clear()
        for odd in ODD_COOKIES:
            for line in (f"{odd}; {COOKIE}={session}", f"{COOKIE}={session}; {odd}"):
                answer = await client.get("/api/v1/stations", headers={"Cookie": line.encode()})
                assert answer.status_code == 200, line


async def test_wrong_tokens_are_limited_and_logged_without_the_token(
    database: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(config(database, tmp_path)) as (client, _):
        assert (await client.get("/api/v1/stations")).status_code == 200
        wrong = {"Authorization": "Bearer geheim-geraten"}
        statuses = [(await client.get("/api/v1/stations", headers=wrong)).status_code for _ in range(30)]
        late = await client.get("/api/v1/stations", headers=wrong)
        assert statuses[0] == 401
        assert statuses.count(429) >= 15
        assert (late.status_code, late.headers["content-type"]) == (429, "application/problem+json")
        assert 1 <= int(late.headers["retry-after"]) <= 6
        guess = await client.post("/signin", data={"token": "geheim-geraten"}, headers=OWN_PAGE)
        assert guess.status_code == 429, "the form is tried by the same budget"
        assert 1 <= int(guess.headers["retry-after"]) <= 6
        code = await client.post("/signin", data={"code": "geheim-geraten"}, headers=OWN_PAGE)
        assert code.status_code == 403, "a one-use code waits for no address"
        assert (await client.get("/api/v1/stations")).status_code == 200, "who was let in before goes on"
        assert (await client.get("/healthz", headers=wrong)).status_code == 200, "what needs no token"
    assert "a wrong token" in caplog.text
    assert "a wrong sign-in code" in caplog.text
    assert "geheim" not in caplog.text
    assert TOKEN not in caplog.text


async def test_head_is_get_without_the_body(pool: Pool, database: str, tmp_path: Path) -> None:
    number = await World(pool).incident("station_offline")
    async with serving(config(database, tmp_path)) as (client, _):
        await sign_in(client)
        for path in (*OPEN, "/", "/api/v1/stations", f"/api/v1/incidents/{number}", f"/incidents/{number}", "/nothing"):
            shown, head = await client.get(path), await client.head(path)
            assert (head.status_code, head.content) == (shown.status_code, b""), path
            assert head.headers["content-type"] == shown.headers["content-type"], path
            assert head.headers["x-content-type-options"] == "nosniff", path
        async with asyncio.timeout(10):
            stream = await client.head("/api/v1/stream")
        assert (stream.status_code, stream.content) == (200, b"")
        figures = (await client.get("/metrics")).text
    assert 'milepost_http_requests_total{method="HEAD",route="/healthz",status="200"} 1.0' in figures


async def test_a_fault_of_ours_has_the_headers_and_is_counted(database: str, tmp_path: Path) -> None:
    async with open_app(config(database, tmp_path)) as (app, _), calling(app, TOKEN) as client:

        @app.get("/fault")
        async def fault() -> None:
            raise RuntimeError("geheim")

        answer = await client.get("/fault")
        figures = (await client.get("/metrics")).text
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert "geheim" not in answer.text
    assert 'milepost_http_requests_total{method="GET",route="/fault",status="500"} 1.0' in figures


ORIGINS = {
    "our own page": ({"Sec-Fetch-Site": "same-origin"}, 200),
    "our own page in an old browser": ({"Origin": "http://milepost.test"}, 200),
    "another site": ({"Sec-Fetch-Site": "cross-site", "Origin": "http://milepost.test"}, 403),
    "a neighbour": ({"Sec-Fetch-Site": "same-site"}, 403),
    "another origin": ({"Origin": "http://evil.test"}, 403),
    "no word of it": ({}, 403),
    "a sandboxed page": ({"Origin": "null"}, 403),
}


async def test_a_signed_in_browser_changes_things_only_from_our_pages(
    pool: Pool, database: str, tmp_path: Path
) -> None:
    world = World(pool)
    async with serving(config(database, tmp_path), token=None) as (client, _):
        await sign_in(client)
        for case, (headers, status) in ORIGINS.items():
            number = await world.incident("station_offline", station="s")
            answer = await client.post(f"/api/v1/incidents/{number}/ack", headers=headers)
            assert answer.status_code == status, case
            actor = await pool.fetchval("SELECT acknowledged_by FROM incident WHERE id = $1", number)
            assert actor == ("admin" if status == 200 else None), case


async def test_every_answer_has_the_security_headers(database: str, tmp_path: Path) -> None:
    async with serving(config(database, tmp_path)) as (client, _):
        for path in ("/", "/docs", "/nothing", "/api/v1/stations", "/healthz", "/static/page.css", "/signin"):
            headers = (await client.get(path)).headers
            assert headers["x-content-type-options"] == "nosniff", path
            assert "frame-ancestors 'none'" in headers["content-security-policy"], path
            assert "default-src 'self'" in headers["content-security-policy"], path
            assert headers["referrer-policy"] == "same-origin", path


_PAST = cursor_of({"type": "unregistered", "last_seen_at": "9999-12-31T23:59:59-14:00", "station": "s"})
PROBLEMS = {
    "an unknown station": ("GET", "/api/v1/stations/99", 404, "'99'"),
    "an unknown station's timeline": ("GET", "/api/v1/stations/99/timeline", 404, "'99'"),
    "an unknown path": ("GET", "/api/v1/weather", 404, "/docs"),
    "an unknown path at the root": ("GET", "/weather", 404, "/docs"),
    "a missing asset": ("GET", "/static/none.js", 404, ""),
    "a method that is not taken": ("DELETE", "/api/v1/stations", 405, "method"),
    "a limit too small": ("GET", "/api/v1/stations?limit=0", 422, "limit"),
    "a limit too large": ("GET", "/api/v1/stations?limit=1001", 422, "limit"),
    "a limit that is no number": ("GET", "/api/v1/incidents?limit=many", 422, "limit"),
    "an unknown verdict": ("GET", "/api/v1/stations?verdict=fine", 422, "verdict"),
    "a cursor that is none": ("GET", "/api/v1/stations?cursor=hello", 400, "cursor"),
    "a cursor of another list": ("GET", "/api/v1/incidents?cursor=eyJ0eXBlIjoic3RhdGlvbiIsImlkIjoiYSJ9", 400, "cursor"),
    "a cursor in Chinese": ("GET", "/api/v1/stations?cursor=%E4%B8%AD", 400, "cursor"),
    "a cursor past the last year": ("GET", f"/api/v1/unregistered?cursor={_PAST}", 400, "begin anew"),
    "a station id that cannot be": ("GET", "/api/v1/stations/a%00b", 400, "character"),
    "no incident": ("GET", "/api/v1/incidents/7", 404, "7"),
}


async def test_errors_are_problem_documents(database: str, tmp_path: Path) -> None:
    async with serving(config(database, tmp_path)) as (client, _):
        for case, (method, path, status, word) in PROBLEMS.items():
            answer = await client.request(method, path)
            assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), case
            problem = answer.json()
            assert (problem["status"], problem["type"]) == (status, "about:blank"), case
            assert word in problem["detail"], case


async def test_a_page_says_in_both_languages_what_is_wrong_with_a_cursor(database: str, tmp_path: Path) -> None:
    async with serving(config(database, tmp_path)) as (client, _):
        for language, said in (("zh-CN", "从头开始"), ("en", "begin anew")):
            answer = await client.get("/stations?cursor=hello", headers={"Accept-Language": language})
            assert (answer.status_code, said in answer.text) == (400, True), answer.text


async def test_a_defect_of_ours_gives_nothing_away(pool: Pool, database: str, tmp_path: Path) -> None:
    number = await World(pool).incident("station_offline")
    async with serving(config(database, tmp_path)) as (client, _):
        await pool.execute("ALTER TABLE incident_entry RENAME COLUMN text TO words")
        await pool.execute("UPDATE incident SET detail = '[1]'")
        answer = await client.get("/api/v1/incidents")
        other = await client.get(f"/api/v1/incidents/{number}")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert "Traceback" not in answer.text
    assert "detail: " not in answer.text
    assert other.status_code == 503
    assert "milepost migrate" in other.json()["detail"]


async def test_a_large_body_is_refused_before_it_is_read(pool: Pool, database: str, tmp_path: Path) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 1024

    async with serving(config(database, tmp_path)) as (client, _):
        said = await client.post("/api/v1/incidents/1/note", content=b"x" * 65_537)
        streamed = await client.post("/api/v1/incidents/1/note", content=endless())
    assert (said.status_code, streamed.status_code) == (413, 413)
    assert streamed.headers["content-type"] == "application/problem+json"


async def test_the_api_describes_all_its_paths(database: str, tmp_path: Path) -> None:
    async with serving(config(database, tmp_path), token=None) as (client, _):
        document = (await client.get("/openapi.json")).json()
        page = (await client.get("/docs")).text
    assert "/api/v1/stations/{id}/timeline" in document["paths"]
    for path in document["paths"]:
        assert path in page
    assert not re.findall(r"""(?:src|href|action)=["']?(?:https?:)?//""", page), "nothing is loaded from elsewhere"
