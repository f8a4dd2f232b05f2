"""Documents about uptime."""

from datetime import date, datetime
from fractions import Fraction

from pydantic import ConfigDict, Field

from api.read.schemas import Document
from audit.days.figures import Figures, hundredths_of_percent
from audit.days.revisions import RevisionCause

_ROUNDED = "rounded down to two decimals, so only 100% is 100; null: nothing was due"


class UptimeFigures(Document):
    """Whole milliseconds, and the rates that follow from them."""

    model_config = ConfigDict(title="UptimeFigures")

    scheduled_ms: int = Field(description="opening hours while commissioned")
    excused_ms: int = Field(description="of these, approved closures")
    unknown_ms: int = Field(description="not excused, and the platform cannot tell")
    due_ms: int = Field(description="scheduled without excused and unknown")
    online_ms: int
    service_due_ms: int = Field(description="due, without time in which no terminal said whether it is usable")
    usable_ms: int
    online_percent: float | None = Field(description=f"online of due, {_ROUNDED}")
    service_percent: float | None = Field(description=f"usable of service due, {_ROUNDED}")
    coverage_percent: float | None = Field(description=f"due of scheduled without excused, {_ROUNDED}")
    headline: bool = Field(description="coverage is at least 95%, so the rates may be shown without it")


class DayRevised(Document):
    """A further revision of a day. `difference`: of the figures in milliseconds to the revision before."""

    model_config = ConfigDict(title="DayRevised")

    revision: int
    causes: list[RevisionCause]
    addendum: bool = Field(description="written after its month was frozen")
    recorded_at: datetime
    difference: dict[str, int]


class UptimePart(Document):
    """The figures of a day or a month of the period."""

    model_config = ConfigDict(title="UptimePart")

    at: str = Field(description="2026-11-03, or 2026-11 in a year")
    figures: UptimeFigures
    revisions: list[DayRevised] = Field(description="of a station's day: the second one and all later ones")


class UptimeOfArea(Document):
    """The figures of an area below, over the days that its stations were in it."""

    model_config = ConfigDict(title="UptimeOfArea")

    area: str
    figures: UptimeFigures


class UptimeOfStation(Document):
    """The figures of a station over the days that it was in the area."""

    model_config = ConfigDict(title="UptimeOfStation")

    station: str
    name: str
    name_en: str | None
    area: str | None
    figures: UptimeFigures


class UptimeDocument(Document):
    """Uptime of a station or an area in a month or a year. `figures`: those that stand; `with_addenda`: with what came
    after they were frozen, null if nothing did."""

    model_config = ConfigDict(title="Uptime")

    station: str | None
    area: str | None = Field(description="null with no station: everything in the scope")
    period: str
    first_day: date | None = Field(description="of the days of the period that are kept; null: none is")
    last_day: date | None
    frozen_at: datetime | None = Field(description="when the month was frozen; of a year always null")
    figures: UptimeFigures
    with_addenda: UptimeFigures | None
    parts: list[UptimePart]
    areas: list[UptimeOfArea]


def figures_document(found: Figures) -> UptimeFigures:
    """The figures as the API answers them."""
    return UptimeFigures(
        scheduled_ms=found.scheduled_ms,
        excused_ms=found.excused_ms,
        unknown_ms=found.unknown_ms,
        due_ms=found.due_ms,
        online_ms=found.online_ms,
        service_due_ms=found.service_due_ms,
        usable_ms=found.usable_ms,
        online_percent=_percent(found.online_rate),
        service_percent=_percent(found.service_rate),
        coverage_percent=_percent(found.coverage),
        headline=found.has_headline,
    )


def _percent(rate: Fraction | None) -> float | None:
    return None if rate is None else hundredths_of_percent(rate) / 100
