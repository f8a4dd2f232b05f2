"""The rules of assessments: weights, thresholds and caps. `rules_yaml` reads them from a file. Pure.

Percent and points are whole hundredths, so that points of parts add up exactly to those of the whole.
"""

from enum import StrEnum
from typing import Final

import msgspec

FULL_POINTS: Final = 100_00
"""The points of a place that lost none, in hundredths."""


class Criterion(StrEnum):
    """What is assessed; the values are in rules, in results and in the glossary."""

    ONLINE_RATE = "online_rate"
    SERVICE_RATE = "service_rate"
    COVERAGE = "coverage"
    WORKING_SHARE = "working_share"
    USE_RATE = "use_rate"
    SATISFACTION = "satisfaction"


class Missing(StrEnum):
    """What counts where a value does not exist."""

    #: The points of the criterion are shared out among the other criteria.
    LEFT_OUT = "left_out"
    #: All points of the criterion are lost.
    ZERO = "zero"


class CriterionRule(msgspec.Struct, frozen=True, kw_only=True):
    """Points of a criterion. From `full` on a place has all of them, up to `none` it has none, and between both they
    rise in proportion. `full` and `none`: hundredths of a percent; `weight`: whole points."""

    criterion: Criterion
    weight: int
    full: int
    none: int
    missing: Missing = Missing.LEFT_OUT


class Cap(msgspec.Struct, frozen=True, kw_only=True):
    """If a value is `below` (hundredths of a percent), the place has `at_most` so many hundredths of points."""

    criterion: Criterion
    below: int
    at_most: int


class PeriodRules(msgspec.Struct, frozen=True, kw_only=True):
    """Rules for a month or a year. `passes` and `warns`: the least hundredths of points for these results."""

    criteria: tuple[CriterionRule, ...]
    caps: tuple[Cap, ...] = ()
    passes: int
    warns: int


class AssessmentRules(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of a file."""

    name: str
    version: int
    month: PeriodRules
    year: PeriodRules
