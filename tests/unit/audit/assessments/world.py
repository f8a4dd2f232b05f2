"""Places with figures in whole percent, and rules."""

from datetime import date
from typing import Any

from audit.assessments.measured import AssessmentInputs, BeforePlace, MeasuredPlace, Satisfaction
from audit.assessments.rules_yaml import default_rules
from audit.days.figures import Figures
from audit.effect.figures import TerminalCount

HOUR = 3_600_000
DEFAULT = default_rules()
SIMPLE = """
name: simple
version: 3
month:
  pass: 80
  warn: 60
  criteria:
    online_rate: {weight: 60, full: 100, none: 0}
    satisfaction: {weight: 40, full: 90, none: 40}
  caps:
    - {criterion: online_rate, below: 50, at_most: 40}
"""


def place(
    name: str, online: int | None = None, satisfaction: int | Satisfaction | None = None, **more: Any
) -> MeasuredPlace:
    """A station with percent of 100 hours due; None: nothing was due, or no score was imported."""
    due = 0 if online is None else 100 * HOUR
    figures = Figures(
        scheduled_ms=due, online_ms=(online or 0) * HOUR, service_due_ms=due, usable_ms=(online or 0) * HOUR
    )
    scored = Satisfaction(score=satisfaction * 100, source="统计局") if isinstance(satisfaction, int) else satisfaction
    fields: dict[str, Any] = {"level": "station", "name": f"{name} 阅读室", "figures": figures, "satisfaction": scored}
    return MeasuredPlace(id=name, **{**fields, **more})


def inputs(*places: MeasuredPlace, whole: MeasuredPlace | None = None, before: tuple[BeforePlace, ...] = (),
           period: str = "2026-11") -> AssessmentInputs:  # fmt: skip
    """Inputs of a county."""
    return AssessmentInputs(
        area="632122",
        period=period,
        first=date(2026, 11, 1),
        last=date(2026, 11, 30),
        frozen=True,
        whole=whole or place("632122", 90, 80, level="county", terminals=TerminalCount(known=4, working=3)),
        places=places,
        before_period="2026-10",
        before=before,
    )
