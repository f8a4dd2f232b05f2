"""Times follow what stations promise: flapping, causes and graces at heartbeats of two seconds and of an hour."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.causes.flapping import Flapping, FlappingSettings
from alerting.incidents.book import Book, Incident
from alerting.station_incidents.cause_settings import CauseSettings
from alerting.station_incidents.hold import hold_until_open
from alerting.station_incidents.rules import RuleSettings
from alerting.station_incidents.timers import StationWatch
from alerting.stations.promise import in_proportion, longest_that_votes, slowest_within
from tests.cause_world import World, station_key
from tests.unit.alerting.causes.test_causes import COUNTY, region
from tests.unit.alerting.field_kit import CALENDARS, Field, at, facts, judged

START = datetime(2026, 11, 23, 8, tzinfo=UTC)

LENGTHS = [
    ("once a minute", 180, 60, 180),
    ("every two seconds: no shorter than 15 s", 180, 2, 15),
    ("every ten seconds", 180, 10, 30),
    ("every half hour: no longer than 72 min", 180, 1800, 4320),
    ("every hour", 180, 3600, 4320),
    ("a hold of five minutes, every ten minutes", 300, 600, 3000),
    ("what is set shorter than 15 s stays so", 2, 2, 2),
]


@pytest.mark.parametrize(("name", "seconds", "every", "expected"), LENGTHS, ids=[case[0] for case in LENGTHS])
def test_a_length_in_proportion(name: str, seconds: float, every: float, expected: float) -> None:
    assert in_proportion(seconds, every) == expected, name


@given(st.floats(1, 3600), st.floats(1, 3600), st.floats(1, 3600))
def test_a_longer_promise_is_never_a_shorter_length(seconds: float, one: float, other: float) -> None:
    short, long = sorted((one, other))
    assert in_proportion(seconds, short) <= in_proportion(seconds, long)


def test_who_is_within_the_share() -> None:
    assert slowest_within([60] * 5 + [3600] * 5, 0.5) == 60
    assert slowest_within([60] * 4 + [3600] * 6, 0.5) == 3600
    assert slowest_within([10, 20, 30], 0.01) == 10
    assert slowest_within([], 0.5) == 60


def test_who_votes() -> None:
    assert longest_that_votes([60, 60, 300]) == 300, "five times the median still does"
    assert longest_that_votes([60, 60, 301]) == 300
    assert longest_that_votes([]) == 60


FLAPS = [
    ("at 2 s it fell eight times in five minutes", 2.0, [20.0 * n for n in range(16)], True),
    ("at 10 s it had 15 messages in 18 minutes", 10.0, [77.0 * n for n in range(15)], True),
    ("at 60 s the same eight times are two slots", 60.0, [20.0 * n for n in range(16)], False),
    ("at an hour it fell thrice in a day", 3600.0, [4320.0 * n for n in range(7)], True),
    ("at a minute once an hour is nothing", 60.0, [3600.0 * n for n in range(12)], False),
]


@pytest.mark.parametrize(("name", "every", "changes", "expected"), FLAPS, ids=[case[0] for case in FLAPS])
def test_flapping_follows_the_promise(name: str, every: float, changes: list[float], expected: bool) -> None:
    flapping = Flapping(FlappingSettings())
    turns = []
    for change in changes:
        flapping.note("S", START + timedelta(seconds=change), every)
        turns += flapping.advance(START + timedelta(seconds=change))
    assert [turn.flaps for turn in turns] == ([True] if expected else []), name


def test_a_slot_stays_as_it_is_for_an_episode() -> None:
    flapping = Flapping(FlappingSettings())
    for change in range(0, 320, 20):
        flapping.note("S", START + timedelta(seconds=change), 2.0 if change < 100 else 60.0)
    assert flapping.slot_of("S") == 15
    flapping.advance(START + timedelta(hours=2))
    flapping.note("S", START + timedelta(hours=2), 60.0)
    assert flapping.slot_of("S") == 180, "a new episode follows the promise of its beginning"


def test_what_was_stored_goes_on_with_its_slot() -> None:
    kept = [START + timedelta(seconds=20 * n) for n in range(6)]
    flapping = Flapping(FlappingSettings())
    flapping.restore("S", kept, flaps=False, slot=15)
    for change in range(120, 320, 20):
        flapping.note("S", START + timedelta(seconds=change), 60.0)
    assert flapping.slot_of("S") == 15
    assert "S" in flapping


# -- causes ------------------------------------------------------------------------------------------------------------


def test_a_county_that_beats_every_ten_minutes_is_one_cause_though_it_comes_and_goes() -> None:
    """Cut, half of them heard again within ten minutes, cut anew: with a hold of five minutes that was two causes."""
    world = World(tick=10, stride=1)
    county = region(world, "632122", 30, every=600)
    region(world, "632123", 40, every=600)
    world.run(2000)
    world.cut(county)
    world.run(4000)
    world.mend(county)
    world.run(900)
    world.cut(county)
    world.run(4000)
    assert world.story() == [f"opened {COUNTY}"]
    world.mend(county)
    world.run(4500)
    assert world.story() == [f"opened {COUNTY}", f"closed {COUNTY}"]


def test_the_slow_of_a_cause_are_verified_alone() -> None:
    """27 beat every minute and are back; 3 beat every half hour: nobody knows of them before they had time."""
    world = World(tick=5, stride=1)
    quick = region(world, "632122", 27)
    slow = region(world, "632122", 3, every=1800)
    world.run(4000)
    world.cut([*quick, *slow])
    world.run(6000)
    (outage,) = world.outages()
    assert len(world.children(outage)) == 30, "the slow join it"
    world.mend(quick)
    world.run(1000)
    assert world.story() == [f"opened {COUNTY}", f"closed {COUNTY}"], "and page nobody while they may be back"
    world.mend(slow[:2])
    world.run(3800)
    left = station_key(slow[2].id)
    assert world.story() == [f"opened {COUNTY}", f"closed {COUNTY}", f"opened {left}"]


def test_the_slow_join_and_never_vote() -> None:
    """Four fell by themselves and five slow ones any time since: that is no cause."""
    world = World(tick=5, stride=1)
    quick = region(world, "632122", 40)
    slow = region(world, "632122", 5, every=3600)
    world.run(8000)
    world.cut(slow)
    world.run(7500)
    world.cut(quick[:4])
    world.run(400)
    world.run(4000)
    assert world.outages() == []


def test_a_restart_keeps_who_is_verified_alone() -> None:
    world = World(tick=5, stride=1)
    quick = region(world, "632122", 27)
    slow = region(world, "632122", 3, every=1800)
    world.run(4000)
    world.cut([*quick, *slow])
    world.run(6000)
    world.mend(quick)
    world.run(1000)
    world.restart()
    world.run(500)
    assert world.story() == [f"opened {COUNTY}", f"closed {COUNTY}"]
    world.run(4500)
    assert len([entry for entry in world.story() if entry.startswith("opened station_offline")]) == 3


def test_a_hold_is_longer_for_the_slow_and_never_shorter() -> None:
    assert [CauseSettings(hold=300).patience(every) for every in (2, 60, 3600)] == [300, 300, 4320]


# -- graces ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("every", "due"), [(60.0, "10:15"), (3600.0, "12:00:10")])
def test_after_a_gap_of_ours_a_station_has_as_long_as_it_may_take_to_be_heard(every: float, due: str) -> None:
    field = Field(at("09:00"), CALENDARS)
    field.restore_station(facts(), judged("offline", at("08:00")))
    field.note_promise("A", every)
    field.resume((0, "main"), at("10:00"))
    watch = StationWatch(field, RuleSettings())
    watch.reconcile([])
    assert watch._memories[0].due["A"] == at(due)


@pytest.mark.parametrize(("every", "told"), [(60.0, "09:15"), (3600.0, "10:22")])
def test_a_cause_of_stations_that_are_closed_is_told_when_it_could_be_over(every: float, told: str) -> None:
    """They may all be back with the opening; the cause is over when its hold has gone by after that."""
    field, book = Field(at("18:00"), CALENDARS), Book()
    parent = book.open(_incident("area_outage:x"), "claimed")
    for number in range(5):
        field.restore_station(facts(f"S{number}"), judged("offline", at("11:00")))
        field.note_promise(f"S{number}", every)
        book.open(_incident(f"station_offline:S{number}", station=f"S{number}", parent=parent.id), "missed")
    hold_until_open(book, field, at("18:00"), RuleSettings())
    assert book.held[parent.id] == at(told, 1)


def _incident(key: str, **more: object) -> Incident:
    kind = key.partition(":")[0]
    known = {"id": 0, "kind": kind, "key": key, "status": "open", "began_at": at("11:00"), "opened_at": at("18:00")}
    return Incident(**(known | more))  # type: ignore[arg-type]
