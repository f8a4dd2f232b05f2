"""A past day computed from the registry's facts: as it was, whatever was edited since, in any order of the facts."""

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerting.stations.expected import CalendarNow, ClosureNow, Cover
from alerting.stations.verdict import Clock, Judgement, judge
from audit.decisions import decided_then
from audit.timeline import HistoryInterval, StateChange, StationDecisions, timeline
from registry.closures.rules import Closures, NewClosure
from registry.closures.store import approve, declare, load_closures, withdraw
from registry.facts.as_of import RegistryAsOf
from registry.facts.model import StationThen
from registry.facts.store import QUERIES, load_facts, take_cut
from registry.hours.calendar import ALWAYS, Calendar
from registry.hours.calendar_store import load_calendars, refresh_calendars
from registry.hours.schedule_store import put_days, put_kind_schedules, put_overrides, put_schedules
from registry.model import LIFECYCLES, Area, DatedHours, KindSchedule, NamedDay, Station
from registry.store import list_areas, load_stations, upsert_areas, upsert_stations
from store.author import Author
from store.pool import Connection, Pool, open_pool

DAY = datetime(2026, 9, 30, 16, tzinfo=UTC)
"""The beginning of the past day, the first of October in China."""
NEXT = DAY + timedelta(days=1)
STATIONS = ("s", "t")
AREAS = ("63", "6321", "64")
KINDS = (None, "library", "kiosk")
PROGRAMMES = ("border", "steppe")
RULES = ("24x7", "Mo-Su 09:00-17:30", "WD 08:00-12:00,14:00-18:00; HD off", "off", "[Asia/Urumqi] Mo-Su 20:00-26:00")
DATED = ("off", "10:00-12:00", "+19:00-21:00", "scheduled")

Edit = Callable[[Connection, datetime], Awaitable[Any]]
stations, areas, kinds = st.sampled_from(STATIONS), st.sampled_from(AREAS), st.sampled_from(KINDS)
days = st.integers(-2, 2).map(lambda n: date(2026, 10, 1) + timedelta(days=n))
rules = st.sampled_from(RULES)


def edit(*parts: st.SearchStrategy[Any]) -> Callable[[Callable[..., Awaitable[Any]]], st.SearchStrategy[Edit]]:
    """A strategy of edits: the function gets the connection, the time, and what is drawn of `parts`."""

    def made(function: Callable[..., Awaitable[Any]]) -> st.SearchStrategy[Edit]:
        def bound(drawn: tuple[Any, ...]) -> Edit:
            async def run(connection: Connection, now: datetime) -> None:
                await function(connection, now, *drawn)

            run.__qualname__ = f"{function.__name__}{drawn}"
            return run

        return st.tuples(*parts).map(bound)

    return made


@edit(stations, areas | st.none(), kinds, st.sampled_from(LIFECYCLES), st.sets(st.sampled_from(PROGRAMMES)))
async def import_station(
    connection: Connection, _: datetime, name: str, area: str | None, kind: str, lifecycle: str, joined: set[str]
) -> None:
    programmes = tuple(sorted(joined))
    station = Station(id=name, name=name, area=area, kind=kind, lifecycle=lifecycle, programmes=programmes)
    await upsert_stations(connection, [station])


@edit(stations, st.integers(1, 3))
async def change_quorum(connection: Connection, _: datetime, name: str, quorum: int) -> None:
    await connection.execute("UPDATE station SET quorum = $2 WHERE id = $1", name, quorum)


@edit(stations, st.booleans())
async def change_counting(connection: Connection, _: datetime, name: str, counts: bool) -> None:
    await connection.execute("UPDATE terminal SET counts = $2 WHERE station = $1 AND id = '002'", name, counts)


@edit(stations, rules | st.just("kind"))
async def change_schedule(connection: Connection, now: datetime, name: str, text: str) -> None:
    await put_schedules(connection, {name: text}, now=now, by="x")


@edit(kinds.filter(bool), days, rules)
async def change_kind_schedule(connection: Connection, _: datetime, kind: str, day: date, text: str) -> None:
    await put_kind_schedules(connection, [KindSchedule(kind=kind, valid_from=day, rules=text)], by="x")


SCOPES = [{}, {"kind": "library"}, *({"area": area} for area in AREAS), *({"station": name} for name in STATIONS)]


@edit(st.sampled_from(SCOPES), days, days, st.sampled_from(DATED))
async def override(
    connection: Connection, _: datetime, scope: dict[str, str], one: date, other: date, text: str
) -> None:
    hours = DatedHours(first=min(one, other), last=max(one, other), rules=text, **scope)
    await put_overrides(connection, [hours], by="x")


