"""What is older than the settings say goes, in parts; figures stay, and nothing young is deleted."""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from audit.rollups.rollup_store import MOST_FORGOTTEN, forget_boots, forget_old
from audit.rollups.service import LOCK, RollupConfig, run
from store.pool import Connection, Pool
from tests.integration.audit.rollups.kit import is_timescale, kept, roll_up
from tests.integration.incidents_kit import until

pytestmark = pytest.mark.timeout(240)

KINDS = ("health", "usage", "inventory", "presence", "event")
ROLE = "SET LOCAL ROLE milepost_audit"


_BEGAN = datetime.now(UTC)


async def add_health(connection: Connection, station: str, days: int, number: int = 3) -> datetime:
    """Records at noon so many days before the tests began; their hour."""
    noon = (_BEGAN - timedelta(days=days)).replace(hour=12, minute=0, second=0, microsecond=0)
    await connection.execute(
        "INSERT INTO health (ts, station, terminal, box, id, device_at, received_at, time_source, cpu) "
        "SELECT $1::timestamptz, $2, '001', 'b', n, 0, $1::timestamptz, 'anchor', 0.5 FROM generate_series(1, $3) AS n",
        noon, station, number,
    )  # fmt: skip
    await connection.execute(
        "INSERT INTO rollup_touch (kind, began_at, station) VALUES ('health', $1, $2)", noon, station
    )
    return noon


async def test_old_records_go_and_their_figures_stay(records: Connection) -> None:
    old = await add_health(records, "old", 401)
    young = await add_health(records, "young", 398)
    await roll_up(records)
    while await forget_old(records, {"health": timedelta(days=400)}):
        pass
    assert {row["station"] for row in await records.fetch("SELECT station FROM health")} == {"young"}
    figures = {(key[1], key[0]) for key in await kept(records, "health_hour")}
    assert figures == {("old", old), ("young", young)}

    await add_health(records, "old", 401, number=1)
    await add_health(records, "young", 398, number=1)
    await roll_up(records)
    samples = {key[1]: row["samples"] for key, row in (await kept(records, "health_day")).items()}
    assert samples == {"old": 3, "young": 4}, "a record of deleted time changes no figure"
    assert await records.fetchval("SELECT count(*) FROM rollup_touch") == 0


async def test_records_stay_until_their_figures_are_made(records: Connection) -> None:
    """On TimescaleDB the process deletes while a job of the database makes the figures, also just after an upgrade."""
    old = await add_health(records, "old", 401)
    assert await forget_old(records, {"health": timedelta(days=400), "health_hour": timedelta(days=400)}) == {}
    assert await records.fetchval("SELECT count(*) FROM health") == 3
    await roll_up(records)
    assert {key[:2] for key in await kept(records, "health_hour")} == {(old, "old")}
    while await forget_old(records, {"health": timedelta(days=400)}):
        pass
    assert await records.fetchval("SELECT count(*) FROM health") == 0
    assert len(await kept(records, "health_day")) == 1


async def test_old_figures_go_too(records: Connection) -> None:
    await add_health(records, "old", 1000)
    await add_health(records, "young", 700)
    await roll_up(records)
    while await forget_old(records, {"health": timedelta(days=400), "health_hour": timedelta(days=800)}):
        pass
    # Chunks of hours hold twenty days.
    assert {key[1] for key in await kept(records, "health_hour")} == {"young"}
    assert {key[1] for key in await kept(records, "health_day")} == {"old", "young"}


async def test_every_kind_can_be_forgotten_and_nothing_young(records: Connection) -> None:
    names = [*KINDS, "health_hour", "health_day", "usage_hour", "usage_day"]
    assert await forget_old(records, dict.fromkeys(names, timedelta(days=400))) == {}
    for kind, days in (("health", 183), ("usage", 1), ("incident", 400), ("health; DROP TABLE health", 400)):
        with pytest.raises(asyncpg.RaiseError):
            await forget_old(records, {kind: timedelta(days=days)})


async def test_rows_go_in_parts(pool: Pool) -> None:
    async with pool.acquire() as connection:
        await add_health(connection, "old", 401, number=5)
        await roll_up(connection)
        parts = [await forget_old(connection, {"health": timedelta(days=400)}, 2) for _ in range(4)]
    assert parts == [{"health": 2}, {"health": 2}, {"health": 1}, {}]


