"""Timeline, health and usage over HTTP."""

from datetime import datetime, timedelta
from itertools import product
from pathlib import Path

import pytest

from api.read.history import MOST
from store.pool import Pool
from tests.integration.api.test_api_stations import walk, z
from tests.integration.api_world import World, config, serving
from tests.integration.poison.doors import doors

S = "/api/v1/stations/s"


async def test_timeline_joins_what_was_judged_the_gaps_and_late_presence(
    pool: Pool, database: str, tmp_path: Path
) -> None:
    world = World(pool)
    await world.clock()
    await world.station("s", "offline", since=1000)
    await world.transition("s", 4000, "online", before="never_seen", usable=True)
    await world.transition("s", 3500, "online", terminal="001")
    await world.transition("s", 1000, "offline")
    await world.transition("other", 3000, "offline")
    await world.gap(3000, 2900)
    await world.gap(2500, 2400, shard="elsewhere")
    await world.gap(2500, 2400, partition=7)
    await world.record("presence", "s", 800, 1, until=world.ago(300), usable=True)
    window = {"from": z(world.ago(5000)), "to": z(world.ago(100))}
    async with serving(config(database, tmp_path)) as (client, _):
        answer = (await client.get(f"{S}/timeline", params=window)).json()
    assert list(answer) == ["intervals"]
    edges = [5000, 4000, 3000, 2900, 1000, 800, 300, 100]
    assert [item["from"] for item in answer["intervals"]] == [z(world.ago(edge)) for edge in edges[:-1]]
    assert [item["to"] for item in answer["intervals"]] == [z(world.ago(edge)) for edge in edges[1:]]
    assert [(i["verdict"], i["usable"], i["evidence"], i["revision"]) for i in answer["intervals"]] == [
        ("never_seen", None, "none", 1),
        ("online", True, "live", 1),
        ("unknown", None, "none", 1),
        ("online", True, "live", 1),
        ("offline", None, "live", 1),
        ("offline", True, "presence", 2),
        ("offline", None, "live", 1),
    ]


async def test_a_gap_counts_while_the_station_was_heard_through_its_shard(
    pool: Pool, database: str, tmp_path: Path
) -> None:
    """Heard through main, 3000 s ago through south, 2000 s ago through main again, without any transition."""
    world = World(pool)
    await world.clock()
    await world.station("s", since=4000)
    await world.transition("s", 4000, "online", before="never_seen", terminal="001")
    await world.transition("s", 4000, "online", before="never_seen")
    for seq, (before, after, ago) in enumerate([("main", "south", 3000), ("south", "main", 2000)]):
        await pool.execute(
            "INSERT INTO shard_move (partition, seq, station, terminal, before, after, at) "
            "VALUES (0, $1, 's', '001', $2, $3, $4)",
            *(seq, before, after, world.ago(ago)),
        )
    for shard, begin, end in (("south", 3900, 3800), ("main", 3700, 3600), ("main", 2900, 2800), ("south", 2700, 2600),
                              ("south", 2050, 1950), ("south", 1800, 1700), ("main", 1600, 1500)):  # fmt: skip
        await world.gap(begin, end, shard=shard)
    window = {"from": z(world.ago(4000)), "to": z(world.ago(100))}
    async with serving(config(database, tmp_path)) as (client, _):
        intervals = (await client.get(f"{S}/timeline", params=window)).json()["intervals"]
    unknown = [(item["from"], item["to"]) for item in intervals if item["verdict"] == "unknown"]
    spans = [(3700, 3600), (2700, 2600), (2050, 2000), (1600, 1500)]
    assert unknown == [(z(world.ago(begin)), z(world.ago(end))) for begin, end in spans]


async def move_often(world: World, times: int, first: str) -> None:
    """Move the terminal between two shards each second, from `first` on."""
    await world.pool.execute(
        "INSERT INTO shard_move (partition, seq, station, terminal, before, after, at) "
        "SELECT 0, n, 's', '001', (ARRAY['main', 'south'])[1 + n % 2], (ARRAY['south', 'main'])[1 + n % 2], "
        "$1::text::timestamptz + n * interval '1 s' FROM generate_series(1, $2::int) AS n",
        first,
        times,
    )


