"""A month of a country against an oracle that counts by hand, and the proof that the oracle would notice."""

import gc
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

from alerting.station_incidents.cause_settings import CauseSettings
from registry.hours.calendar import Version, calendar_of
from tests.instrument import ground_truth, month, sim_month
from tests.instrument.ground_truth import BEGIN, DAYS, Place, hours, rules
from tests.instrument.oracle import Oracle, Verdicts, compare
from tests.instrument.oracle_numbers import compare_names
from tests.instrument.sim_incidents import Register

STATIONS = 100_000

register = month._register


def _sleepless(known: Register) -> Register:
    """The same stations, all without hours."""
    known.facts = {name: msgspec.structs.replace(one, calendar=None) for name, one in known.facts.items()}
    return known


@pytest.fixture
def uncollected() -> Iterator[None]:
    """Nothing that a month makes is a cycle, and a collector that looks through all of it takes half of the time."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.timeout(4800)
@pytest.mark.usefixtures("uncollected")
def test_a_month_has_no_false_incident_and_none_is_missed() -> None:
    report = month.run(STATIONS, seed=3)
    assert report.silences > STATIONS
    assert report.false == []
    assert report.missed == []
    assert report.causes == []


@pytest.mark.parametrize(("k", "wrong"), [(2.0, "false"), (4.0, "missed")])
def test_a_judge_with_another_patience_is_found_out(k: float, wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sim_month, "SETTINGS", msgspec.structs.replace(sim_month.SETTINGS, k=k))
    acted = sim_month.Country(ground_truth.make(150, seed=2))
    acted.play(until=6 * ground_truth.DAY)
    oracle, found = Oracle(acted.truth), []
    called = month.called(acted)
    for number in range(150):
        lives = [life for life in oracle.lives(number) if life.end < 6 * ground_truth.DAY - 600]
        found.append(compare(lives, oracle.silences(number, lives)[:-1], called[number]))
    assert any(getattr(one, wrong) for one in found)


@pytest.mark.parametrize(("grace", "wrong"), [(4000.0, "false"), (14_000.0, "missed")])
def test_an_incident_process_with_another_patience_for_no_use_is_found_out(
    grace: float, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = msgspec.structs.replace(month.SETTINGS.rules, unusable_grace=grace)
    monkeypatch.setattr(month, "SETTINGS", msgspec.structs.replace(month.SETTINGS, rules=rules))
    report = month.run(1_000, seed=2)
    found: list[str] = getattr(report, wrong)
    assert any("too short" in text or "no incident: Death" in text for text in found)


def test_causes_that_are_none_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    rash = msgspec.structs.replace(month.SETTINGS, causes=CauseSettings(least=2, share=0.01))
    monkeypatch.setattr(month, "SETTINGS", rash)
    report = month.run(1_000, seed=2)
    assert any("of which one cut took" in text for text in report.causes)


def test_a_desk_that_knows_no_closing_times_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nearly all of a shard are switched off at the wall together."""
    monkeypatch.setattr(month, "_register", lambda truth: _sleepless(register(truth)))
    acted = month.Month(ground_truth.make(6_000, seed=5))
    acted.country.play(until=2 * ground_truth.DAY, on_minute=acted._on_minute)
    assert {shard for shard, _ in acted.desk.kept.suspicions} == {"c"}


def test_the_month_tells_who_is_named_wrongly_and_who_is_not() -> None:
    acted = ground_truth.make(400, seed=2)
    oracle = Oracle(acted)
    skips = {acted.places[number].name for number, odd in acted.odd.items() if odd.kind == "skip"}
    honest = next(place.name for place in acted.places if place.name not in skips)
    assert compare_names(acted, oracle, {"a": {honest}}).false
    assert compare_names(acted, oracle, {"a": skips}) == Verdicts([], [])


def test_the_truth_opens_when_the_calendar_does() -> None:
    places = ground_truth.make(400).places
    kinds: dict[str, Place] = {rules(place): place for place in places}
    assert len(kinds) == 12
    for text, place in kinds.items():
        calendar = calendar_of([Version(date.min, text)])
        openings = [one for day in range(DAYS) if (one := hours(place, day)) is not None]
        for minute in range(0, ground_truth.END, 15):
            at = BEGIN.astimezone(UTC) + timedelta(minutes=minute)
            assert calendar.is_open(at) == any(begin <= minute < end for begin, end in openings), (text, at)


def test_the_month_has_the_days_off_that_the_state_announced() -> None:
    assert datetime(2026, 9, 20).date() in ground_truth.MAKE_UP
    assert sum(ground_truth.is_workday((BEGIN + timedelta(days=day)).date()) for day in range(DAYS)) == 18
