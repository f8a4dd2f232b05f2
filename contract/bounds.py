"""Bounds for the times that people and programs enter. Pure.

Python, PostgreSQL and time zones each have a largest time; code that adds an hour or a zone to a time near it fails.
Milepost needs no such times. Clocks of devices have other bounds (`contract.device_times`): they may be wrong by
decades, and their messages are not refused for that.
"""

from datetime import UTC, date, datetime
from typing import Final

from contract.said import SaidError

EARLIEST: Final = datetime(1900, 1, 1, tzinfo=UTC)
"""The first accepted time."""
LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
"""The last accepted time; "for ever" is stored as a time before it."""
FIRST_DAY: Final = EARLIEST.date()
LAST_DAY: Final = date(2199, 12, 31)


class OutOfBoundsError(SaidError):
    """A time or a day lies outside the bounds."""


def require_time(at: datetime) -> datetime:
    """Return the time, which must be aware. Raises OutOfBoundsError that names the bounds."""
    if not EARLIEST <= at <= LATEST:
        first, last = _shown(EARLIEST), _shown(LATEST)
        raise OutOfBoundsError(
            f"{_shown(at)} lies outside {first} to {last}: correct the year",
            f"{_shown(at)} 不在 {first} 至 {last} 之间：请改正年份",
        )
    return at


def require_day(day: date) -> date:
    """Return the day. Raises OutOfBoundsError that names the bounds."""
    if not FIRST_DAY <= day <= LAST_DAY:
        raise OutOfBoundsError(
            f"{day} lies outside {FIRST_DAY} to {LAST_DAY}: correct the year",
            f"{day} 不在 {FIRST_DAY} 至 {LAST_DAY} 之间：请改正年份",
        )
    return day


def held(at: datetime) -> datetime:
    """The nearest time within the bounds, for times that were stored before the bounds existed."""
    return min(max(at, EARLIEST), LATEST)


def _shown(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
