"""A page shows one moment: all that it reads, it reads in one transaction."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import httpx
import pytest

from api.http.database import Database
from store.pool import Connection, Pool
from tests.integration.api_world import World, config, serving
from tests.integration.incidents_kit import until
from tests.integration.matrix.country import add_assessment, add_correction, add_finding

AREA, STATION = "632122000000", "6321220001"


@pytest.fixture
async def world(pool: Pool) -> World:
    """A station that is offline, with everything that its page shows; an incident with a child; a closure."""
    world = World(pool)
    await world.clock()
    await world.area(AREA, "民和县")
    await world.area("630000000000", "青海省", level="province")
    await world.station(STATION, "offline", since=4000, seen=4100, area=AREA)
    await world.transition(STATION, 4000, "offline")
    await world.record("health", STATION, 60, 1, cpu=0.5)
    cause = await world.incident("area_outage", area=AREA)
    await world.incident("station_offline", station=STATION, parent=cause)
    await world.incident("blind_spot", station=STATION, detail={"kind": "dark"})
    await world.closure(-1, 1, station=STATION)
    await world.silence(station=STATION)
    await world.contact("li", area=None)
    await add_finding(pool, STATION)
    await add_correction(pool, STATION)
    await add_assessment(pool, AREA, "民和县")
    return world


@pytest.fixture
async def client(world: World, database: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client with the token, after everything that the test's world writes first."""
    async with serving(config(database, tmp_path)) as (client, _):
        yield client


PAGES = {
    "stations": "/stations?q=6321&area=民和",
    "a station": f"/stations/{STATION}",
    "a station for an hour": f"/stations/{STATION}?span=1h",
    "before a removal": f"/stations/{STATION}/remove",
    "all areas": "/areas",
    "an area": f"/areas/{AREA}",
    "incidents": f"/incidents?area={AREA}",
    "an incident with children": "/incidents/1",
    "an incident without": "/incidents/2",
    "work": "/work",
    "uptime": "/uptime?area=民和",
    "effect": "/effect?area=民和",
    "programmes": "/programmes?area=民和",
    "uptime of a station": f"/uptime?station={STATION}",
    "answers": "/response?area=民和",
    "blind spots": "/blind-spots?area=民和",
    "closures": "/closures?area=民和",
    "a closure": "/closures/1",
    "findings": "/findings",
    "a finding": "/findings/1",
    "corrections": "/corrections",
    "a correction": "/corrections/1",
    "assessments": "/assessments?area=民和",
    "an assessment": "/assessments/1",
    "silences": "/silences?area=民和",
    "a silence": "/silences/1",
    "contacts": "/contacts?area=民和",
    "a contact": "/contacts/li",
    "duty": "/duty?area=民和",
    "routes": "/routes?area=民和",
    "who is told": "/who-is-told?area=民和&kind=area_outage",
    "gaps": "/gaps?area=民和",
    "templates": "/templates",
    "a template": "/templates/short/en",
    "the own account": "/account",
    "accounts": "/accounts",
    "an account": "/accounts/admin",
}


@pytest.mark.parametrize("page", PAGES)
async def test_a_page_opens_one_snapshot(page: str, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    for name in ("snapshot", "transaction"):
        monkeypatch.setattr(Database, name, noted(opened, name))
    answer = await client.get(PAGES[page])
    assert answer.status_code == 200, answer.text
    assert opened == ["snapshot"]


Opening = Callable[[Database], AbstractAsyncContextManager[Connection]]


def noted(opened: list[str], name: str) -> Opening:
    """A method of Database that notes each call and does the same."""
    method: Opening = getattr(Database, name)

    def call(database: Database) -> AbstractAsyncContextManager[Connection]:
        opened.append(name)
        return method(database)

    return call


WAITING = "SELECT count(*) FROM pg_locks WHERE relation = 'usage'::regclass AND NOT granted"


async def test_what_is_written_while_a_page_is_read_is_not_on_it(world: World, client: httpx.AsyncClient) -> None:
    """The page waits for the table of usage, which it reads after the station and before the station's incidents."""
    path = f"/stations/{STATION}"
    async with world.pool.acquire() as connection:
        async with connection.transaction():
            await connection.execute("LOCK TABLE usage IN ACCESS EXCLUSIVE MODE")
            reading = asyncio.create_task(client.get(path), name="the page")
            await until(world.pool, WAITING, 1)
            await world.pool.execute("UPDATE station_state SET state = 'online'")
            late = await world.incident("unusable", station=STATION)
        page = (await reading).text
        assert f"/incidents/{late}" not in page
        after = (await client.get(path)).text
    assert f"/incidents/{late}" in after
