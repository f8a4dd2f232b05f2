"""The registry's tables."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta

import pytest

from registry import store as registry_store
from registry.model import CHANNEL, Area, Heard, Station, Terminal
from store.pool import Connection, Pool

NOW = datetime(2026, 11, 1, tzinfo=UTC)
QINGHAI, MINHE = "630000000000", "632122000000"
AREAS = [
    Area(code=MINHE, name="民和县", parent=QINGHAI, level="county", path=(QINGHAI, MINHE), name_bo="མིན་ཧོ།"),
    Area(code=QINGHAI, name="青海省", level="province", path=(QINGHAI,), valid_from=date(1929, 1, 1)),
    Area(code="XP", name="兵团", level="corps", path=("XP",)),
]


@pytest.fixture
async def connection(pool: Pool) -> AsyncIterator[Connection]:
    async with pool.acquire() as connection:
        async with connection.transaction():
            await registry_store.upsert_areas(connection, AREAS, at=NOW)
        yield connection


@asynccontextmanager
async def announcements(pool: Pool) -> AsyncIterator[list[str]]:
    """What is announced inside the block, complete at its end."""
    heard: list[str] = []
    arrived = asyncio.Event()

    def listen(_connection: object, _pid: int, channel: str, payload: object) -> None:
        if payload == "last":
            arrived.set()
        else:
            heard.append(channel)

    async with pool.acquire() as listener:
        await listener.add_listener(CHANNEL, listen)
        try:
            yield heard
            async with pool.acquire() as other:
                await other.execute("SELECT pg_notify($1, 'last')", CHANNEL)
            await asyncio.wait_for(arrived.wait(), 10)
        finally:
            await listener.remove_listener(CHANNEL, listen)


async def test_areas_come_back_as_written(connection: Connection) -> None:
    assert await registry_store.list_areas(connection) == {area.code: area for area in AREAS}
    assert await registry_store.load_area(connection, MINHE) == AREAS[0]
    assert await registry_store.load_area(connection, "63") is None
    assert await registry_store.list_children(connection, None) == [AREAS[1], AREAS[2]]
    assert await registry_store.list_children(connection, QINGHAI) == [AREAS[0]]
    assert await registry_store.known_areas(connection, ["XP", "64"]) == {"XP"}


async def test_stations_come_back_as_written(connection: Connection) -> None:
    full = Station(
        id="6321220007",
        name="站",
        name_en="S",
        name_bo="བ།",
        kind="kiosk",
        area=MINHE,
        lat=36.62,
        lon=101.77,
        lifecycle="planned",
        commissioned_at=NOW,
        address="街",
        isp="移动",
        feeder="F7",
        schedule="Mo-Fr 08:00-17:00",
        programmes=("a", "边疆"),
    )
    await registry_store.upsert_stations(connection, [full, Station(id="s1", name="n", area="XP")])
    assert (await registry_store.load_stations(connection, [full.id])).get(full.id) == full
    fewer = Station(id=full.id, name="新", area=MINHE, programmes=("b",))
    await registry_store.upsert_stations(connection, [fewer])
    assert await registry_store.load_stations(connection, [full.id, "s1", "none"]) == {
        full.id: fewer,
        "s1": Station(id="s1", name="n", area="XP"),
    }
    assert (await registry_store.load_stations(connection, ["none"])).get("none") is None


async def test_stations_in_an_area_are_those_below_it_page_by_page(connection: Connection) -> None:
    stations = [Station(id=f"s{number}", name="n", area=MINHE) for number in range(5)]
    await registry_store.upsert_stations(connection, [*stations, Station(id="x", name="n", area="XP")])
    assert await registry_store.list_stations(connection, area=QINGHAI, limit=3) == stations[:3]
    assert await registry_store.list_stations(connection, area=QINGHAI, after="s2") == stations[3:]
    assert [station.id for station in await registry_store.list_stations(connection, area="XP")] == ["x"]
    assert len(await registry_store.list_stations(connection)) == 6
    assert await registry_store.list_stations(connection, area="64") == []


async def test_a_heard_station_is_registered_in_its_county(connection: Connection) -> None:
    assert await registry_store.register_stations(connection, {"6321220007": ["002", "001"]}, at=NOW)
    assert (await registry_store.load_stations(connection, ["6321220007"])).get("6321220007") == Station(
        id="6321220007", name="6321220007", area=MINHE, commissioned_at=NOW, auto_registered=True
    )
    assert await registry_store.list_terminals(connection, ["6321220007"]) == [
        Terminal(station="6321220007", id="001"),
        Terminal(station="6321220007", id="002"),
    ]


@pytest.mark.parametrize("station", ["6401010001", "kiosk-1"])
async def test_a_station_of_no_known_county_is_registered_without_area(connection: Connection, station: str) -> None:
    assert await registry_store.register_stations(connection, {station: ["001"]})
    loaded = (await registry_store.load_stations(connection, [station])).get(station)
    assert loaded is not None
    assert (loaded.area, loaded.commissioned_at) == (None, None)


async def test_registering_again_only_adds_terminals(connection: Connection) -> None:
    await registry_store.upsert_stations(connection, [Station(id="s1", name="站", area=MINHE)])
    assert await registry_store.register_stations(connection, {"s1": ["001"], "s2": []}) == ["s2"]
    assert (await registry_store.load_stations(connection, ["s1"])).get("s1") == Station(id="s1", name="站", area=MINHE)
    assert [terminal.id for terminal in await registry_store.list_terminals(connection, ["s1", "s2"])] == ["001"]
    assert await registry_store.add_terminals(connection, {"s1": ["001", "002"], "nobody": ["001"]}) == 1
    assert await registry_store.add_terminals(connection, {"s1": ["002"]}) == 0


async def test_a_person_confirms_what_was_registered_by_hearsay(connection: Connection) -> None:
    await registry_store.register_stations(connection, {"s1": ["001"]})
    await registry_store.upsert_stations(connection, [Station(id="s1", name="站", area=MINHE)])
    assert (await registry_store.load_stations(connection, ["s1"])).get("s1") == Station(id="s1", name="站", area=MINHE)


def heard(station: str, terminals: tuple[str, ...], minutes: int, messages: int = 1) -> Heard:
    at = NOW + timedelta(minutes=minutes)
    return Heard(station=station, terminals=terminals, first_at=at, last_at=at, messages=messages)


async def test_unregistered_stations_add_up_until_they_are_registered(connection: Connection) -> None:
    await registry_store.note_unregistered(connection, [heard("s2", ("001",), 1), heard("s1", ("002",), 5, 3)])
    await registry_store.note_unregistered(connection, [heard("s1", ("001", "002"), 2, 4)])
    row = await connection.fetchrow("SELECT * FROM unregistered WHERE station = 's1'")
    assert tuple(row or ()) == (
        "s1",
        ["001", "002"],
        NOW + timedelta(minutes=2),
        NOW + timedelta(minutes=5),
        7,
    )
    await registry_store.register_stations(connection, {"s1": ["001"]})
    await registry_store.upsert_stations(connection, [Station(id="s2", name="n", area="XP")])
    assert await connection.fetchval("SELECT count(*) FROM unregistered") == 0


async def test_made_up_stations_do_not_fill_the_database(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry_store, "MAX_UNREGISTERED", 2)
    monkeypatch.setattr(registry_store, "MAX_TERMINALS", 3)
    await registry_store.note_unregistered(connection, [heard("a", tuple("123456"), 0), heard("b", ("1",), 0)])
    await registry_store.note_unregistered(connection, [heard("c", ("1",), 0), heard("b", tuple("6789"), 0)])
    rows = await connection.fetch("SELECT station, terminals, messages FROM unregistered ORDER BY station")
    assert [tuple(row) for row in rows] == [("a", ["1", "2", "3"], 1), ("b", ["1", "6", "7"], 2)]


async def test_every_change_is_announced_and_nothing_else(pool: Pool, connection: Connection) -> None:
    async with announcements(pool) as heard_of:
        await registry_store.upsert_areas(connection, AREAS, at=NOW)
    assert heard_of == [CHANNEL]
    async with announcements(pool) as heard_of:
        await registry_store.upsert_stations(connection, [Station(id="s1", name="n", area="XP")])
        await registry_store.register_stations(connection, {"s2": []})
        await registry_store.register_stations(connection, {"s3": ["001"]})
        await registry_store.add_terminals(connection, {"s1": ["001"]})
    assert heard_of == [CHANNEL] * 4
    async with announcements(pool) as heard_of:
        await registry_store.upsert_areas(connection, [], at=NOW)
        await registry_store.upsert_stations(connection, [])
        await registry_store.register_stations(connection, {"s3": ["001"]})
        await registry_store.add_terminals(connection, {"s1": ["001"], "nobody": ["001"]})
        await registry_store.list_stations(connection)
    assert heard_of == []
