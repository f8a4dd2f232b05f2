"""Stations and areas over HTTP, on rows as the judge writes them."""

from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

from alerting.stations.verdict import Verdict
from api.read.stations import MOST_TERMINALS
from store.pool import Pool
from tests.integration.api_world import World, config, serving

AREA = "632122000000"
SHAPE = ["id", "name", "area", "verdict", "since", "last_seen", "usable", "deadline", "lifecycle", "terminals"]
SHAPE += ["open", "opens_at", "closes_at", "closure", "flapping", "unknown_because"]


def z(time: Any) -> str:
    return str(time.isoformat()).replace("+00:00", "Z")


async def walk(client: httpx.AsyncClient, path: str, **params: str | int) -> list[Any]:
    """All items of a list, page by page."""
    items: list[Any] = []
    cursor: str | None = None
    while True:
        answer = await client.get(path, params={**params, **({"cursor": cursor} if cursor else {})})
        assert answer.status_code == 200, answer.text
        items += answer.json()["items"]
        cursor = answer.json()["next"]
        if cursor is None:
            return items


async def a_province(world: World) -> None:
    await world.area("630000000000", "青海省", level="province")
    await world.area("632100000000", "海东市", "630000000000", level="prefecture")
    await world.area(AREA, "民和县", "630000000000", "632100000000")
    await world.area("650000000000", "新疆", level="province")


async def test_item_and_detail_have_one_shape(pool: Pool, database: str, tmp_path: Path) -> None:
    world = World(pool)
    await a_province(world)
    await world.clock()
    await world.station("6321220007", area=AREA, name="官亭阅览室")
    async with serving(config(database, tmp_path)) as (client, _):
        item = (await client.get("/api/v1/stations")).json()["items"][0]
        detail = (await client.get("/api/v1/stations/6321220007")).json()
    assert list(item) == list(detail) == SHAPE
    assert (item["name"], item["area"], item["verdict"], item["usable"]) == ("官亭阅览室", AREA, "online", True)
    assert item["since"] == z(world.ago(600))
    assert item["last_seen"] == z(world.ago(5))
    (terminal,) = item["terminals"]
    assert (terminal["id"], terminal["state"], terminal["counts"], terminal["every"]) == ("001", "online", True, 60)
    assert item["deadline"] == terminal["deadline"], "one terminal: its deadline is the station's"


async def test_a_stale_clock_makes_everything_heard_unknown(pool: Pool, database: str, tmp_path: Path) -> None:
    world = World(pool)
    await world.clock(0, age=30)
    await world.station("a", "online")
    await world.station("b", "offline")
    await world.station("c", None)
    async with serving(config(database, tmp_path)) as (client, _):
        items = await walk(client, "/api/v1/stations")
        assert {item["id"]: item["verdict"] for item in items} == {"a": "unknown", "b": "unknown", "c": "never_seen"}
        assert [item["terminals"][0]["state"] for item in items] == ["unknown", "unknown", "never_seen"]
        assert items[0]["usable"] is None
        assert items[0]["deadline"] is None
        await world.clock(0)
        items = await walk(client, "/api/v1/stations")
    assert {item["id"]: item["verdict"] for item in items} == {"a": "online", "b": "offline", "c": "never_seen"}


async def every_combination(world: World) -> int:
    """Stations of every lifecycle and state in partitions whose clocks are good, bad, mixed and missing."""
    await a_province(world)
    await world.clock(0)
    await world.clock(1, age=60)
    await world.clock(2, "main")
    await world.clock(2, "north", blind=60)
    homes = [(0, "main"), (0, "gone"), (1, "main"), (2, "main"), (2, "north"), (2, "gone"), (3, "main")]
    number = 0
    for lifecycle in ("commissioned", "planned", "suspended", "retired"):
        for state in (None, "never_seen", "online", "away", "offline", "dreaming"):
            for partition, shard in homes:
                number += 1
                await world.station(
                    f"s{number:03d}", state, partition=partition, shard=shard, lifecycle=lifecycle, area=AREA
                )
    return number


