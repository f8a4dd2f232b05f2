"""Kept days in the ledger: an entry for each area and day, in the transaction of the figures, and what it shows."""

import asyncio
import json
from datetime import date
from typing import Any

import asyncpg
import pytest

from audit.days.keep_store import keep_days
from audit.days.sealed.tree_store import wrong_months
from store.pool import Pool
from tests.integration.audit.days.day_world import HOUR_MS, DayWorld

WRONG = "figures or revisions of its stations are not those that the ledger has"


@pytest.fixture
async def world(pool: Pool) -> DayWorld:
    """Two stations of a county that came online on the first day, and one that was never heard in another county."""
    world = DayWorld(pool)
    await world.register(["a", "b"])
    await world.register(["c"], area="632123")
    await world.judge("a", 1, "online", usable=True)
    await world.judge("b", 2, "online", usable=True)
    return world


async def entries(pool: Pool) -> list[tuple[str, str, dict[str, Any]]]:
    rows = await pool.fetch("SELECT kind, subject, body FROM ledger_entry WHERE subject ~ '^area_' ORDER BY id")
    return [(row["kind"], row["subject"], json.loads(row["body"])) for row in rows]


async def told(pool: Pool) -> list[tuple[str, str, int, int, int]]:
    """Kind, subject, stations, lines and online hours."""
    return [
        (kind, subject, body["stations"], body["lines"], body["figures"]["online_ms"] // HOUR_MS)
        for kind, subject, body in await entries(pool)
    ]


async def test_a_day_that_closes_has_an_entry_for_each_area_with_stations(world: DayWorld) -> None:
    await world.keep(28)
    assert await told(world.pool) == [
        ("days.closed", "area_day/632122/2026-11-02", 2, 2, 16),
        ("days.closed", "area_day/632123/2026-11-02", 1, 1, 0),
    ]
    await world.keep(28 + 48)
    by_day = [subject for _, subject, *_ in await told(world.pool)]
    assert by_day[2:] == [f"area_day/{code}/2026-11-0{day}" for day in (3, 4) for code in ("632122", "632123")]
    roots = [body["root"] for _, subject, body in await entries(world.pool) if "632122" in subject]
    assert len(set(roots)) == 1, "the lines of quiet days are those of the first one"
    assert await world.wrong() == []


async def test_a_pass_that_fails_or_runs_twice_writes_each_entry_once(world: DayWorld) -> None:
    await world.clock(28)
    await world.pool.execute("ALTER TABLE day_state ADD CONSTRAINT full_disk CHECK (last_day < '2026-11-02')")
    async with world.pool.acquire() as connection, world.pool.acquire() as other:
        with pytest.raises(asyncpg.CheckViolationError):
            await keep_days(connection)
        assert await told(world.pool) == []
        await connection.execute("ALTER TABLE day_state DROP CONSTRAINT full_disk")
        await asyncio.gather(keep_days(connection), keep_days(other), return_exceptions=True)
    await world.keep()
    assert [each[:2] for each in await told(world.pool)] == [
        ("days.closed", "area_day/632122/2026-11-02"),
        ("days.closed", "area_day/632123/2026-11-02"),
    ]


async def test_revisions_have_an_entry_for_each_area_that_they_concern(world: DayWorld) -> None:
    await world.keep(28 + 72)
    before = len(await entries(world.pool))
    await world.keep()
    assert len(await entries(world.pool)) == before, "nothing new, nothing written"
    await world.closure("a", 9, 13)
    await world.keep()
    assert (await told(world.pool))[before:] == [("days.revised", "area_day/632122/2026-11-02", 2, 3, 12)]

    before = len(await entries(world.pool))
    await world.move("b", "632123", 49)
    await world.keep()
    assert (await told(world.pool))[before:] == [
        ("days.revised", "area_day/632122/2026-11-05", 1, 3, 8),
        ("days.revised", "area_day/632123/2026-11-05", 2, 3, 8),
    ]
    assert await world.wrong() == []
    before = len(await entries(world.pool))
    await world.closure("b", 3 * 24 + 9, 3 * 24 + 11)
    await world.keep()
    assert (await told(world.pool))[before:] == [
        ("days.revised", "area_day/632122/2026-11-05", 1, 4, 8),
        ("days.revised", "area_day/632123/2026-11-05", 2, 4, 6),
    ], "also where the day once counted"
    assert await world.wrong() == []


async def test_a_month_that_is_frozen_has_an_entry_for_each_area(world: DayWorld) -> None:
    await world.keep(24 * (29 + 10) + 5)
    frozen = [(subject, body) for kind, subject, body in await entries(world.pool) if kind == "month.frozen"]
    assert [subject for subject, _ in frozen] == ["area_month/632122/2026-11", "area_month/632123/2026-11"]
    assert frozen[0][1]["figures"]["online_ms"] == 2 * 29 * 8 * HOUR_MS
    await world.closure("a", 0, 24)
    await world.keep()
    assert (await entries(world.pool))[-1][0] == "days.revised"
    assert await world.wrong() == []
    await world.pool.execute("DELETE FROM area_month WHERE area = '632123'")
    gone = "the frozen figures of the month did not exist; they are written again from the ledger"
    assert await world.wrong() == [f"2026-11-01 area 63/632123: {gone}"]
    assert await world.wrong() == []


# (what a superuser does, which days and areas are named)
EDITS: dict[str, tuple[str, list[str]]] = {
    "an old revision": (
        "UPDATE day_figure SET online_ms = 5 WHERE station = 'a' AND revision = 1",
        [f"2026-11-02 area 63/632122: {WRONG}"],
    ),
    "the cause of a revision": (
        "UPDATE day_figure SET causes = '{presence}' WHERE station = 'a' AND revision = 2",
        [f"2026-11-02 area 63/632122: {WRONG}"],
    ),
    "an old revision is deleted": (
        "DELETE FROM day_figure WHERE station = 'a' AND revision = 1",
        [f"2026-11-02 area 63/632122: {WRONG}"],
    ),
    "figures that stations share": (
        "UPDATE share_day SET online_ms = online_ms - 1 WHERE day = '2026-11-04' AND online_ms > 0",
        [
            "2026-11-04 station a: kept -> computed: online_ms 28799999 -> 28800000",
            "2026-11-04 station b: kept -> computed: online_ms 28799999 -> 28800000",
            "2026-11-04 area 63/632122: the sum is not that of its stations",
            f"2026-11-04 area 63/632122: {WRONG}",
        ],
    ),
    "a sum is deleted": (
        "DELETE FROM area_day WHERE area = '632123' AND day = '2026-11-03'",
        ["2026-11-03 area 63/632123: the sum did not exist; it is written again from its stations"],
    ),
    "a sum and its stations are deleted": (
        "WITH a AS (DELETE FROM area_day WHERE area = '632123'), f AS (DELETE FROM day_figure WHERE station = 'c') "
        "DELETE FROM day_member WHERE station = 'c'",
        [
            f"2026-11-0{day} area 63/632123: the ledger has figures of this day, and no station has any here"
            for day in (2, 3, 4, 5)
        ],
    ),
    "the entry": (
        "UPDATE ledger_entry SET body = convert_to(replace(convert_from(body, 'UTF8'), '\"stations\":1', "
        "'\"stations\":2'), 'UTF8') WHERE subject = 'area_day/632123/2026-11-02'",
        [f"2026-11-02 area 63/632123: {WRONG}"],
    ),
    "the entry is nothing that can be read": (
        "UPDATE ledger_entry SET body = '{x}' WHERE subject = 'area_day/632123/2026-11-02'",
        [f"2026-11-02 area 63/632123: {WRONG}"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("edit", list(EDITS))
async def test_what_a_superuser_edits_is_named(world: DayWorld, edit: str) -> None:
    await world.keep(28 + 72)
    await world.closure("a", 9, 13)
    await world.keep()
    statement, found = EDITS[edit]
    async with world.pool.acquire() as connection, connection.transaction():
        await connection.execute("ALTER TABLE ledger_entry DISABLE TRIGGER ALL")
        await connection.execute(statement)
    assert await world.wrong() == found


async def test_frozen_figures_that_a_superuser_edits_are_named(world: DayWorld) -> None:
    await world.keep(24 * (29 + 10) + 5)
    await world.pool.execute("UPDATE area_month SET online_ms = 1 WHERE area = '632123'")
    async with world.pool.acquire() as connection:
        found = [each async for each in wrong_months(connection, date(2026, 11, 3), date(2026, 11, 30))]
    assert found == [(date(2026, 11, 1), ("63", "632123"))]
