"""What is set aside is judged by nobody: people read that it is unknown and why, and its verdict when it is back."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from alerting.incident_process.service import IncidentsConfig
from alerting.incident_process.service import run as run_incidents
from store.pool import Pool
from tests.integration.api_world import World, config, look_each_time, serving
from tests.integration.incidents_kit import add_station, ago, judging, running, until, write_transition

API = "/api/v1"
AREA = "632122000000"
WHY = "ValueError: it cannot be read"
# (service, kind, subject) as each service names a station, or a terminal of it.
SUBJECTS = {
    "by the incident process": ("incidents", "station", "s"),
    "by its judge": ("judge", "station", "0/s"),
    "its only terminal": ("judge", "terminal", "0/s/001"),
}


async def looks(client: httpx.AsyncClient, pool: Pool, station: str = "s") -> dict[str, Any]:
    """The verdict of a station wherever people read it."""
    one = (await client.get(f"{API}/stations/{station}")).json()
    listed = (await client.get(f"{API}/stations", params={"verdict": one["verdict"]})).json()["items"]
    counts = (await client.get(f"{API}/areas/{AREA}")).json()["counts"]
    metrics = (await client.get("/metrics")).text
    timeline = (await client.get(f"{API}/stations/{station}/timeline")).json()["intervals"]
    row = await pool.fetchrow("SELECT verdict, why FROM station_verdict WHERE station = $1", station)
    assert row is not None
    return {
        "API": one["verdict"],
        "because": one["unknown_because"],
        "found by its verdict": station in {each["id"] for each in listed},
        "area": counts["unknown"],
        "metrics": f'milepost_stations{{verdict="unknown"}} {counts["unknown"]}' in metrics,
        "history ends": timeline[-1]["verdict"],
        "view": (row["verdict"], row["why"]),
    }


UNKNOWN = {
    "API": "unknown", "because": "set_aside", "found by its verdict": True, "area": 1, "metrics": True,
    "history ends": "unknown", "view": ("unknown", "set_aside"),
}  # fmt: skip


def known(verdict: str) -> dict[str, Any]:
    return {
        "API": verdict, "because": None, "found by its verdict": True, "area": 0, "metrics": True,
        "history ends": verdict, "view": (verdict, "judged"),
    }  # fmt: skip


async def set_aside(pool: Pool, service: str, kind: str, subject: str) -> None:
    await pool.execute("INSERT INTO set_aside VALUES ($1, $2, $3, $4)", service, kind, subject, WHY)


@pytest.fixture
async def world(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> World:
    look_each_time(monkeypatch)
    world = World(pool)
    await world.clock()
    await world.area(AREA, "东沟县")
    return world


@pytest.mark.parametrize("state", ["online", "offline", "away"])
@pytest.mark.parametrize("name", SUBJECTS)
async def test_what_is_set_aside_reads_unknown_everywhere(
    world: World, pool: Pool, database: str, tmp_path: Path, name: str, state: str
) -> None:
    await world.station("s", state, area=AREA, since=600)
    await world.transition("s", 600, state, before="never_seen")
    await world.station("other", area=AREA)
    async with serving(config(database, tmp_path)) as (client, _):
        assert await looks(client, pool) == known(state)
        # What the incident process keeps counts it by how it stood.
        await pool.execute("INSERT INTO area_count (area, online) VALUES ($1, 2)", AREA)
        await pool.execute("INSERT INTO area_count_known (known_at, told_at) VALUES (now(), now())")
        await set_aside(pool, *SUBJECTS[name])
        assert await looks(client, pool) == UNKNOWN
        page = (await client.get("/stations/s", headers={"Accept-Language": "en"})).text
        assert "cannot be judged" in page or "无法判断" in page
        assert "s" not in {row["station"] for row in await pool.fetch(WORST)}
        await pool.execute("TRUNCATE area_count_known, set_aside")
        assert await looks(client, pool) == known(state)


WORST = "SELECT station FROM station_verdict WHERE verdict IN ('offline', 'unusable', 'away')"


async def test_a_terminal_that_is_set_aside_costs_no_other(
    world: World, pool: Pool, database: str, tmp_path: Path
) -> None:
    await world.station("s", area=AREA)
    await pool.execute("INSERT INTO terminal (station, id) VALUES ('s', '002')")
    await pool.execute(
        "INSERT INTO terminal_state (station, terminal, partition, shard, state, since, seen_at, boot, run, conn, n, "
        "every, seen, deadline) VALUES ('s', '002', 0, 'main', 'online', now(), now(), 'b', 1, 0, 9, 60, 995, 1175)"
    )
    await set_aside(pool, "judge", "terminal", "0/s/001")
    async with serving(config(database, tmp_path)) as (client, _):
        found = (await client.get(f"{API}/stations/s")).json()
        assert found["verdict"] == "online"
        assert [(one["id"], one["state"]) for one in found["terminals"]] == [("001", "unknown"), ("002", "online")]
        await set_aside(pool, "judge", "terminal", "0/s/002")
        assert (await client.get(f"{API}/stations/s")).json()["verdict"] == "unknown"


@pytest.mark.parametrize(
    ("lifecycle", "state", "verdict"), [("suspended", "online", "suspended"), ("commissioned", None, "never_seen")]
)
async def test_what_needs_no_judge_is_known_all_the_same(
    world: World, pool: Pool, database: str, tmp_path: Path, lifecycle: str, state: str | None, verdict: str
) -> None:
    await world.station("s", state, area=AREA, lifecycle=lifecycle)
    await set_aside(pool, "incidents", "station", "s")
    async with serving(config(database, tmp_path)) as (client, _):
        assert (await client.get(f"{API}/stations/s")).json()["verdict"] == verdict
    assert await pool.fetchval("SELECT verdict FROM station_verdict") == verdict


async def test_a_station_that_cannot_be_judged_is_unknown_until_it_can(
    pool: Pool, database: str, tmp_path: Path
) -> None:
    """A transition that no judge writes: the incident process names the station, and judges it again at the next."""
    await add_station(pool, "s")
    service = IncidentsConfig(database_url=database, poll=0.05)
    verdict = "SELECT verdict FROM station_verdict WHERE station = 's'"
    async with judging(pool, range(1)), running(run_incidents, service):
        await write_transition(pool, "s", "never_seen", "online", at=ago(60))
        await until(pool, verdict, "online")
        await pool.execute(
            "INSERT INTO transition (partition, seq, station, before, after, at, tick_at, shard, reason) "
            "VALUES (0, 2, 's', 'online', 'dancing', now(), now(), 'main', 'x')"
        )
        await until(pool, verdict, "unknown")
        async with serving(config(database, tmp_path)) as (client, _):
            found = (await client.get(f"{API}/stations/s")).json()
            assert (found["verdict"], found["unknown_because"]) == ("unknown", "set_aside")
        await write_transition(pool, "s", "online", "offline")
        await until(pool, verdict, "offline")
