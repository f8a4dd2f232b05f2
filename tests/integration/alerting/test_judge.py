"""The judge's shell against a real database: what it writes, and that a restart at any point changes nothing."""

import asyncio
from collections.abc import Sequence
from typing import Any

import asyncpg
import pytest
from aiokafka import ConsumerRecord

from alerting.liveness.model import LivenessSettings
from alerting.liveness.service import CONSUMER, JudgeConfig, JudgeHandler
from broker.ticks.census import Census
from broker.ticks.losses import LossSettings
from contract.codec import encode
from contract.log import LIVE, HeartbeatEntry, LiveEntry
from store.offsets import FencedError, advance, claim
from store.pool import Pool
from tests.simulator import Bridge, Simulator

PARTITION = 5


def record(offset: int, station: str, value: bytes) -> ConsumerRecord[bytes, bytes]:
    return ConsumerRecord(
        topic=LIVE,
        partition=PARTITION,
        offset=offset,
        timestamp=0,
        timestamp_type=0,
        key=station.encode() or None,
        value=value,
        checksum=None,
        serialized_key_size=0,
        serialized_value_size=0,
        headers=(),
    )


def as_records(log: Sequence[tuple[str, LiveEntry]]) -> list[ConsumerRecord[bytes, bytes]]:
    return [record(offset, station, encode(entry)) for offset, (station, entry) in enumerate(log)]


async def judge(
    pool: Pool,
    records: Sequence[ConsumerRecord[bytes, bytes]],
    *,
    batch: int,
    auto_register: bool = True,
    **settings: Any,
) -> None:
    """A judge's life: claim the partition, go on from its offset, commit after every `batch` records."""
    config = JudgeConfig(database_url="", kafka_servers="", instance="test", auto_register=auto_register, **settings)
    handler = JudgeHandler(config)
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
        held = await claim(connection, consumer=CONSUMER, topic=LIVE, partition=PARTITION, log="log-1", instance="test")
        await handler.load(connection, held)
    for start in range(held.next_offset, len(records), batch):
        chunk = records[start : start + batch]
        handler.apply(PARTITION, chunk, 0.0)
        async with pool.acquire() as connection, connection.transaction():
            moved = await advance(connection, {PARTITION: (held, start + len(chunk))})
            await handler.save(connection, [PARTITION])
        handler.saved([PARTITION])
        held = moved[PARTITION]


def story() -> Simulator:
    """Everything that leaves something behind: deaths, wills, a clone, an away, a stall, a restarted bridge."""
    sim = Simulator()
    silent, willed, cloned, leaving, _ = (sim.add(name, every=4) for name in ("a", "b", "c", "d", "e"))
    sim.run(20)
    sim.die(silent)
    sim.run(3)
    sim.die(willed, will=True)
    sim.add("c", boot="clone", every=4)
    sim.run(30)
    sim.bridge.running = False
    sim.run(15)
    sim.bridge.running = True
    leaving.alive = False
    sim.send_status(leaving, "away", back_by=sim.now + 30_000)
    sim.run(20)
    cloned.alive = False
    sim.restart_bridge()
    sim.revive(silent)
    sim.run(60)
    return sim


def losing_story() -> Simulator:
    """What used to be forgotten: that messages are lost, and stamps by a bridge that has not ticked yet."""
    sim = Simulator()
    sim.bridge.census = Census(LossSettings(settled=0))
    for terminal in sim.add_many(12, every=4):
        terminal.next_at += 1
    sim.run(20)
    sim.bridges.append(Bridge(name="bridge-2", start="late-1"))
    sim.bridges[1].running = False
    for number, terminal in enumerate(sim.terminals):
        if number < 6:
            terminal.n += 1
        sim.run(1)
    dead = sim.terminals[7]
    dead.alive = False
    # Heard through the second bridge alone, before its first tick.
    sim.bridge.running = False
    sim.bridges[1].running = True
    dead.n += 1
    sim.send_heartbeat(dead)
    sim.run(70)
    return sim


async def judged(pool: Pool) -> list[asyncpg.Record]:
    return await pool.fetch(
        "SELECT t.station, state, since, seen, deadline, t.memory, c.memory AS clock "
        "FROM terminal_state t JOIN partition_clock c USING (partition) ORDER BY t.station"
    )


async def test_what_is_counted_and_not_settled_yet_outlives_a_restart(pool: Pool) -> None:
    sim = losing_story()
    records = as_records(sim.log)
    await judge(pool, records, batch=500)
    # Numbers apart: when a station is registered depends on the batch.
    at_once, told = await judged(pool), [list(row)[1:] for row in await history(pool)]
    for table in (
        "transition",
        "terminal_state",
        "station_state",
        "partition_clock",
        "pipeline_gap",
        "consumer_offset",
    ):
        await pool.execute(f"TRUNCATE {table}")
    for life in range(1, len(records), 3):
        await judge(pool, records[:life], batch=3)
    await judge(pool, records, batch=3)
    assert await judged(pool) == at_once
    assert [list(row)[1:] for row in await history(pool)] == told
    assert "messages_lost" in [reason for *_, reason in sim.gaps]
    assert sim.offline() == ["station-007"]