async def test_an_old_boot_is_forgotten_when_its_terminal_has_booted_since(pool: Pool) -> None:
    async with pool.acquire() as connection:
        for station, boot, run, days in (
            ("a", "a1", 1, 500),
            ("a", "a2", 2, 431),
            ("a", "a3", 3, 9),
            ("b", "b1", 1, 900),
        ):
            await connection.execute(
                "INSERT INTO boot_anchor (station, terminal, boot, run, anchor, first_at, last_at) "
                "VALUES ($1, '001', $2, $3, 0, now(), now() - $4 * interval '1 day')",
                station, boot, run, days,
            )  # fmt: skip
            await connection.execute(
                "INSERT INTO record_box (station, terminal, box, seen) VALUES ($1, '001', $2, '{[1,5)}')", station, boot
            )
        assert [await forget_boots(connection, after, 2) for after in ("", "a", "b")] == ["a", "b", None]
        for table, name in (("boot_anchor", "boot"), ("record_box", "box")):
            rows = await connection.fetch(f"SELECT {name} FROM {table} ORDER BY 1")  # noqa: S608 -- our own names
            assert [row[0] for row in rows] == ["a3", "b1"]


async def test_the_process_has_the_right_and_the_services_have_not(records: Connection) -> None:
    await add_health(records, "old", 401)
    if await is_timescale(records):
        await roll_up(records)  # only the owner may
    async with records.transaction():
        await records.execute(ROLE)
        if not await is_timescale(records):
            await roll_up(records)
        await forget_boots(records, "")
        assert await forget_old(records, {"health": timedelta(days=400)}) == {
            "health": 3 if not await is_timescale(records) else 1
        }
    for role in ("milepost_service", "milepost_api"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with records.transaction():
                await records.execute(f"SET LOCAL ROLE {role}")
                await forget_old(records, {"health": timedelta(days=400)})


async def test_a_backlog_goes_part_after_part_without_waiting_for_the_next_look(pool: Pool, database: str) -> None:
    async with pool.acquire() as connection:
        await add_health(connection, "old", 401, number=2 * MOST_FORGOTTEN + 1)
    config = RollupConfig(
        database_url=database, keep={"health": timedelta(days=400)}, poll=3600, standby_poll=0.05, forget_every=3600
    )
    stop = asyncio.Event()
    process = asyncio.create_task(run(config, stop))
    try:
        await until(pool, "SELECT count(*) FROM health", 0)
    finally:
        stop.set()
        await process
    assert await pool.fetchval("SELECT samples FROM health_day") == 2 * MOST_FORGOTTEN + 1


async def test_one_process_works_and_a_standby_takes_over(pool: Pool, database: str) -> None:
    async with pool.acquire() as connection:
        await add_health(connection, "old", 401)
    keep, stops = {"health": timedelta(days=400)}, [asyncio.Event(), asyncio.Event()]
    config = RollupConfig(database_url=database, keep=keep, poll=0.05, standby_poll=0.05, forget_every=0.05)
    leaders = f"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = {LOCK >> 32}"  # noqa: S608 -- a number
    first = asyncio.create_task(run(config, stops[0]))
    try:
        await until(pool, leaders, 1)
        second = asyncio.create_task(run(config, stops[1]))
        await until(pool, "SELECT count(*) FROM health", 0)
        assert await pool.fetchval("SELECT sum(samples)::int FROM health_day") == 3
        stops[0].set()
        await first
        async with pool.acquire() as connection:
            await add_health(connection, "later", 300)
        await until(pool, "SELECT count(*) FROM health_day", 2)
        assert await pool.fetchval(leaders) == 1
    finally:
        for stop in stops:
            stop.set()
        await asyncio.gather(first, second)


ASIDE = "SELECT string_agg(subject || ': ' || why, ', ' ORDER BY subject) FROM set_aside WHERE service = 'audit'"


async def test_a_pass_that_fails_every_time_is_named_and_the_process_goes_on(pool: Pool, database: str) -> None:
    """`milepost audit` would end with it, and nothing would be sealed."""
    await pool.execute(
        "INSERT INTO set_aside (service, kind, subject, why) VALUES ('audit', 'part', 'days', 'of another task')"
    )
    async with pool.acquire() as connection:
        await add_health(connection, "old", 401)
    await pool.execute("ALTER TABLE health_day ADD CONSTRAINT broken CHECK (samples < 0)")
    config = RollupConfig(database_url=database, keep={"health": timedelta(days=400)}, poll=0.05, standby_poll=0.05)
    stop = asyncio.Event()
    process = asyncio.create_task(run(config, stop))
    try:
        await until(pool, "SELECT count(*) FROM set_aside WHERE subject = 'rollups' AND why LIKE 'Check%broken%'", 1)
        assert await pool.fetchval("SELECT count(*) FROM health") == 3, "no record goes before its figures are made"
        await pool.execute("ALTER TABLE health_day DROP CONSTRAINT broken")
        await until(pool, "SELECT count(*) FROM health", 0)
        await until(pool, ASIDE, "days: of another task")
    finally:
        stop.set()
        await process
    assert await pool.fetchval("SELECT sum(samples)::int FROM health_day") == 3
