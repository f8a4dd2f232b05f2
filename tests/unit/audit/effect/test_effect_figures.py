"""Rates of use are of sums, null where nothing was due or reported; the least used stations come first."""

import random
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.days.figures import Figures
from audit.effect.figures import (
    Effect,
    StationEffect,
    TerminalCount,
    UseFigures,
    UseState,
    by_part,
    least_used_first,
    split_sums,
    total_effect,
)
from audit.reports.effect_report import why_little

HOUR = 3_600_000


def effect(
    opened: int, minutes: int | None, *, sessions: int | None = None, excused: int = 0, samples: int = 1
) -> Effect:
    """`opened`: hours; `minutes` None: no record arrived."""
    use = UseFigures() if minutes is None else UseFigures(samples=samples, sessions=sessions, minutes=Fraction(minutes))
    return Effect(figures=Figures(scheduled_ms=opened * HOUR, excused_ms=excused * HOUR), use=use)


def station(name: str, found: Effect) -> StationEffect:
    return StationEffect(id=name, name=name, area="", effect=found)


@pytest.mark.parametrize(
    ("found", "rate", "state"),
    [
        (effect(10, 300, sessions=4), Fraction(1, 2), UseState.USED),
        (effect(10, 1200, sessions=4), Fraction(2), UseState.USED),
        (effect(10, 0, sessions=0), Fraction(0), UseState.IDLE),
        (effect(10, None), None, UseState.STALE),
        (effect(0, 30, sessions=1), None, UseState.NOT_DUE),
        (effect(8, 30, sessions=1, excused=8), None, UseState.NOT_DUE),
        (Effect(figures=Figures(scheduled_ms=HOUR), use=UseFigures(samples=1, sessions=3)), None, UseState.USED),
    ],
)
def test_the_rate_and_the_state(found: Effect, rate: Fraction | None, state: UseState) -> None:
    assert (found.use_rate, found.state) == (rate, state)


def test_the_rate_of_an_area_is_of_its_sums() -> None:
    """1 of 10 hours and 9 of 10 minutes are 1:09 of 10:10, and not the mean of 10% and 90%."""
    small = Effect(figures=Figures(scheduled_ms=HOUR // 6), use=UseFigures(samples=1, minutes=Fraction(9)))
    whole = total_effect([effect(10, 60), small, effect(0, None)])
    assert whole.use_rate == Fraction(69, 610)
    assert whole.use.sessions is None, "no record counts visits"


def test_the_least_used_come_first_and_equal_ones_share_a_rank() -> None:
    places = {
        "never open": effect(0, None), "silent": effect(10, None), "half": effect(10, 300, sessions=3),
        "half, fewer visits": effect(20, 600, sessions=1), "idle": effect(10, 0, sessions=0),
    }  # fmt: skip
    shuffled = [station(name, found) for name, found in places.items()]
    random.shuffle(shuffled)
    assert [(rank, one.id) for rank, one in least_used_first(shuffled)] == [
        (1, "idle"), (2, "half, fewer visits"), (2, "half"), (None, "silent"), (None, "never open"),
    ]  # fmt: skip


@given(st.lists(st.tuples(st.none() | st.integers(0, 9), st.none() | st.integers(0, 9)), max_size=9))
def test_sums_do_not_depend_on_the_order(records: list[tuple[int | None, int | None]]) -> None:
    uses = [
        Effect(use=UseFigures(samples=1, sessions=sessions, minutes=None if minutes is None else Fraction(minutes, 7)))
        for sessions, minutes in records
    ]
    assert total_effect(uses) == total_effect(reversed(uses))
    given_sessions = [sessions for sessions, _ in records if sessions is not None]
    assert total_effect(uses).use.sessions == (sum(given_sessions) if given_sessions else None)


def test_the_parts_of_visits_add_up() -> None:
    assert split_sums({"books": 5, "video": 5, "music": 1}, 13) == [("books", 5), ("video", 5), ("music", 1), (None, 2)]
    assert split_sums({"books": 5}, 5) == [("books", 5)]
    assert split_sums({"books": 5}, None) == []


def test_days_become_months_in_a_year() -> None:
    days = {date(2026, 2, 3): UseFigures(samples=1, sessions=2), date(2026, 2, 1): UseFigures(samples=1, sessions=1)}
    assert by_part(days, is_year=True) == {date(2026, 2, 1): UseFigures(samples=2, sessions=3)}
    assert list(by_part(days, is_year=False)) == sorted(days)


@pytest.mark.parametrize(
    ("found", "terminals", "said"),
    [
        (effect(10, 300, sessions=3), TerminalCount(known=2, working=2), ""),
        (effect(10, 300, sessions=3), TerminalCount(known=3, working=2), "1 of 3 terminals do not work"),
        (effect(10, 0, sessions=0), TerminalCount(known=1, working=1), "idle: records count no visit"),
        (effect(10, None), TerminalCount(), "no usage record; no terminal sent records"),
        (effect(0, None), TerminalCount(), "no opening hours"),
    ],
)
def test_the_reason_for_little_use(found: Effect, terminals: TerminalCount, said: str) -> None:
    whole = found + Effect(terminals=terminals)
    assert why_little(whole, "en") == said
    assert bool(why_little(whole, "zh-CN")) is bool(said)
