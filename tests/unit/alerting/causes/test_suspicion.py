"""A shard of which nearly all falls together is suspected; stations that close, die or are excused are not."""

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.causes.evidence import Peer
from alerting.causes.suspicion_rules import MassSettings, Member, Suspicion
from alerting.causes.suspicion_tracker import Suspicions
from alerting.incidents.book import Book, Incident
from alerting.pipeline.blind_incidents import View, follow_pipeline, pipeline_key
from alerting.station_incidents.rules import RuleSettings
from alerting.station_incidents.timers import StationWatch
from alerting.station_incidents.write import write_intents
from alerting.stations.model import Facts, StationChange
from alerting.stations.snapshot import DOUBTFUL, PassTime
from alerting.stations.table import Field
from registry.closures.rules import Closure
from registry.hours.calendar import Version, calendar_of
from tests.unit.alerting.field_kit import at

EVERY = timedelta(seconds=60)
SECOND = timedelta(seconds=1)
BEGIN = at("09:00")
DAY = calendar_of([Version(date.min, "Mo-Su 08:00-17:30")])


class Station(msgspec.Struct):
    """Beats while it is on, from `phase` seconds after the minute on."""

    name: str
    phase: int
    every: timedelta
    heard: datetime
    on: bool = True
    state: str = "online"


class Process:
    """One incident process over a shard whose judges are never late; `told` says which stations are offline when."""

    def __init__(self, *groups: tuple[int, str | None], margin: float = 600.0, every: timedelta = EVERY) -> None:
        self.now = BEGIN
        self.settings = MassSettings(margin=margin)
        self.stations: dict[str, Station] = {}
        self.facts: list[Facts] = []
        for number, (size, hours) in enumerate(groups):
            for place in range(size):
                name = f"{'abc'[number]}{place:02d}"
                phase = 7 * place % round(every.total_seconds())
                self.stations[name] = Station(name, phase, every, BEGIN + phase * SECOND - every)
                calendar = 1 if hours else None
                self.facts.append(Facts(station=name, commissioned_at=BEGIN - timedelta(days=9), calendar=calendar))
        self.closures: list[Closure] = []
        self.kept: dict[tuple[str, datetime], bytes] = {}
        self.members: list[Member] = []
        self.incidents: dict[int, Incident] = {}
        self.told: list[tuple[str, str]] = []
        self.decisions: dict[str, datetime] = {}
        self.field = Field(self.now, {1: DAY})
        for facts in self.facts:
            self.field.restore_station(facts)
            hours = 2 if facts.calendar is None else 1
            first = change(facts.station, "never_seen", "online", BEGIN - timedelta(hours=hours))
            self.field.apply(first)
        self.field.take_changes()
        self._take_the_lead()

    def _take_the_lead(self) -> None:
        self.watch = StationWatch(self.field, RuleSettings())
        self.core = Suspicions(self.settings, self.field)
        self.core.restore([msgspec.json.decode(one, type=Suspicion) for one in self.kept.values()])
        self.watch.reconcile([(one.station or "", one.kind) for one in self.incidents.values() if one.is_open])

    def restart(self) -> None:
        """Another process takes over, with what was kept."""
        field = Field(self.now, {1: DAY})
        for facts in self.facts:
            field.restore_station(facts)
            station = self.stations[facts.station]
            if station.state == "offline":
                field.apply(self._fall(station, self.now))
            else:
                field.apply(change(station.name, "never_seen", "online", BEGIN - timedelta(hours=1)))
        field.schedule.set_closures(self.closures)
        field.take_changes()
        self.field = field
        self._take_the_lead()

    def excuse(self, name: str, until: datetime) -> None:
        self.closures.append(
            Closure(
                id=len(self.closures) + 1, station=name, from_at=self.now, until_at=until, reason="roof",
                declared_by="a", declared_at=self.now, approved_by="b", approved_at=self.now,
            )
        )  # fmt: skip
        self.field.schedule.set_closures(self.closures)

    def switch(self, names: Iterable[str], *, on: bool) -> None:
        for name in names:
            self.stations[name].on = on

    def group(self, letter: str) -> list[str]:
        return [name for name in self.stations if name.startswith(letter)]

    # -- time --------------------------------------------------------------------------------------------------

    def run_until(self, until: datetime, step: int = 5) -> None:
        while self.now < until:
            self.now = min(self.now + step * SECOND, until)
            self._pass()

    def _pass(self) -> None:
        changes = sorted(self._judged(), key=lambda one: one.tick_at)
        moment = PassTime(now=self.now, known=self.now)
        asked = self.core.wanted(changes, moment)
        peers = {shard: [self._peer(one) for one in found.stations] for shard, found in asked.items()}
        self.core.begin(peers, moment, "7")
        intents = self.watch.follow(changes, moment)
        book = Book(self.incidents.values())
        write_intents(book, intents, self.now)
        taken = self.watch.take_changes()
        self.core.follow(taken, peers, self.decisions, moment)
        follow_pipeline(
            book,
            gaps=[],
            view=View(shards=("main",), well={"main": self.now}).doubting(self.core.troubles()),
            now=self.now,
        )
        self._keep(book)

    def _judged(self) -> list[StationChange]:
        found = []
        for one in self.stations.values():
            beat = self._last_beat(one)
            if one.on and beat > one.heard:
                one.heard = beat
                if one.state == "offline":
                    one.state = "online"
                    found.append(change(one.name, "offline", "online", beat))
            elif one.state == "online" and one.heard + 3 * one.every <= self.now:
                one.state = "offline"
                found.append(self._fall(one, one.heard + 3 * one.every))
        return found

    def _last_beat(self, one: Station) -> datetime:
        since = self.now - BEGIN - one.phase * SECOND
        return BEGIN + one.phase * SECOND + since // one.every * one.every

    def _fall(self, one: Station, decided: datetime) -> StationChange:
        return change(one.name, "online", "offline", one.heard + one.every, decided, seen_at=one.heard)

    def _peer(self, name: str) -> Peer:
        one = self.stations[name]
        return Peer(name, one.heard, one.heard + one.every, self.now > one.heard + one.every)

    def _keep(self, book: Book) -> None:
        for key, one in {**self.core.touched, **{(s.shard, s.opened_at): s for s, _ in self.core.moved}}.items():
            self.kept[key] = msgspec.json.encode(one)
        self.members += [member for _, member in self.core.moved]
        self.core.touched, self.core.moved = {}, []
        ids: dict[int, int] = {}
        for one in book.opened:
            ids[one.id] = len(self.incidents) + 1
            self.incidents[ids[one.id]] = msgspec.structs.replace(one, id=ids[one.id])
        for one in book.changed:
            self.incidents[one.id] = one
        for number, phase in book.notifications():
            self.told.append((self.incidents[ids.get(number, number)].key, phase))

    # -- asking ------------------------------------------------------------------------------------------------

    def states(self, letter: str = "") -> dict[str, int]:
        found: dict[str, int] = {}
        for name in self.group(letter):
            standing = self.field.standing(name)
            assert standing is not None
            found[standing.state] = found.get(standing.state, 0) + 1
        return found

    def accused(self) -> list[str]:
        return sorted(one.station for one in self.incidents.values() if one.station)

    @property
    def suspicion(self) -> Suspicion:
        (found,) = self.core.running.values()
        return found


