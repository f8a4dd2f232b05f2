"""The console as it is first looked at: what a page shows, in which order, how it fits a phone, a wall and paper."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from store.pool import Pool
from tests.integration.api.test_api_pages import browser  # noqa: F401 -- a fixture
from tests.integration.api.test_api_service import running
from tests.integration.api_world import World, config, serving, sign_in, sign_in_page
from tests.integration.console.test_console import read
from tests.servers import find_free_port

PROVINCE, OTHER, COUNTY = "630000000000", "540000000000", "632122000000"
STATIONS = [f"63212200{n:02}" for n in range(25)]
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
async def world(pool: Pool) -> World:
    """Two provinces; one has a county with 25 stations and 12 blind spots."""
    world = World(pool)
    await world.clock()
    await world.area(PROVINCE, "青海省", level="province")
    await world.area(OTHER, "西藏自治区", level="province")
    await world.area(COUNTY, "民和县", PROVINCE)
    for n, station in enumerate(STATIONS):
        await world.station(station, "offline" if n == 0 else "online", area=COUNTY, name=f"第{n}农家书屋")
    for _ in range(12):
        await world.incident("blind_spot", area=COUNTY, detail={"kind": "uncovered"})
    return world


@pytest.fixture
async def client(world: World, database: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(config(database, tmp_path), token=None) as (client, _):
        await sign_in(client)
        yield client


async def test_an_area_shows_its_parts_and_its_stations_before_its_blind_spots(client: httpx.AsyncClient) -> None:
    text = await read(client, f"/areas/{PROVINCE}")
    places = [text.index(f'<section id="{name}"') for name in ("counts", "parts", "stations", "blind")]
    assert places == sorted(places)
    assert text.count('class="tag spot"') == 10
    assert "and 2 more: see all" in text
    assert '<section id="parts"' not in await read(client, f"/areas/{COUNTY}"), "it has none"


async def test_the_stations_of_an_area_are_paged(client: httpx.AsyncClient) -> None:
    found = []
    path = f"/areas/{PROVINCE}"
    while path:
        text = await read(client, path)
        found += [station for station in STATIONS if f'href="/stations/{station}"' in text]
        _, _, rest = text.partition('rel="next" href="')
        path = rest.partition('"')[0].replace("&amp;", "&").partition("#")[0]
    assert found == STATIONS


@pytest.mark.parametrize("kept", [True, False])
async def test_the_nation_has_a_total(kept: bool, world: World, client: httpx.AsyncClient) -> None:
    """Of all provinces and of what lies in none, as the incident process keeps it and as it is counted anew."""
    await world.station("nowhere")
    if kept:
        await world.pool.execute(
            "INSERT INTO area_count (area, online, offline, working) VALUES ($1, 24, 1, 24), ($2, 24, 1, 24)",
            PROVINCE,
            COUNTY,
        )
        await world.pool.execute("INSERT INTO area_count_known (known_at, told_at) VALUES (now(), now())")
    text = await read(client, "/areas")
    assert "26 in all" in text
    assert "Without an area: 1" in text
    assert "Online 24" in text and "Offline 1" in text
    assert text.index(OTHER) < text.index(PROVINCE)


async def test_of_a_single_root_its_own_page_is_shown(world: World, client: httpx.AsyncClient) -> None:
    await world.pool.execute("DELETE FROM area WHERE code = $1", OTHER)
    answer = await client.get("/areas")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/areas/{PROVINCE}")
    await world.station("nowhere")
    assert "Without an area: 1" in await read(client, "/areas")


async def test_the_strip_shows_an_hour_a_day_or_a_week(world: World, client: httpx.AsyncClient) -> None:
    await world.transition(STATIONS[0], 5 * 86_400, "online", before="never_seen")
    await world.transition(STATIONS[0], 3 * 86_400, "offline")
    for query, words in {
        "": ("Last 24 hours", "Offline 1 d"),
        "?span=1h": ("Last hour", "Offline 1 h"),
        "?span=7d": ("Last 7 days", "Offline 3 d", "Online 2 d", "Never seen 1 d 23 h"),
        "?span=nonsense": ("Last 24 hours", "Offline 1 d"),
    }.items():
        text = await read(client, f"/stations/{STATIONS[0]}{query}")
        assert all(word in text for word in words), query
        assert text.count('aria-current="true"') == 1


async def test_a_week_in_which_too_much_happened_is_no_error(
    monkeypatch: pytest.MonkeyPatch, world: World, client: httpx.AsyncClient
) -> None:
    monkeypatch.setattr("api.read.history.MOST", 1)
    for n in range(3):
        await world.transition(STATIONS[0], 1000 - n, "offline")
    text = await read(client, f"/stations/{STATIONS[0]}?span=7d")
    assert "choose a shorter one" in text
    assert 'class="strip"' not in text


UNKNOWN = {
    "a browser": ("GET", "/nowhere", BROWSER, 404, "text/html"),
    "a program": ("GET", "/nowhere", {"Accept": "application/json"}, 404, "application/problem+json"),
    "who says nothing": ("GET", "/nowhere", {}, 404, "application/problem+json"),
    "a browser in the API": ("GET", "/api/v1/nowhere", BROWSER, 404, "application/problem+json"),
    "a browser in a wrong way": ("PUT", "/areas", BROWSER, 405, "text/html"),
    "a browser at a station that is not there": ("GET", "/stations/none", BROWSER, 404, "text/html"),
    "a program at a station that is not there": (
        "GET",
        "/stations/none",
        {"Accept": "application/json"},
        404,
        "application/problem+json",
    ),
}


@pytest.mark.parametrize("who", UNKNOWN)
async def test_what_is_not_there_is_a_page_for_a_browser_and_a_document_for_a_program(
    who: str, client: httpx.AsyncClient
) -> None:
    method, path, headers, status, kind = UNKNOWN[who]
    origin = {"Origin": "http://milepost.test"}
    for language, said in (
        ("zh-CN", ("没有这一页", "无法理解")),
        ("en", ("There is no such page", "is not understood")),
    ):
        answer = await client.request(method, path, headers={**headers, **origin, "Accept-Language": language})
        assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (status, kind)
        if kind == "text/html":
            assert f'lang="{language}"' in answer.text
            assert any(sentence in answer.text for sentence in said), answer.text


async def test_strangers_too_are_told_by_a_page(database: str, tmp_path: Path) -> None:
    async with serving(config(database, tmp_path), token=None) as (client, _):
        answer = await client.get("/nowhere", headers={**BROWSER, "Accept-Language": "en"})
    assert answer.status_code == 404
    assert "There is no such page" in answer.text


WHOLE = """fields => fields.map(field => {
  const shown = field.getBoundingClientRect().width;
  field.style.width = "max-content";
  const wanted = field.getBoundingClientRect().width;
  field.style.width = "";
  return shown >= wanted;
})"""
SIZES = "all => all.map(each => parseFloat(getComputedStyle(each).fontSize))"
EDGES = "rows => rows.map(row => row.getBoundingClientRect()).map(box => [box.left, box.right])"


async def test_pages_fit_a_phone_a_wall_and_paper(
    browser: Any,  # noqa: F811
    world: World,
    database: str,
    tmp_path: Path,
) -> None:
    settings = config(database, tmp_path, port=find_free_port())
    async with running(settings):
        page = await browser.new_page(viewport={"width": 390, "height": 844})
        await sign_in_page(page, settings.url)
        await page.goto(settings.url + "/closures")
        assert await page.locator("input[type=datetime-local]").evaluate_all(WHOLE) == [True, True]
        await page.set_viewport_size({"width": 3840, "height": 2160})
        for path in ("/stations", f"/areas/{PROVINCE}", "/blind-spots"):
            await page.goto(settings.url + path)
            # At one moment: a page that loads itself again takes its rows away.
            edges = await page.locator(".rows li").evaluate_all(EDGES)
            assert len({left for left, _ in edges}) >= 3, path
            assert max(right for _, right in edges) > 3000, path
            sizes = await page.locator(".rows strong").evaluate_all(SIZES)
            assert min(sizes) >= 24, path
        await page.emulate_media(media="print")
        for path in ("/", "/stations", "/closures", f"/stations/{STATIONS[0]}", f"/areas/{PROVINCE}"):
            await page.goto(settings.url + path)
            assert await page.locator("form:visible, nav:visible, button:visible, .pages:visible").count() == 0, path
            assert await page.locator("main").is_visible()
        await page.close()


@pytest.fixture
async def namesakes(world: World) -> World:
    """Two districts of one name, a station in each, and an incident, a blind spot and a closure of one."""
    await world.area("620102000000", "城关区", level="county")
    await world.area("540102000000", "城关区", OTHER)
    await world.pool.execute("UPDATE area SET name_en = 'Chengguan' WHERE name = '城关区'")
    await world.pool.execute("UPDATE area SET name_en = 'Minhe' WHERE code = $1", COUNTY)
    await world.station("lanzhou", area="620102000000")
    await world.station("lhasa", area="540102000000")
    await world.incident("station_offline", station=STATIONS[0])
    await world.closure(-1, 1, station=STATIONS[0])
    return world


@pytest.mark.parametrize("asked", ["民和县", "民和", "和县", "Minhe", " minh ", "632122", COUNTY])
async def test_an_area_is_found_by_name_or_code_on_every_list(
    asked: str, namesakes: World, client: httpx.AsyncClient
) -> None:
    for path, here in (
        ("/stations", f'href="/stations/{STATIONS[0]}"'),
        ("/incidents", 'href="/incidents/13"'),
        ("/blind-spots", 'href="/incidents/1"'),
        ("/closures", 'href="/closures/1"'),
    ):
        text = await read(client, f"{path}?{httpx.QueryParams(area=asked)}")
        assert here in text, path
        assert f'href="/areas/{COUNTY}"' in text, "which one it is"
        assert "/stations/lhasa" not in text


async def test_of_several_areas_one_is_chosen_and_the_rest_of_the_filter_stays(
    namesakes: World, client: httpx.AsyncClient
) -> None:
    text = await read(client, "/stations?area=城关&verdict=online&cursor=", "zh-CN")
    assert "有多个区划符合，请选择" in text
    assert "西藏自治区 · 540102000000" in text
    assert 'class="row" href="/stations/' not in text, "neither is guessed"
    chosen = next(part for part in text.split('"') if part.endswith("area=540102000000")).replace("&amp;", "&")
    assert chosen == "/stations?verdict=online&area=540102000000"
    text = await read(client, chosen)
    assert "/stations/lhasa" in text and "/stations/lanzhou" not in text


async def test_an_area_that_is_none_is_said(namesakes: World, client: httpx.AsyncClient) -> None:
    for path in ("/stations", "/incidents", "/blind-spots", "/closures"):
        text = await read(client, f"{path}?area=Atlantis%25_")
        assert "No area has this name or code" in text, path
        assert "/stations/l" not in text


async def test_more_areas_than_can_be_chosen_from_are_said(world: World, client: httpx.AsyncClient) -> None:
    for n in range(40):
        await world.area(f"6399{n:02d}000000", f"河滩{n}乡", PROVINCE)
    text = await read(client, "/stations?area=河滩")
    assert text.count("area=6399") == 30
    assert "There are more" in text


LETTERS = """() => {
  const box = (one) => { const r = one.getBoundingClientRect(); return [r.left, r.top, r.right, r.bottom]; };
  const seen = (one) => one.getBoundingClientRect().width > 0;
  const map = document.querySelector("svg.map");
  const names = Array.from(map.querySelectorAll("text.place, text.label, .scale text")).filter(seen);
  const marks = Array.from(map.querySelectorAll("a.mark path:last-of-type")).filter(seen);
  const last = marks[marks.length - 1];
  return {
    map: box(map),
    names: names.map(box),
    texts: names.map((one) => one.textContent),
    marks: marks.filter((one) => one.closest(".offline, .unusable")).map(box),
    under: names.filter((one) => last.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_PRECEDING).length,
  };
}"""


@pytest.mark.parametrize(("width", "language"), [(390, "zh-CN"), (390, "en"), (1440, "zh-CN"), (3840, "en")])
async def test_names_on_the_map_are_whole_and_apart(
    width: int,
    language: str,
    browser: Any,  # noqa: F811
    world: World,
    database: str,
    tmp_path: Path,
) -> None:
    """In a real browser's letters: inside the map, not on each other, not on what is wrong, and under no marker."""
    for n, (name, english) in enumerate(
        (("化隆回族自治县", "Hualong"), ("民和回族土族自治县", "Minhe"), ("互助县", "Huzhu"))
    ):
        code = f"63220{n}000000"
        await world.area(code, name, PROVINCE)
        await world.pool.execute("UPDATE area SET name_en = $2 WHERE code = $1", code, english)
        for k in range(6):
            await world.station(f"m{n}{k}", "offline" if k == 5 else "online", area=code, name="镇农家书屋")
            await world.pool.execute(
                "UPDATE station SET lat = $2, lon = $3 WHERE id = $1",
                f"m{n}{k}", 36 + k / 40 + n / 100, 102 + n * 0.7 + k / 60,
            )  # fmt: skip
    settings = config(database, tmp_path, port=find_free_port())
    async with running(settings):
        page = await browser.new_page(locale=language, viewport={"width": width, "height": 900})
        await sign_in_page(page, settings.url)
        seen = await page.evaluate(LETTERS)
        await page.close()
    left, top, right, bottom = seen["map"]
    wanted = (
        {"化隆回族自治县", "民和回族土族自治县", "互助县"} if language == "zh-CN" else {"Hualong", "Minhe", "Huzhu"}
    )
    assert wanted <= set(seen["texts"]), seen["texts"]
    assert seen["under"] == 0
    for n, (x1, y1, x2, y2) in enumerate(seen["names"]):
        assert left <= x1 and x2 <= right and top <= y1 and y2 <= bottom, seen["texts"][n]
        for m, other in enumerate([*seen["names"][:n], *seen["marks"]]):
            # A line of text has room above and below its letters.
            room = (y2 - y1) * 0.2
            apart = x2 <= other[0] or other[2] <= x1 or y2 - room <= other[1] or other[3] <= y1 + room
            assert apart, (seen["texts"][n], m)


