"""Days kept by the process: closed once, followed by revisions, never overwritten, and equal to their sources."""

from datetime import date, timedelta

import pytest

from audit.days.keep_store import keep_days
from audit.days.rebuild_store import differences
from store.pool import Pool
from tests.integration.audit.days.day_world import FIRST, HOUR_MS, DayWorld

DAY = timedelta(days=1)


@pytest.fixture
async def world(pool: Pool) -> DayWorld:
    """Two stations of a county that came online on the first day, and one that was never heard in another county."""
    world = DayWorld(pool)
    await world.register(["a", "b"])
    await world.register(["c"], area="632123")
    await world.judge("a", 1, "online", usable=True)
    await world.judge("b", 2, "online", usable=True)
    return world


async def kept(pool: Pool, station: str, day: date = FIRST) -> list[tuple[int, list[str], int, int, int]]:
    """Revision, causes, D, online, usable of every revision in hours."""
    rows = await pool.fetch(
        "SELECT revision, causes, scheduled_ms - excused_ms - unknown_ms AS due, online_ms, usable_ms "
        "FROM station_day_revision WHERE station = $1 AND day = $2 ORDER BY revision", station, day,
    )  # fmt: skip
    return [(row[0], row[1], *(ms // HOUR_MS for ms in tuple(row)[2:])) for row in rows]


async def area(pool: Pool, day: date = FIRST) -> dict[str, tuple[int, int]]:
    """D and online hours of each area itself."""
    rows = await pool.fetch(
        "SELECT area, scheduled_ms - excused_ms - unknown_ms AS due, online_ms FROM area_day WHERE day = $1", day
    )
    return {row["area"]: (row["due"] // HOUR_MS, row["online_ms"] // HOUR_MS) for row in rows}


async def test_a_day_closes_when_the_clocks_are_four_hours_past_it_and_no_gap_goes_on(world: DayWorld) -> None:
    assert [each.closed for each in await world.keep(27.9)] == [None]
    await world.clock(28, blind_since=23)
    assert [each.closed for each in await world.keep()] == [None]
    assert [each.closed for each in await world.keep(28)] == [FIRST, None]
    assert await kept(world.pool, "a") == [(1, [], 8, 8, 8)]
    assert await kept(world.pool, "c") == [(1, [], 8, 0, 0)]
    assert await area(world.pool) == {"632122": (16, 16), "632123": (8, 0)}
    assert await world.wrong() == []


async def test_a_quiet_day_is_computed_once_for_all_stations_that_share_it(world: DayWorld) -> None:
    await world.keep(28 + 24 * 5)
    assert await world.pool.fetchval("SELECT count(*) FROM day_figure") == 3, "the first day, one by one"
    assert await world.pool.fetchval("SELECT count(*) FROM day_share") == 2, "online, and never heard"
    assert await world.pool.fetchval("SELECT count(*) FROM share_day") == 2 * 5
    assert await kept(world.pool, "b", FIRST + 3 * DAY) == [(1, [], 8, 8, 8)]
    assert await area(world.pool, FIRST + 3 * DAY) == {"632122": (16, 16), "632123": (8, 0)}
    await world.judge("a", 24 * 6 + 13, "offline")
    await world.keep(28 + 24 * 7)
    assert [await kept(world.pool, "a", FIRST + n * DAY) for n in (5, 6, 7)] == [
        [(1, [], 8, 8, 8)], [(1, [], 8, 4, 4)], [(1, [], 8, 0, 0)],
    ]  # fmt: skip
    assert await world.pool.fetchval("SELECT count(*) FROM day_figure") == 4
    assert await world.wrong() == []


async def test_what_becomes_known_later_is_a_revision_of_exactly_the_days_it_changes(world: DayWorld) -> None:
    await world.judge("a", 24 + 9, "offline")
    await world.keep(28 + 24 * 4)
    second, third = FIRST + DAY, FIRST + 2 * DAY

    await world.ran("a", 24 + 10, 24 + 12)
    assert [each.revisions for each in await world.keep()] == [1]
    assert await kept(world.pool, "a", second) == [(1, [], 8, 0, 0), (2, ["presence"], 8, 0, 2)]
    await world.ran("a", 24 + 10, 24 + 12)
    assert [each.revisions for each in await world.keep()] == [0], "a repeated record changes nothing"

    await world.closure("a", 24 + 9, 48 + 13)
    assert [each.revisions for each in await world.keep()] == [2]
    assert (await kept(world.pool, "a", second))[-1] == (3, ["closure"], 0, 0, 0)
    assert await kept(world.pool, "a", third) == [(1, [], 8, 0, 0), (2, ["closure"], 4, 0, 0)]
    assert (await area(world.pool, third))["632122"] == (8 + 4, 8)

    await world.move("b", "632123", 24.5)
    assert [each.revisions for each in await world.keep()] == [3], "from the next midnight on"
    assert (await kept(world.pool, "b", second)) == [(1, [], 8, 8, 8)]
    assert await kept(world.pool, "b", third) == [(1, [], 8, 8, 8), (2, ["area"], 8, 8, 8)]
    assert await area(world.pool, third) == {"632122": (4, 0), "632123": (16, 8)}

    await world.gap(9, 11)
    assert [each.revisions for each in await world.keep()] == [2], "of who was heard through the shard"
    assert await kept(world.pool, "a") == [(1, [], 8, 8, 8), (2, ["judged"], 6, 6, 6)]
    assert await world.wrong() == []


async def test_a_month_is_frozen_on_the_eleventh_and_what_comes_later_is_an_addendum(world: DayWorld) -> None:
    await world.keep(24 * (29 + 9) + 23)
    assert await world.pool.fetch("SELECT * FROM month_frozen") == []
    assert (await world.keep(24 * (29 + 10) + 5))[-1].frozen == (), "it was frozen with the day that closed"
    (month,) = await world.pool.fetch("SELECT month, area, online_ms, path FROM area_month WHERE area = '632122'")
    assert (month["month"], month["online_ms"]) == (date(2026, 11, 1), 2 * 29 * 8 * HOUR_MS)
    await world.closure("a", 0, 24)
    await world.keep()
    rows = await world.pool.fetch("SELECT day, revision, addendum FROM day_figure WHERE revision > 1")
    assert [tuple(row) for row in rows] == [(FIRST, 2, True)]
    (again,) = await world.pool.fetch("SELECT online_ms FROM area_month WHERE area = '632122'")
    assert again["online_ms"] == month["online_ms"], "the frozen figure stands"
    assert (await area(world.pool))["632122"] == (8, 8)
    assert await world.wrong() == []


async def test_what_somebody_changed_is_found(world: DayWorld) -> None:
    await world.keep(28 + 24)
    await world.pool.execute("UPDATE day_figure SET online_ms = online_ms + 1 WHERE station = 'c'")
    await world.pool.execute("UPDATE area_day SET usable_ms = 0 WHERE day = $1", FIRST + DAY)
    assert await world.wrong() == [
        "2026-11-02 station c: kept -> computed: online_ms 1 -> 0",
        "2026-11-02 area 63/632123: the sum is not that of its stations",
        "2026-11-03 area 63/632122: the sum is not that of its stations",
        "2026-11-02 area 63/632123: figures or revisions of its stations are not those that the ledger has",
    ]


async def test_the_login_of_the_audit_process_has_the_rights_that_it_needs(world: DayWorld) -> None:
    await world.clock(28 + 24)
    async with world.pool.acquire() as connection:
        await connection.execute("SET ROLE milepost_audit")
        await keep_days(connection)
        await connection.execute("RESET ROLE")
        await world.ran("a", 2, 3)
        await world.gap(9, 10)
        await connection.execute("SET ROLE milepost_audit")
        await keep_days(connection)
        async with connection.transaction(isolation="repeatable_read"):
            found = [each async for each in differences(connection, FIRST, FIRST)]
    assert found == []
    assert (await kept(world.pool, "a"))[-1] == (2, ["presence", "judged"], 7, 7, 7)


async def test_what_triggers_note_is_joined_while_no_process_takes_it(world: DayWorld) -> None:
    await world.judge("a", 9, "offline")
    await world.keep(28 + 24 * 4)
    for part in range(40):
        await world.ran("a", 10 + part / 10, 10 + (part + 1) / 10)
    notes = "SELECT count(*) FROM day_touch"
    assert await world.pool.fetchval(notes) == 16
    async with world.pool.acquire() as connection, connection.transaction():
        await connection.execute("UPDATE day_touch SET taken = true")
        await world.ran("a", 14, 15)  # nobody waits, and nothing is lost
    assert await world.pool.fetchval(notes) == 17
    await world.keep()
    assert await kept(world.pool, "a") == [(1, [], 8, 0, 0), (2, ["presence"], 8, 0, 5)]
    assert await world.pool.fetchval(notes) == 0
    assert await world.wrong() == []


async def test_a_day_whose_presence_is_deleted_keeps_its_figures_and_the_attempt_is_named(world: DayWorld) -> None:
    await world.judge("a", 9, "offline")
    await world.ran("a", 10, 12)
    await world.keep(28 + 24 * 4)
    assert await kept(world.pool, "a") == [(1, [], 8, 0, 2)]
    await world.pool.execute("DELETE FROM presence")
    await world.pool.execute("INSERT INTO record_kept (kind, since) VALUES ('presence', '2026-11-02')")

    await world.closure("a", 16, 3 * 24 + 16)
    await world.keep()
    assert await kept(world.pool, "a") == [(1, [], 8, 0, 2)], "without the presence it would have no usable time"
    third = await kept(world.pool, "a", FIRST + 2 * DAY)
    assert third[-1][1:3] == (["closure"], 0), "all sources of this day exist"
    rows = await world.pool.fetch("SELECT subject, why FROM set_aside WHERE kind = 'old_days'")
    assert [row["subject"] for row in rows] == ["a"]
    assert rows[0]["why"].startswith("closure concerns days from 2026-11-02 to 2026-11-03, and presence records")
    assert await world.wrong() == []