def change(
    station: str, before: str, after: str, since: datetime, decided: datetime | None = None, **given: object
) -> StationChange:
    known: dict[str, object] = {"reason": "missed_heartbeats" if after == "offline" else after, "shard": "main"}
    return StationChange(
        station=station, before=before, after=after, at=since, tick_at=decided or since, **(known | given),  # type: ignore[arg-type]
    )  # fmt: skip


def test_a_shard_that_falls_at_once_in_open_hours_is_suspected_and_its_stations_unknown() -> None:
    process = Process((30, None))
    process.run_until(at("09:58"), step=60)
    process.run_until(at("10:00"))
    process.switch(process.group("a"), on=False)
    process.run_until(at("10:10"))
    assert process.states() == {"unproven": 30}
    assert process.accused() == []
    assert process.told == [(pipeline_key("main"), "opened")]
    found = process.suspicion
    assert (found.fell, found.counted, found.registry) == (30, 30, "7")
    assert sorted(found.members) == process.group("a")
    assert all(one.missed_at - one.heard_at == EVERY for one in found.members.values())


def test_when_half_are_back_the_rest_have_two_heartbeats_and_the_floor() -> None:
    process = Process((30, None))
    process.run_until(at("09:58"), step=60)
    process.run_until(at("10:00"))
    process.switch(process.group("a"), on=False)
    process.run_until(at("10:30"))
    process.switch(process.group("a")[:15], on=True)
    process.run_until(at("10:31:10"))
    ended = next(iter(process.kept.values()))
    over = msgspec.json.decode(ended, type=Suspicion)
    assert over.ended_by == "half_back" and over.ended_at is not None
    assert process.states() == {"online": 15, "unproven": 15}
    process.run_until(over.ended_at + timedelta(seconds=129))
    assert process.accused() == []
    process.run_until(over.ended_at + timedelta(seconds=140))
    assert process.accused() == process.group("a")[15:]
    assert process.states() == {"online": 15, "offline": 15}
    assert process.told[:2] == [(pipeline_key("main"), "opened"), (pipeline_key("main"), "closed")]
    offline = [one for one in process.incidents.values() if one.station]
    assert all(one.began_at < at("10:02") for one in offline), "since the first heartbeat that was missed"


