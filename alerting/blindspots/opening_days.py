"""Which opening days a station missed in a row. Pure."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple, Protocol

from registry.hours.calendar import OpeningDay

_STEP: Final = timedelta(days=8)
_HORIZON: Final = timedelta(days=64)
"""How far openings are looked for at once; a station that opens less often is looked at again later."""


class OpeningHours(Protocol):
    """What a calendar of the registry says; one that changes is another."""

    def __hash__(self) -> int: ...

    def is_open(self, at: datetime, /) -> bool: ...

    def opening_days(self, begin: datetime, end: datetime, /) -> Sequence[OpeningDay]:
        """The days of which an opening touches the interval, in order."""


class MissedDays(NamedTuple):
    """The days in a row without it, and when the last of them was over."""

    days: tuple[date, ...]
    since: datetime
    until: datetime


def missed_days(
    hours: OpeningHours, after: datetime, count: int, is_unknown: Callable[[datetime, datetime], bool]
) -> MissedDays | None:
    """The first `count` opening days that do not begin before a moment; None when they are too far ahead.

    A day of which everything `is_unknown` counts neither as missed nor as a day with service.
    """
    days: list[OpeningDay] = []
    for day in _days_after(hours, after):
        if not is_unknown(day.opens, day.closes):
            days.append(day)
        if len(days) == count:
            return MissedDays(tuple(day.day for day in days), days[0].opens, max(day.closes for day in days))
    return None


def _days_after(hours: OpeningHours, after: datetime) -> Iterator[OpeningDay]:
    first = after.astimezone(UTC).date()
    for start in range(0, _HORIZON.days, _STEP.days):
        for day in _week(hours, first + timedelta(days=start)):
            if day.opens >= after:
                yield day


def served(hours: OpeningHours, came_at: datetime, fell_at: datetime) -> bool:
    """Whether a station that was on from `came_at` to `fell_at` was so on the latest opening day that began before."""
    today = fell_at.astimezone(UTC).date()
    days = (*_week(hours, today - _STEP), *_week(hours, today))
    begun = bisect_left(days, fell_at, key=lambda day: day.opens)
    return begun > 0 and came_at < days[begun - 1].closes


@lru_cache(maxsize=8192)
def _week(hours: OpeningHours, first: date) -> Sequence[OpeningDay]:
    """The opening days that begin in the `_STEP` days (of UTC) from a date: the same for all of a calendar."""
    begin = datetime(first.year, first.month, first.day, tzinfo=UTC)
    end = begin + _STEP
    return tuple(day for day in hours.opening_days(begin, end) if begin <= day.opens < end)
