"""The console's pages over the real database: what they say, what their forms do, and who may."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from access.roles import Role
from store.pool import Pool
from tests.integration.api.test_api_pages import browser  # noqa: F401 -- a fixture
from tests.integration.api.test_api_service import running
from tests.integration.api_world import World, config, leave, other_account, serving, sign_in, sign_in_page
from tests.servers import find_free_port

AREA, TOWN, STATION = "632122000000", "632122101000", "6321220001"
NASTY = "<script>alert(1)</script>&\"'"
OWN = {"Origin": "http://milepost.test"}


@pytest.fixture
async def world(pool: Pool) -> World:
    """A county with a station that is offline, and one that is online."""
    world = World(pool)
    await world.clock()
    await world.area("630000000000", "青海省", level="province")
    await world.area(AREA, "民和县", "630000000000")
    await world.area(TOWN, "官亭镇", "630000000000", AREA, level="township")
    await world.station(STATION, "offline", since=4000, seen=4100, name=NASTY, area=TOWN)
    await world.station("6321220002", area=TOWN, name="满坪镇农家书屋")
    await pool.execute(
        "UPDATE station SET lat = 36.3, lon = 102.8 + right(id, 1)::int * 0.1, name_bo = 'ཀོན་ཐེན།', address = $1", NASTY
    )
    return world


@pytest.fixture
async def client(world: World, database: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that is signed in, after everything that the test's world writes first."""
    async with serving(config(database, tmp_path), token=None) as (client, _):
        await sign_in(client)
        yield client


async def read(client: httpx.AsyncClient, path: str, language: str = "en", status: int = 200) -> str:
    answer = await client.get(path, headers={"Accept-Language": language})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return answer.text


async def test_a_nasty_name_is_only_text_on_every_page(world: World, client: httpx.AsyncClient) -> None:
    number = await world.incident("station_offline", station=STATION, detail={"reason": NASTY})
    await world.pool.execute("UPDATE incident SET assignee = $1", NASTY)
    await world.pool.execute(
        "INSERT INTO incident_entry (incident, actor, action, text) VALUES ($1, $2, $2, $2)", number, NASTY
    )
    await world.record("health", STATION, 60, 1, cpu=0.5, services={NASTY: False})
    await world.pool.execute("UPDATE area SET name = $1 WHERE code = $2", NASTY, TOWN)
    query = httpx.QueryParams({"q": NASTY[:40], "area": NASTY, "kind": NASTY})
    for path in ("/", "/stations", f"/stations/{STATION}", "/incidents", f"/incidents/{number}", f"/areas/{AREA}"):
        text = await read(client, path)
        assert "<script>" not in text, path
        assert "&lt;script&gt;" in text, path
    for path in (f"/stations?{query}", f"/incidents?{query}"):
        assert "<script>" not in await read(client, path)


async def test_the_board_draws_who_has_coordinates(world: World, client: httpx.AsyncClient) -> None:
    text = await read(client, "/", "zh-CN")
    assert text.count('class="mark offline" aria-label') == 1
    assert text.count('class="mark online" aria-label') == 1
    assert f'href="/stations/{STATION}"' in text
    assert "2 个服务点按坐标画在图上，离线 1 个" in text


async def test_a_station_of_no_use_has_a_mark_of_its_own_on_the_map(world: World, client: httpx.AsyncClient) -> None:
    await world.station("6321220003", "online", area=TOWN, usable=False)
    await world.pool.execute("UPDATE station SET lat = 36.9, lon = 102.1 WHERE id = '6321220003'")
    text = await read(client, "/")
    assert text.count('class="mark unusable" aria-label') == 1
    assert text.count('class="mark online" aria-label') == 1
    assert ".mark.unusable {" in (await client.get("/static/page.css")).text, "with a colour of its own"


