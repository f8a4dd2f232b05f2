"""Uptime by the API and on its page: the kept days, in the scope of who asks."""

import os
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from access.roles import Role
from access.scope import AreaScope
from store.pool import Pool
from tests.integration.api.test_api_pages import browser  # noqa: F401 -- a fixture
from tests.integration.api.test_api_service import running
from tests.integration.api_world import OtherAccount, World, config, other_account, serving, sign_in
from tests.integration.audit.days.day_world import HOUR_MS, DayWorld, at
from tests.integration.console.test_accessibility import FITS, FOUND, RULES, axe, looking  # noqa: F401 -- a fixture
from tests.integration.console.test_console import read
from tests.servers import find_free_port

UPTIME, STATIONS = "/api/v1/uptime", "/api/v1/uptime/stations"
NOVEMBER, DECEMBER = {"period": "2026-11"}, {"period": "2026-12"}


@pytest.fixture
async def days(pool: Pool) -> DayWorld:
    """Kept until 11 December 2026: November is frozen, with an addendum. Station a was online, b fell on the second day
    at noon, c of another county was never heard, and e was always excused."""
    days = DayWorld(pool)
    await days.register(["a", "b", "e"])
    await days.register(["c"], area="632123")
    await days.judge("a", 0, "online", usable=True)
    await days.judge("b", 0, "online", usable=True)
    await days.judge("b", 24 + 12, "offline")
    await days.closure("e", 0, 24 * 1000)
    await days.keep(24 * 39 + 5)
    await days.ran("b", 48 + 9, 48 + 11)
    await days.keep()
    await World(pool).clock()
    return days


