"""Every query of the dashboards, run as the role that Grafana has, against a database with something of everything."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest

from access.scope import WHOLE
from api.read.counting import survey_at
from api.read.moment import load_clocks, load_cover
from grafana import overview
from store.pool import Pool
from tests.integration.api_world import World
from tests.integration.grafana.grafana_macros import expand

STATION = "6321220007"
COLUMNS = {
    "counts": "online unusable offline away closed excused unknown never_seen suspended",
    "worst": "station name area verdict since lasts",
    "incidents": "id kind place name status began owner",
    "blind_spots": "kind area station name since lasts clears",
    "share": "time share",
    "clocks": "shard partitions age doubtful since",
    "gaps": "shard began ended lasts reason partitions",
    "station_now": "verdict since usable doubt",
    "station_states": "time state",
    "station_gaps": "time pipeline",
    "station_health": "time metric cpu mem disk",
    "station_link": "time metric rtt temp",
    "areas": "__text __value depth code",
    "stations": "__text __value",
}


async def fill(world: World) -> None:
    await world.area("63", "青海省", level="province")
    await world.area("632122", "民和县", "63")
    await world.area("65", "O'Brien", level="province")
    await world.clock(0)
    await world.clock(1, "far", age=60)
    await world.station(STATION, "offline", area="632122", name="一号", since=300)
    await world.station("6321220008", "online", area="632122")
    await world.station("6321220009", None, area="632122")
    await world.station("6501000001", "away", area="65", since=30)
    await world.station("6501000002", "online", partition=1, shard="far", area="65")
    await world.transition(STATION, 7200, "online", before="never_seen")
    await world.transition(STATION, 300, "offline")
    await world.transition("6321220008", 600, "online", before="offline")
    await world.gap(900, 840)
    await world.incident("station_offline", station=STATION)
    await world.incident("pipeline_blind")
    await world.incident("blind_spot", station=STATION, began=900, detail={"kind": "idle", "clears": "session"})
    await world.incident("blind_spot", area="65", began=60, detail={"kind": "area_dark", "clears": "station_works"})
    await world.incident("blind_spot", area="63", status="closed", detail={"kind": "uncovered"})
    for number, at in enumerate((600, 590, 60)):
        values = {"cpu": 0.5, "mem": 0.25, "disk": 0.75, "rtt_ms": 40.0, "temp": 51.0}
        await world.record("health", STATION, at, number, **values)


@pytest.fixture
async def world(pool: Pool) -> World:
    made = World(pool)
    await fill(made)
    return made


@pytest.fixture
async def reader(world: World, database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database)
    await connection.execute("SET ROLE milepost_reader")
    yield connection
    await connection.close()


def expanded(name: str, world: World, *, language: str = "en", area: str = "*", hours: float = 1) -> str:
    begin = world.now - timedelta(hours=hours)
    sql = overview.query(name, language)
    return expand(sql, begin=begin, end=world.now, seconds=60, area=area, station=STATION)


async def rows(reader: asyncpg.Connection, name: str, world: World, **more: Any) -> list[asyncpg.Record]:
    found: list[asyncpg.Record] = await reader.fetch(expanded(name, world, **more))
    return found


def test_every_query_has_its_columns_named_here() -> None:
    assert set(dict(overview.QUERIES.items())) == set(COLUMNS)


@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_every_query_answers_with_its_columns(reader: asyncpg.Connection, world: World, language: str) -> None:
    for name, columns in COLUMNS.items():
        found = await rows(reader, name, world, language=language)
        assert found, name
        assert list(found[0].keys()) == columns.split(), name


async def test_every_query_bears_an_empty_database(pool: Pool) -> None:
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL ROLE milepost_reader")
        for name in COLUMNS:
            await connection.fetch(expanded(name, World(pool)))


async def test_the_counts_are_those_of_the_api(reader: asyncpg.Connection, world: World) -> None:
    (found,) = await rows(reader, "counts", world)
    async with world.pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT set_config('milepost.scope', $1, true)", WHOLE.setting)
        counted = (await survey_at(connection, await load_clocks(connection), await load_cover(connection))).totals
    assert dict(found) == {name: counted.get(name, 0) for name in COLUMNS["counts"].split()}  # type: ignore[call-overload]
    assert sum(found.values()) == 5


async def test_an_area_is_its_whole_subtree(reader: asyncpg.Connection, world: World) -> None:
    (found,) = await rows(reader, "counts", world, area="63")
    assert dict(found) == dict.fromkeys(COLUMNS["counts"].split(), 0) | {"online": 1, "offline": 1, "never_seen": 1}
    assert [row["station"] for row in await rows(reader, "worst", world, area="65")] == ["6501000001"]
    incidents = [(row["kind"], row["place"]) for row in await rows(reader, "incidents", world, area="63")]
    assert incidents == [("blind_spot", STATION), ("station_offline", STATION)]


async def test_the_worst_are_the_offline_and_then_who_is_longest(reader: asyncpg.Connection, world: World) -> None:
    found = await rows(reader, "worst", world)
    assert [(row["station"], row["verdict"]) for row in found] == [(STATION, "offline"), ("6501000001", "away")]
    assert found[0]["lasts"] >= 300


async def test_blind_spots_of_areas_come_before_those_of_stations(reader: asyncpg.Connection, world: World) -> None:
    found = [tuple(row.values())[:4] for row in await rows(reader, "blind_spots", world)]
    assert found == [("area_dark", "O'Brien", None, None), ("idle", "民和县", STATION, "一号")]
    assert [row["kind"] for row in await rows(reader, "blind_spots", world, area="63")] == ["idle"]


async def test_the_share_is_counted_back_from_now(reader: asyncpg.Connection, world: World) -> None:
    """Of five: before 10 minutes ago two were online, then three, and two since 5 minutes ago."""
    await world.pool.execute("UPDATE station_state SET state = 'online' WHERE station = '6501000002'")
    found = {row["time"]: round(row["share"] * 5) for row in await rows(reader, "share", world)}

    def at(seconds: float) -> int:
        return next(share for time, share in found.items() if time > world.ago(seconds))

    assert (at(1200), at(450), at(120)) == (2, 3, 2)


async def test_the_state_that_held_when_the_window_began_begins_the_band(
    reader: asyncpg.Connection, world: World
) -> None:
    found: list[tuple[datetime, str]] = [tuple(row) for row in await rows(reader, "station_states", world)]
    assert found == [(world.now - timedelta(hours=1), "online"), (world.ago(300), "offline")]


async def test_health_is_the_mean_of_each_interval(reader: asyncpg.Connection, world: World) -> None:
    found = await rows(reader, "station_health", world)
    assert {(row["metric"], row["cpu"], row["mem"], row["disk"]) for row in found} == {("001", 0.5, 0.25, 0.75)}
    assert all(row["time"] % 60 == 0 for row in found)


async def test_a_name_with_a_quote_stays_a_name(reader: asyncpg.Connection, world: World) -> None:
    assert await rows(reader, "worst", world, area="' OR true --") == []


async def test_what_is_not_expanded_is_noticed(world: World) -> None:
    with pytest.raises(ValueError, match="not expanded"):
        expand("SELECT $__unixEpochFrom()", begin=world.now, end=world.now, seconds=1)