async def test_many_stations_are_put_together_by_the_database(
    monkeypatch: pytest.MonkeyPatch, world: World, client: httpx.AsyncClient
) -> None:
    monkeypatch.setattr("api.read.counting._MANY", 1)
    await world.station("6321220003", area=TOWN)
    await world.pool.execute("UPDATE station SET lat = 36.3, lon = 102.8003 WHERE id = '6321220003'")
    await world.pool.execute("UPDATE station SET lat = 36.3, lon = 102.8 WHERE id = '6321220002'")
    text = await read(client, "/")
    assert 'aria-label="2 Online"' in text
    assert text.count('class="mark offline" aria-label') == 1


async def test_what_concerns_many_comes_first_and_the_rest_is_counted(world: World, client: httpx.AsyncClient) -> None:
    for n in range(12):
        await world.station(f"f{n:02}", "offline", since=1000 + n)
        if n < 7:
            await world.incident("station_offline", station=f"f{n:02}", began=1000 + n)
    await world.incident("area_outage", area=AREA, began=10)
    text = await read(client, "/")
    assert text.index("Area outage") < text.index("Station offline")
    assert text.index("f06") < text.index("f05"), "the oldest first"
    assert "and 3 more: see all" in text
    assert "and 3 more offline: see all" in text, "six stations have no incident of their own, three are shown"


async def test_a_station_page_says_all_in_both_languages(world: World, client: httpx.AsyncClient) -> None:
    await world.transition(STATION, 90_000, "online", before="never_seen")
    await world.transition(STATION, 4000, "offline")
    await world.record("presence", STATION, 3000, 2, until=world.ago(2000), usable=True)
    await world.record("health", STATION, 4200, 1, cpu=0.25, disk=0.93, temp=41.0, services={"reader": False})
    await world.record("usage", STATION, 1, 1, sessions=3, minutes=45.0)
    number = await world.incident("station_offline", station=STATION)
    both = (f'href="/incidents/{number}"', f'href="/areas/{TOWN}"', "25%", "93%", "41 °C", "ཀོན་ཐེན།", "36.30000")
    for language, words in (
        ("zh-CN", ("离线", "断网但在运行 16 分钟", "在线 22 小时", "停止", "断网期间本机记录", "官亭镇")),
        ("en", ("Offline", "Link down, running 16 min", "Online 22 h", "down", "recorded while the link was down")),
    ):
        text = await read(client, f"/stations/{STATION}", language)
        for word in (*both, *words):
            assert word in text, word
        assert 'class="part presence"' in text
        assert "<b>3</b>" in text


async def test_stations_are_found_by_name_id_verdict_and_area(world: World, client: httpx.AsyncClient) -> None:
    for query, found in {
        "q=满坪": ["6321220002"],
        "q=0002": ["6321220002"],
        "q=100%": [],
        "verdict=offline": [STATION],
        "verdict=nonsense": [STATION, "6321220002"],
        "area=632122": [STATION, "6321220002"],
        "area=11": [],
        "verdict=online&area=63&q=6321": ["6321220002"],
    }.items():
        text = await read(client, f"/stations?{query}")
        assert [one for one in (STATION, "6321220002") if f'href="/stations/{one}"' in text] == found, query


async def test_pages_of_stations_follow_each_other(world: World, client: httpx.AsyncClient) -> None:
    for n in range(60):
        await world.station(f"pg{n:02}")
    first = await read(client, "/stations?q=pg")
    following = first.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    second = await read(client, following)
    shown = [[n for n in range(60) if f'href="/stations/pg{n:02}"' in text] for text in (first, second)]
    assert shown == [list(range(50)), list(range(50, 60))]


async def test_areas_lead_down_to_their_stations(world: World, client: httpx.AsyncClient) -> None:
    only = await client.get("/areas")
    assert (only.status_code, only.headers["location"]) == (303, "/areas/630000000000")
    text = await read(client, f"/areas/{AREA}")
    assert f'href="/areas/{TOWN}"' in text
    assert f'href="/stations?verdict=offline&amp;area={AREA}"' in text