@pytest.mark.parametrize(("language", "width"), [("zh-CN", 1440), ("en", 390)])
async def test_an_empty_system_shows_the_next_steps(
    language: str,
    width: int,
    browser: Any,  # noqa: F811
    pool: Pool,
    database: str,
    tmp_path: Path,
) -> None:
    """They can be copied, and go by themselves when the first station is heard."""
    world = World(pool)
    await world.clock()
    settings = config(database, tmp_path, port=find_free_port())
    async with running(settings):
        context = await browser.new_context(locale=language, viewport={"width": width, "height": 900})
        await context.grant_permissions(["clipboard-read", "clipboard-write"], origin=settings.url)
        page = await context.new_page()
        await sign_in_page(page, settings.url)
        assert await page.locator("#start li").count() == 3
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        button = page.locator("[data-copies=start-import]")
        said = await button.get_attribute("data-said")
        clicked = await button.element_handle()  # the page puts a new button into its place from time to time
        await button.click()
        await page.wait_for_function("([b, said]) => b.textContent === said", arg=[clicked, said])
        lines = (await page.evaluate("navigator.clipboard.readText()")).splitlines()
        assert lines[1:] == ["milepost import areas areas.csv", "milepost import stations stations.csv"]
        for name in ("areas", "stations"):
            address = f"{settings.url}/static/examples/{language}/{name}.csv"
            assert address in lines[0]
            assert (await page.request.get(address)).status == 200
        await world.station("6302220001")
        await world.clock()
        await page.locator("#start").wait_for(state="hidden", timeout=20_000)
        await page.goto(settings.url + "/areas")
        assert await page.locator("a[href='/#start']").count() == 1
        await context.close()
