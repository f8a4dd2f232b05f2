"""Points, lost points, results and ranks of an assessment."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.assessments.assess import AssessmentResult, PlaceResult, assess, assess_place
from audit.assessments.measured import BeforePlace, MeasuredPlace
from audit.assessments.rules import FULL_POINTS
from audit.assessments.rules_yaml import read_rules
from tests.unit.audit.assessments.world import DEFAULT, SIMPLE, inputs, place

RULES = read_rules(SIMPLE)


def found(one: MeasuredPlace, rules: str = SIMPLE) -> PlaceResult:
    return assess_place(one, read_rules(rules).month)


@pytest.mark.parametrize(
    ("one", "points", "score", "result"),
    [
        pytest.param(place("a", 100, 90), [6000, 4000], 10000, "pass", id="all"),
        pytest.param(place("a", 100, 100), [6000, 4000], 10000, "pass", id="more than needed gives no more"),
        pytest.param(place("a", 90, 65), [5400, 2000], 7400, "warn", id="in proportion"),
        pytest.param(place("a", 80, 40), [4800, 0], 4800, "fail", id="no points up to none"),
        pytest.param(place("a", 80, 10), [4800, 0], 4800, "fail", id="not less than none"),
        pytest.param(place("a", 49, 90), [2940, 4000], 4000, "fail", id="capped"),
        pytest.param(place("a", 50, 90), [3000, 4000], 7000, "warn", id="not below the cap"),
        pytest.param(place("a", 0, 40), [0, 0], 0, "fail", id="nothing"),
        pytest.param(place("a", 80), [8000, 0], 8000, "pass", id="points of a missing value are shared out"),
        pytest.param(place("a", None, 65), [0, 5000], 5000, "fail", id="so if nothing was due"),
        pytest.param(place("a"), [0, 0], None, "none", id="no value at all"),
    ],
)
def test_points(one: MeasuredPlace, points: list[int], score: int | None, result: str) -> None:
    assessed = found(one)
    assert [line.points for line in assessed.lines] == points
    assert (assessed.score, assessed.result) == (score, result)


def test_a_missing_value_can_cost_all_points() -> None:
    assessed = found(place("a", 80), SIMPLE.replace("none: 40}", "none: 40, missing: zero}"))
    assert [(line.possible, line.points, line.value) for line in assessed.lines] == [
        (6000, 4800, 8000),
        (4000, 0, None),
    ]
    assert assessed.score == 4800


@pytest.mark.parametrize(("passes", "result"), [("80", "pass"), ("80.01", "warn")])
def test_a_threshold_is_reached_by_its_own_points(passes: str, result: str) -> None:
    assert found(place("a", 80), SIMPLE.replace("pass: 80", f"pass: {passes}")).result == result


PERCENT = st.one_of(st.none(), st.integers(0, 100))


@given(PERCENT, PERCENT, st.sampled_from([SIMPLE, DEFAULT, SIMPLE.replace("none: 40}", "none: 40, missing: zero}")]))
def test_each_lost_point_is_at_a_criterion_or_a_cap(online: int | None, score: int | None, rules: str) -> None:
    assessed = found(place("a", online, score), rules)
    lost = sum(line.lost for line in assessed.lines) + assessed.lost_by_cap
    if assessed.score is None:
        assert assessed.result is AssessmentResult.NONE and online is None and score is None
    else:
        assert assessed.score + lost == FULL_POINTS
    assert all(0 <= line.points <= line.possible for line in assessed.lines) and assessed.lost_by_cap >= 0


def test_equal_points_share_a_rank_and_stand_in_the_order_of_ids() -> None:
    places = [place("c", 70), place("a", 70), place("d"), place("b", 90), place("e", 50)]
    ranked = assess(inputs(*places), RULES).places
    assert [(one.rank, one.id) for one in ranked] == [(4, "e"), (2, "a"), (2, "c"), (1, "b"), (None, "d")]


@given(st.lists(PERCENT, max_size=9), st.randoms())
def test_the_order_of_the_inputs_changes_nothing(values: list[int | None], randoms: random.Random) -> None:
    places = [place(f"{number}", value) for number, value in enumerate(values)]
    shuffled = places.copy()
    randoms.shuffle(shuffled)
    ranked = assess(inputs(*shuffled), RULES)
    assert ranked == assess(inputs(*places), RULES)
    ranks = [one.rank for one in ranked.places if one.rank is not None]
    assert ranks == sorted(ranks, reverse=True)
    assert not ranks or ranks[-1] == 1


def test_ranks_count_within_a_level() -> None:
    places = [place("t1", 50, level="township"), place("a", 40), place("t2", 60, level="township"), place("b", 90)]
    ranked = assess(inputs(*places), RULES).places
    assert [(one.level, one.id, one.rank) for one in ranked] == [
        ("township", "t1", 2), ("township", "t2", 1), ("station", "a", 2), ("station", "b", 1),
    ]  # fmt: skip


def test_the_period_before_is_compared_by_level_and_id() -> None:
    before = (
        BeforePlace(level="station", id="a", score=5000, rank=7),
        BeforePlace(level="county", id="632122", score=4000, rank=None),
        BeforePlace(level="township", id="b", score=1, rank=1),
    )
    assessed = assess(inputs(place("a", 80), place("b", 80), before=before), RULES)
    assert assessed.whole.score_before == 4000
    assert [(one.score_before, one.rank_before) for one in assessed.places] == [(5000, 7), (None, None)]


def test_a_year_has_rules_of_its_own() -> None:
    rules = SIMPLE + SIMPLE[SIMPLE.index("month:") :].replace("month:", "year:").replace("full: 100", "full: 50")
    (month,) = assess(inputs(place("a", 80)), read_rules(rules)).places
    (year,) = assess(inputs(place("a", 80), period="2026"), read_rules(rules)).places
    assert (month.score, year.score) == (8000, 10000)
    assert assess(inputs(place("a", 80), period="2026"), RULES).places == assess(inputs(place("a", 80)), RULES).places