async def test_incidents_stand_open_first_and_can_be_filtered(world: World, client: httpx.AsyncClient) -> None:
    numbers = {
        status: await world.incident("station_offline", station=STATION, status=status)
        for status in ("open", "closed", "acknowledged")
    }
    other = await world.incident("health", station="6321220002", status="closed")
    text = await read(client, "/incidents")
    places = [text.index(f'href="/incidents/{numbers[status]}"') for status in ("open", "acknowledged", "closed")]
    assert places == sorted(places)
    for query, expected in {
        "status=closed": {numbers["closed"], other},
        "kind=health": {other},
        "area=11": set(),
        f"area={AREA}&status=open": {numbers["open"]},
    }.items():
        text = await read(client, f"/incidents?{query}")
        assert {n for n in (*numbers.values(), other) if f'href="/incidents/{n}"' in text} == expected, query


async def test_the_forms_act_and_come_back(world: World, client: httpx.AsyncClient) -> None:
    number = await world.incident("station_offline", station=STATION)
    said = {"text": "停电了\r\n明天来电", "by": "李措"}
    for action, form in (
        ("ack", said),
        ("assign", {"assignee": "张建国"}),
        ("note", {"text": "换了电源"}),
        ("resolve", {"text": "换了路由器"}),
    ):
        answer = await client.post(f"/incidents/{number}/{action}", data=form, headers=OWN)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/incidents/{number}"), answer.text
    text = await read(client, f"/incidents/{number}", "zh-CN")
    for word in ("已关闭", "管理员（代 李措）", "停电了\n明天来电", "张建国", "换了电源"):
        assert word in text, word
    assert "formaction" not in text, "what is closed takes remarks only"


async def test_histories_show_accounts_by_name_and_old_text_as_it_stands(
    world: World, client: httpx.AsyncClient
) -> None:
    number = await world.incident("station_offline", station=STATION)
    li = await other_account(world.pool, Role.TECHNICIAN)
    await client.post(f"/incidents/{number}/assign", data={"assignee": li.account}, headers=OWN)
    acknowledged = await client.post(f"/api/v1/incidents/{number}/ack", headers=li.headers, json={"by": "卓玛"})
    assert acknowledged.status_code == 200, acknowledged.text
    await world.pool.execute(
        "INSERT INTO incident_entry (incident, actor, action, text) VALUES ($1, '值班 <b>', 'note', 'x')", number
    )
    text = await read(client, f"/incidents/{number}")
    for word in ("<dd>李四</dd>", "李四 (for 卓玛)", "administrator", "值班 &lt;b&gt;"):
        assert word in text, word
    assert li.account not in text.replace(f'<p class="said">{li.account}', ""), "by its id only as it was typed"
    for page in ("/", "/incidents", f"/stations/{STATION}"):
        text = await read(client, page)
        assert "assigned to 李四" in text, page
        assert li.account not in text, page


async def test_an_outage_lists_its_parts_and_how_they_are(world: World, client: httpx.AsyncClient) -> None:
    outage = await world.incident(
        "area_outage", area=AREA, detail={"cause": "uplink", "name": "中国移动", "share": 0.5}
    )
    down = await world.incident("station_offline", station=STATION, parent=outage)
    await world.incident("blind_spot", area=AREA, parent=outage, status="closed")  # is no station
    back = await world.incident("station_offline", station="6321220002", parent=outage, status="closed")
    text = await read(client, f"/incidents/{outage}")
    for word in (
        "Area outage",
        "中国移动 · 民和县",
        "2 stations concerned, 1 still down",
        "50%",
        "the same network operator",
    ):
        assert word in text, word
    places = [text.index(f'href="/incidents/{number}"') for number in (down, back)]
    assert places == sorted(places), "who is still down comes first"
    assert 'class="verdict offline"' in text[places[0] : places[1]]
    assert 'class="verdict online"' in text[places[1] :]
    assert f'<a href="/incidents/{outage}">' in await read(client, f"/incidents/{down}")
    listed = await read(client, "/incidents")
    assert f'href="/incidents/{outage}"' in listed
    assert f'href="/incidents/{down}"' not in listed, "it is told as part of the outage"
    board = await read(client, "/", "zh-CN")
    assert "中国移动 · 民和县" in board
    assert "涉及 2 个服务点" in board