@edit(days, st.sampled_from(["workday", "rest", "holiday"]))
async def name_day(connection: Connection, _: datetime, day: date, day_class: str) -> None:
    await put_days(connection, [NamedDay(day=day, day_class=day_class)])


CLOSED = [{"programme": "border"}, *({"area": area} for area in AREAS), *({"station": name} for name in STATIONS)]


@edit(st.sampled_from(CLOSED), st.integers(-10, 30), st.integers(1, 20))
async def close(connection: Connection, _: datetime, scope: dict[str, str], hour: int, hours: int) -> None:
    begin = DAY + timedelta(hours=hour)
    new = NewClosure(
        from_at=begin, until_at=begin + timedelta(hours=hours), reason="x", declared_by="operator", **scope
    )
    await declare(connection, new)


@edit(st.booleans(), st.integers(0, 5))
async def settle(connection: Connection, _: datetime, approved: bool, place: int) -> None:
    number = await connection.fetchval("SELECT id FROM closure ORDER BY id OFFSET $1 LIMIT 1", place)
    status = await connection.fetchval("SELECT withdrawn_at FROM closure WHERE id = $1", number)
    if number is not None and status is None:
        await (
            approve(connection, number, by=Author("admin"))
            if approved
            else withdraw(connection, number, by=Author("operator"))
        )


@edit(st.sampled_from(["63", "64"]))
async def move_area(connection: Connection, now: datetime, parent: str) -> None:
    area = Area(code="6321", name="h", parent=parent, level="county", path=(parent, "6321"))
    await upsert_areas(connection, [area], at=now)


edits = st.one_of(
    import_station, change_quorum, change_counting, change_schedule, change_kind_schedule, override, name_day, close,
    settle, move_area,
)  # fmt: skip


class Tables(NamedTuple):
    """What the present tables say of a station."""

    then: StationThen
    calendar: Calendar
    closures: list[tuple[int, datetime, datetime, datetime | None]]

    def decided(self) -> StationDecisions:
        """The decisions over the past day, were they to stay as they are."""
        openings = None if self.calendar is ALWAYS else tuple(self.calendar.openings(DAY, NEXT))
        spans = [(begin, end) for _, begin, end, approved in self.closures if approved is not None and begin < end]
        within = tuple((max(begin, DAY), min(end, NEXT)) for begin, end in spans if begin < NEXT and end > DAY)
        return StationDecisions(openings=openings, closures=within, lifecycles=((DAY, self.then.lifecycle),))


async def present(connection: Connection, name: str) -> Tables:
    """Read by the queries and calendars that judge the present."""
    now = await connection.fetchval("SELECT now()")
    await refresh_calendars(connection, now=now)
    station = (await load_stations(connection, [name]))[name]
    area = (await list_areas(connection)).get(station.area or "")
    path = area.path if area else ()
    counts = await connection.fetch("SELECT id, counts FROM terminal WHERE station = $1", name)
    number = await connection.fetchval("SELECT calendar FROM station WHERE id = $1", name)
    calendars = await load_calendars(connection)
    closures = Closures(await load_closures(connection, since=DAY - timedelta(days=9)))
    return Tables(
        StationThen(
            station=name, area=station.area, path=path, kind=station.kind, lifecycle=station.lifecycle,
            quorum=station.quorum, counts={row["id"]: row["counts"] for row in counts}, programmes=station.programmes,
        ),
        ALWAYS if number is None else calendars[number],
        [(c.id, c.from_at, c.ends_at, c.approved_at) for c in closures.of_station(name, path, station.programmes)],
    )  # fmt: skip


def told(registry: RegistryAsOf, name: str, at: datetime) -> Tables:
    """The same from facts."""
    then = registry.station(name, at)
    assert then is not None
    closures = [c for c in registry.closures(then) if c.ends_at > c.from_at]
    return Tables(then, registry.calendar(then), [(c.id, c.from_at, c.ends_at, c.approved_at) for c in closures])


def same(ours: Tables, theirs: Tables) -> None:
    """Both say the same, and so the calendar has the same openings on the past day."""
    assert ours.then == theirs.then
    assert ours.closures == theirs.closures
    assert ours.calendar.openings(DAY, NEXT) == theirs.calendar.openings(DAY, NEXT)
    for hour in range(0, 24, 5):
        at = DAY + timedelta(hours=hour, minutes=30)
        assert judged(ours, at) == judged(theirs, at)


