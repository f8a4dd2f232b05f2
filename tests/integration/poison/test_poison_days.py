"""Rows at their edges in the sources of kept days: each costs its own station at most, and no day of another one."""

import asyncio
from datetime import date, timedelta

import pytest

from audit.days.day_store import QUERIES
from audit.days.service import DaysConfig
from audit.days.service import run as run_days
from store.pool import Pool
from tests.integration.audit.days.day_world import FIRST, HOUR_MS, DayWorld
from tests.integration.incidents_kit import until
from tests.integration.poison.test_poison_rows import write_rows

DAY = timedelta(days=1)
_TRANSITION = (
    "INSERT INTO transition (partition, seq, station, before, after, usable, at, tick_at, shard, reason) "
    "VALUES ({}, 1, $1, 'x', {}, true, {}, now(), 'main', 'test')"
)
_PRESENCE = (
    "INSERT INTO presence (ts, station, terminal, box, id, device_at, received_at, time_source, until, usable) "
    "VALUES ({}, $1, '001', 'box', 1, 0, {}, 'server', {}, true)"
)
_FACT = (
    "INSERT INTO registry_fact (kind, subject, effective_at, whole, fields) VALUES ('{}', $1, '2026-01-01', false, {})"
)
_DEEP = "('{\"a\": ' || repeat('[', 3000) || repeat(']', 3000) || '}')::jsonb"
_SPOIL = f"UPDATE registry_fact SET fields = {_DEEP} WHERE kind = 'schedule' AND subject = $1"  # noqa: S608 -- constants

# Each for a station of its own ($1), and whether that station can be computed all the same.
EDGES: dict[str, tuple[str, bool]] = {
    "presence at all times": (_PRESENCE.format("'-infinity'", "'infinity'", "'infinity'"), True),
    "presence that no client can read": (_PRESENCE.format("'4000-01-01 BC'", "'200000-01-01'", "'200000-01-01'"), True),
    "a state that nobody knows": (_TRANSITION.format(1, "'nonsense'", "'2026-11-02'"), True),
    "a decision before all time": (_TRANSITION.format(2, "'online'", "'-infinity'"), True),
    "a decision after all time": (_TRANSITION.format(3, "'online'", "'infinity'"), True),
    "a move after all time": (
        "INSERT INTO shard_move (partition, seq, station, terminal, before, after, at) "
        "VALUES (2, 1, $1, '001', 'main', 'other', 'infinity')",
        True,
    ),
    "a correction of all time": (
        "INSERT INTO correction (station, from_at, until_at, counts_as, reason, proposed_by, proposed_at, decision, "
        "decided_by, decided_at) VALUES ($1, '-infinity', 'infinity', 'up', 'x', 'a', now(), 'approved', 'b', now())",
        True,
    ),
    "hours in a zone that does not exist": (
        "UPDATE schedule SET timezone = 'Asia/Atlantis' WHERE station = $1",
        False,
    ),
    "a fact that is nested too deep to read": (_FACT.format("station", _DEEP), False),
    "a fact of another shape": (_FACT.format("closure", "'{\"1\": 7}'"), False),
}


@pytest.fixture
async def world(pool: Pool) -> DayWorld:
    """A station of its own beside one for each edge."""
    world = DayWorld(pool)
    names = [f"edge{number}" for number in range(len(EDGES))]
    await world.register(["own", *names])
    await world.judge("own", 1, "online", usable=True)
    await write_rows(pool)
    await pool.execute("UPDATE closure SET approved_by = 'b', approved_at = now()")
    for name, (statement, _) in zip(names, EDGES.values(), strict=True):
        await pool.execute(statement, name)
    return world