async def test_what_broke_on_many_terminals_is_one_thing_without_a_station(
    world: World, client: httpx.AsyncClient
) -> None:
    said = {"rule": "service_down", "subject": "reader", "severity": "critical", "children": 2}
    common = await world.incident("health", area=AREA, detail=said)
    for station in (STATION, "6321220002"):
        await world.incident("health", station=station, parent=common, detail=said | {"terminal": "001"})
    for path in (f"/incidents/{common}", "/incidents", "/", "/incidents?kind=health"):
        for language, words in (
            ("en", ("Device health", "service down · ")),
            ("zh-CN", ("设备健康", "服务停止 · 民和县")),
        ):
            text = await read(client, path, language)
            assert all(word in text for word in words), (path, language)
    assert "2 terminals concerned, 2 not yet well" in await read(client, f"/incidents/{common}")
    assert "涉及 2 台终端" in await read(client, "/", "zh-CN")


async def test_blind_spots_say_what_would_clear_them(world: World, client: httpx.AsyncClient) -> None:
    dark = await world.incident(
        "blind_spot", area=TOWN, began=1000, detail={"kind": "area_dark", "clears": "station_works"}
    )
    quiet = await world.incident(
        "blind_spot", station=STATION, detail={"kind": "dark", "clears": "heartbeat", "quiet": True}
    )
    text = await read(client, "/blind-spots", "zh-CN")
    for word in (
        "全域无服务",
        "官亭镇",
        "消除条件：区划内有服务点在线且可用",
        "长期无声",
        "收到服务点的心跳",
        "已持续 16 分钟",
    ):
        assert word in text, word
    for query, expected in {
        "": {dark, quiet},
        "kind=dark": {quiet},
        "kind=nonsense": {dark, quiet},
        "area=65": set(),
    }.items():
        text = await read(client, f"/blind-spots?{query}")
        assert {number for number in (dark, quiet) if f'href="/incidents/{number}"' in text} == expected, query
    await world.pool.execute("UPDATE incident SET detail = detail || $2 WHERE id = $1", dark, {"stage": "last_one"})
    for path in ("/blind-spots", f"/incidents/{dark}", f"/areas/{AREA}"):
        assert "one station left" in await read(client, path), path
    await world.pool.execute("UPDATE incident SET detail = detail - 'stage' WHERE id = $1", dark)
    assert "Blind spots: 1" in await read(client, "/"), "the board counts those that page nobody"
    assert f'href="/incidents/{quiet}"' not in await read(client, "/incidents")
    assert "No service in the area" in await read(client, f"/areas/{AREA}")


async def test_a_station_page_says_its_hours_and_its_closure(world: World, client: httpx.AsyncClient) -> None:
    await world.hours(STATION, (-9, -2), (5, 9))
    await world.incident("flapping", station=STATION)
    await world.pool.execute("UPDATE incident SET key = 'flapping:' || station")
    number = await world.closure(-3, 7, station=STATION, approved=False)
    text = await read(client, f"/stations/{STATION}")
    for word in ("Closed", "outside opening hours", "Opens next", "Flapping", "装修", "to be approved"):
        assert word in text, word
    assert f'href="/closures/{number}"' in text
    assert "all day" in await read(client, "/stations/6321220002")
    assert 'class="verdict closed"' in await read(client, "/stations?verdict=closed")


