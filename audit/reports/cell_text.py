"""Formats the values of a report as text for PDF. Pure."""

from datetime import date
from fractions import Fraction
from typing import Final

from audit.days.figures import percent
from audit.reports.document import ByteCount, CellValue, ColumnKind

NOTHING: Final = "–"
_MINUTE_MS: Final = 60_000
_UNITS: Final = (("TB", 10**12), ("GB", 10**9), ("MB", 10**6))


def cell_text(value: CellValue, kind: ColumnKind) -> str:
    """A value of a column as text for people."""
    match value:
        case None:
            return NOTHING
        case Fraction():
            return percent(value) or NOTHING
        case date():
            return value.isoformat()
        case ByteCount():
            return bytes_text(value)
        case int() if kind is ColumnKind.TIME:
            return time_text(value)
        case int() if kind is ColumnKind.POINTS:
            return points_text(value)
        case int():
            return f"{value:,}"
        case _:
            return value


def bytes_text(amount: int) -> str:
    """Bytes in TB, GB or MB with two decimals, rounded down; the unit stays on the line."""
    unit, size = next(((unit, size) for unit, size in _UNITS if amount >= size), _UNITS[-1])
    hundredths = amount * 100 // size
    return f"{hundredths // 100:,}.{hundredths % 100:02}\u00a0{unit}"


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
