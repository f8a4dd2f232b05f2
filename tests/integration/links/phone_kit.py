"""Technicians of a county of three townships, and a phone of 360 px with a real browser."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from access import store as access_store
from access.roles import Role
from access.rules import OPERATOR
from access.scope import AreaScope
from store.pool import Pool
from tests.integration.api_world import World

PROVINCE, COUNTY = "630000000000", "632122000000"
TOWNS: Final = {"632122101000": "官亭镇", "632122102000": "满坪镇", "632122103000": "古鄯镇"}
PEOPLE: Final = {"wang": "王芳", "ma": "马军"}


async def a_county(pool: Pool) -> World:
    """Each township has two stations with coordinates; two people may act in the county."""
    world = World(pool)
    await world.clock()
    await world.area(PROVINCE, "青海省", level="province")
    await world.area(COUNTY, "民和县", PROVINCE)
    for number, (code, name) in enumerate(TOWNS.items()):
        await world.area(code, name, PROVINCE, COUNTY, level="township")
        for place, village in enumerate(("鲍家村", "光明村")):
            station = f"63212200{number}{place}"
            await world.station(station, area=code, name=f"{name}{village}农家书屋", since=90_000)
            await pool.execute(
                "UPDATE station SET lat = 36.1 + $2 * 0.05, lon = 102.8 + $3 * 0.02, address = $4, isp = 'telecom' "
                "WHERE id = $1",
                station, float(number), float(place), f"{village} 12 号",
            )  # fmt: skip
    # Terminals of one boot would be a conflict of identities.
    await pool.execute("UPDATE terminal_state SET boot = station")
    for login, name in PEOPLE.items():
        await _person(world, login, name)
    return world


async def _person(world: World, login: str, name: str) -> None:
    async with world.pool.acquire() as connection:
        account = await access_store.add_account(
            connection, login=login, name=name, role=Role.TECHNICIAN, scope=AreaScope(areas=frozenset({COUNTY})),
            by=OPERATOR,
        )  # fmt: skip
    await world.contact(login, name=name, area=COUNTY, room=False)
    await world.pool.execute("UPDATE contact SET account = $2 WHERE id = $1", login, account.id)


@asynccontextmanager
async def phone(browser: Any, language: str, **more: Any) -> AsyncIterator[Any]:
    """A page of a phone's browser, which holds nothing yet."""
    context = await browser.new_context(
        locale=language, viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True, **more
    )
    try:
        yield await context.new_page()
    finally:
        await context.close()
