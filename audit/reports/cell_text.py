"""Formats the values of a report as text for PDF. Pure."""

from datetime import date
from fractions import Fraction
from typing import Final

from audit.days.figures import percent
from audit.reports.document import CellValue, ColumnKind

NOTHING: Final = "–"
_MINUTE_MS: Final = 60_000


def cell_text(value: CellValue, kind: ColumnKind) -> str:
    """A value of a column as text for people."""
    match value:
        case None:
            return NOTHING
        case Fraction():
            return percent(value) or NOTHING
        case date():
            return value.isoformat()
        case int() if kind is ColumnKind.TIME:
            return time_text(value)
        case int() if kind is ColumnKind.POINTS:
            return points_text(value)
        case int():
            return f"{value:,}"
        case _:
            return value


def time_text(ms: int) -> str:
    """Milliseconds as hours and minutes, rounded down: 232:05. More than 0 and less than a minute: <0:01."""
    if 0 < ms < _MINUTE_MS:
        return "<0:01"
    minutes = ms // _MINUTE_MS
    return f"{minutes // 60:,}:{minutes % 60:02}"


def points_text(hundredths: int) -> str:
    """Hundredths of points with two decimals: 86.50."""
    whole, rest = divmod(abs(hundredths), 100)
    return f"{'-' if hundredths < 0 else ''}{whole}.{rest:02}"