async def history(pool: Pool) -> list[asyncpg.Record]:
    return await pool.fetch(
        "SELECT seq, station, terminal, before, after, usable, at, tick_at, deadline_at, reason FROM transition "
        "WHERE terminal IS NOT NULL ORDER BY seq"
    )


def expected(sim: Simulator) -> list[tuple[str, str | None, str, str, int, int, str]]:
    return [
        (t.station, t.terminal, t.before.word, t.after.word, t.at, t.tick_at, t.reason)
        for t in sim.transitions
        if t.terminal is not None
    ]


@pytest.mark.parametrize("lives", [1, 7])
async def test_a_restart_at_any_point_changes_nothing(pool: Pool, lives: int) -> None:
    sim = story()
    records = as_records(sim.log)
    for life in range(1, lives + 1):
        await judge(pool, records[: len(records) * life // lives], batch=97)
    rows = await history(pool)
    found = [
        (
            r["station"],
            r["terminal"],
            r["before"],
            r["after"],
            round(r["at"].timestamp() * 1000),
            round(r["tick_at"].timestamp() * 1000),
            r["reason"],
        )
        for r in rows
    ]
    assert found == expected(sim)
    assert {"offline", "online", "away", "conflicting", "unproven"} == {r["after"] for r in rows}
    seqs = [r["seq"] for r in await pool.fetch("SELECT seq FROM transition ORDER BY seq")]
    assert seqs == list(range(1, len(seqs) + 1))
    gaps = [r["reason"] for r in await pool.fetch("SELECT reason FROM pipeline_gap ORDER BY seq")]
    assert gaps == [reason for *_, reason in sim.gaps] == ["too_long", "bridge_restarted"]


async def test_states_and_clock_are_there_to_be_read(pool: Pool) -> None:
    sim = story()
    await judge(pool, as_records(sim.log), batch=500)
    states = dict(await pool.fetch("SELECT station, state FROM station_state"))
    assert states == {name: sim.state(name) for name in "abcde"}
    clock = await pool.fetchrow("SELECT * FROM partition_clock")
    assert clock is not None
    assert (clock["partition"], clock["shard"], clock["blind_since"]) == (PARTITION, "main", None)
    assert round(clock["tick_at"].timestamp() * 1000) == sim.now
    terminal = await pool.fetchrow("SELECT * FROM terminal_state WHERE station = 'e'")
    assert terminal is not None
    assert terminal["state"] == "online"
    assert terminal["deadline"] - clock["clock"] == pytest.approx(12, abs=4.3)


async def test_a_zombie_writes_nothing(pool: Pool) -> None:
    records = as_records(story().log)
    async with pool.acquire() as connection:
        zombie = await claim(connection, consumer=CONSUMER, topic=LIVE, partition=PARTITION, log="log-1", instance="z")
    await judge(pool, records[:200], batch=100)
    async with pool.acquire() as connection:
        with pytest.raises(FencedError):
            async with connection.transaction():
                await advance(connection, {PARTITION: (zombie, 100)})


async def test_unregistered_stations_are_listed_and_not_judged(pool: Pool) -> None:
    sim = Simulator(register=False)
    sim.add("a")
    dead = sim.add("b")
    sim.run(10)
    await judge(pool, as_records(sim.log), batch=50, auto_register=False)
    assert [r["station"] for r in await pool.fetch("SELECT station FROM unregistered ORDER BY station")] == ["a", "b"]
    assert await pool.fetchval("SELECT count(*) FROM transition WHERE terminal IS NULL") == 0
    await pool.execute("INSERT INTO station (id, name) VALUES ('b', 'B')")
    dead.alive = False
    sim.run(20)
    await judge(pool, as_records(sim.log), batch=50, auto_register=False)
    assert dict(await pool.fetch("SELECT station, state FROM station_state")) == {"b": "offline"}
    assert [r["station"] for r in await pool.fetch("SELECT station FROM unregistered")] == ["a"]
    assert await pool.fetchval("SELECT count(*) FROM terminal WHERE station = 'b'") == 1


# Nested so deeply that a decoder with less of its stack left than the bridge's cannot read it.
DEEP = b'{"channel":"heartbeat","terminal":"001","x":' + b"[" * 5_000 + b"]" * 5_000 + b"}"


async def test_poison_stops_nothing(pool: Pool) -> None:
    sim = Simulator()
    sim.add("a")
    sim.run(5)
    log = [(station, encode(entry)) for station, entry in sim.log]
    for place, poison in ((3, b"\xff"), (9, b"{}"), (15, b'{"channel":"tick"}'), (20, b"null"), (25, DEEP)):
        log.insert(place, ("a", poison))
    await judge(pool, [record(n, station, value) for n, (station, value) in enumerate(log)], batch=7)
    assert await pool.fetchval("SELECT state FROM station_state") == "online"


async def test_a_changed_registration_is_taken_over(pool: Pool) -> None:
    sim = Simulator()
    one = sim.add("a", id="001")
    sim.add("a", id="002")
    sim.run(10)
    await judge(pool, as_records(sim.log), batch=50)
    await pool.execute("UPDATE terminal SET counts = false WHERE station = 'a' AND id = '002'")
    one.alive = False
    sim.run(20)
    await judge(pool, as_records(sim.log), batch=50)
    assert await pool.fetchval("SELECT state FROM station_state") == "offline"


async def test_terminals_beyond_the_bound_are_named_and_kept_nowhere(pool: Pool) -> None:
    sim = Simulator()
    for number in range(70):
        sim.add("a", id=f"{number:03}")
    sim.add("b")
    sim.run(10)
    await judge(pool, as_records(sim.log), batch=50, liveness=LivenessSettings(terminals=5))
    counted = "SELECT station, count(*) FROM {} GROUP BY station"
    assert dict(await pool.fetch(counted.format("terminal_state"))) == {"a": 5, "b": 1}
    assert dict(await pool.fetch(counted.format("terminal"))) == {"a": 5, "b": 1}
    letters = await pool.fetch("SELECT station, reason, detail FROM dead_letter")
    assert {(letter["station"], letter["reason"]) for letter in letters} == {("a", "too_many_terminals")}
    assert "has 5 terminals" in letters[0]["detail"]
    assert await pool.fetchval("SELECT count(*) FROM station_state WHERE state = 'online'") == 2


async def test_stations_are_registered_by_hearsay_up_to_a_number(pool: Pool) -> None:
    await pool.execute("INSERT INTO station (id, name) VALUES ('known', 'K')")
    sim = Simulator()
    for number in range(20):
        sim.add(f"s{number:02}")
    sim.add("known")
    sim.run(10)
    await judge(pool, as_records(sim.log), batch=50, auto_register_most=7)
    assert await pool.fetchval("SELECT count(*) FROM station") == 8
    assert await pool.fetchval("SELECT count(*) FROM unregistered") == 13
    assert await pool.fetchval("SELECT count(*) FROM station_state WHERE state = 'online'") == 8


async def test_the_area_is_guessed_from_the_county_code(pool: Pool) -> None:
    await pool.execute(
        "INSERT INTO area (code, name, level, path) VALUES ('632122000000', '民和县', 'county', '{632122000000}')"
    )
    sim = Simulator()
    sim.add("6321220007")
    sim.run(3)
    await judge(pool, as_records(sim.log), batch=50)
    row = await pool.fetchrow("SELECT area, auto_registered FROM station")
    assert row is not None
    assert tuple(row) == ("632122000000", True)


async def test_two_judges_of_one_partition_do_not_interleave(pool: Pool) -> None:
    """Whoever claims last goes on; the other is told by the fence and writes nothing of its own."""
    records = as_records(story().log)
    async with pool.acquire(), pool.acquire():
        pass  # both find a connection that is open, so neither is done before the other begins
    results = await asyncio.gather(*(judge(pool, records, batch=40) for _ in range(2)), return_exceptions=True)
    failures = [r for r in results if r is not None]
    assert len(failures) == 1
    assert isinstance(failures[0], (FencedError, asyncpg.SerializationError))
    rows = await pool.fetch("SELECT seq FROM transition ORDER BY seq")
    assert [r["seq"] for r in rows] == list(range(1, len(rows) + 1))


async def test_moves_from_shard_to_shard_are_recorded_over_restarts_and_once(pool: Pool) -> None:
    """A shard between two others would be lost, because rows of state have the present one only."""
    sim = Simulator()
    sim.bridges.append(Bridge(name="bridge-2", shard="south"))
    terminal = sim.add("a")
    for shard in ("main", "south", "main"):
        terminal.shard = shard
        sim.run(12)
    records = as_records(sim.log)
    await judge(pool, records[: len(records) // 2], batch=7)
    await judge(pool, records, batch=50)
    await judge(pool, records, batch=50)
    rows = await pool.fetch("SELECT partition, seq, station, terminal, before, after FROM shard_move ORDER BY seq")
    assert [tuple(row) for row in rows] == [
        (PARTITION, 1, "a", "001", "main", "south"),
        (PARTITION, 2, "a", "001", "south", "main"),
    ]
    moved_at = await pool.fetchval("SELECT min(at) FROM shard_move")
    assert moved_at == await pool.fetchval("SELECT to_timestamp($1 / 1000.0)", first_through(sim, "south"))
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="written once"):
        await pool.execute("DELETE FROM shard_move")


def first_through(sim: Simulator, shard: str) -> int:
    """When the first heartbeat through a shard was received."""
    return next(e.received for _, e in sim.log if isinstance(e, HeartbeatEntry) and e.shard == shard)