async def test_a_closure_is_declared_and_approved_on_pages(world: World, client: httpx.AsyncClient) -> None:
    form = {"scope": "station", "name": STATION, "kind": "maintenance", "from": "2026-10-01T09:00", "by": "王"}
    form |= {"until": "2026-10-01T17:00", "reason": NASTY}
    made = await client.post("/closures", data=form, headers=OWN)
    assert made.status_code == 303, made.text
    path = made.headers["location"]
    text = await read(client, path)
    for word in ("to be approved", "2026-10-01 09:00:00", "administrator (for 王)", "&lt;script&gt;"):
        assert word in text, word
    assert '<button disabled aria-describedby="own">' in text, "the page says beforehand that it takes another"
    refused = await client.post(f"{path}/approve", data={"by": "李"}, headers=OWN | {"Accept-Language": "zh-CN"})
    assert refused.status_code == 409
    assert "须由另一人批准" in refused.text
    await world.pool.execute("UPDATE closure SET declared_by = 'operator' WHERE id = $1", int(path.rpartition("/")[2]))
    assert "disabled" not in await read(client, path)
    approved = await client.post(f"{path}/approve", data={"by": "李", "evidence": "文 12"}, headers=OWN)
    assert approved.headers["location"] == path
    assert "管理员（代 李）" in await read(client, path, "zh-CN")
    text = await read(client, path)
    assert "Approved by" in text
    assert "文 12" in text
    assert "<script>" not in await read(client, "/closures")
    assert path in await read(client, f"/closures?station={STATION}&status=approved")
    assert (await client.post(f"{path}/withdraw", data={}, headers=OWN)).status_code == 303
    assert "Withdrawn by" in await read(client, path)
    for case, changes in {
        "nobody": {"name": "none"},
        "no time": {"from": ""},
        "backwards": {"until": "2020-01-01T00:00"},
    }.items():
        answer = await client.post("/closures", data={**form, **changes}, headers=OWN)
        assert answer.status_code == 422, case
        assert 'role="alert"' in answer.text, case
        assert "&lt;script&gt;" in answer.text, "what was written is not lost"
    assert (await client.post(f"{path}/sing", headers=OWN)).status_code == 404
    assert (await client.post("/closures", data=form)).status_code == 403, "from another site"


REFUSED = [
    ("ack", {"text": "me too"}, 409, "it is acknowledged already"),
    ("note", {"text": " "}, 409, "write something first"),
    ("assign", {}, 409, "write something first"),
    ("resolve", {}, 409, "write something first"),
    ("resolve", {"text": " "}, 409, "write something first"),
    ("note", {"text": "x" * 4001}, 409, "the text is too long"),
    ("note", {"text": "a\0b"}, 400, "This request is not understood"),
    ("sing", {"text": "la"}, 404, "There is no such page"),
]


async def test_refusals_are_sentences(world: World, client: httpx.AsyncClient) -> None:
    number = await world.incident("station_offline", station=STATION, status="acknowledged")
    headers = {**OWN, "Accept-Language": "en"}
    for action, form, status, sentence in REFUSED:
        answer = await client.post(f"/incidents/{number}/{action}", data=form, headers=headers)
        assert answer.status_code == status, action
        assert sentence in answer.text
        if status == 409:
            assert form.get("text", "").strip() in answer.text, "what was written is not lost"
            assert (await client.get(answer.url)).headers["location"] == f"/incidents/{number}", "loaded again"
    entries = await world.pool.fetch("SELECT action FROM incident_entry WHERE incident = $1", number)
    assert [entry["action"] for entry in entries] == ["opened"]


FOREIGN = [{}, {"Origin": "null"}, {"Origin": "http://evil.test"}, {**OWN, "Sec-Fetch-Site": "cross-site"}]