def judged(tables: Tables, at: datetime) -> Judgement:
    """The verdict of a station that was silent since the day before, by the rules of the present."""
    then = tables.then
    calendar = CalendarNow(calendar=1, open=tables.calendar.is_open(at))
    closures = [
        ClosureNow(id=number, from_at=begin, approved=approved is not None, station=then.station)
        for number, begin, end, approved in tables.closures
        if begin <= at < end
    ]
    hours = Cover([calendar], closures).hours(then.station, then.path, then.programmes, 1)
    clock = Clock(partition=0, shard="main", clock=0.0, tick_at=at, judged_at=at)
    since = DAY - timedelta(days=1)
    return judge(lifecycle=then.lifecycle, state="offline", usable=None, since=since, clock=clock, now=at, hours=hours)


def verdicts(decided: StationDecisions) -> list[HistoryInterval]:
    """The day of a station that is online, away, offline and unusable in turn."""
    states = [("online", True), ("away", None), ("offline", None), ("online", False), ("offline", None)]
    changes = [
        StateChange(seq=n, at=DAY + timedelta(hours=n * 5), state=state, usable=usable)
        for n, (state, usable) in enumerate(states)
    ]
    return timeline(changes, [], [], begin=DAY, end=NEXT, decided=decided)


@asynccontextmanager
async def world(url: str) -> AsyncIterator[Connection]:
    """Two stations of a county, in a transaction that is rolled back, registered since always."""
    connection = await asyncpg.connect(url)
    try:
        transaction = connection.transaction()
        await transaction.start()
        await effective(connection, datetime(1900, 1, 1, tzinfo=UTC))
        await connection.execute(
            "INSERT INTO area (code, name, parent, level, path) VALUES ('63', 'q', NULL, 'province', '{63}'),"
            " ('64', 'n', NULL, 'province', '{64}'), ('6321', 'h', '63', 'county', '{63,6321}');"
            "INSERT INTO programme VALUES ('border', 'b'), ('steppe', 's');"
            "INSERT INTO station (id, name, area) VALUES ('s', 's', '6321'), ('t', 't', '64');"
            "INSERT INTO terminal (station, id) SELECT id, t FROM station, unnest('{001,002}'::text[]) AS t"
        )
        yield connection
        await transaction.rollback()
    finally:
        await connection.close()


async def effective(connection: Connection, at: datetime) -> None:
    """Edits hold from this time on."""
    await connection.execute("SELECT set_config('milepost.effective_at', $1, true)", at.isoformat())


async def run(connection: Connection, some: list[Edit], at: datetime) -> None:
    await effective(connection, at)
    for one in some:
        await one(connection, at)


PROPERTY = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@PROPERTY
@given(before=st.lists(edits, max_size=8), after=st.lists(edits, max_size=8), seed=st.randoms(use_true_random=False))
async def test_a_past_day_is_what_it_was(
    database: str, before: list[Edit], after: list[Edit], seed: random.Random
) -> None:
    """Edits before the day, the day, edits of anything after it: with the cut of the day, the day stays as it was."""
    async with world(database) as connection:
        await run(connection, before, DAY - timedelta(days=5))
        was = {name: await present(connection, name) for name in STATIONS}
        cut = await connection.fetchval(QUERIES.newest_fact)
        await run(connection, after, DAY - timedelta(days=1))
        facts = await load_facts(connection, STATIONS)
        seed.shuffle(facts)
        registry = RegistryAsOf(facts, cut)
        at_the_cut = RegistryAsOf(await load_facts(connection, STATIONS, cut))
        for name, tables in was.items():
            same(told(registry, name, DAY), tables)
            decided = decided_then(registry, name, DAY, NEXT)
            assert decided == decided_then(at_the_cut, name, DAY, NEXT)
            assert verdicts(decided) == verdicts(tables.decided())


@PROPERTY
@given(steps=st.lists(st.lists(edits, min_size=1, max_size=2), min_size=1, max_size=6))
async def test_facts_say_at_every_moment_what_the_tables_said_then(database: str, steps: list[list[Edit]]) -> None:
    """With all that is known at the end; a move counts from the midnight after it."""
    async with world(database) as connection:
        said: list[tuple[datetime, dict[str, Tables]]] = []
        for n, some in enumerate(steps):
            at = DAY + timedelta(hours=7 * n)
            await run(connection, some, at)
            said.append((at, {name: await present(connection, name) for name in STATIONS}))
        registry = RegistryAsOf(await load_facts(connection, STATIONS))
        for at, stood in said:
            for name, tables in stood.items():
                then = registry.station(name, at)
                assert then is not None
                for field in ("kind", "lifecycle", "quorum", "counts", "programmes"):
                    assert getattr(then, field) == getattr(tables.then, field), (name, field, at)
        last, stood = said[-1]
        for name, tables in stood.items():
            same(told(registry, name, last + timedelta(days=1)), tables)


