"""Which of what fires becomes an incident, and when it is over: the same however it was cut into passes."""

from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from alerting.health.incident_rules import Firing, HealthBoard, HealthChange, Subject, health_key, subject_of
from alerting.health.incident_write import write_health
from alerting.health.stage import firing_before
from alerting.incidents.book import Book, Incident
from alerting.stations.snapshot import Standing
from tests.shelving import closed_by_hand

NOW = datetime(2026, 10, 1, 8, tzinfo=UTC)
DISK: Subject = ("S1", "001", "disk_full", "")
TV: Subject = ("S1", "002", "service_down", "tv")


class World:
    """Stations by their standing, and the incidents that passes leave behind."""

    def __init__(self) -> None:
        self.stations = {name: Standing(station=name, area="A1") for name in ("S1", "S2")}
        self.board = HealthBoard(self)
        self.incidents: dict[int, Incident] = {}
        self.now = NOW

    def standing(self, station: str) -> Standing | None:
        return self.stations.get(station)

    def become(self, **values: object) -> None:
        self.stations["S1"] = msgspec.structs.replace(self.stations["S1"], **values)

    def follow(self, *changes: HealthChange) -> list[str]:
        """A pass; the reasons of what was decided."""
        book = Book(self.incidents.values())
        write_health(book, self.board.follow_changes(changes) + self.board.judge_stations(self.stations), self.now)
        self._store(book)
        return [decision.reason for decision in book.decisions]

    def look(self) -> list[str]:
        return self.follow()

    def _store(self, book: Book) -> None:
        for new in book.opened:
            stored = msgspec.structs.replace(new, id=len(self.incidents) + 1)
            self.incidents[stored.id] = stored
        for changed in book.changed:
            self.incidents[changed.id] = changed

    def open(self) -> list[str]:
        return sorted(each.key for each in self.incidents.values() if each.is_open)

    def restart(self, firing: dict[Subject, Firing]) -> None:
        self.board = HealthBoard(self)
        self.board.restore_firing(firing, [subject_of(each) for each in self.incidents.values() if each.goes_on])


def told(minutes: float = 0, severity: str = "critical", field: str = "disk") -> Firing:
    at = NOW + timedelta(minutes=minutes)
    return Firing(since=at, as_of=at, field=field, severity=severity, threshold=0.95, value=0.97)


def fires(subject: Subject = DISK, minutes: float = 0, severity: str = "critical") -> HealthChange:
    return HealthChange(subject=subject, firing=True, reason="began", state=told(minutes, severity))


def ends(subject: Subject = DISK, minutes: float = 5, reason: str = "cleared") -> HealthChange:
    return HealthChange(subject=subject, firing=False, reason=reason, state=told(minutes))


def test_an_incident_says_what_is_wrong_and_ends_with_it() -> None:
    world = World()
    world.follow(fires(TV))
    (found,) = world.incidents.values()
    assert (found.kind, found.key, found.station, found.area) == ("health", "health:service_down:S1:002:tv", "S1", "A1")
    assert found.began_at == NOW
    assert found.detail == {
        "rule": "service_down", "terminal": "002", "subject": "tv", "field": "disk", "severity": "critical",
        "value": 0.97, "threshold": 0.95, "as_of": NOW,
    }  # fmt: skip
    assert subject_of(found) == TV
    assert world.follow(ends(TV)) == ["cleared"]
    (found,) = world.incidents.values()
    assert (found.status, found.ended_at) == ("closed", NOW + timedelta(minutes=5))


def test_only_what_is_critical_is_told() -> None:
    for severity, quiet in (("critical", None), ("warning", True), ("info", True)):
        world = World()
        world.follow(fires(severity=severity))
        assert [each.detail.get("quiet") for each in world.incidents.values()] == [quiet], severity


