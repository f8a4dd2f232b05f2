"""A small country with a row of everything, and connections of the API within a scope."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from store.pool import Connection, Pool
from tests.integration.api_world import World

PROVINCE, EAST, WEST, TOWN = "63", "6301", "6302", "630101"
STATIONS = {"s-east": EAST, "s-town": TOWN, "s-west": WEST, "s-nowhere": None}
SCOPES = {
    "nothing is set": (None, set()),
    "empty": ("", set()),
    "a county": (EAST, {"s-east", "s-town"}),
    "a town": (TOWN, {"s-town"}),
    "two counties": (f"{EAST},{WEST}", {"s-east", "s-town", "s-west"}),
    "a county and a town of it": (f"{EAST},{TOWN}", {"s-east", "s-town"}),
    "the province": (PROVINCE, {"s-east", "s-town", "s-west"}),
    "an area that is not there": ("99", set()),
    "an area and one that is not there": (f"{WEST},99", {"s-west"}),
    "malformed": (f"{EAST},", set()),
    "a wildcard among codes": (f"*,{EAST}", set()),
    "a quote": (f"{EAST}'", set()),
    "the whole": ("*", set(STATIONS)),
}
"""{name: (the setting, the stations that it shows)}"""


@asynccontextmanager
async def scoped(pool: Pool, setting: str | None, role: str = "milepost_api") -> AsyncIterator[Connection]:
    """A transaction as the API begins it, which is rolled back."""
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        try:
            await connection.execute(f"SET LOCAL ROLE {role}; SET LOCAL search_path = scoped, public")
            if setting is not None:
                await connection.execute("SELECT set_config('milepost.scope', $1, true)", setting)
            yield connection
        finally:
            await transaction.rollback()


async def is_refused(connection: Connection, sql: str, *values: object) -> bool:
    """Whether a policy or a missing right refuses a statement."""
    try:
        async with connection.transaction():
            await connection.execute(sql, *values)
    except asyncpg.InsufficientPrivilegeError:
        return True
    return False


async def a_country(pool: Pool) -> World:
    """A province of two counties, one of them with a town, and a row of each table for every station."""
    world = World(pool)
    await world.area(PROVINCE, "青海", level="province")
    await world.area(EAST, "东县", PROVINCE)
    await world.area(WEST, "西县", PROVINCE)
    await world.area(TOWN, "镇", PROVINCE, EAST, level="town")
    await world.clock()
    await pool.execute("INSERT INTO programme (id, name) VALUES ('p-east', 'p'), ('p-west', 'p')")
    for number, (station, area) in enumerate(STATIONS.items()):
        await world.station(station, "offline", area=area)
        await world.transition(station, 60, "offline")
        for table in ("health", "usage", "presence", "inventory"):
            await world.record(table, station, 60, number)
        await world.incident("station_offline", station=station, area=area)
        await world.closure(-1, 1, station=station)
        await pool.execute(
            "INSERT INTO station_programme VALUES ($1, $2)", station, "p-west" if station == "s-west" else "p-east"
        )
        await pool.execute(
            "INSERT INTO station_lifecycle (station, at, before, after) VALUES ($1, now(), 'planned', 'commissioned')",
            station,
        )
        await pool.execute(
            "INSERT INTO set_aside VALUES ('judge', 'terminal', '0/' || $1 || '/001', 'w'), "
            "('incidents', 'station', $1, 'w')",
            station,
        )
        await pool.execute(
            "INSERT INTO dead_letter (at, topic, station, reason, detail, excerpt, size, refused, shard) "
            "VALUES (now(), 't', $1, 'r', 'd', 'e', 1, 1, 'main')",
            station,
        )
    await pool.execute("INSERT INTO area_count (area, online) SELECT code, 1 FROM area")
    await world.suspicion(*STATIONS, began=60)
    return world