async def test_filter_counts_and_metrics_agree_with_the_verdicts(pool: Pool, database: str, tmp_path: Path) -> None:
    """The verdict is decided in Python for a station and in SQL for the filter: they must never differ."""
    world = World(pool)
    stations = await every_combination(world)
    async with serving(config(database, tmp_path)) as (client, _):
        everyone = await walk(client, "/api/v1/stations", limit=50)
        verdicts = {item["id"]: item["verdict"] for item in everyone}
        assert len(verdicts) == stations
        for verdict in Verdict:
            filtered = [item["id"] for item in await walk(client, "/api/v1/stations", verdict=verdict.value, limit=7)]
            assert filtered == sorted(name for name, its in verdicts.items() if its == verdict), verdict
        counted = await walk(client, "/api/v1/stations", retired="false", limit=50)
        counts = (await client.get("/api/v1/areas/63")).json()["counts"]
        metrics = (await client.get("/metrics")).text
    assert [item["id"] for item in counted] == [item["id"] for item in everyone if item["lifecycle"] != "retired"]
    expected = Counter(item["verdict"] for item in counted)
    assert counts.pop("total") == len(counted) < stations
    assert {verdict: number for verdict, number in counts.items() if number} == expected
    for verdict, number in expected.items():
        assert f'milepost_stations{{verdict="{verdict}"}} {number}.0' in metrics
    assert {"online", "offline", "away", "unknown", "never_seen", "suspended"} == set(expected)