@pytest.fixture
async def client(days: DayWorld, database: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(config(database, tmp_path)) as (client, _):
        yield client


async def asked(
    client: httpx.AsyncClient, path: str, account: OtherAccount | None = None, **query: str
) -> dict[str, Any]:
    headers = account.headers if account else None
    answer = await client.get(path, params=query, headers=headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def hours(figures: dict[str, Any]) -> tuple[int, int, int]:
    """D, online and usable."""
    return tuple(figures[name] // HOUR_MS for name in ("due_ms", "online_ms", "usable_ms"))  # type: ignore[return-value]


async def test_of_a_station(client: httpx.AsyncClient) -> None:
    found = await asked(client, UPTIME, station="b", **NOVEMBER)
    assert (found["first_day"], found["last_day"]) == ("2026-11-02", "2026-11-30")
    assert found["frozen_at"] is not None
    assert hours(found["figures"]) == (29 * 8, 8 + 3, 8 + 3), "what was frozen"
    assert hours(found["with_addenda"]) == (29 * 8, 11, 13)
    assert found["figures"]["online_percent"] == 4.74, "11 of 232 hours, rounded down"
    assert [part["at"] for part in found["parts"]] == [date(2026, 11, day).isoformat() for day in range(2, 31)]
    (revised,) = [part for part in found["parts"] if part["revisions"]]
    (one,) = revised["revisions"]
    assert (revised["at"], one["revision"], one["causes"], one["addendum"]) == ("2026-11-04", 2, ["presence"], True)
    assert one["difference"] == {"usable_ms": 2 * HOUR_MS}

    excused = (await asked(client, UPTIME, station="e", **NOVEMBER))["figures"]
    assert (excused["due_ms"], excused["online_percent"], excused["coverage_percent"]) == (0, None, None)
    assert excused["headline"] is False, "nothing was due: neither 100% nor 0%"
    year = await asked(client, UPTIME, station="a", period="2026")
    assert [(part["at"], hours(part["figures"])[0]) for part in year["parts"]] == [("2026-11", 232), ("2026-12", 80)]


async def test_of_areas(client: httpx.AsyncClient) -> None:
    found = await asked(client, UPTIME, area="63", **NOVEMBER)
    assert hours(found["figures"]) == (3 * 232, 232 + 11, 232 + 11), "sums of numerators and denominators"
    assert {one["area"]: hours(one["figures"]) for one in found["areas"]} == {
        "632122": (464, 243, 243), "632123": (232, 0, 0),
    }  # fmt: skip
    assert hours(found["with_addenda"]) == (696, 243, 245)
    assert (await asked(client, UPTIME, **NOVEMBER))["figures"] == found["figures"]
    usual = await asked(client, UPTIME)
    assert (usual["period"], usual["last_day"], usual["frozen_at"]) == ("2026-12", "2026-12-10", None)
    year = await asked(client, UPTIME, area="632122", period="2026")
    assert hours(year["figures"]) == (2 * (232 + 80), 243 + 80, 243 + 80), "a frozen month stands in its year"
    listed = await asked(client, STATIONS, area="632122", **NOVEMBER)
    assert [(one["station"], hours(one["figures"])) for one in listed["items"]] == [
        ("a", (232, 232, 232)), ("b", (232, 11, 13)), ("e", (0, 0, 0)),
    ]  # fmt: skip
    none = await asked(client, UPTIME, period="2031-01")
    assert (none["first_day"], none["figures"]["online_percent"], none["parts"]) == (None, None, [])


async def test_the_scope_is_kept(client: httpx.AsyncClient, days: DayWorld) -> None:
    far = await other_account(days.pool, Role.AUDITOR, scope=AreaScope(areas=frozenset({"632123"})))
    own = await asked(client, UPTIME, far, **NOVEMBER)
    assert hours(own["figures"]) == (232, 0, 0)
    assert [one["area"] for one in own["areas"]] == ["632123"]
    assert [one["station"] for one in (await asked(client, STATIONS, far, **NOVEMBER))["items"]] == ["c"]
    for query in ({"area": "63"}, {"area": "632122"}, {"station": "a"}, {"station": "nothing"}):
        answer = await client.get(UPTIME, params=query, headers=far.headers)
        assert answer.status_code == 404, query
    for query in ({"station": "a", "area": "63"}, {"period": "2026-13"}):
        assert (await client.get(UPTIME, params=query)).status_code == 422, query


SAYS = {
    "en": ("Uptime of", "Online rate", "Coverage", "232\u00a0h", "This month was frozen on", "With addenda", "4.74%",
           "By day", "Revision 2", "records made while the link was down", "(addendum)", "time usable +2\u00a0h"),
    "zh-CN": ("在线统计", "在线率", "数据覆盖率", "含附记", "按日", "第 2 版", "断网期间本机记录补传"),
}  # fmt: skip


async def test_the_findings_of_a_day_are_those_of_the_local_day(client: httpx.AsyncClient, days: DayWorld) -> None:
    """Forms take Beijing time; the day of a station in another zone begins at another hour."""
    await sign_in(client)
    path = "/uptime?station=b&period=2026-11"
    assert "from=2026-11-03T00%3A00&amp;until=2026-11-04T00%3A00" in await read(client, path, "en")
    async with days.pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT set_config('milepost.effective_at', $1, true)", at(0).isoformat())
        await connection.execute("UPDATE schedule SET timezone = 'Asia/Urumqi' WHERE station = 'b'")
    assert "from=2026-11-03T02%3A00&amp;until=2026-11-04T02%3A00" in await read(client, path, "en")


async def test_the_page(client: httpx.AsyncClient) -> None:
    await sign_in(client)
    for language, says in SAYS.items():
        text = await read(client, "/uptime?station=b&period=2026-11", language)
        assert [word for word in says if word not in text] == [], language
    county = await read(client, "/uptime?area=632122&period=2026-11", "en")
    assert "By station" in county and 'href="/uptime?station=b&amp;period=2026-11"' in county
    province = await read(client, "/uptime?area=63&period=2026-11", "en")
    assert "By area" in province and 'href="/uptime?area=632123&amp;period=2026-11"' in province
    assert "Give a month or a year" in await read(client, "/uptime?period=x", "en")
    assert "No day of this period" in await read(client, "/uptime?period=2031-01", "en")
    assert (await client.get("/uptime?station=nothing")).status_code == 404


async def test_on_a_phone(
    days: DayWorld,
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
                await page.set_viewport_size({"width": 360, "height": 780})
                for path in ("/uptime?area=63&period=2026-11", "/uptime?station=b&period=2026-11"):
                    await page.goto(settings.url + path)
                    await page.evaluate(axe)
                    found += await page.evaluate(FOUND, RULES)
                    assert await page.evaluate(FITS), path
                    name = path.partition("?")[2].partition("=")[0]
                    await page.screenshot(
                        path=Path(os.environ.get("SHOTS", tmp_path)) / f"{name}_{language}.png", full_page=True
                    )
    assert found == []
