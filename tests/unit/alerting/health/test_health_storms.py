"""What one cause broke on many terminals pages once: the same in any order, cut into any passes, restarted anywhere."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.health.incident_rules import (
    CloseHealthIncident,
    Firing,
    HealthBoard,
    HealthChange,
    HealthIntent,
    OpenHealthIncident,
    Subject,
    health_key,
    subject_of,
)
from alerting.health.incident_write import HealthEvent, write_health
from alerting.health.storms_write import StormBoard, write_storms
from alerting.incidents.book import Book, Incident
from alerting.station_incidents.cause_settings import CauseSettings
from alerting.stations.snapshot import Standing
from tests.shelving import closed_by_hand

NOW = datetime(2026, 10, 1, 8, tzinfo=UTC)
PARENT = "health:disk_full:common"
SETTINGS = CauseSettings(least=5, returned=0.5, hold=300)


class World:
    """Stations S1, S2, … in a province, the even ones in one county; and the incidents that passes leave behind."""

    def __init__(self) -> None:
        self.incidents: dict[int, Incident] = {}
        self.told: list[str] = []
        self.now = NOW
        self.restart()

    def standing(self, station: str) -> Standing | None:
        county = f"C{int(station[1:]) % 2}"
        return Standing(station=station, area=county, path=("P", county))

    def restart(self) -> None:
        """Another process takes the lead: it has nothing but the incidents."""
        stored = sorted(self.incidents.values(), key=lambda each: each.id)
        open_now = [each for each in stored if each.goes_on and each.station is not None]
        parents = [each for each in stored if each.goes_on and each.station is None]
        known = {each.id for each in parents}
        self.board = StormBoard(self, SETTINGS)
        self.board.restore_storms(open_now, parents, [each for each in stored if each.parent in known])
        self.health = HealthBoard(self)
        firing = {subject_of(each): firing_of(each) for each in open_now}
        self.health.restore_firing(firing, firing)

    def follow(self, *changes: HealthChange, minutes: float = 0.0) -> None:
        """A pass, so many minutes after the last."""
        self.now += timedelta(minutes=minutes)
        book = Book(self._newest())
        self._finish(book, write_health(book, self.health.follow_changes(changes), self.now))

    def decide(self, *intents: HealthIntent) -> None:
        book = Book(self._newest())
        self._finish(book, write_health(book, intents, self.now))

    def look(self, minutes: float = 0.0) -> None:
        """A pass without news."""
        self.now += timedelta(minutes=minutes)
        self._finish(Book(self._newest()))

    def resolve(self, key: str) -> None:
        """A person closes it."""
        found = self.open_of(key)
        assert found is not None
        self.incidents[found.id] = closed_by_hand(found, self.now)

    def open_of(self, key: str) -> Incident | None:
        return next((each for each in self.incidents.values() if each.key == key and each.is_open), None)

    def children(self) -> list[str]:
        """The stations with an open incident that has an open parent."""
        return sorted(
            each.station or ""
            for each in self.incidents.values()
            if each.is_open and each.parent is not None and self.incidents[each.parent].is_open
        )

    def alone(self) -> list[str]:
        return sorted(each.station or "" for each in self.incidents.values() if each.is_open and each.pages)

    def take_told(self) -> list[str]:
        told, self.told = self.told, []
        return told

    def _newest(self) -> list[Incident]:
        return list({each.key: each for each in sorted(self.incidents.values(), key=lambda each: each.id)}.values())

    def _finish(self, book: Book, events: Sequence[HealthEvent] = ()) -> None:
        self.board.note_events(events, self.now)
        plan = self.board.take_plan(self.now)
        write_storms(book, plan, self.now)
        ids = {new.id: len(self.incidents) + place for place, new in enumerate(book.opened, 1)}
        phases = [(ids.get(number, number), phase) for number, phase in book.notifications()]
        for each in [*book.opened, *book.changed]:
            number = ids.get(each.id, each.id)
            parent = None if each.parent is None else ids.get(each.parent, each.parent)
            self.incidents[number] = msgspec.structs.replace(each, id=number, parent=parent)
        self.told += sorted(f"{self.incidents[number].station or 'common'} {phase}" for number, phase in phases)


def disk(station: int) -> Subject:
    return (f"S{station}", "001", "disk_full", "")


def firing_of(incident: Incident) -> Firing:
    return Firing(since=incident.began_at, as_of=incident.began_at, severity=incident.detail["severity"])


def fires(
    station: int, minute: float = 0.0, severity: str = "critical", subject: Subject | None = None
) -> HealthChange:
    at = NOW + timedelta(minutes=minute)
    told = Firing(since=at, as_of=at, severity=severity)
    return HealthChange(subject=subject or disk(station), firing=True, reason="began", state=told)


def ends(station: int, minute: float = 5.0) -> HealthChange:
    at = NOW + timedelta(minutes=minute)
    return HealthChange(subject=disk(station), firing=False, reason="cleared", state=Firing(since=at, as_of=at))


def names(*stations: int) -> list[str]:
    return sorted(f"S{station}" for station in stations)


def broken(*stations: int) -> World:
    """In which these stations' disks filled together."""
    world = World()
    world.follow(*map(fires, stations), minutes=10)
    world.take_told()
    return world