async def by_hand(pool: Pool, statement: str, *values: object) -> None:
    """Change facts, as only somebody with the rights of the owner can."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("ALTER TABLE registry_fact DISABLE TRIGGER ALL")
        await connection.execute(statement, *values)
        await connection.execute("ALTER TABLE registry_fact ENABLE TRIGGER ALL")


async def kept(world: DayWorld, station: str) -> dict[date, int]:
    """The hours of a station's days that were online."""
    rows = await world.pool.fetch("SELECT day, online_ms FROM station_day WHERE station = $1 ORDER BY day", station)
    return {row["day"]: row["online_ms"] // HOUR_MS for row in rows}


async def left_out(world: DayWorld) -> set[str]:
    """The stations of this test that are named as left out."""
    rows = await world.pool.fetch("SELECT subject FROM set_aside WHERE service = 'audit' AND kind = 'station'")
    return {row["subject"] for row in rows if row["subject"].startswith(("edge", "own", "good"))}


UNREADABLE = {f"edge{number}" for number, (_, can_be) in enumerate(EDGES.values()) if not can_be}


async def test_no_row_keeps_the_days_of_others_from_being_kept(world: DayWorld) -> None:
    await world.keep(28 + 24 * 2)
    await world.closure("own", 9, 10)
    await world.keep()
    assert [hours for day, hours in (await kept(world, "own")).items() if day >= FIRST] == [7, 8, 8]
    assert await left_out(world) == UNREADABLE
    assert await world.wrong() == []


async def test_who_was_left_out_is_computed_again_at_the_next_day_or_when_something_is_new(world: DayWorld) -> None:
    await world.keep(28 + 24 * 2)
    mended = sorted(UNREADABLE)
    await by_hand(world.pool, "DELETE FROM registry_fact WHERE fields::text LIKE '%[[[[%' OR fields::text LIKE '%: 7}'")
    await world.keep()
    assert await left_out(world) == UNREADABLE, "nobody says so, and no day closed"
    await world.pool.execute("UPDATE schedule SET timezone = 'Asia/Shanghai' WHERE timezone = 'Asia/Atlantis'")
    await world.keep()
    assert await left_out(world) == {*mended[1:]}, "the hours are news of the first"
    await world.keep(28 + 24 * 3)
    assert await left_out(world) == set()
    assert [len([day for day in await kept(world, name) if day >= FIRST]) for name in mended] == [4] * len(mended)
    assert await world.wrong() == []


async def test_one_member_of_a_group_that_cannot_be_computed_costs_the_others_nothing(pool: Pool) -> None:
    world = DayWorld(pool)
    names = {"own1", "own2", "own3", "own4"}
    await world.register(sorted(names))
    for name in names:
        await world.judge(name, 1, "online", usable=True)
    await world.keep(28 + 24)
    assert await pool.fetchval("SELECT count(DISTINCT share) FROM day_member WHERE until IS NULL") == 1
    ill: set[str] = set()
    for number in (2, 3):
        (sample,) = await pool.fetch(QUERIES.samples, FIRST + number * DAY)
        ill.add(sample["station"])
        await by_hand(pool, _SPOIL, sample["station"])
        await world.keep(28 + 24 * number)
        assert await left_out(world) == ill
        for name in names - ill:
            assert await kept(world, name) == {FIRST + n * DAY: 8 for n in range(number + 1)}
    found = await world.wrong()
    assert [line.partition(":")[0] for line in found] == [f"2026-11-02 station {name}" for name in sorted(ill)]


async def test_unreadable_news_costs_the_stations_that_the_news_is_about(world: DayWorld) -> None:
    await world.keep(28)
    await world.pool.execute(_FACT.format("schedule", _DEEP), "good")
    await world.pool.execute(
        "INSERT INTO day_touch (station, began_at, ended_at, cause) VALUES ('own', '-infinity', 'infinity', 'odd')"
    )
    await world.keep(28 + 24)
    assert await left_out(world) == {*UNREADABLE, "good"}
    assert [hours for day, hours in (await kept(world, "own")).items() if day >= FIRST] == [8, 8]


async def test_a_pass_that_fails_rests_and_is_named(world: DayWorld, database: str) -> None:
    await world.keep(28)
    service = DaysConfig(database_url=database, poll=0.05)
    await world.pool.execute("UPDATE day_state SET last_day = 'infinity'")
    await world.pool.execute(
        "INSERT INTO set_aside (service, kind, subject, why) VALUES ('audit', 'part', 'rollups', 'of another task')"
    )
    stop = asyncio.Event()
    named = "SELECT count(*) FROM set_aside WHERE service = 'audit' AND kind = 'part' AND subject = 'days'"
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(run_days(service, stop))
        await until(world.pool, named, 1)
        await world.pool.execute("UPDATE day_state SET last_day = $1", FIRST)
        await until(world.pool, named, 0)
        stop.set()
    assert await world.pool.fetchval("SELECT subject FROM set_aside WHERE kind = 'part'") == "rollups"