@pytest.mark.parametrize("most", [5000, 3])
async def test_the_unknown_are_found_where_every_clock_is_sound(
    pool: Pool, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """By their states alone, and where those are many by reading all."""
    monkeypatch.setattr("api.read.stations._MOST_UNKNOWN", most)
    world = World(pool)
    await world.clock()
    for number, state in enumerate(("online", "unproven", "offline", "unproven", "never_seen", "online")):
        await world.station(f"s{number}", state)
    await world.station("t0", "online", partition=9)
    await pool.execute("INSERT INTO set_aside VALUES ('incidents', 'station', 's5', 'a test')")
    async with serving(config(database, tmp_path)) as (client, _):
        everyone = await walk(client, "/api/v1/stations", limit=50)
        found = [item["id"] for item in await walk(client, "/api/v1/stations", verdict="unknown", limit=2)]
    assert found == [item["id"] for item in everyone if item["verdict"] == "unknown"] == ["s1", "s3", "s5", "t0"]


async def test_pages_hold_every_station_once_in_the_order_of_ids(pool: Pool, database: str, tmp_path: Path) -> None:
    world = World(pool)
    names = [f"x-{number}" for number in range(25)]
    for name in names:
        await world.station(name, None)
    async with serving(config(database, tmp_path)) as (client, _):
        items = await walk(client, "/api/v1/stations", limit=4)
        first = (await client.get("/api/v1/stations?limit=25")).json()
    assert [item["id"] for item in items] == sorted(names)
    assert first["next"] is None, "a page that is just full is the last"


async def test_area_filter_takes_the_whole_subtree_and_short_codes(pool: Pool, database: str, tmp_path: Path) -> None:
    world = World(pool)
    await a_province(world)
    await world.station("deep", None, area=AREA)
    await world.station("top", None, area="630000000000")
    await world.station("far", None, area="650000000000")
    await world.station("nowhere", None)
    async with serving(config(database, tmp_path)) as (client, _):
        for asked, expected in {
            "63": ["deep", "top"],
            "630000000000": ["deep", "top"],
            "6321": ["deep"],
            "632122": ["deep"],
            "65": ["far"],
            "11": [],
        }.items():
            items = await walk(client, "/api/v1/stations", area=asked)
            assert [item["id"] for item in items] == expected, asked


async def test_an_area_counts_its_subtree_and_each_child(pool: Pool, database: str, tmp_path: Path) -> None:
    world = World(pool)
    await a_province(world)
    await world.clock()
    await world.station("one", "online", area=AREA)
    await world.station("two", "offline", area=AREA)
    await world.station("three", "online", area="630000000000")
    await world.station("far", "online", area="650000000000")
    spot = await world.incident("blind_spot", area=AREA, detail={"kind": "area_dark"})
    await world.incident("blind_spot", area=AREA, status="closed")
    await world.incident("blind_spot", area="650000000000")
    async with serving(config(database, tmp_path)) as (client, _):
        area = (await client.get("/api/v1/areas/63")).json()
        leaf = (await client.get(f"/api/v1/areas/{AREA}")).json()
        missing = await client.get("/api/v1/areas/99")
    assert (area["counts"]["total"], area["counts"]["online"], area["counts"]["offline"]) == (3, 2, 1)
    (child,) = area["children"]
    assert (child["code"], child["counts"]["total"], child["counts"]["offline"]) == ("632100000000", 2, 1)
    assert [(found["id"], found["kind"], found["area"]) for found in area["blind_spots"]] == [(spot, "area_dark", AREA)]
    assert (leaf["children"], leaf["counts"]["total"], leaf["parent"]) == ([], 2, "632100000000")
    assert (missing.status_code, missing.json()["detail"]) == (404, "there is no area '99'")


async def test_a_quorum_of_two_falls_with_the_second_latest_deadline(pool: Pool, database: str, tmp_path: Path) -> None:
    world = World(pool)
    await world.clock()
    await world.station("q")
    await pool.execute("UPDATE station SET quorum = 2 WHERE id = 'q'")
    for terminal, deadline, counts in (("002", 1100, True), ("003", 1900, True), ("004", 2000, False)):
        await pool.execute("INSERT INTO terminal (station, id, counts) VALUES ('q', $1, $2)", terminal, counts)
        await pool.execute(
            "INSERT INTO terminal_state SELECT station, $1, partition, shard, state, since, seen_at, boot, run, conn, "
            "n, every, seen, $2, usable, users, memory FROM terminal_state WHERE station = 'q' AND terminal = '001'",
            terminal,
            float(deadline),
        )
    async with serving(config(database, tmp_path)) as (client, _):
        station = (await client.get("/api/v1/stations/q")).json()
    assert station["deadline"] == next(t["deadline"] for t in station["terminals"] if t["id"] == "001")


async def test_an_endless_deadline_is_none(pool: Pool, database: str, tmp_path: Path) -> None:
    world = World(pool)
    await world.clock()
    await world.station("e")
    await pool.execute("UPDATE terminal_state SET deadline = 'infinity'")
    async with serving(config(database, tmp_path)) as (client, _):
        assert (await client.get("/api/v1/stations/e")).json()["deadline"] is None


async def test_online_and_not_usable_has_a_verdict_of_its_own(pool: Pool, database: str, tmp_path: Path) -> None:
    """It is neither counted nor listed as online; a station without a report on its use is."""
    world = World(pool)
    await world.area("630000000000", "青海省", level="province")
    await world.clock()
    for station, usable in (("yes", True), ("no", False), ("silent", None)):
        await world.station(station, "online", area="630000000000", usable=usable, since=90)
    await world.station("fell", "offline", area="630000000000", usable=False)
    async with serving(config(database, tmp_path)) as (client, _):
        found = (await client.get("/api/v1/stations/no")).json()
        assert (found["verdict"], found["usable"], found["open"]) == ("unusable", False, True)
        assert found["since"] is not None
        assert found["deadline"] is not None, "it is heard, and falls when it is not"
        for verdict, expected in {"unusable": ["no"], "online": ["silent", "yes"], "offline": ["fell"]}.items():
            answer = await client.get("/api/v1/stations", params={"verdict": verdict})
            assert [item["id"] for item in answer.json()["items"]] == expected, verdict
        counts = (await client.get("/api/v1/areas/63")).json()["counts"]
        assert (counts["online"], counts["unusable"], counts["offline"], counts["total"]) == (2, 1, 1, 4)
        assert 'milepost_stations{verdict="unusable"} 1.0' in (await client.get("/metrics")).text
        board = (await client.get("/?lang=en")).text
        assert "Not usable: 1" not in board, "the one that is offline is graver"
        assert '<li class="unusable"><a href="/stations?verdict=unusable"><b>1</b>' in board
        page = (await client.get("/stations/no?lang=zh-CN")).text
        assert "不可用" in page


async def test_a_page_ends_earlier_when_its_stations_have_many_terminals(
    pool: Pool, database: str, tmp_path: Path
) -> None:
    world = World(pool)
    await world.clock()
    await pool.execute("INSERT INTO station (id, name) SELECT 's' || n, 's' FROM generate_series(101, 190) AS n")
    await pool.execute(
        "INSERT INTO terminal (station, id) SELECT id, lpad(n::text, 3, '0') FROM station, generate_series(1, 64) AS n"
    )
    async with serving(config(database, tmp_path)) as (client, _):
        first = (await client.get("/api/v1/stations", params={"limit": 1000})).json()
        found = await walk(client, "/api/v1/stations", limit=1000)
    assert sum(len(station["terminals"]) for station in first["items"]) <= MOST_TERMINALS
    assert first["next"] is not None
    assert [station["id"] for station in found] == [f"s{number}" for number in range(101, 191)]
    assert {len(station["terminals"]) for station in found} == {64}
