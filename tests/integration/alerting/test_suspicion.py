"""A suspected shard on a real database: rows, verdicts, history, and a process that takes over in the middle."""

from collections.abc import Callable
from pathlib import Path

import pytest

from alerting.causes.suspicion_rules import MassSettings
from alerting.incident_process.decide_pass import Decider, PassConfig
from store.pool import Connection, Pool
from tests.integration.api_world import World, config, serving
from tests.integration.incidents_kit import incidents, write_clocks, write_transition

STATIONS = [f"63212200{number:02d}" for number in range(24)]
SETTINGS = PassConfig(mass=MassSettings(floor=0.0))
"""With heartbeats that were promised each second nobody waits long."""


async def fleet(pool: Pool) -> World:
    """A shard of 24 that are online for an hour, and were heard a minute ago."""
    world = World(pool)
    for station in STATIONS:
        await world.station(station, since=3600, seen=60)
        await write_transition(pool, station, "never_seen", "online", at=world.ago(3600))
    await pool.execute("UPDATE terminal_state SET every = 1, boot = station")
    await write_clocks(pool, range(1))
    await pool.execute("UPDATE partition_clock SET clock = 2000")
    return world


async def fall(pool: Pool, world: World, stations: list[str]) -> None:
    for station in stations:
        await write_transition(pool, station, "online", "offline", at=world.ago(59))
    await pool.execute("UPDATE transition SET seen_at = $1 WHERE after = 'offline'", world.ago(60))
    await write_clocks(pool, range(1))


async def come_back(pool: Pool, stations: list[str]) -> None:
    for station in stations:
        await write_transition(pool, station, "offline", "online")
    await pool.execute("UPDATE terminal_state SET seen = 5000, seen_at = now() WHERE station = ANY ($1)", stations)
    await write_clocks(pool, range(1))


async def go_on(decider: Decider, pool: Pool, passes: int = 3) -> None:
    for _ in range(passes):
        await write_clocks(pool, range(1))
        await decider.decide(None)


@pytest.fixture(params=["one process", "one after the other"])
def next_process(request: pytest.FixtureRequest) -> Callable[[Decider | None, Connection], Decider]:
    """Who decides next: the same, or one that has to find everything in the database."""

    def choose(before: Decider | None, connection: Connection) -> Decider:
        if before is None or request.param == "one after the other":
            return Decider(SETTINGS, connection)
        return before

    return choose


async def test_a_shard_that_falls_is_unknown_until_half_are_back(
    pool: Pool, database: str, tmp_path: Path, next_process: Callable[[Decider | None, Connection], Decider]
) -> None:
    async with pool.acquire() as connection, serving(config(database, tmp_path)) as (client, _):
        world = await fleet(pool)
        decider = next_process(None, connection)
        await go_on(decider, pool)
        await fall(pool, world, STATIONS)
        decider = next_process(decider, connection)
        await go_on(decider, pool)
        assert [row["kind"] for row in await incidents(pool)] == ["pipeline_blind"]
        row = await pool.fetchrow("SELECT * FROM suspicion")
        assert row is not None and (row["fell"], row["counted"], row["ended_at"]) == (24, 24, None)
        assert await pool.fetchval("SELECT count(*) FROM suspicion_member WHERE ended_at IS NULL") == 24
        assert dict(await pool.fetch("SELECT verdict, count(*) FROM station_verdict GROUP BY 1")) == {"unknown": 24}
        found = (await client.get(f"/api/v1/stations/{STATIONS[0]}")).json()
        assert (found["verdict"], found["since"] is None) == ("unknown", False)
        await come_back(pool, STATIONS[:12])
        decider = next_process(decider, connection)
        await go_on(decider, pool)
        assert await pool.fetchval("SELECT ended_by FROM suspicion") == "half_back"
        await pool.execute("UPDATE suspicion SET ended_at = ended_at - interval '1 minute'")
        decider = Decider(SETTINGS, connection)  # who waited that long finds it in the database
        await go_on(decider, pool)
        opened = {row["station"] for row in await incidents(pool) if row["kind"] == "station_offline"}
        assert opened == set(STATIONS[12:])
        verdicts = dict(await pool.fetch("SELECT verdict, count(*) FROM station_verdict GROUP BY 1"))
        assert verdicts == {"online": 12, "offline": 12}
        timeline = (await client.get(f"/api/v1/stations/{STATIONS[20]}/timeline")).json()["intervals"]
    assert [span["verdict"] for span in timeline][-3:] == ["online", "unknown", "offline"]
    returned = await pool.fetchval("SELECT count(*) FROM suspicion_member WHERE returned")
    assert returned == 12 and await pool.fetchval("SELECT count(*) FROM suspicion_member WHERE ended_at IS NULL") == 0


async def test_a_person_says_that_the_shard_is_sound(pool: Pool, database: str, tmp_path: Path) -> None:
    async with pool.acquire() as connection, serving(config(database, tmp_path)) as (client, _):
        world, decider = await fleet(pool), Decider(SETTINGS, connection)
        await go_on(decider, pool)
        await fall(pool, world, STATIONS)
        await go_on(decider, pool)
        assert (await client.post("/api/v1/pipeline/shards/main/trust")).status_code == 200
        await go_on(decider, pool)
    assert await pool.fetchval("SELECT ended_by FROM suspicion") == "person"