async def test_only_moves_of_the_window_count_and_too_many_are_refused(
    pool: Pool, database: str, tmp_path: Path
) -> None:
    world = World(pool)
    await world.clock()
    await world.station("s", since=9000)
    await move_often(world, MOST + 10, str(world.ago(7200)))
    async with serving(config(database, tmp_path)) as (client, _):
        long = {"from": z(world.ago(9000)), "to": z(world.ago(100))}
        answer = await client.get(f"{S}/timeline", params=long)
        assert (answer.status_code, answer.json()["parameter"]) == (422, "from")
        later = {"from": z(world.ago(600)), "to": z(world.ago(100))}
        assert (await client.get(f"{S}/timeline", params=later)).status_code == 200


@pytest.mark.parametrize("at", ["-infinity", "4000-01-01 BC", "200000-01-01", "infinity"])
async def test_moves_at_times_that_no_client_can_read_stop_no_timeline(
    pool: Pool, database: str, tmp_path: Path, at: str
) -> None:
    world = World(pool)
    await world.clock()
    await world.station("s", since=4000)
    await move_often(world, 3, at)
    window = {"from": z(world.ago(4000)), "to": z(world.ago(100))}
    async with serving(config(database, tmp_path)) as (client, _):
        assert (await client.get(f"{S}/timeline", params=window)).status_code == 200


async def test_what_began_before_the_window_is_found(pool: Pool, database: str, tmp_path: Path) -> None:
    world = World(pool)
    await world.clock()
    await world.station("s", "offline", since=90_000)
    await world.transition("s", 200_000, "online", before="never_seen")
    await world.transition("s", 190_000, "offline")
    async with serving(config(database, tmp_path)) as (client, _):
        (interval,) = (await client.get(f"{S}/timeline")).json()["intervals"]
    assert (interval["verdict"], interval["evidence"]) == ("offline", "live")


async def test_the_end_of_the_timeline_is_as_unknown_as_the_verdict(pool: Pool, database: str, tmp_path: Path) -> None:
    world = World(pool)
    await world.clock(age=120)
    await world.station("s", "online", since=3000)
    await world.transition("s", 3000, "online", before="never_seen")
    async with serving(config(database, tmp_path)) as (client, _):
        verdict = (await client.get(S)).json()["verdict"]
        intervals = (await client.get(f"{S}/timeline")).json()["intervals"]
    assert [interval["verdict"] for interval in intervals] == ["never_seen", "online", "unknown"]
    assert verdict == "unknown"


async def test_an_uncounting_terminal_and_an_unsure_time_prove_nothing(
    pool: Pool, database: str, tmp_path: Path
) -> None:
    world = World(pool)
    await world.clock()
    await world.station("s", "offline")
    await world.transition("s", 1000, "offline", before="never_seen")
    await world.record("presence", "s", 800, 1, until=world.ago(300))
    await world.record("presence", "s", 700, 2)
    await pool.execute("UPDATE presence SET time_source = 'unknown' WHERE id = 1")
    await pool.execute("INSERT INTO terminal (station, id, counts) VALUES ('s', '009', false)")
    await world.record("presence", "s", 800, 3, until=world.ago(300))
    await pool.execute("UPDATE presence SET terminal = '009' WHERE id = 3")
    async with serving(config(database, tmp_path)) as (client, _):
        intervals = (await client.get(f"{S}/timeline")).json()["intervals"]
    assert {interval["evidence"] for interval in intervals if interval["verdict"] == "offline"} == {"live"}


