"""Sums of use for dashboards are those of the days, whatever arrives late, moves, comes or goes, on both databases."""

import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from audit.rollups.rollup_store import forget_old
from store.pool import Connection
from tests.integration.api_world import World
from tests.integration.audit.rollups.kit import ALL, is_timescale, require_sums, roll_up

pytestmark = pytest.mark.timeout(240)  # the first run installs the server

AREAS = ("63", "632122", "632123", None)
FIRST = datetime(2026, 1, 20, 3, tzinfo=UTC)
INSERT = (
    "INSERT INTO usage (ts, station, terminal, box, id, device_at, received_at, time_source, sessions, minutes, bytes) "
    "VALUES ($1, $2, $3, 'b', $4, 0, $1, 'anchor', $5, $6, $7)"
)


@pytest.fixture
async def counties(records: Connection) -> AsyncIterator[Connection]:
    """A province with two counties, and nine stations in them, in the province and nowhere."""
    await clear(records)
    world = World(records)  # type: ignore[arg-type] # it has the methods of a pool that are called
    await world.area("63", "青海省", level="province")
    await world.area("632122", "民和县", "63")
    await world.area("632123", "乐都区", "63")
    for number in range(9):
        await world.station(f"sum{number}", area=AREAS[number % 4])
    yield records
    if await is_timescale(records):
        await clear(records)


async def clear(connection: Connection) -> None:
    if await is_timescale(connection):
        for table in ("terminal_state", "station_state", "terminal", "station"):
            await connection.execute(f"DELETE FROM {table}")  # noqa: S608 -- our own names
        await connection.execute("DELETE FROM area WHERE parent IS NOT NULL; DELETE FROM area; TRUNCATE usage_due")


async def use(
    connection: Connection, at: datetime, station: str, number: int, *, late: bool, sessions: int | None = 3
) -> None:
    await connection.execute(INSERT, at, station, f"00{number % 2 + 1}", number, sessions, 1.25 * number, 10**12)
    await connection.execute(
        "INSERT INTO rollup_touch (kind, began_at, station) VALUES ('usage', date_trunc('hour', $1::timestamptz), $2)",
        at, station if late else None,
    )  # fmt: skip


@pytest.mark.parametrize("seed", [1, 2])
async def test_any_order_of_records_and_moves_gives_the_sums_of_the_days(counties: Connection, seed: int) -> None:
    rng = random.Random(seed)
    for number in range(60):
        at = FIRST + timedelta(days=rng.randrange(16), hours=rng.randrange(20))
        station = f"sum{rng.randrange(10)}"  # the last one is in no registry
        await use(counties, at, station, number, late=rng.random() < 0.7, sessions=rng.choice([None, 0, 5, 9]))
        if rng.random() < 0.2:
            await counties.execute(
                "UPDATE station SET area = $2 WHERE id = $1", f"sum{rng.randrange(9)}", rng.choice(AREAS)
            )
        if rng.random() < 0.2:
            await counties.execute(f"CALL roll_up_records(0, {ALL!r})")
    await roll_up(counties)
    assert await counties.fetchval("SELECT count(*) FROM usage_area_day") > 20
    await require_sums(counties)


async def test_a_station_that_is_registered_late_brings_its_use(counties: Connection) -> None:
    await use(counties, FIRST, "later", 1, late=False)
    await roll_up(counties)
    assert await counties.fetchval("SELECT count(*) FROM usage_area_day") == 0
    await World(counties).station("later", area="63")  # type: ignore[arg-type] # as above
    await roll_up(counties)
    row = await counties.fetchrow("SELECT area, sessions FROM usage_area_day")
    assert tuple(row) == ("63", 3)
    await counties.execute("DELETE FROM station WHERE id = 'later'")
    await roll_up(counties)
    assert await counties.fetchval("SELECT count(*) FROM usage_area_day") == 0


async def test_days_without_use_any_more_leave_the_sums(counties: Connection) -> None:
    for day, station in ((0, "sum0"), (1, "sum0"), (0, "sum1")):
        await use(counties, FIRST + timedelta(days=day), station, day, late=False)
    await roll_up(counties)
    await counties.execute("DELETE FROM usage WHERE station = 'sum0' AND ts = $1", FIRST)
    await counties.execute(
        "INSERT INTO rollup_touch (kind, began_at) VALUES ('usage', date_trunc('hour', $1::timestamptz))", FIRST
    )
    await roll_up(counties)
    await require_sums(counties)
    assert await counties.fetchval("SELECT count(*) FROM usage_month WHERE days <> 0") == 2


async def test_more_than_any_station_has_is_held_and_breaks_no_pass(counties: Connection) -> None:
    await use(counties, FIRST, "sum0", 1, late=False, sessions=2**63 - 1)
    await use(counties, FIRST + timedelta(days=1), "sum1", 2, late=False)
    await counties.execute("INSERT INTO usage_due (day) VALUES ('infinity'), ('-infinity')")
    await roll_up(counties)
    rows = await counties.fetch("SELECT station, sessions[31] FROM usage_month ORDER BY 1")
    assert [tuple(row) for row in rows] == [("sum0", 10**12), ("sum1", 3)]
    assert await counties.fetchval("SELECT count(*) FROM usage_due") == 0


async def test_sums_go_with_their_days_by_whole_months(counties: Connection) -> None:
    now = datetime.now(UTC)
    old = (now - timedelta(days=1000)).replace(day=1, hour=3, minute=0, second=0, microsecond=0)
    for place, at in enumerate((old - timedelta(days=1), old, now - timedelta(days=300))):
        await use(counties, at, "sum0", place, late=True)
    await roll_up(counties)
    await require_sums(counties)
    age = now - old - timedelta(days=5)
    while await forget_old(counties, {"usage_day": age}):
        pass
    kept = [(now - timedelta(days=300)).date(), old.date()]
    assert [row[0] for row in await counties.fetch("SELECT day FROM usage_area_day ORDER BY 1 DESC")] == kept
    await use(counties, old - timedelta(days=1), "sum0", 8, late=True)
    await counties.execute("UPDATE station SET area = '632123' WHERE id = 'sum0'")
    await roll_up(counties)
    rows = await counties.fetch("SELECT day, area FROM usage_area_day ORDER BY 1 DESC")
    assert [tuple(row) for row in rows] == [(day, "632123") for day in kept]
    months = await counties.fetch("SELECT month FROM usage_month WHERE days <> 0 ORDER BY 1 DESC")
    assert [row[0] for row in months] == [day.replace(day=1) for day in kept]


async def test_sums_that_are_stored_already_are_made_a_day_a_pass(counties: Connection) -> None:
    for day in range(3):
        await use(counties, FIRST + timedelta(days=day), "sum0", day, late=False)
    await roll_up(counties)
    await counties.execute("TRUNCATE usage_month, usage_area_day")
    await counties.execute(
        "INSERT INTO usage_due (day) SELECT generate_series($1::date, $1::date + 2, interval '1 day')::date",
        FIRST.date(),
    )
    await roll_up(counties)
    await require_sums(counties)
    assert await counties.fetchval("SELECT sum(sessions) FROM usage_area_day") == 9


@pytest.mark.parametrize("role", ["milepost_service", "milepost_api", "milepost_audit", "milepost_reader"])
async def test_nobody_changes_sums_by_hand(counties: Connection, role: str) -> None:
    for statement in ("DELETE FROM usage_month", "DELETE FROM usage_area_day", "SELECT sum_usage_due()"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with counties.transaction():
                await counties.execute(f"SET LOCAL ROLE {role}")
                await counties.execute(statement)