def test_many_at_once_page_once_and_say_where() -> None:
    world = World()
    world.follow(*map(fires, (2, 4, 6, 8, 10)), minutes=10)
    assert world.take_told() == ["common opened"]
    parent = world.open_of(PARENT)
    assert parent is not None
    assert (parent.kind, parent.station, parent.area, parent.began_at) == ("health", None, "C0", NOW)
    assert parent.detail == {"rule": "disk_full", "severity": "critical", "children": 5}
    assert world.children() == names(2, 4, 6, 8, 10)
    world.follow(fires(3, minute=12), minutes=5)
    assert world.take_told() == []
    grown = world.open_of(PARENT)
    assert grown is not None and grown.area == "P"


def test_fewer_page_each_and_those_that_did_are_adopted_by_the_fifth() -> None:
    world = World()
    world.follow(*map(fires, (1, 2, 3, 4)), minutes=10)
    assert world.take_told() == [f"S{n} opened" for n in (1, 2, 3, 4)]
    assert world.open_of(PARENT) is None
    world.follow(fires(5, minute=8), minutes=1)
    assert world.take_told() == ["common opened"]
    assert world.children() == names(1, 2, 3, 4, 5)


def test_what_has_nothing_in_common_pages_each() -> None:
    for case, changes in {
        "far apart": [fires(n, minute=40 * n) for n in range(1, 8)],
        "other services": [fires(n, subject=(f"S{n}", "001", "service_down", f"s{n}")) for n in range(1, 8)],
        "not critical": [fires(n, severity="warning") for n in range(1, 8)],
    }.items():
        world = World()
        world.follow(*changes, minutes=400)
        assert all(each.station is not None for each in world.incidents.values()), case


def test_a_service_has_a_storm_of_its_own() -> None:
    world = World()
    down = [fires(n, subject=(f"S{n}", "001", "service_down", "reader")) for n in range(1, 6)]
    world.follow(*down, *map(fires, (1, 2)), minutes=10)
    assert world.take_told() == ["S1 opened", "S2 opened", "common opened"]
    parent = world.open_of("health:service_down:reader:common")
    assert parent is not None and parent.detail["subject"] == "reader"


def test_it_is_over_when_all_are_well_and_held() -> None:
    world = broken(1, 2, 3, 4, 5)
    world.follow(*map(ends, (1, 2, 3, 4, 5)), minutes=10)
    over = world.now
    world.look(minutes=4)
    assert world.open_of(PARENT) is not None
    assert world.take_told() == []
    world.look(minutes=1)
    assert world.take_told() == ["common closed"]
    (parent,) = (each for each in world.incidents.values() if each.station is None)
    assert (parent.ended_at, parent.detail["ended_by"], parent.detail["children"]) == (over, "all_back", 5)