def test_a_person_may_decide_that_the_shard_is_sound() -> None:
    process = Process((30, None))
    process.run_until(at("09:58"), step=60)
    process.run_until(at("10:00"))
    process.switch(process.group("a"), on=False)
    process.run_until(at("10:20"))
    process.decisions["main"] = at("09:59")
    process.run_until(at("10:30"))
    assert process.states() == {"unproven": 30}, "that decision was about something else"
    process.decisions["main"] = process.now
    process.run_until(at("10:35"))
    assert process.accused() == process.group("a")
    assert process.core.running == {}, "nor is that instant suspected again"


def switched_off(*groups: tuple[int, str | None], when: str, margin: float = 600.0) -> Process:
    """The stations of the first group are switched off at the wall at a time."""
    process = Process(*groups, margin=margin)
    process.run_until(at(when) - timedelta(minutes=20), step=60)
    process.run_until(at(when))
    process.switch(process.group("a"), on=False)
    process.run_until(at(when) + timedelta(minutes=30))
    return process


CLOSING: list[tuple[str, list[tuple[int, str | None]], str]] = [
    ("at their closing time", [(30, "day")], "17:30"),
    ("beside two that are open all day", [(30, "day"), (2, None)], "17:30"),
    ("a little before", [(30, "day"), (2, None)], "17:25"),
    ("a little after", [(30, "day"), (2, None)], "17:32"),
]


@pytest.mark.parametrize(("groups", "when"), [case[1:] for case in CLOSING], ids=[case[0] for case in CLOSING])
def test_stations_that_are_switched_off_when_they_close_say_nothing(
    groups: list[tuple[int, str | None]], when: str
) -> None:
    process = switched_off(*groups, when=when)
    assert process.kept == {} and pipeline_key("main") not in {key for key, _ in process.told}
    assert process.states("a") == {"offline": 30}
    process.switch(process.group("b")[:1], on=False)
    process.run_until(process.now + timedelta(minutes=5))
    assert process.field.standing("a00").open is False  # type: ignore[union-attr]
    assert set(process.group("b")[:1]) <= set(process.accused()), "those that are open are judged"


NO_SUSPICION: list[tuple[str, int, int, Callable[[Process], None]]] = [
    ("nineteen are too few", 19, 19, lambda _: None),
    ("four fifths are needed", 30, 23, lambda _: None),
    ("some are excused", 30, 30, lambda p: [p.excuse(one, at("12:00")) for one in p.group("a")[:11]] and None),
]


@pytest.mark.parametrize(
    ("size", "fall", "before"), [case[1:] for case in NO_SUSPICION], ids=[c[0] for c in NO_SUSPICION]
)
def test_who_is_too_few_is_judged(size: int, fall: int, before: Callable[[Process], None]) -> None:
    process = Process((size, None))
    process.run_until(at("09:58"), step=60)
    process.run_until(at("10:00"))
    before(process)
    process.switch(process.group("a")[:fall], on=False)
    process.run_until(at("10:10"))
    assert process.kept == {}
    assert process.states()["offline"] == fall


def test_falls_one_after_the_other_are_no_mass() -> None:
    process = Process((30, None))
    process.run_until(at("09:58"), step=60)
    process.run_until(at("10:00"))
    for name in process.group("a"):
        process.switch([name], on=False)
        process.run_until(process.now + timedelta(seconds=100))
    process.run_until(process.now + timedelta(minutes=4))
    assert process.kept == {} and len(process.accused()) == 30


def test_who_just_came_says_nothing() -> None:
    process = Process((30, None))
    process.run_until(at("09:58"), step=60)
    process.run_until(at("10:00"))
    process.switch(process.group("a"), on=False)
    process.run_until(at("10:10"))
    process.switch(process.group("a"), on=True)
    process.run_until(at("10:15"))
    process.switch(process.group("a"), on=False)
    process.run_until(at("10:25"))
    assert process.core.running == {} and len(process.accused()) == 30


