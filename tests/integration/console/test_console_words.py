"""What stands in the console's Chinese pages: Chinese, with units, and no machine word, whatever there is to show."""

import re
from collections.abc import AsyncIterator
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import httpx
import pytest

import api
from api.console.pages import OpenPageRoute
from contract.glossary import WORDS
from store.pool import Pool
from tests.integration.api_world import World, config, serving, sign_in
from tests.integration.console_world import (
    PROVINCE,
    TOWN,
    a_country,
    every_account,
    every_closure,
    every_contact,
    every_day,
    every_duty,
    every_incident,
    every_photo,
    every_route,
    every_silence,
    every_station,
)
from tests.integration.matrix.country import add_assessment, add_correction, add_finding
from tests.reading import latin_words, texts_of

# Products, protocols and units; columns of a file, commands and settings, which are typed as they stand.
ALLOWED = {
    "Milepost", "API", "MQTT", "Kafka", "lat", "lon", "milepost", "up", "signin", "admin.token",
    "MILEPOST_ADMIN_TOKEN_FILE", "MILEPOST_PUBLIC_URL", "http", "https", "C", "km", "XLSX", "alerts.log", "data",
    "venv/bin/milepost", "CSV", "PDF", "Webhook", "JPEG", "PNG", "WebP", "MB",
}  # fmt: skip
# Names that people or machines gave to things of this test: stations, terminals, shards, boots, services, accounts.
NAMED = {
    # Rules of assessments.
    "default",
    # Placeholders of templates.
    "body",
    "short",
    "border",
    "main",
    "other",
    "x",
    "apprise-1",
    "kds-01",
    "b1",
    "fibre",
    "technician",
    "lead",
    "head",
    "admin",
    "operator",
    "system",
    "li",
    "wang",
    "x" * 64,
}


@pytest.fixture
async def world(pool: Pool) -> World:
    return await a_country(pool)


@pytest.fixture
async def full(world: World) -> list[str]:
    """Every address of a page, with something of every kind on it."""
    stations = await every_station(world)
    incidents = await every_incident(world, stations[1])
    closures = await every_closure(world, stations[0])
    await world.pool.execute("UPDATE closure SET kind = 'maintenance' WHERE id = $1", closures[0])
    silences = await every_silence(world, stations[0])
    contacts = await every_contact(world)
    await every_duty(world)
    await every_photo(world, incidents[0], closures[0])
    await every_route(world)
    accounts = await every_account(world)
    await every_day(world, stations[1])
    finding, correction = await add_finding(world.pool, stations[1]), await add_correction(world.pool, stations[1])
    assessment = await add_assessment(world.pool, PROVINCE, "青海省")
    await world.pool.execute("UPDATE finding SET text = '为何离线', incident = $1", incidents[0])
    await world.pool.execute("UPDATE correction SET reason = '停电'")
    return [
        "/findings", f"/findings/{finding}", f"/findings?incident={incidents[0]}",
        f"/findings?station={stations[1]}&from=2026-01-01T00:00&until=2026-01-02T00:00",
        "/corrections", f"/corrections/{correction}", "/assessments", f"/assessments/{assessment}",
        "/programmes", "/effect",
        "/", "/stations", *(f"/stations?verdict={one}" for one in WORDS["verdict"]), "/incidents", "/blind-spots",
        *(f"/incidents?kind={one}" for one in WORDS["kind"]), "/areas", f"/areas/{PROVINCE}", f"/areas/{TOWN}",
        "/closures", "/signin", "/password", *(f"/closures/{one}" for one in closures),
        "/silences", *(f"/silences/{one}" for one in silences),
        "/contacts", "/contacts?retired=yes", *(f"/contacts/{one}" for one in contacts),
        "/duty", f"/duty?area={PROVINCE}", "/work?contact=zhang", "/response", f"/response?area={PROVINCE}&days=30",
        "/uptime", f"/uptime?area={PROVINCE}&period=2026-11", f"/uptime?area={TOWN}&period=2026-11",
        *(f"/uptime?station={stations[1]}&period={period}" for period in ("2026-11", "2026", "2031-01", "x")),
        "/routes", "/routes/default", "/who-is-told", "/gaps",
        "/templates", "/templates/body/zh-CN", "/templates/digest_short/zh-CN",
        f"/who-is-told?area={PROVINCE}&kind=area_outage",
        *(f"/stations/{one}" for one in stations), f"/stations/{stations[1]}?span=7d",
        f"/stations/{stations[1]}/remove",
        *(f"/incidents/{one}" for one in incidents), "/account", "/accounts", *(f"/accounts/{one}" for one in accounts),
    ]  # fmt: skip


