"""Between what the times must lie that people and programs give, wherever they come in. Pure.

Python, PostgreSQL and time zones each have an edge of their own, and a time near one of them breaks what adds an hour
or a zone to it. Nothing that Milepost is about lies out there. Devices' clocks are bounded by `contract.device_times`
instead: they may be wrong by decades, and that is no reason to refuse what they send.
"""

from datetime import UTC, date, datetime
from typing import Final

from contract.said import SaidError

EARLIEST: Final = datetime(1900, 1, 1, tzinfo=UTC)
"""The first moment that can be named."""
LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
"""The last moment that can be named; "for good" is a time before it."""
FIRST_DAY: Final = EARLIEST.date()
LAST_DAY: Final = date(2199, 12, 31)


class OutOfBoundsError(SaidError):
    """A time or a day lies where nothing can be."""


def require_time(at: datetime) -> datetime:
    """The time itself, which must be aware. Raises OutOfBoundsError that says between what it may lie."""
    if not EARLIEST <= at <= LATEST:
        first, last = _shown(EARLIEST), _shown(LATEST)
        raise OutOfBoundsError(
            f"{_shown(at)} lies outside {first} to {last}: correct the year",
            f"{_shown(at)} 不在 {first} 至 {last} 之间：请改正年份",
        )
    return at


def require_day(day: date) -> date:
    """The day itself. Raises OutOfBoundsError that says between what it may lie."""
    if not FIRST_DAY <= day <= LAST_DAY:
        raise OutOfBoundsError(
            f"{day} lies outside {FIRST_DAY} to {LAST_DAY}: correct the year",
            f"{day} 不在 {FIRST_DAY} 至 {LAST_DAY} 之间：请改正年份",
        )
    return day


def held(at: datetime) -> datetime:
    """The nearest time within the bounds, for what was stored before there were any."""
    return min(max(at, EARLIEST), LATEST)


def _shown(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