async def test_other_sites_cannot_send_the_forms(world: World, client: httpx.AsyncClient) -> None:
    number = await world.incident("station_offline", station=STATION)
    for headers in FOREIGN:
        answer = await client.post(f"/incidents/{number}/resolve", data={}, headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (403, "text/html; charset=utf-8"), headers
    assert await world.pool.fetchval("SELECT status FROM incident WHERE id = $1", number) == "open"


async def test_strangers_see_and_change_nothing(world: World, client: httpx.AsyncClient) -> None:
    number = await world.incident("station_offline", station=STATION)
    client.cookies.clear()
    for path in (
        "/",
        "/stations",
        f"/stations/{STATION}",
        "/incidents",
        f"/incidents/{number}",
        f"/areas/{AREA}",
        "/areas",
        "/blind-spots",
        "/closures",
    ):
        text = await read(client, path, status=401)
        assert f'href="{path}"' in text, "signed in already, one goes on where one wanted to"
        assert STATION not in text.replace(path, "")
    assert (await client.post(f"/incidents/{number}/resolve", headers=OWN)).status_code == 401
    assert await world.pool.fetchval("SELECT status FROM incident WHERE id = $1", number) == "open"


async def test_what_is_not_there_and_the_language_chosen(client: httpx.AsyncClient) -> None:
    for path in ("/stations/none", "/incidents/999", "/areas/99"):
        assert "There is no such page" in await read(client, path, status=404)
    assert 'lang="en"' in await read(client, "/stations?lang=en&q=x", "zh-CN")
    text = await read(client, "/incidents", "zh-CN")
    assert 'html lang="en"' in text, "it stays"
    assert 'href="/incidents?lang=zh-CN"' in text


@pytest.mark.parametrize(("language", "width"), [("zh-CN", 1920), ("en", 320)])
async def test_a_real_browser_walks_through_it(
    language: str,
    width: int,
    browser: Any,  # noqa: F811
    world: World,
    pool: Pool,
    database: str,
    tmp_path: Path,
) -> None:
    """Nothing scrolls sideways or complains; a death shows without a reload; a button of an incident works."""
    number = await world.incident("station_offline", station=STATION)
    closure = await world.closure(1, 2, station=STATION)
    settings = config(database, tmp_path, port=find_free_port())
    async with running(settings):
        page = await browser.new_page(locale=language, viewport={"width": width, "height": 700})
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await sign_in_page(page, settings.url)
        await page.evaluate("window.never_reloaded = true")
        assert await page.locator("svg.map a.mark.online").count() == 1
        await pool.execute("UPDATE station_state SET state = 'offline'")
        await world.transition("6321220002", 1, "offline")
        await world.clock()
        await pool.execute("SELECT pg_notify('milepost_transition', '')")
        await page.locator("#fallen a[href='/stations/6321220002']").wait_for(timeout=20_000)
        assert await page.locator("svg.map a.mark.offline").count() == 2
        assert await page.evaluate("window.never_reloaded")
        paths = ("/", "/stations", f"/stations/{STATION}", "/incidents", f"/areas/{AREA}")
        paths += ("/blind-spots", "/closures", f"/closures/{closure}", f"/incidents/{number}")

        for path in paths:
            await page.goto(settings.url + path)
            assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
            assert await page.locator("html").get_attribute("lang") == language
        await page.locator("form:has(button[formaction$='/ack']) textarea[name=text]").fill("在路上")
        await leave(page, page.locator("button[formaction$='/ack']"))
        await page.locator("#facts.acknowledged").wait_for(timeout=20_000)
        assert "在路上" in await page.locator("#history").inner_text()
        await page.locator("form[action$='/resolve'] button").click()
        assert await page.locator("#facts.closed").count() == 0, "the browser asks for the reason"
        await page.locator("form[action$='/resolve'] input[name=text]").fill("钥匙丢了")
        await leave(page, page.locator("form[action$='/resolve'] button"))
        await page.locator("#facts.closed").wait_for(timeout=20_000)
        assert "钥匙丢了" in await page.locator("#facts").inner_text()
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert complaints == []
        await page.goto(settings.url + "/")
        assert await page.locator("#lost").is_hidden()
    await page.locator("#lost").wait_for(state="visible", timeout=20_000)
    await page.close()