@pytest.fixture
async def client(world: World, full: list[str], database: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(config(database, tmp_path), token=None) as (client, _):
        await sign_in(client)
        yield client


async def page(client: httpx.AsyncClient, path: str, language: str = "zh-CN") -> str:
    answer = await client.get(path, headers={"Accept-Language": language})
    assert answer.status_code == 200, (path, answer.text[:500])
    return answer.text


def strange(html: str) -> set[str]:
    """Words of a Chinese page that are not Chinese, without allowed words and names."""
    return {f"{word} in “{text}”" for word, text in latin_words(html) if word not in ALLOWED | NAMED}


async def test_no_page_has_a_word_that_is_not_chinese(client: httpx.AsyncClient, full: list[str]) -> None:
    found = {path: words for path in full if (words := strange(await page(client, path)))}
    assert not found
    assert len(full) > 100


async def test_every_page_that_there_is_was_read(client: httpx.AsyncClient, full: list[str]) -> None:
    """A page that is added is to be added here; what only leads elsewhere is none."""
    modules = [import_module(found.name) for found in walk_packages(api.__path__, "api.")]
    routes = [route for module in modules if hasattr(module, "router") for route in module.router.routes]
    pages = [route for route in routes if isinstance(route, OpenPageRoute) and "GET" in route.methods]
    assert len(pages) > 10
    unread = {page.path for page in pages if not any(page.path_regex.match(path.partition("?")[0]) for path in full)}
    assert unread == {
        "/i/{token}",
        "/incidents/{id}/{action}",
        "/closures/{id}/photos",
        "/findings/{id}/photos",
        "/photos/{id}",
        "/stations/{id}/restore",
    }


async def test_an_empty_system_greets_in_chinese(pool: Pool, database: str, tmp_path: Path) -> None:
    await World(pool).clock()
    async with serving(config(database, tmp_path), token=None) as (client, _):
        await sign_in(client)
        for path in (
            "/",
            "/stations",
            "/areas",
            "/incidents",
            "/blind-spots",
            "/closures",
            "/silences",
            "/contacts",
            "/duty",
            "/routes",
            "/gaps",
            "/who-is-told",
        ):
            assert not strange(await page(client, path)), path


async def test_refusals_and_failures_are_chinese_too(client: httpx.AsyncClient, full: list[str]) -> None:
    headers = {"Accept-Language": "zh-CN", "Origin": "http://milepost.test"}
    answers = [
        await client.get("/stations/none", headers=headers),
        await client.get("/incidents/999999", headers=headers),
        await client.get("/incidents/none", headers=headers),
        await client.post("/closures", data={"scope": "station"}, headers=headers),
        await client.post("/closures", data=CLOSURE | {"name": "6329999999"}, headers=headers),
        await client.post("/closures", data=CLOSURE | {"until": "2020-01-01T00:00"}, headers=headers),
        await client.post("/closures", data=CLOSURE | {"from": "soon"}, headers=headers),
        await client.post("/closures", data=CLOSURE, headers={"Accept-Language": "zh-CN"}),
        await client.post("/contacts", data={"name": "李"}, headers=headers),
        await client.post("/contacts", data=CONTACT | {"channels": "手机:1"}, headers=headers),
        await client.post("/contacts", data=CONTACT | {"area": "99"}, headers=headers),
        await client.post("/contacts", data=CONTACT | {"account": "王五"}, headers=headers),
        await client.post("/silences", data={"scope": "station"}, headers=headers),
        await client.post("/silences", data=SILENCE | {"name": "6329999999"}, headers=headers),
        await client.post("/silences", data=SILENCE | {"until": "2020-01-01T00:00"}, headers=headers),
        await client.post("/silences", data=SILENCE | {"until": "2099-01-01T00:00"}, headers=headers),
        await client.post("/duty", data={"role": "r"}, headers=headers),
        await client.post("/duty", data={"role": "r", "contact": "x" * 64}, headers=headers),
        await client.post("/duty", data={"role": "r", "contact": "li", "weeks": "2"}, headers=headers),
        await client.post("/substitutes", data={"contact": "li", "substitute": "x", "from": "soon"}, headers=headers),
        await client.post("/duty/99/remove", data={}, headers=headers),
        *[await client.post(f"/incidents/1/{deed}", data={}, headers=headers) for deed in ("note", "assign")],
        await client.post("/signin", data={"token": "wrong"}, headers=headers),
    ]
    assert {answer.status_code for answer in answers} <= {401, 403, 404, 409, 422, 400, 429}
    assert [found for answer in answers if (found := strange(answer.text))] == []


CLOSURE = {
    "scope": "station", "name": "6321220001", "kind": "closure", "reason": "装修", "by": "王",
    "from": "2026-12-01T09:00", "until": "2026-12-02T09:00",
}  # fmt: skip

CONTACT = {"name": "李明", "role": "技术员", "area": "", "room": "no", "language": "zh-CN"}
SILENCE = {"scope": "station", "name": "6321220001", "reason": "装修", "until": "2026-12-02T09:00"}


async def test_while_the_platform_is_blind_the_pages_are_chinese(
    world: World, client: httpx.AsyncClient, full: list[str]
) -> None:
    await world.clock(age=3600)
    await world.clock(1, "other", blind=60)
    for path in [path for path in full if not path.startswith("/incidents/")]:
        assert not strange(await page(client, path)), path


async def test_every_figure_has_its_unit(client: httpx.AsyncClient, full: list[str]) -> None:
    """Of health the value and its limit; of everything else that is measured, a length of time or a share."""
    units = {"zh-CN": ("%", "°C", "毫秒", "秒", "条"), "en": ("%", "°C", "ms", "s", "records")}
    for language, known in units.items():
        shown = set()
        for path in [path for path in full if re.fullmatch(r"/incidents/\d+", path)]:
            texts = [text for _, text in texts_of(await page(client, path, language))]
            for label in ("value", "threshold"):
                said = WORDS["detail"][label].text(language)
                shown |= {texts[n + 1] for n, text in enumerate(texts) if text == said}
        assert {"97%", "95%", "97.1%", "0.0.9", f"1,200.5 {known[1]}", f"1,200.5 {known[2]}"} <= shown
        assert [one for one in shown if not one.endswith(known) and one not in {"0.0.9", "0.1.0"} | FLAGS] == []


async def test_what_is_counted_has_its_word(client: httpx.AsyncClient, full: list[str]) -> None:
    whole = next(path for path in full if path.startswith("/incidents/"))
    texts = [text for _, text in texts_of(await page(client, whole))]
    for said in ("12 个服务点", "7 个服务点", "1 个服务点", "1 分钟 15 秒", "62%", "2026-11-23 12:55:00"):
        assert said in texts, said
    assert any("若 4 小时后仍未恢复" in text for text in texts), "no space before 后"


# The value of a flag is not shown; one that an old incident has is shown as a plain number.
FLAGS = {"1200.5", "900"}


async def test_english_pages_have_no_chinese_but_names(client: httpx.AsyncClient, full: list[str]) -> None:
    names = re.compile(
        r"青海省|宁夏回族自治区|民和县|官亭镇(第\d+阅览室)?|团结街 3 号|装修|边疆万里|李明|马军|王芳|民和运维群"
        r"|王|李|扎西|钥匙丢了|升级"
        r"|换设备|供电局更换变压器，全县停电|为何离线|停电"
    )
    for path in full:
        texts = [names.sub("", text) for language, text in texts_of(await page(client, path, "en")) if language == "en"]
        assert [text for text in texts if re.search(r"[\u4e00-\u9fff]", text)] == [], path


def test_a_raw_word_is_found() -> None:
    page = (
        '<html lang="zh-CN"><body><p>原因</p><dd>two_boots</dd><i title="telecom">电信</i><b lang="en">Reading room</b>'
    )
    assert [word for word, _ in latin_words(page)] == ["two_boots", "telecom"]
