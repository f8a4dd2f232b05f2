"""Every page of the console by axe's rules of accessibility, and its width.

In both languages, light and dark, on a phone, a desk and a wall. Pages are those of the application: a new one without
an address here fails.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from access.links.store import give_links
from api.console.pages import OpenPageRoute
from api.console.texts import TABLES
from api.service import open_app
from contract.glossary import WORDS
from store.pool import Pool
from tests import npm
from tests.integration.api.test_api_pages import browser  # noqa: F401 -- a fixture
from tests.integration.api.test_api_service import running
from tests.integration.api_world import World, config, enter_token, leave, sign_in_page
from tests.integration.console_world import (
    COUNTY,
    PROVINCE,
    TOWN,
    a_country,
    every_account,
    every_closure,
    every_contact,
    every_duty,
    every_incident,
    every_photo,
    every_route,
    every_silence,
    every_station,
)
from tests.integration.matrix.country import add_assessment, add_correction, add_finding
from tests.servers import find_free_port

# Each test looks at dozens of documents, one after the other.
pytestmark = pytest.mark.timeout(600)
AXE: Final = Path(__file__).parents[2] / "axe"
WIDTHS: Final = {390: 844, 1440: 900, 3840: 2160}
RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"]
FOUND: Final = """async (rules) => {
  const found = await axe.run(document, {runOnly: {type: "tag", values: rules}, resultTypes: ["violations"]});
  return found.violations.flatMap((rule) => rule.nodes.map((node) =>
    `${rule.id}: ${node.target.join(" ")}: ${node.failureSummary.split("\\n").slice(1, 3).join(";").trim()}`));
}"""
FITS: Final = "document.documentElement.scrollWidth <= innerWidth"
TITLES: Final = """[...document.querySelectorAll("title, h1, h2, h3, th, summary, label, button")]
  .map((one) => one.textContent.trim())"""
OURS: Final = tuple(
    word
    for word in (*TABLES["en"].values(), *(said.en for family in WORDS.values() for said in family.values()))
    if word[:1].islower()
)
"""Our words that begin with a small letter; names that people give may do so too."""


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of the rules."""
    npm.install(AXE)
    return (AXE / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


# By route of the application, addresses to look at. `{…}` are numbers and ids of the world below.
PAGES: Final[dict[str, list[str]]] = {
    "/": ["/"],
    "/stations": ["/stations", "/stations?verdict=offline", "/stations?removed=x"],
    "/stations/{id}": ["/stations/{stations}", "/stations/{station}?span=7d", "/stations/none"],
    "/stations/{id}/remove": ["/stations/{station}/remove"],
    "/areas": ["/areas"],
    "/areas/{code}": [f"/areas/{PROVINCE}", f"/areas/{TOWN}"],
    "/incidents": ["/incidents", "/incidents?kind=health"],
    "/incidents/{id}": ["/incidents/{incidents}", "/incidents/{parent}"],
    "/uptime": ["/uptime", f"/uptime?area={COUNTY}&period=2026", "/uptime?station=none"],
    "/effect": ["/effect", f"/effect?area={COUNTY}&period=2026", "/effect?area=none"],
    "/programmes": ["/programmes", f"/programmes?area={PROVINCE}&day=2026-11-30", "/programmes?day=x"],
    "/work": ["/work", "/work?contact=zhang", "/work?contact=none"],
    "/response": ["/response", f"/response?area={COUNTY}&days=30"],
    "/blind-spots": ["/blind-spots", "/blind-spots?kind=dark"],
    "/closures": ["/closures"],
    "/findings": [
        "/findings",
        "/findings?station=x",
        "/findings?incident={incident}",
        "/findings?from=2026-01-01T00:00&until=2026-01-02T00:00",
    ],
    "/findings/{id}": ["/findings/{findings}"],
    "/corrections": ["/corrections", "/corrections?finding={findings}"],
    "/assessments": ["/assessments", "/assessments?period=x", f"/assessments?area={COUNTY}"],
    "/assessments/{id}": ["/assessments/{assessments}"],
    "/corrections/{id}": ["/corrections/{corrections}"],
    "/closures/{id}": ["/closures/{closures}"],
    "/silences": ["/silences", f"/silences?area={COUNTY}&kind=health"],
    "/silences/{id}": ["/silences/{silences}"],
    "/contacts": ["/contacts", f"/contacts?area={COUNTY}&retired=yes"],
    "/contacts/{id}": ["/contacts/{contacts}"],
    "/i/{token}": ["/i/{links}", "/i/none"],
    "/duty": ["/duty", f"/duty?area={COUNTY}"],
    "/routes": ["/routes", f"/routes?area={COUNTY}"],
    "/routes/{id}": ["/routes/default"],
    "/who-is-told": ["/who-is-told", f"/who-is-told?area={COUNTY}&kind=area_outage"],
    "/gaps": ["/gaps"],
    "/templates": ["/templates"],
    "/templates/{name}/{language}": ["/templates/short/zh-CN", "/templates/digest_body/en"],
    "/signin": ["/signin", "/signin?code=none"],
    "/password": ["/password"],
    "/account": ["/account"],
    "/accounts": ["/accounts"],
    "/accounts/{id}": ["/accounts/{accounts}", "/accounts/none"],
    "/docs": ["/docs"],
}
# These answer with the way to one of the pages above.
REDIRECTS: Final = {
    "/incidents/{id}/{action}",
    "/closures/{id}/photos",
    "/findings/{id}/photos",
    "/stations/{id}/restore",
}
PICTURES: Final = {"/photos/{id}"}
BO: Final = "མཚོ་སྔོན་ཞིང་ཆེན་མགོ་ལོག་བོད་རིགས་རང་སྐྱོང་ཁུལ་རྨ་སྟོད་རྫོང་དཔེ་མཛོད་ཁང་"
# A page for what is not there is of no route.
BESIDES: Final = ["/nowhere"]
MISSING: Final = {
    "/nowhere",
    "/i/none",
    "/effect?area=none",
    "/uptime?station=none",
    "/work?contact=none",
    "/stations/none",
    "/accounts/none",
}


@pytest.fixture
async def world(pool: Pool) -> World:
    return await a_country(pool)


@pytest.fixture
async def addresses(world: World) -> list[str]:
    """Every address, with something of every kind to show."""
    stations = await every_station(world)
    for n, (state, usable) in enumerate((("online", True), ("online", False), ("offline", None), ("away", None)) * 4):
        station = f"632122{900 + n:04}"
        await world.station(station, state, usable=usable, area=TOWN, name=f"官亭镇鲍家村第{n}农家书屋", since=4000)
        await world.pool.execute(
            "UPDATE station SET lat = 36.3 + $2::int * 0.003, lon = 102.8 + ($2::int % 5) * 0.02 WHERE id = $1",
            station,
            n,
        )
        stations.append(station)
    incidents = await every_incident(world, stations[1])
    await world.pool.execute(
        "UPDATE station SET name = repeat('Reading', 28), name_bo = $2 WHERE id = $1", stations[2], BO
    )
    parent = await world.incident("area_outage", area=COUNTY, detail={"cause": "uplink", "name": "telecom"})
    for station in stations[:4]:
        await world.incident("station_offline", station=station, parent=parent)
    closures = await every_closure(world, stations[0], wide=(5, 7))
    silences = await every_silence(world, stations[0])
    contacts = await every_contact(world)
    await every_duty(world)
    await every_photo(world, incidents[0], closures[0])
    await every_route(world)
    accounts = await every_account(world)
    # One incident of each kind, and one of each cause, spot and rule looks like the next.
    known = {
        "stations": stations[:6] + stations[-16:-12],
        "station": [stations[1]],
        "incidents": [str(number) for number in incidents[: len(WORDS["kind"])]],
        "parent": [str(parent)],
        "incident": [str(incidents[0])],
        "accounts": accounts,
        "contacts": contacts,
        "links": await _links(world, contacts[0], incidents[0], parent),
        "silences": [str(number) for number in silences],
        "findings": [str(await add_finding(world.pool, stations[0], "当日离线原因"))],
        "corrections": [str(await add_correction(world.pool, stations[0], "停电"))],
        "assessments": [str(await add_assessment(world.pool, COUNTY, "民和县"))],
        "closures": [str(number) for number in (*closures[:4], closures[-1])],
    }
    return [*_filled(known), *BESIDES]


async def _links(world: World, contact: str, *incidents: int) -> list[str]:
    async with world.pool.acquire() as connection:
        return list((await give_links(connection, contact, incidents, world.now)).values())


def _filled(known: dict[str, list[str]]) -> Iterator[str]:
    for address in (one for found in PAGES.values() for one in found):
        name = next((name for name in known if f"{{{name}}}" in address), None)
        if name is None:
            yield address
        else:
            yield from (address.replace(f"{{{name}}}", one) for one in known[name])


async def test_every_page_of_the_application_is_looked_at(database: str, tmp_path: Path) -> None:
    async with open_app(config(database, tmp_path)) as (app, _):
        routes = set(_pages_of(app))
    assert routes - REDIRECTS - PICTURES == set(PAGES), "a page is looked at, or it is none any more"
    assert routes >= REDIRECTS | PICTURES


def _pages_of(app: FastAPI) -> Iterator[str]:
    """The paths of pages: those whose failures are pages too, and the description of the API."""
    for route in _routes_of(app.router):
        is_page = isinstance(route, OpenPageRoute) or route.path == "/docs"
        if is_page and "GET" in (route.methods or ()):
            yield route.path


def _routes_of(router: Any) -> Iterator[APIRoute]:
    """The routes of a router and of those that it includes."""
    for route in router.routes:
        if isinstance(route, APIRoute):
            yield route
        elif (included := getattr(route, "original_router", None)) is not None:
            yield from _routes_of(included)


@asynccontextmanager
async def looking(chromium: Any, url: str, language: str, *, dark: bool = False, **how: bool) -> AsyncIterator[Any]:
    """A page that is signed in, in a language and a colour scheme."""
    scheme = "dark" if dark else "light"
    context = await chromium.new_context(locale=language, color_scheme=scheme, viewport={"width": 1440, "height": 900})
    page = await context.new_page()
    await sign_in_page(page, url, **how)
    yield page
    await context.close()


async def complaints(page: Any, axe: str, address: str, widths: dict[int, int]) -> list[str]:
    """What is wrong with the document that is open: its width at each of the widths, and the rules. Languages differ in
    the lengths of their words: for the second one the rules are looked at where it is narrow."""
    await page.evaluate(axe)
    found = [f"{address}: a small letter: {one}" for one in await page.evaluate(TITLES) if one.startswith(OURS)]
    ruled = set(widths) if await page.evaluate("document.documentElement.lang") == "zh-CN" else {min(widths)}
    for width, height in widths.items():
        await page.set_viewport_size({"width": width, "height": height})
        if width in ruled:
            found += [f"{address} at {width}: {one}" for one in await page.evaluate(FOUND, RULES)]
        if not await page.evaluate(FITS):
            found.append(f"{address} at {width}: wider than the screen")
    return found


@pytest.mark.parametrize(
    ("language", "dark"), [("zh-CN", False), ("en", False), ("zh-CN", True)], ids=["zh-CN", "en", "dark"]
)
async def test_pages_follow_the_rules_and_fit(
    language: str,
    dark: bool,
    browser: Any,  # noqa: F811
    axe: str,
    addresses: list[str],
    database: str,
    tmp_path: Path,
) -> None:
    settings = config(database, tmp_path, port=find_free_port())
    found: list[str] = []
    # Colours are the same at every width.
    widths = {1440: 900} if dark else WIDTHS
    async with running(settings), looking(browser, settings.url, language, dark=dark) as page:
        for address in addresses:
            answer = await page.goto(settings.url + address)
            assert answer.status == (404 if address in MISSING else 200), address
            found += await complaints(page, axe, address, widths)
    assert found == [], "\n".join(found)
    assert len(addresses) > 35


@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_the_first_look_at_an_empty_system(
    language: str,
    browser: Any,  # noqa: F811
    axe: str,
    database: str,
    tmp_path: Path,
) -> None:
    settings = config(database, tmp_path, port=find_free_port())
    found: list[str] = []
    async with running(settings), looking(browser, settings.url, language) as page:
        for address in (
            "/",
            "/stations",
            "/areas",
            "/incidents",
            "/blind-spots",
            "/closures",
            "/silences",
            "/duty",
            "/routes",
            "/gaps",
        ):
            await page.goto(settings.url + address)
            found += await complaints(page, axe, address, WIDTHS)
    assert found == [], "\n".join(found)


@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_what_only_some_see(
    language: str,
    browser: Any,  # noqa: F811
    axe: str,
    world: World,
    addresses: list[str],
    database: str,
    tmp_path: Path,
) -> None:
    """The wall's session, a stranger, a wrong token, forms that are refused, and a platform that cannot see."""
    settings = config(database, tmp_path, port=find_free_port())
    found: list[str] = []
    async with running(settings):
        async with looking(browser, settings.url, language, wall=True) as page:
            for address in ("/", "/signin", "/incidents/1"):
                await page.goto(settings.url + address)
                found += await complaints(page, axe, f"wall {address}", WIDTHS)
        stranger = await browser.new_page(locale=language)
        await stranger.goto(settings.url + "/")
        found += await complaints(stranger, axe, "stranger", WIDTHS)
        await enter_token(stranger, "wrong")
        await stranger.locator("main [role=alert]").wait_for()
        found += await complaints(stranger, axe, "wrong token", WIDTHS)
        async with looking(browser, settings.url, language) as page:
            await page.goto(settings.url + "/incidents/1")
            await leave(page, page.locator("form.deed button.plain").first)
            await page.locator("main [role=alert]").wait_for()
            found += await complaints(page, axe, "an empty remark", WIDTHS)
            for login, areas in (("", "无此地"), ("new", "镇")):
                await page.goto(settings.url + "/accounts")
                await page.locator("form.deed input[name=login]").fill(login or "new")
                await page.locator("textarea[name=areas]").fill(areas)
                await leave(page, page.locator("form.deed .buttons button"))
                found += await complaints(page, axe, f"an account in {areas}", WIDTHS)
            await page.goto(settings.url + "/account")
            await page.locator("form[action='/account/tokens'] input[name=name]").fill("大屏")
            await leave(page, page.locator("form[action='/account/tokens'] .buttons button"))
            await page.locator("#secret").wait_for()
            found += await complaints(page, axe, "a new token", WIDTHS)
            await world.clock(age=3600)
            for address in ("/", "/stations", f"/areas/{TOWN}"):
                await page.goto(settings.url + address)
                found += await complaints(page, axe, f"blind {address}", WIDTHS)
    assert found == [], "\n".join(found)