def test_a_version_is_shown_as_one() -> None:
    world = World()
    firing = Firing(since=NOW, as_of=NOW, field="agent", severity="info", threshold=2000.0, value=1009.0)
    subject = ("S1", "001", "agent_too_old", "")
    world.follow(HealthChange(subject=subject, firing=True, reason="began", state=firing))
    (found,) = world.incidents.values()
    assert (found.detail["value"], found.detail["threshold"]) == ("0.1.9", "0.2.0")


def test_stations_out_of_service_have_none() -> None:
    for lifecycle in ("planned", "suspended", "retired"):
        world = World()
        world.become(lifecycle=lifecycle)
        world.follow(fires())
        assert world.open() == [], lifecycle
        world.become(lifecycle="commissioned")
        world.look()
        assert world.open() == [health_key(DISK)], lifecycle
        world.become(lifecycle=lifecycle)
        assert world.look() == [lifecycle]
        assert world.open() == []


def test_a_deleted_station_and_a_removed_terminal_end_it() -> None:
    world = World()
    world.follow(fires(), fires(TV))
    world.board.set_unregistered({TV[:2]})
    assert world.look() == ["terminal_removed"]
    found = world.stations.pop("S1")
    assert world.follow() == []  # nobody told that it changed
    decided = Book(world.incidents.values())
    write_health(decided, world.board.judge_stations([found.station]), NOW)
    assert [each.reason for each in decided.decisions] == ["deleted"]


def test_a_closure_keeps_it_from_beginning_but_ends_nothing() -> None:
    world = World()
    world.follow(fires(TV))
    world.become(silenced=True)
    world.follow(fires(DISK))
    assert world.open() == [health_key(TV)]
    world.become(silenced=False)
    world.look()
    assert world.open() == [health_key(DISK), health_key(TV)]


def test_what_a_person_resolved_stays_resolved_until_it_begins_anew() -> None:
    world = World()
    world.follow(fires())
    (found,) = world.incidents.values()
    world.incidents[found.id] = closed_by_hand(found, NOW + timedelta(minutes=1))
    assert world.look() == []
    world.restart({DISK: told()})
    assert world.look() == []
    assert world.open() == []
    world.now = NOW + timedelta(hours=1)
    world.follow(ends(), fires(minutes=50))
    assert world.open() == [health_key(DISK)]


def test_what_fired_before_is_told_by_the_first_change_since() -> None:
    now = {DISK: told(20)}
    ahead = [ends(DISK, 10), fires(DISK, 20), fires(TV, 5), ends(TV, 6)]
    assert firing_before(now, ahead) == {DISK: told(10)}
    assert firing_before({}, []) == {}


SUBJECTS = [DISK, TV, ("S2", "001", "hot", "")]


@given(st.lists(st.tuples(st.sampled_from(SUBJECTS), st.booleans()), max_size=12), st.data())
def test_any_cut_into_passes_and_any_restart_gives_the_same(
    steps: list[tuple[Subject, bool]], data: st.DataObject
) -> None:
    """Passes that end anywhere, restarts between them, and the partitions (here: stations) interleaved otherwise."""
    firing: dict[Subject, Firing] = {}
    changes = []
    for minute, (subject, is_firing) in enumerate(steps):
        if is_firing == (subject in firing):
            continue
        changes.append((fires if is_firing else ends)(subject, minute))
        if is_firing:
            firing[subject] = told(minute)
        else:
            del firing[subject]
    once, pieces = World(), World()
    once.follow(*changes)
    order = data.draw(st.sampled_from(["S1", "S2", ""]))
    changes.sort(key=lambda change: change.subject[0] == order)
    while changes:
        size = data.draw(st.integers(1, len(changes)))
        pieces.follow(*changes[:size])
        del changes[:size]
        if data.draw(st.booleans()):
            pieces.restart(firing_before(firing, changes))
    assert spells(pieces) == spells(once)
    assert once.open() == sorted(map(health_key, firing))


def spells(world: World) -> list[tuple[str, str, datetime, datetime | None]]:
    return sorted((each.key, each.status, each.began_at, each.ended_at) for each in world.incidents.values())
