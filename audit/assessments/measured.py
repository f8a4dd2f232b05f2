"""What an assessment is made of: measured figures and imported scores of an area and the places below it. Pure.

An assessment keeps its inputs, so that nothing that changes later (names, stations, areas, corrections) changes it.
"""

from datetime import date
from fractions import Fraction
from typing import Final

import msgspec

from audit.assessments.rules import Criterion
from audit.days.figures import Figures
from audit.effect.figures import TerminalCount

STATION: Final = "station"
"""The level of stations; the other levels are those of areas."""


class Satisfaction(msgspec.Struct, frozen=True, kw_only=True):
    """A score of a third party: hundredths of a percent, and who gave the score."""

    score: int
    source: str = ""


class MeasuredPlace(msgspec.Struct, frozen=True, kw_only=True):
    """A station or an area. `open_ms`, `used_ms`: opening hours and time used of its stations; `used_ms` is None if
    nothing was reported."""

    level: str
    id: str
    name: str
    name_en: str | None = None
    figures: Figures = Figures()
    open_ms: int = 0
    used_ms: int | None = None
    terminals: TerminalCount = TerminalCount()
    satisfaction: Satisfaction | None = None

    def value(self, criterion: Criterion) -> Fraction | None:
        """The value of a criterion as a fraction of 1; None: nothing was due, reported or imported."""
        match criterion:
            case Criterion.SATISFACTION:
                return None if self.satisfaction is None else Fraction(self.satisfaction.score, 10_000)
            case Criterion.WORKING_SHARE:
                return self.terminals.share
            case Criterion.USE_RATE:
                return None if self.used_ms is None or self.open_ms <= 0 else Fraction(self.used_ms, self.open_ms)
            case Criterion.ONLINE_RATE:
                return self.figures.online_rate
            case Criterion.SERVICE_RATE:
                return self.figures.service_rate
            case Criterion.COVERAGE:
                return self.figures.coverage

    def named(self, language: str) -> str:
        """The name in `language`."""
        return (None if language == "zh-CN" else self.name_en) or self.name


class BeforePlace(msgspec.Struct, frozen=True, kw_only=True):
    """A place in the assessment of the period before: hundredths of points and rank, None if it had none."""

    level: str
    id: str
    score: int | None
    rank: int | None


class AssessmentInputs(msgspec.Struct, frozen=True, kw_only=True):
    """All inputs. `area`: its code, None for everything; `first`, `last`: the counted days; `frozen`: whether all its
    months were frozen; `made_up`: for a demonstration; `before`: empty if the period before was not assessed."""

    area: str | None
    period: str
    first: date
    last: date
    frozen: bool
    made_up: bool = False
    whole: MeasuredPlace
    places: tuple[MeasuredPlace, ...]
    before_period: str
    before: tuple[BeforePlace, ...] = ()

    @property
    def is_year(self) -> bool:
        """Whether the period is a year."""
        return len(self.period) == len("2026")
