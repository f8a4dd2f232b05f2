"""Which opening days a station missed in a row. Pure."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple, Protocol

from registry.calendar import OpeningDay

_STEP: Final = timedelta(days=8)
_HORIZON: Final = timedelta(days=64)
"""How far openings are looked for at once; a station that opens less often is looked at again later."""


class Hours(Protocol):
    """What a calendar of the registry says; one that changes is another."""

    def __hash__(self) -> int: ...

    def is_open(self, at: datetime, /) -> bool: ...

    def opening_days(self, begin: datetime, end: datetime, /) -> Sequence[OpeningDay]:
        """The days of which an opening touches the interval, in order."""


class Missed(NamedTuple):
    """The days in a row without it, and when the last of them was over."""

    days: tuple[date, ...]
    since: datetime
    until: datetime


def missed_days(
    hours: Hours, after: datetime, count: int, is_unknown: Callable[[datetime, datetime], bool]
) -> Missed | None:
    """The first `count` opening days that begin after a moment, wherever they lie; None when that is too far ahead.

    A day of which everything `is_unknown` counts neither as missed nor as a day with service.
    """
    days: list[OpeningDay] = []
    for day in _days_after(hours, after):
        if not is_unknown(day.opens, day.closes):
            days.append(day)
        if len(days) == count:
            return Missed(tuple(day.day for day in days), days[0].opens, max(day.closes for day in days))
    return None


def _days_after(hours: Hours, after: datetime) -> Iterator[OpeningDay]:
    last: date | None = None
    first = after.astimezone(UTC).date()
    for start in range(0, _HORIZON.days, _STEP.days):
        for day in _days_around(hours, first + timedelta(days=start)):
            if day.opens > after and (last is None or day.day > last):
                last = day.day
                yield day


def served(hours: Hours, came_at: datetime, fell_at: datetime) -> bool:
    """Whether a station that was on from `came_at` to `fell_at` was so on the latest opening day that began before."""
    begun = [day for day in _days_around(hours, fell_at.astimezone(UTC).date()) if day.opens <= fell_at]
    return bool(begun) and came_at <= max(begun, key=lambda day: day.opens).closes


@lru_cache(maxsize=4096)
def _days_around(hours: Hours, day: date) -> Sequence[OpeningDay]:
    """The opening days near a date, a week before and after: the same for all stations of a calendar."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return tuple(hours.opening_days(noon - _STEP, noon + _STEP))
