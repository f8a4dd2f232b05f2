"""Sums of areas with all below them are those of the figures of areas, whatever changes these."""

import asyncpg
import pytest

from store.pool import Pool
from tests.integration.audit.days.day_world import FIRST, HOUR_MS, DayWorld

FIGURES = ("scheduled_ms", "excused_ms", "unknown_ms", "online_ms", "service_due_ms", "usable_ms")
BESIDE = "632123"


async def require_sums(pool: Pool, source: str, moment: str) -> int:
    """Compare the kept sums with those of every prefix of every path. Returns how many there are."""
    columns = ", ".join(FIGURES)
    kept = await pool.fetch(f"SELECT {moment}, path, parts, {columns} FROM {source}_sum ORDER BY 1, 2")  # noqa: S608 -- our own names
    sums = ", ".join(f"sum({name})::bigint" for name in FIGURES)
    made = await pool.fetch(
        f"SELECT {moment}, path[1:depth], count(*), {sums} "  # noqa: S608 -- our own names
        f"FROM {source}, generate_series(1, cardinality(path)) AS depth GROUP BY 1, 2 ORDER BY 1, 2"
    )
    assert [tuple(row) for row in kept] == [tuple(row) for row in made]
    return len(kept)


async def online(pool: Pool, area: str) -> int:
    """Online hours of an area with all below it, on the first day."""
    found: int = await pool.fetchval("SELECT online_ms FROM area_day_sum WHERE area = $1 AND day = $2", area, FIRST)
    return found // HOUR_MS


async def test_sums_follow_what_becomes_known_of_kept_days(pool: Pool) -> None:
    world = DayWorld(pool)
    await world.register(["a", "b"])
    await world.register(["c"], area=BESIDE)
    for station in ("a", "c"):
        await world.judge(station, 0, "online", usable=True)
    await world.keep(28 + 24 * 3)
    assert await require_sums(pool, "area_day", "day") == 3 * 4
    assert [await online(pool, area) for area in ("63", "632122", BESIDE)] == [16, 8, 8]

    await world.gap(10, 14)
    await world.closure("c", 9, 12)
    await world.move("b", BESIDE, 30)
    await world.keep(28 + 24 * 4)
    await require_sums(pool, "area_day", "day")
    of_stations = await _of_stations(pool)
    assert of_stations < 16
    assert [await online(pool, area) for area in ("63", "632122")] == [of_stations, 4]

    await world.keep(24 * 40)
    assert await require_sums(pool, "area_month", "month") == 3
    await world.closure("a", 24 * 5 + 9, 24 * 5 + 12)
    await world.keep()
    await require_sums(pool, "area_day", "day")
    assert await require_sums(pool, "area_month", "month") == 3, "a frozen month stands"
    assert await world.wrong() == []


async def _of_stations(pool: Pool) -> int:
    """Online hours of all stations on the first day, of their newest revisions."""
    found: int = await pool.fetchval("SELECT sum(online_ms)::bigint FROM station_day WHERE day = $1", FIRST)
    return found // HOUR_MS


async def test_sums_follow_a_hand_that_changes_or_deletes_figures(pool: Pool) -> None:
    await pool.execute(
        "INSERT INTO area_day SELECT $1::date + n, path[cardinality(path)], path, n, 1, 2, 3, 4, 5 "
        "FROM generate_series(0, 2) AS n, (VALUES (ARRAY['63', '632122']), (ARRAY['63', '632123', '632123001']), "
        "(ARRAY['63'])) AS t (path)", FIRST,
    )  # fmt: skip
    assert await require_sums(pool, "area_day", "day") == 3 * 4
    await pool.execute("UPDATE area_day SET online_ms = online_ms + 7 WHERE area = '632122'")
    await require_sums(pool, "area_day", "day")
    await pool.execute("DELETE FROM area_day WHERE area = '632123001' OR day = $1", FIRST)
    assert await require_sums(pool, "area_day", "day") == 2 * 2
    await pool.execute("TRUNCATE area_day")
    assert await require_sums(pool, "area_day", "day") == 0


@pytest.mark.parametrize("role", ["milepost_service", "milepost_api", "milepost_audit", "milepost_reader"])
async def test_nobody_changes_sums_of_areas_by_hand(pool: Pool, role: str) -> None:
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(f"SET LOCAL ROLE {role}")
        for statement in ("DELETE FROM area_day_sum", "UPDATE area_month_sum SET parts = 0", "TRUNCATE area_day_sum"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                async with connection.transaction():
                    await connection.execute(statement)