async def test_health_is_newest_first_and_pages_hold_each_sample_once(
    pool: Pool, database: str, tmp_path: Path
) -> None:
    world = World(pool)
    await world.station("s", None)
    for number in range(12):  # three at each moment: the cursor must tell them apart
        await world.record(
            "health", "s", 100 + number // 3, number, cpu=0.1, temp=41.3, rx=2**40, wifi=True, services={"web": False}
        )
    await world.record("health", "s", 90_000, 99)
    async with serving(config(database, tmp_path)) as (client, _):
        items = await walk(client, f"{S}/health", limit=5)
        older = await walk(client, f"{S}/health", **{"from": z(world.ago(100_000)), "to": z(world.ago(80_000))})
    assert sorted(item["id"] for item in items) == list(range(12))
    assert [item["ts"] for item in items] == sorted((item["ts"] for item in items), reverse=True)
    assert [item["id"] for item in older] == [99]
    sample = items[0]
    assert (sample["cpu"], sample["temp"], sample["rx"], sample["mem"]) == (0.1, 41.3, 2**40, None)
    assert (sample["terminal"], sample["wifi"], sample["services"]) == ("001", True, {"web": False})


async def test_usage_totals_the_window_not_the_page(pool: Pool, database: str, tmp_path: Path) -> None:
    world = World(pool)
    await world.station("s", None)
    for number in range(3):
        await world.record("usage", "s", 600 - number, number, until=world.ago(300), sessions=2, minutes=7.5)
    await world.record("usage", "s", 500, 9)
    async with serving(config(database, tmp_path)) as (client, _):
        page = (await client.get(f"{S}/usage?limit=1")).json()
        items = await walk(client, f"{S}/usage", limit=2)
        empty = (await client.get(f"{S}/usage?to={z(world.ago(3600))}")).json()
    assert list(page) == ["items", "next", "total"]
    assert page["total"] == {"sessions": 6, "minutes": 22.5}
    assert len(items) == 4
    assert items[1] == {
        "from": z(world.ago(598)),
        "until": z(world.ago(300)),
        "sessions": 2,
        "minutes": 7.5,
        "terminal": "001",
    }
    assert (empty["items"], empty["total"]) == ([], {"sessions": 0, "minutes": 0.0})


async def test_figures_by_hour_and_day_are_kept_beside_the_records(pool: Pool, database: str, tmp_path: Path) -> None:
    world = World(pool)
    await world.station("s", None)
    ago = 2 * 86_400
    for number, cpu in enumerate((0.1, 0.3, None)):
        await world.record("health", "s", ago, number, cpu=cpu, temp=41.5)
        await world.record("usage", "s", ago, number, sessions=2, minutes=7.5)
    hour = world.ago(ago).replace(minute=0, second=0, microsecond=0)
    day = hour.replace(hour=0)
    await pool.execute("INSERT INTO rollup_touch (kind, began_at) VALUES ('health', $1), ('usage', $1)", hour)
    await pool.execute("CALL roll_up_records()")
    await pool.execute("DELETE FROM health")
    window = {"from": z(day), "to": z(day + timedelta(days=1))}
    async with serving(config(database, tmp_path)) as (client, _):
        hours = (await client.get(f"{S}/health/figures", params=window)).json()
        use = (await client.get(f"{S}/usage/figures", params={**window, "unit": "day"})).json()
        later = (await client.get(f"{S}/usage/figures", params={"unit": "day"})).json()
        long = await client.get(f"{S}/health/figures", params={"from": z(world.ago(40 * 86_400))})
        days = await client.get(f"{S}/health/figures", params={"from": z(world.ago(40 * 86_400)), "unit": "day"})
    (health,) = hours["items"]
    assert (hours["unit"], health["from"], health["terminal"], health["samples"]) == ("hour", z(hour), "001", 3)
    assert health["cpu"] == {"mean": 0.2, "max": 0.3}
    assert health["temp"] == {"mean": 41.5, "max": 41.5}
    assert health["mem"] == {"mean": None, "max": None}
    assert use["items"] == [{"from": z(day), "terminal": "001", "samples": 3, "sessions": 6, "minutes": 22.5}]
    assert later["items"] == []
    assert (long.status_code, long.json()["parameter"]) == (422, "from")
    assert len(days.json()["items"]) == 1