def fallen_after_an_opening(number: int) -> Process:
    """So many of the stations that opened at 08:00 fall at 09:06, and one of 24 hours, which is offline last and was
    heard just after the others opened."""
    process = Process((6, None), (100, "open from 08:00"), every=timedelta(minutes=20))
    slow = process.stations["a00"]
    slow.every, slow.phase, slow.heard = timedelta(hours=2), 65 * 60, at("08:05")
    process.run_until(at("09:06"), 60)
    process.switch(["a00", *process.group("b")[:number]], on=False)
    process.run_until(at("14:10"), 60)
    return process


def test_those_that_opened_meanwhile_are_counted_on_both_sides_or_on_none() -> None:
    process = fallen_after_an_opening(40)
    assert process.states("b") == {"offline": 40, "online": 60}
    assert process.stations["a00"].state == "offline"
    assert process.kept == {}, "60 of 106 go on"
    assert fallen_after_an_opening(100).kept, "nearly all fell"


def test_one_that_really_fell_while_the_others_only_hiccuped_is_told() -> None:
    """All are overdue when the deadline of the one passes; then they are heard again, and it is not."""
    process = Process((30, None))
    process.run_until(at("09:58"), step=60)
    process.run_until(at("10:00"))
    process.switch(["a00"], on=False)
    process.run_until(at("10:01:30"))
    process.switch(process.group("a"), on=False)
    process.run_until(at("10:03:00"))
    process.switch(process.group("a")[1:], on=True)
    process.run_until(at("10:20"))
    assert process.accused() == ["a00"]


@pytest.mark.parametrize("every", [5, 60, 600])
def test_it_follows_the_promise(every: int) -> None:
    process = Process((24, None), every=timedelta(seconds=every))
    process.run_until(at("10:00"), step=every)
    process.switch(process.group("a"), on=False)
    process.run_until(at("10:00") + 5 * timedelta(seconds=every))
    assert process.states() == {"unproven": 24}
    process.switch(process.group("a")[:12], on=True)
    process.run_until(process.now + 2 * timedelta(seconds=every))
    process.run_until(process.now + 2 * timedelta(seconds=every + 10))
    assert len(process.accused()) == 12


@given(st.lists(st.integers(1, 1500), max_size=6, unique=True), st.integers(2, 17))
@settings(max_examples=15, deadline=None)
def test_a_restart_at_any_time_comes_to_the_same(restarts: list[int], step: int) -> None:
    """However the passes are cut, and whenever another process takes over."""

    def live(restarts: Iterable[int], step: int) -> tuple[object, ...]:
        process = Process((24, None), (3, "day"))
        steps = [(at("10:00"), lambda: process.switch([*process.group("a")[:22], *process.group("b")], on=False))]
        steps += [(at("10:12"), lambda: process.switch(process.group("a")[:13], on=True))]
        steps += [(at("10:00") + timedelta(seconds=second), process.restart) for second in restarts]
        process.run_until(at("09:59"), 60)
        for when, deed in sorted(steps, key=lambda one: one[0]):
            process.run_until(when, step)
            deed()
        process.run_until(at("10:30"), step)
        members = sorted(
            {(one.station, one.heard_at, one.missed_at, one.returned) for one in process.members if one.ended_at}
        )
        return process.accused(), process.states(), members, sorted(process.told)

    assert live(restarts, step) == live([], 5)


def test_a_station_that_is_deleted_or_moves_on_leaves_the_suspicion() -> None:
    process = Process((30, None))
    process.run_until(at("09:58"), step=60)
    process.run_until(at("10:00"))
    process.switch(process.group("a"), on=False)
    process.run_until(at("10:10"))
    process.field.remove_station("a03")
    process.run_until(at("10:11"))
    assert len(process.suspicion.members) == 29


def test_what_is_suspected_rests_on_no_clock_that_is_trusted() -> None:
    process = Process((30, None))
    process.run_until(at("09:58"), step=60)
    process.run_until(at("10:00"))
    process.switch(process.group("a"), on=False)
    process.run_until(at("10:10"))
    standing = process.field.standing("a00")
    assert standing is not None and standing.clock == DOUBTFUL
    assert not PassTime(now=process.now, known=process.now).knows(standing)