def test_those_that_are_left_page_alone() -> None:
    world = broken(1, 2, 3, 4, 5)
    world.follow(*map(ends, (1, 2, 3)), minutes=10)
    world.look(minutes=5)
    assert world.take_told() == ["S4 opened", "S5 opened", "common closed"]
    assert world.alone() == names(4, 5)
    world.follow(ends(4, minute=30), minutes=10)
    assert world.take_told() == ["S4 closed"]


def test_while_enough_are_left_it_goes_on() -> None:
    world = broken(*range(1, 13))
    world.follow(*map(ends, range(1, 8)), minutes=10)
    world.look(minutes=600)
    assert world.take_told() == []
    assert world.children() == names(8, 9, 10, 11, 12)


def test_one_that_comes_and_goes_is_of_it_still() -> None:
    world = broken(1, 2, 3, 4, 5)
    world.follow(ends(1), minutes=10)
    world.follow(fires(1, minute=300), minutes=300)
    assert world.children() == names(1, 2, 3, 4, 5)
    world.follow(fires(6, minute=300), minutes=1)
    assert world.take_told() == ["S6 opened"], "a disk that fills hours later is another matter"


def test_a_parent_that_a_person_closed_stays_closed_and_its_children_quiet() -> None:
    for restarts in (False, True):
        world = broken(1, 2, 3, 4, 5)
        world.resolve(PARENT)
        if restarts:
            world.restart()
        world.follow(fires(6, minute=20), minutes=1)
        world.follow(ends(1), minutes=1)
        world.look(minutes=600)
        assert world.take_told() == []
        assert world.open_of(PARENT) is None
        world.follow(*map(ends, (2, 3, 4, 5, 6)), minutes=1)
        world.look(minutes=10)
        assert world.take_told() == ["common closed"], "that it is over is told when it is"
        world.follow(*(fires(n, minute=900) for n in range(1, 6)), minutes=400)
        assert world.take_told() == ["common opened"], "another day it is another storm"


def test_children_that_a_person_closed_are_still_bad() -> None:
    for restarts in (False, True):
        world = broken(1, 2, 3, 4, 5)
        for station in range(1, 6):
            world.resolve(health_key(disk(station)))
        if restarts:
            world.restart()
        world.look(minutes=60)
        assert world.open_of(PARENT) is not None, "its cause is not over because of a word"
        world.follow(*map(ends, (1, 2, 3, 4, 5)), minutes=1)
        world.look(minutes=10)
        assert world.take_told() == ["common closed"]


def test_what_began_and_ended_before_anybody_looked_does_not_page_each() -> None:
    world = World()
    world.follow(*map(fires, (1, 2, 3, 4, 5)), *map(ends, (1, 2, 3, 4, 5)), minutes=30)
    world.look(minutes=5)
    assert world.take_told() == ["common opened", "common closed"]


def test_those_that_are_left_are_of_the_next_storm_when_it_is_near() -> None:
    world = broken(1, 2, 3, 4, 5)
    world.follow(*map(ends, (1, 2, 3)), minutes=5)
    world.look(minutes=5)
    assert world.alone() == names(4, 5)
    world.follow(*(fires(n, minute=20) for n in (6, 7, 8)), minutes=1)
    assert world.children() == names(4, 5, 6, 7, 8)


def test_what_is_over_is_no_evidence() -> None:
    for restarts in (False, True):
        world = World()
        for station in range(1, 9):
            world.follow(fires(station, minute=station), minutes=1)
            world.follow(ends(station, minute=station + 1))
            if restarts:
                world.restart()
        assert all(each.station is not None for each in world.incidents.values())


def test_what_nobody_is_told_of_is_no_evidence() -> None:
    for restarts in (False, True):
        world = World()
        world.follow(*(fires(n, severity="warning") for n in range(1, 8)))
        if restarts:
            world.restart()
        world.follow(fires(8))
        assert world.take_told() == ["S8 opened"]