BAD_WINDOWS = {
    "from behind to": ("from=2026-11-02T00:00:00Z&to=2026-11-01T00:00:00Z", "from"),
    "an empty window": ("from=2026-11-02T00:00:00Z&to=2026-11-02T08:00:00%2B08:00", "from"),
    "not a time": ("from=yesterday", "from"),
    "not a time either": ("to=2026-13-01", "to"),
    "beyond the calendar": ("to=9999-12-31T23:59:59-08:00", "to"),
    "empty": ("to=", "to"),
    "from in the future": ("from=2150-01-01T00:00:00Z", "from"),
    "a digit of the year left out": ("from=0206-11-01", "from"),
    "a digit too many": ("to=9026-11-01", "to"),
    "since ever": ("from=1900-01-01&to=2026-11-01", "from"),
}


async def test_a_bad_window_names_the_parameter(pool: Pool, database: str, tmp_path: Path) -> None:
    await World(pool).station("s", None)
    async with serving(config(database, tmp_path)) as (client, _):
        for case, what in product(BAD_WINDOWS, ("timeline", "health", "usage", "schedule")):
            query, parameter = BAD_WINDOWS[case]
            answer = await client.get(f"{S}/{what}?{query}")
            assert answer.status_code == 422, case
            assert answer.headers["content-type"] == "application/problem+json", case
            assert answer.json()["parameter"] == parameter, case


async def test_every_route_limits_the_range_that_it_is_asked_for(pool: Pool, database: str, tmp_path: Path) -> None:
    await World(pool).station("s", None)
    ranges = [
        door.path.replace("{id}", "s")
        for door in doors().values()
        if door.method == "GET" and {"from", "to"} <= {field.name for field in door.query}
    ]
    assert len(ranges) >= 10
    async with serving(config(database, tmp_path)) as (client, _):
        answers = {path: await client.get(f"{path}?from=1900-01-01&to=2026-11-01") for path in ranges}
    open_ended = {path for path, answer in answers.items() if answer.status_code != 422}
    # These read a page of the newest, whatever the range.
    assert open_ended == {"/api/v1/ledger/entries"}


async def test_offsets_and_their_lost_plus_are_understood(pool: Pool, database: str, tmp_path: Path) -> None:
    await World(pool).station("s", None)
    async with serving(config(database, tmp_path)) as (client, _):
        answer = await client.get(f"{S}/timeline?from=2026-11-01T08:00:00+08:00&to=2026-11-01T09:00:00%2B08:00")
    (interval,) = answer.json()["intervals"]
    assert (interval["from"], interval["to"]) == ("2026-11-01T00:00:00Z", "2026-11-01T01:00:00Z")


async def test_the_window_is_the_last_day_unless_asked(pool: Pool, database: str, tmp_path: Path) -> None:
    await World(pool).station("s", None)
    async with serving(config(database, tmp_path)) as (client, _):
        (interval,) = (await client.get(f"{S}/timeline")).json()["intervals"]
        (edge,) = (await client.get(f"{S}/timeline?to=1900-01-01T05:00:00Z")).json()["intervals"]
    begin, end = (datetime.fromisoformat(interval[name]) for name in ("from", "to"))
    assert end - begin == timedelta(hours=24)
    assert edge["from"] == "1899-12-31T05:00:00Z"


async def test_counts_beyond_64_bits_are_added_up_all_the_same(pool: Pool, database: str, tmp_path: Path) -> None:
    world = World(pool)
    await world.station("s", None)
    for number in range(2):
        await world.record("usage", "s", 60, number, sessions=5 * 10**18)
    async with serving(config(database, tmp_path)) as (client, _):
        page = await client.get(f"{S}/usage")
        shown = await client.get("/stations/s")
    assert (page.status_code, page.json()["total"]["sessions"]) == (200, 10**19)
    assert shown.status_code == 200