async def test_a_move_divides_days_and_not_hours(database: str) -> None:
    async with world(database) as connection:
        await run(connection, [_moved_to("64")], DAY + timedelta(hours=9))
        registry = RegistryAsOf(await load_facts(connection, ["s"]))
        moments = {at: registry.station("s", at) for at in (DAY, NEXT - timedelta(seconds=1), NEXT)}
        assert [then and then.path for then in moments.values()] == [("63", "6321"), ("63", "6321"), ("64",)]
        assert registry.changes("s", DAY, NEXT + timedelta(days=1)) == [NEXT]


def _moved_to(area: str) -> Edit:
    async def move(connection: Connection, _: datetime) -> None:
        await connection.execute("UPDATE station SET area = $1 WHERE id = 's'", area)

    return move


async def test_hours_of_a_day_follow_what_the_station_was_in_each_hour(database: str) -> None:
    """A station becomes another kind, with other hours, in the middle of the day, and is suspended in the evening."""
    async with world(database) as connection:
        await put_kind_schedules(connection, [KindSchedule(kind="kiosk", rules="Mo-Su 06:00-23:00")], by="x")
        await effective(connection, DAY + timedelta(hours=12))
        await connection.execute("UPDATE station SET kind = 'kiosk' WHERE id = 's'")
        await effective(connection, DAY + timedelta(hours=20))
        await connection.execute("UPDATE station SET lifecycle = 'suspended' WHERE id = 's'")
        decided = decided_then(RegistryAsOf(await load_facts(connection, ["s"])), "s", DAY, NEXT)
    assert decided.openings is not None
    assert union_of(decided.openings) == [(DAY, DAY + timedelta(hours=23))]
    assert dict(decided.lifecycles)[DAY + timedelta(hours=20)] == "suspended"


def union_of(spans: tuple[tuple[datetime, datetime], ...]) -> list[tuple[datetime, datetime]]:
    """Spans that touch as one."""
    merged: list[tuple[datetime, datetime]] = []
    for begin, end in sorted(spans):
        if merged and begin <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((begin, end))
    return merged


async def test_a_correction_counts_from_its_cut_on(database: str) -> None:
    async with world(database) as connection:
        await run(connection, [_suspended], DAY + timedelta(days=3))
        cut = await connection.fetchval(QUERIES.newest_fact)
        await run(connection, [_planned], DAY)
        facts = await load_facts(connection, ["s"])
        known, corrected = (RegistryAsOf(facts, upto).station("s", DAY) for upto in (cut, None))
        assert known and known.lifecycle == "commissioned"
        assert corrected and corrected.lifecycle == "planned"
        later = RegistryAsOf(facts).station("s", DAY + timedelta(days=4))
        assert later and later.lifecycle == "planned"


async def _suspended(connection: Connection, _: datetime) -> None:
    await connection.execute("UPDATE station SET lifecycle = 'suspended' WHERE id = 's'")


async def _planned(connection: Connection, _: datetime) -> None:
    await connection.execute("UPDATE station SET lifecycle = 'planned' WHERE id = 's'")


async def test_a_station_that_is_registered_again_begins_anew(database: str) -> None:
    async with world(database) as connection:
        await run(connection, [_moved_to("64")], DAY)
        await effective(connection, DAY + timedelta(hours=1))
        await connection.execute("DELETE FROM station WHERE id = 's'")
        await effective(connection, DAY + timedelta(hours=2))
        await connection.execute("INSERT INTO station (id, name, kind) VALUES ('s', 's', 'x')")
        registry = RegistryAsOf(await load_facts(connection, ["s"]))
        assert registry.station("s", DAY + timedelta(minutes=90)) is None
        again = registry.station("s", NEXT + timedelta(days=1))
        assert again == StationThen(station="s", kind="x")


async def test_a_cut_waits_for_facts_that_are_not_committed(pool: Pool) -> None:
    async with pool.acquire() as writer, pool.acquire() as reader:
        with pytest.raises(AssertionError):
            async with reader.transaction():
                await take_cut(reader)
        empty = await take_cut(reader)
        writing = writer.transaction()
        await writing.start()
        await writer.execute("INSERT INTO station (id, name) VALUES ('a', 'A')")
        with pytest.raises(TimeoutError):
            await take_cut(reader, within=0.0)
        await writing.commit()
        cut = await take_cut(reader)
        assert cut > empty
        assert [fact.subject for fact in await load_facts(reader, ["a"], cut)] == ["a"]
        assert await load_facts(reader, ["a"], empty) == []


async def test_a_service_may_take_a_cut(database: str) -> None:
    async with open_pool(database, name="test", size=1) as pool, pool.acquire() as connection:
        await connection.execute("SET ROLE milepost_service")
        assert await take_cut(connection) == 0
