"""Assesses an area and the places below it: points, lost points, results and ranks. Pure.

Each function depends on its arguments alone, so kept inputs and rules give the same result at any later time. What is
computed otherwise in future gets a new `METHOD` beside this one; assessments name theirs.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from fractions import Fraction
from typing import Final

import msgspec
from msgspec.structs import replace

from audit.assessments.measured import AssessmentInputs, BeforePlace, MeasuredPlace
from audit.assessments.rules import FULL_POINTS, AssessmentRules, Cap, Criterion, CriterionRule, Missing, PeriodRules
from audit.days.figures import hundredths_of_percent

METHOD: Final = 1


class AssessmentResult(StrEnum):
    """The result of a place."""

    PASS = "pass"  # noqa: S105 -- a result
    WARN = "warn"
    FAIL = "fail"
    #: No criterion has a value.
    NONE = "none"


class CriterionPoints(msgspec.Struct, frozen=True, kw_only=True):
    """A criterion of a place. `value`: hundredths of a percent, rounded down, None without a value; `possible` and
    `points`: hundredths of points. Both are 0 if the criterion is left out."""

    criterion: Criterion
    value: int | None
    possible: int
    points: int

    @property
    def lost(self) -> int:
        """Hundredths of points."""
        return self.possible - self.points


class PlaceResult(msgspec.Struct, frozen=True, kw_only=True):
    """A place. `score`: hundredths of points, None without a value; `cap`: the cap that took points; `rank`: among the
    places of its level, 1 is the best; equal scores share a rank. The full points are the score, the lost points of
    each criterion, and the points that the cap took."""

    level: str
    id: str
    score: int | None
    result: AssessmentResult
    lines: tuple[CriterionPoints, ...]
    cap: Cap | None = None
    rank: int | None = None
    score_before: int | None = None
    rank_before: int | None = None

    @property
    def lost_by_cap(self) -> int:
        """Hundredths of points."""
        return 0 if self.score is None else sum(line.points for line in self.lines) - self.score


class Assessment(msgspec.Struct, frozen=True, kw_only=True):
    """The result. `places`: by level, the highest level first; in a level the worst come first, places without a score
    last, equal ones by id."""

    method: int
    whole: PlaceResult
    places: tuple[PlaceResult, ...]


def assess(inputs: AssessmentInputs, rules: AssessmentRules) -> Assessment:
    """The assessment of the inputs by the rules of their kind of period."""
    applied = rules.year if inputs.is_year else rules.month
    before = {(one.level, one.id): one for one in inputs.before}
    levels: dict[str, list[PlaceResult]] = {}
    for place in inputs.places:
        levels.setdefault(place.level, []).append(_compared(assess_place(place, applied), before))
    return Assessment(
        method=METHOD,
        whole=_compared(assess_place(inputs.whole, applied), before),
        places=tuple(one for level in levels.values() for one in _ranked(level)),
    )


def assess_place(place: MeasuredPlace, rules: PeriodRules) -> PlaceResult:
    """A place without its rank."""
    values = {rule.criterion: place.value(rule.criterion) for rule in rules.criteria}
    lines = _lines(rules.criteria, values)
    if all(value is None for value in values.values()):
        return PlaceResult(level=place.level, id=place.id, score=None, result=AssessmentResult.NONE, lines=lines)
    reached = sum(line.points for line in lines)
    # The first of equal caps, so that the result names one.
    cap = min((cap for cap in rules.caps if _applies(cap, values)), key=lambda cap: cap.at_most, default=None)
    score = reached if cap is None else min(reached, cap.at_most)
    return PlaceResult(
        level=place.level,
        id=place.id,
        score=score,
        result=_result(score, rules),
        lines=lines,
        cap=cap if score < reached else None,
    )


def _lines(criteria: Sequence[CriterionRule], values: dict[Criterion, Fraction | None]) -> tuple[CriterionPoints, ...]:
    counted = [rule for rule in criteria if values[rule.criterion] is not None or rule.missing is Missing.ZERO]
    weights, passed = sum(rule.weight for rule in counted), 0
    lines = []
    for rule in criteria:
        value, possible = values[rule.criterion], 0
        if rule in counted:
            # By cumulated weights: what is rounded off at a criterion is in the next one, and the sum is exact.
            begin, passed = passed, passed + rule.weight
            possible = FULL_POINTS * passed // weights - FULL_POINTS * begin // weights
        lines.append(
            CriterionPoints(
                criterion=rule.criterion,
                value=None if value is None else hundredths_of_percent(value),
                possible=possible,
                points=0 if value is None else int(possible * _reached(rule, value)),
            )
        )
    return tuple(lines)


def _reached(rule: CriterionRule, value: Fraction) -> Fraction:
    share = (value * 10_000 - rule.none) / (rule.full - rule.none)
    return min(max(share, Fraction(0)), Fraction(1))


def _applies(cap: Cap, values: dict[Criterion, Fraction | None]) -> bool:
    value = values[cap.criterion]
    return value is not None and value * 10_000 < cap.below


def _result(score: int, rules: PeriodRules) -> AssessmentResult:
    if score >= rules.passes:
        return AssessmentResult.PASS
    return AssessmentResult.WARN if score >= rules.warns else AssessmentResult.FAIL


def _compared(place: PlaceResult, before: dict[tuple[str, str], BeforePlace]) -> PlaceResult:
    found = before.get((place.level, place.id))
    return place if found is None else replace(place, score_before=found.score, rank_before=found.rank)


def _ranked(places: Iterable[PlaceResult]) -> list[PlaceResult]:
    """A level, the worst first, with ranks from the best."""
    ordered = sorted(places, key=lambda one: (one.score is None, one.score or 0, one.id))
    scores = [one.score for one in ordered if one.score is not None]
    better: dict[int, int] = {}
    for number, score in enumerate(reversed(scores), 1):
        better.setdefault(score, number)
    return [one if one.score is None else replace(one, rank=better[one.score]) for one in ordered]
