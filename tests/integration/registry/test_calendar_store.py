"""Schedules, overrides and classes of days in the database, and the calendars they come to."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from registry.hours.calendar import ALWAYS, Calendar
from registry.hours.calendar_keeper import CalendarKeeper, kept_calendars
from registry.hours.calendar_store import (
    AHEAD,
    KEPT,
    Refreshed,
    fill_openings,
    load_calendars,
    lock_calendars,
    refresh_calendars,
)
from registry.hours.opening_text import ScheduleError
from registry.hours.schedule_store import put_days, put_kind_schedules, put_overrides, put_schedules
from registry.importing.importer import import_file
from registry.importing.report import ImportReport
from registry.importing.rows import Kind
from registry.model import CHANNEL, Area, DatedHours, KindSchedule, NamedDay, Station
from registry.store import load_stations, upsert_areas, upsert_stations
from store.migrate import read_migrations
from store.pool import Connection, Pool
from tests.integration.registry.test_registry_store import announcements

CHINA = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 10, 8, 4, tzinfo=UTC)
TODAY = date(2026, 10, 8)
ROOM = "Mo-Fr 09:00-17:30; HD off"
QINGHAI, MINHE, TOWN = "630000000000", "632122000000", "632122100000"
AREAS = [
    Area(code=QINGHAI, name="青海省", level="province", path=(QINGHAI,)),
    Area(code=MINHE, name="民和县", parent=QINGHAI, level="county", path=(QINGHAI, MINHE)),
    Area(code=TOWN, name="川口镇", parent=MINHE, level="township", path=(QINGHAI, MINHE, TOWN)),
]
STATIONS = [
    Station(id="S1", name="一", area=TOWN, kind="room"),
    Station(id="S2", name="二", area=MINHE, kind="room"),
    Station(id="S3", name="三", area=QINGHAI),
    Station(id="S4", name="四"),
]


@pytest.fixture
async def connection(pool: Pool) -> AsyncIterator[Connection]:
    async with pool.acquire() as connection:
        async with connection.transaction():
            await upsert_areas(connection, AREAS, at=NOW)
            await upsert_stations(connection, STATIONS)
        yield connection


async def refresh(connection: Connection, **more: object) -> Refreshed:
    done = await refresh_calendars(connection, now=NOW, **more)  # type: ignore[arg-type]
    again = await refresh_calendars(connection, now=NOW)
    assert not again.changed
    return done


async def calendars(connection: Connection) -> dict[str, Calendar]:
    known = await load_calendars(connection)
    rows = await connection.fetch("SELECT id, calendar FROM station")
    return {row["id"]: known.get(row["calendar"], ALWAYS) for row in rows}


async def open_at(connection: Connection, text: str) -> set[str]:
    """The stations that are open at a moment in China, as the calendars and as the stored openings say."""
    at = datetime.fromisoformat(text).replace(tzinfo=CHINA)
    found = {station for station, calendar in (await calendars(connection)).items() if calendar.is_open(at)}
    stored = await connection.fetch(
        "SELECT id FROM station s WHERE s.calendar IS NULL OR EXISTS (SELECT FROM calendar_opening o "
        "WHERE o.calendar = s.calendar AND o.opens_at <= $1 AND o.closes_at > $1)",
        at,
    )
    assert {row["id"] for row in stored} == found
    return found


async def test_without_schedules_nobody_has_a_calendar(connection: Connection) -> None:
    done = await refresh(connection)
    assert (done.calendars, done.moved, done.unreadable) == (0, 0, [])
    assert await open_at(connection, "2026-10-08T03:00") == {"S1", "S2", "S3", "S4"}


async def test_own_schedules_and_those_of_kinds(connection: Connection) -> None:
    await put_schedules(connection, {"S1": "10:00-12:00", "S3": ROOM}, now=NOW, by="li")
    await put_kind_schedules(connection, [KindSchedule(kind="room", rules=ROOM)], by="li")
    done = await refresh(connection)
    assert (done.calendars, done.moved) == (3, 3)
    assert await open_at(connection, "2026-10-08T09:30") == {"S2", "S3", "S4"}
    assert await open_at(connection, "2026-10-08T11:00") == {"S1", "S2", "S3", "S4"}
    assert await open_at(connection, "2026-10-10T17:00") == {"S2", "S3", "S4"}  # a Saturday that is worked
    assert await open_at(connection, "2026-10-11T11:00") == {"S1", "S4"}


async def test_stations_with_the_same_openings_share_a_calendar(connection: Connection) -> None:
    await put_schedules(connection, {"S1": "Mo-Fr 9:00-17:00", "S3": "mo-fr 09:00-17:00;"}, now=NOW, by="li")
    assert (await refresh(connection)).calendars == 1
    await put_schedules(connection, {"S1": "24x7"}, now=NOW - timedelta(days=400), by="li")
    await put_schedules(connection, {"S3": "24x7"}, now=NOW - timedelta(days=400), by="li")
    assert (await refresh(connection)).calendars == 1


def on_the_day(rules: str, **scope: str) -> DatedHours:
    return DatedHours(first=TODAY, last=TODAY, rules=rules, **scope)  # type: ignore[arg-type]


async def test_overrides_of_the_nearest_scope_hold(connection: Connection) -> None:
    await put_overrides(
        connection,
        [
            on_the_day("14:00-15:00", station="S1"),
            on_the_day("13:00-14:00", kind="room"),
            on_the_day("12:00-13:00", area=MINHE),
            on_the_day("11:00-12:00", area=QINGHAI),
            on_the_day("10:00-11:00"),
        ],
        by="li",
    )
    await refresh(connection)
    found = {hour: await open_at(connection, f"2026-10-08T{hour}:30") for hour in range(10, 15)}
    assert found == {10: {"S4"}, 11: {"S3"}, 12: set(), 13: {"S2"}, 14: {"S1"}}
    assert await open_at(connection, "2026-10-09T03:00") == {"S1", "S2", "S3", "S4"}
    await put_overrides(connection, [on_the_day("scheduled", station="S1"), on_the_day("scheduled")], by="li")
    await refresh(connection)
    assert await open_at(connection, "2026-10-08T03:00") == {"S1", "S4"}


async def test_a_new_schedule_holds_from_today_and_the_past_keeps_the_old_one(connection: Connection) -> None:
    await put_schedules(connection, {"S1": "08:00-09:00"}, now=NOW, by="li")
    await refresh(connection)
    await put_schedules(connection, {"S1": "10:00-11:00"}, now=NOW, by="li")
    await put_schedules(connection, {"S1": "11:00-12:00"}, now=NOW, by="li")
    await refresh(connection)
    for day, hours in (("2026-10-07", {8}), ("2026-10-08", {11}), ("2026-10-09", {11})):
        opened = {hour for hour in (8, 10, 11) if "S1" in await open_at(connection, f"{day}T{hour:02}:30")}
        assert opened == hours


async def test_today_is_that_of_the_schedule_s_zone(connection: Connection) -> None:
    await put_schedules(connection, {"S1": "08:00-09:00"}, now=NOW, by="li")
    late = datetime(2026, 10, 8, 16, 30, tzinfo=UTC)
    await put_schedules(connection, {"S1": "[America/New_York] 10:00-11:00"}, now=late, by="li")
    row = await connection.fetchrow("SELECT * FROM schedule WHERE station = 'S1' ORDER BY valid_from DESC LIMIT 1")
    assert row is not None
    assert (row["valid_from"], row["timezone"]) == (TODAY, "America/New_York")
    await refresh(connection)
    assert (await calendars(connection))["S1"].is_open(datetime(2026, 10, 8, 14, 30, tzinfo=UTC))


async def test_what_the_state_announces_later_changes_the_openings(connection: Connection) -> None:
    await put_schedules(connection, {"S1": ROOM}, now=NOW, by="li")
    await refresh(connection)
    assert "S1" in await open_at(connection, "2026-10-09T10:00")
    await put_days(connection, [NamedDay(day=date(2026, 10, 9), day_class="holiday", title="县庆")])
    assert (await refresh(connection)).filled == 1
    assert "S1" not in await open_at(connection, "2026-10-09T10:00")


async def test_the_window_moves_on_and_says_when_days_are_provisional(connection: Connection) -> None:
    await put_schedules(connection, {"S1": ROOM, "S2": "Mo-Su 09:00-10:00"}, now=NOW, by="li")
    await refresh(connection)
    later = datetime(2030, 1, 20, 4, tzinfo=UTC)
    assert await fill_openings(connection, now=later) == 2
    assert await fill_openings(connection, now=later + timedelta(hours=1)) == 0
    midnight = later.replace(hour=0)
    kept = await connection.fetchrow("SELECT min(opens_at) AS first, max(closes_at) AS last FROM calendar_opening")
    assert kept is not None
    assert midnight - KEPT <= kept["first"] < midnight - KEPT + timedelta(days=1)
    assert midnight + AHEAD - timedelta(days=1) < kept["last"] <= midnight + AHEAD
    rows = await connection.fetch(
        "SELECT s.id, c.provisional, c.filled_to FROM station s JOIN calendar c ON c.id = s.calendar ORDER BY 1"
    )
    assert (await refresh_calendars(connection, now=later)).provisional == 1
    assert [tuple(row) for row in rows] == [("S1", True, midnight + AHEAD), ("S2", False, midnight + AHEAD)]


async def test_schedules_that_cannot_be_read_are_said_and_leave_the_station_as_it_was(connection: Connection) -> None:
    await put_schedules(connection, {"S1": ROOM, "S3": "10:00-11:00"}, now=NOW, by="li")
    await refresh(connection)
    await connection.execute("UPDATE schedule SET rules = 'whenever' WHERE station = 'S1'")
    await put_schedules(connection, {"S3": "11:00-12:00"}, now=NOW, by="li")
    done = await refresh_calendars(connection, now=NOW)
    assert done.moved == 1
    assert done.unreadable[0].startswith("station S1 and those like it: character 1, before 'whenever'")
    assert (await calendars(connection))["S1"].is_open(NOW)
    with pytest.raises(ScheduleError):
        await put_schedules(connection, {"S1": "whenever"}, now=NOW, by="li")


async def test_only_the_stations_asked_for(connection: Connection) -> None:
    await put_schedules(connection, {"S1": "08:00-09:00", "S3": "10:00-11:00"}, now=NOW, by="li")
    assert (await refresh_calendars(connection, now=NOW, stations=["S1"])).moved == 1
    assert (await calendars(connection))["S3"] is ALWAYS
    assert (await refresh(connection)).moved == 1


async def test_calendars_that_nobody_has_are_forgotten(connection: Connection) -> None:
    await put_schedules(connection, {"S1": ROOM}, now=NOW, by="li")
    await refresh(connection)
    await connection.execute("DELETE FROM schedule")
    done = await refresh(connection)
    assert (done.moved, done.calendars, done.provisional) == (1, 0, 0)
    assert await connection.fetchval("SELECT count(*) FROM calendar_opening") == 0


async def test_changes_are_announced_and_nothing_else(pool: Pool, connection: Connection) -> None:
    async with announcements(pool) as heard:
        await refresh_calendars(connection, now=NOW)
    assert heard == []
    await put_schedules(connection, {"S1": ROOM}, now=NOW, by="li")
    async with announcements(pool) as heard:
        await refresh_calendars(connection, now=NOW)
        await refresh_calendars(connection, now=NOW)
    assert len(heard) == 1


async def test_the_keeper_looks_at_all_stations_once_a_day_and_then_at_those_that_changed(
    connection: Connection,
) -> None:
    await put_schedules(connection, {"S1": ROOM}, now=NOW, by="li")
    keeper = CalendarKeeper()
    first, again = await keeper.refresh(connection), await keeper.refresh(connection)
    assert first is not None
    assert first.moved == 1
    assert again is not None  # the stations that were moved have changed
    assert again.moved == 0
    third = await keeper.refresh(connection)
    assert third is None or third.moved == 0  # a transaction elsewhere on the server can hold the horizon back
    await put_kind_schedules(connection, [KindSchedule(kind="kiosk", rules=ROOM)], by="li")
    await connection.execute("UPDATE station SET kind = 'kiosk' WHERE id = 'S4'")
    moved = await keeper.refresh(connection)
    assert moved is not None
    assert moved.moved == 1


async def test_the_keeper_runs_beside_a_service(pool: Pool, connection: Connection) -> None:
    await put_schedules(connection, {"S1": ROOM}, now=NOW, by="li")
    announced = asyncio.Event()

    def hear(*_: object) -> None:
        announced.set()

    async with pool.acquire() as listener:
        await listener.add_listener(CHANNEL, hear)
        async with kept_calendars(pool):
            await asyncio.wait_for(announced.wait(), 20)
        await listener.remove_listener(CHANNEL, hear)
    assert (await calendars(connection))["S1"] is not ALWAYS


async def test_a_round_that_fails_is_not_the_last(
    pool: Pool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rounds, again = 0, asyncio.Event()

    async def fail_once(keeper: CalendarKeeper, connection: Connection) -> None:
        nonlocal rounds
        rounds += 1
        if rounds == 1:
            raise ValueError("a day that nobody thought of")
        again.set()

    monkeypatch.setattr(CalendarKeeper, "refresh", fail_once)
    async with kept_calendars(pool, every=0.01):
        await asyncio.wait_for(again.wait(), 20)
    assert "a day that nobody thought of" in caplog.text


# Imports


async def bring(connection: Connection, folder: Path, rows: str, *, now: datetime = NOW) -> ImportReport:
    return await bring_file(connection, folder, "stations", f"id,name,area,schedule\n{rows}", now=now)


async def bring_file(
    connection: Connection, folder: Path, kind: Kind, content: str, *, now: datetime = NOW
) -> ImportReport:
    path = folder / f"{kind}.csv"
    path.write_text(content, encoding="utf-8")
    return await import_file(connection, kind, path, now=now)


async def test_an_import_sets_schedules_from_always_and_then_from_its_day(
    connection: Connection, tmp_path: Path
) -> None:
    await bring(connection, tmp_path, f"S1,一,{TOWN},08:00-09:00\nS9,九,{TOWN},24x7\n")
    await bring(connection, tmp_path, f"S1,一,{TOWN},10:00-11:00\nS9,九,{TOWN},24x7\n")
    again = await bring(connection, tmp_path, f"S1,一,{TOWN},10:00-11:00\n", now=NOW + timedelta(days=1))
    assert (again.changed, again.unchanged) == (0, 1)
    rows = await connection.fetch("SELECT station, valid_from, rules FROM schedule ORDER BY valid_from")
    assert [tuple(row) for row in rows] == [("S1", date.min, "08:00-09:00"), ("S1", TODAY, "10:00-11:00")]
    assert "S1" in await open_at(connection, "2026-10-07T08:30")
    assert "S1" in await open_at(connection, "2026-10-08T10:30")


async def test_a_station_goes_back_to_the_schedule_of_its_kind(connection: Connection, tmp_path: Path) -> None:
    await put_kind_schedules(connection, [KindSchedule(kind="room", rules="12:00-13:00")], by="li")
    await bring(connection, tmp_path, f"S1,一,{TOWN},08:00-09:00\n")
    await bring(connection, tmp_path, f"S1,一,{TOWN},kind\n")
    assert "S1" in await open_at(connection, "2026-10-07T08:30")
    assert "S1" in await open_at(connection, "2026-10-08T12:30")
    stored = (await load_stations(connection, ["S1"])).get("S1")
    assert stored is not None
    assert stored.schedule == "kind"


async def test_a_bad_schedule_is_named_by_line_and_column(connection: Connection, tmp_path: Path) -> None:
    report = await bring(connection, tmp_path, f"S1,一,{TOWN},Mo-Fr 9-17\n")
    assert report.refused
    assert report.text.startswith("line 2, column schedule: character 7, before '9-17': expected days and times")


async def test_what_stood_in_the_registry_before_anybody_read_it_is_kept(connection: Connection) -> None:
    await connection.execute("UPDATE station SET schedule = 'Mo-Fr 08:00-09:00' WHERE id = 'S1'")
    (migration,) = [known for known in read_migrations() if known.version == 8]
    (statement,) = [part for part in migration.sql.split(";") if "INSERT INTO schedule " in part]
    await connection.execute(statement)
    await refresh(connection)
    assert "S1" not in await open_at(connection, "2026-10-08T10:00")


FILES: dict[Kind, tuple[str, str]] = {
    "schedules": ("kind,schedule,from\nroom,08:00-09:00,\nroom,09:00-10:00,2026-10-08\n", "09:00-10:00"),
    "overrides": (f"from,until,hours,area\n2026-10-08,2026-10-09,off,{MINHE}\n2026-10-08,2026-10-08,off,\n", "off"),
    "days": ("day,class,name\n2026-10-08,holiday,县庆\n2026-10-09,rest,\n", "rest"),
}


_WAITS = (
    "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
)


async def test_an_import_that_waits_for_a_refresh_holds_no_station(
    pool: Pool, connection: Connection, tmp_path: Path
) -> None:
    async with pool.acquire() as other:
        async with connection.transaction():
            await lock_calendars(connection)
            importing = asyncio.create_task(bring(other, tmp_path, f"S1,一,{TOWN},08:00-09:00\n"))
            async with asyncio.timeout(20):
                while not await connection.fetchval(_WAITS):
                    pass
            await connection.execute("SET LOCAL lock_timeout = '5s'")
            await connection.execute("UPDATE station SET name = 'other' WHERE id = 'S1'")
        assert (await importing).applied


@pytest.mark.parametrize("kind", FILES)
async def test_a_file_of_hours_again_changes_nothing_and_a_changed_one_does(
    connection: Connection, tmp_path: Path, kind: Kind
) -> None:
    await put_schedules(connection, {"S3": "WD 09:00-10:00; HD off"}, now=NOW, by="li")
    content, part = FILES[kind]
    first = await bring_file(connection, tmp_path, kind, content)
    assert (first.applied, first.new) == (True, 2)
    after = await open_at(connection, "2026-10-08T09:30")
    assert after == {"schedules": {"S1", "S2", "S3", "S4"}, "overrides": set(), "days": {"S1", "S2", "S4"}}[kind]
    again = await bring_file(connection, tmp_path, kind, content)
    assert (again.new, again.changed, again.unchanged) == (0, 0, 2)
    other = content.replace(part, {"off": "09:00-10:00", "rest": "workday"}.get(part, "11:00-12:00"))
    changed = await bring_file(connection, tmp_path, kind, other)
    assert changed.new == 0
    assert changed.changed > 0
    assert not (await refresh_calendars(connection, now=NOW)).changed
