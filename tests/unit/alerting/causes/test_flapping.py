"""When a station that comes and goes flaps, as timetables of its changes."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.causes.flapping import Flapping, FlappingSettings, Turn, restlessness

START = datetime(2026, 11, 23, 8, tzinfo=UTC)
DEFAULT = FlappingSettings()
HOUR = 60


def minute(number: float) -> datetime:
    return START + timedelta(minutes=number)


def told(changes: list[float], until: float, every: float = 1, settings: FlappingSettings = DEFAULT) -> list[str]:
    """What is decided, looking every so many minutes, when a station changes at these minutes."""
    flapping, waiting = Flapping(settings), sorted(changes)
    found: list[Turn] = []
    now = 0.0
    while now < until:
        now += every
        while waiting and waiting[0] <= now:
            flapping.note("S", minute(waiting.pop(0)))
        found += flapping.advance(minute(now))
    return [f"{'flaps' if turn.flaps else 'steady'} {(turn.at - START) // timedelta(minutes=1)}" for turn in found]


EVERY_FIVE = [5.0 * n for n in range(1, 13)]
CASES = [
    ("one fall and one return", [5, 15], 3 * HOUR, []),
    ("two falls within the hour", [5, 15, 30, 40], 3 * HOUR, []),
    ("three falls within the hour", [5, 10, 20, 25, 35, 40], 45, ["flaps 40"]),
    ("three falls in three hours", [5, 10, 80, 85, 160, 165], 5 * HOUR, []),
    ("twenty changes in one slot are one", [5 + n / 10 for n in range(20)], HOUR, []),
    ("an hour of it, then quiet", EVERY_FIVE, 3 * HOUR, ["flaps 30", "steady 93"]),
    ("again after quiet", [*EVERY_FIVE, *(240 + n for n in EVERY_FIVE)], 7 * HOUR,
     ["flaps 30", "steady 93", "flaps 270", "steady 333"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "changes", "until", "expected"), CASES, ids=[case[0] for case in CASES])
def test_a_timetable(name: str, changes: list[float], until: float, expected: list[str]) -> None:
    assert told(changes, until) == expected, name


WEIGHTS = [
    ("no change", [], 0.0),
    ("one in the newest slot", [0], 1.2 / 20),
    ("one in the oldest slot", [19], 0.8 / 20),
    ("one that is too old", [20], 0.0),
    ("one in every slot", list(range(20)), 1.0),
    ("two in one slot", [3, 3], (1.2 - 3 * 0.4 / 19) / 20),
]


@pytest.mark.parametrize(("name", "ages", "expected"), WEIGHTS, ids=[case[0] for case in WEIGHTS])
def test_the_weights_of_the_slots(name: str, ages: list[int], expected: float) -> None:
    changes = [(100 - age) * DEFAULT.slot + 7 for age in ages]
    assert restlessness(changes, 100, DEFAULT) == pytest.approx(expected), name


def test_one_slot_is_all_or_nothing() -> None:
    assert restlessness([5], 0, FlappingSettings(slots=1)) == pytest.approx(1.2)


def test_what_had_another_cause_does_not_count() -> None:
    flapping = Flapping(DEFAULT)
    for number in (5, 10, 20, 25, 35):
        flapping.note("S", minute(number))
    flapping.take_back("S", minute(34))
    flapping.take_back("S", minute(34))
    flapping.note("S", minute(40))
    assert [len(flapping.changes_of("S")), flapping.advance(minute(41))] == [5, []]


def test_while_nobody_knows_nothing_ends() -> None:
    flapping = Flapping(DEFAULT)
    for number in (5, 10, 20, 25, 35, 40):
        flapping.note("S", minute(number))
    assert len(flapping.advance(minute(41))) == 1
    assert flapping.advance(minute(300), lambda _: False) == []
    assert [turn.flaps for turn in flapping.advance(minute(301))] == [False]


def test_the_quiet_are_forgotten() -> None:
    flapping = Flapping(DEFAULT)
    flapping.note("S", minute(5))
    flapping.advance(minute(30))
    assert flapping.take_gone() == set()
    flapping.advance(minute(90))
    assert flapping.take_gone() == {"S"}


@given(
    st.lists(st.floats(1, 300), max_size=60),
    st.floats(0.5, 90),
    st.sampled_from([DEFAULT, FlappingSettings(slots=5, slot=60.0), FlappingSettings(slots=40, on=0.5, off=0.1)]),
)
def test_neither_the_cut_into_passes_nor_a_restart_matters(
    changes: list[float], every: float, settings: FlappingSettings
) -> None:
    """Against one that looks all the time; the other is stored and restored at every look."""
    whole = Flapping(settings)
    for change in sorted(changes):
        whole.note("S", minute(change))
    expected = [(turn.flaps, turn.at) for turn in whole.advance(minute(1000))]
    found, waiting, now = [], sorted(changes), 0.0
    parts = Flapping(settings)
    while now < 1000:
        now += every
        while waiting and waiting[0] <= now:
            parts.note("S", minute(waiting.pop(0)))
        found += [(turn.flaps, turn.at) for turn in parts.advance(minute(now))]
        kept = parts.changes_of("S")
        flaps, parts = "S" in parts, Flapping(settings)
        parts.restore("S", kept, flaps=flaps)
    assert found == expected