def test_what_grows_after_a_person_closed_it_opens_again() -> None:
    for restarts in (False, True):
        world = broken(1, 2, 3, 4, 5)
        world.resolve(PARENT)
        if restarts:
            world.restart()
        world.follow(*(fires(n, minute=10) for n in range(11, 14)), minutes=10)
        assert world.take_told() == []
        world.follow(*(fires(n, minute=20) for n in range(14, 17)), minutes=10)
        assert world.take_told() == ["common reopened"]


def clusters(began: dict[int, int]) -> list[str]:
    """By brute force: who is in the storm that grows from any five within half an hour."""
    minutes = sorted(began.values())
    cores = [(a, b) for a, b in zip(minutes, minutes[4:], strict=False) if b - a <= 30]
    if not cores:
        return []
    low, high = min(a for a, _ in cores), max(b for _, b in cores)
    for _ in minutes:
        near = [minute for minute in minutes if low - 30 <= minute <= high + 30]
        low, high = min(low, *near), max(high, *near)
    return names(*(station for station, minute in began.items() if low <= minute <= high))


BEGINNINGS = st.dictionaries(st.integers(1, 30), st.sampled_from(range(0, 200, 5)), min_size=10, max_size=25)


@settings(max_examples=150, deadline=None)
@given(began=BEGINNINGS, data=st.data())
def test_any_order_any_passes_any_restart_find_the_same(began: dict[int, int], data: st.DataObject) -> None:
    world = World()
    changes = [fires(station, minute=minute) for station, minute in began.items()]
    changes += data.draw(st.lists(st.sampled_from(changes), max_size=5))
    world.now += timedelta(hours=6)
    for change in data.draw(st.permutations(changes)):
        if data.draw(st.booleans()):
            world.restart()
        world.follow(change)
    expected = clusters(began)
    assert world.children() == expected
    assert world.alone() == sorted([*({f"S{n}" for n in began} - set(expected)), *([""] if expected else [])])
    told = world.take_told()
    assert len(told) == len(set(told)), "nobody is told twice"
    parent = world.open_of(PARENT)
    if parent is not None:
        inside = [minute for station, minute in began.items() if f"S{station}" in expected]
        assert parent.began_at == NOW + timedelta(minutes=min(inside))


STEPS = st.tuples(st.sampled_from(["fires", "fires", "ends", "ends", "waits", "resolves"]), st.integers(1, 9))


def run(steps: Sequence[tuple[str, int]], waits: Sequence[int], restarts: Sequence[bool]) -> World:
    """Terminals 8 and 9 have a limit of their own, of which nobody is told."""
    world = World()
    for (what, station), wait, restart in zip(steps, waits, restarts, strict=True):
        if restart:
            world.restart()
        world.look(wait)
        minute = (world.now - NOW).total_seconds() / 60
        known = world.open_of(health_key(disk(station)))
        if what == "fires" and known is None:
            told = fires(station, minute, "warning" if station >= 8 else "critical").state
            world.decide(OpenHealthIncident(disk(station), told, "C0"))
        elif what == "ends" and known is not None:
            world.decide(CloseHealthIncident(disk(station), "cleared"))
        elif what == "resolves" and station == 1 and world.open_of(PARENT) is not None:
            world.resolve(PARENT)
            world.look()
    return world


@settings(max_examples=200, deadline=None)
@given(data=st.data(), steps=st.lists(STEPS, min_size=5, max_size=50))
def test_restarts_change_nothing_that_is_decided_or_told(data: st.DataObject, steps: list[tuple[str, int]]) -> None:
    steps = [("fires", station) for station in range(1, 6)] + steps
    size = len(steps)
    waits = data.draw(st.lists(st.sampled_from([0, 0, 0, 1, 2, 5, 40]), min_size=size, max_size=size))
    restarts = data.draw(st.lists(st.booleans(), min_size=size, max_size=size))
    steady, restarted = run(steps, waits, [False] * size), run(steps, waits, restarts)
    assert restarted.incidents == steady.incidents
    assert restarted.told == steady.told
