"""Which opening days in a row a station missed. Pure."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple, Protocol

from registry.hours.calendar import OpeningDay

_STEP: Final = timedelta(days=8)
_HORIZON: Final = timedelta(days=64)
"""How far ahead openings are searched at once; a station that opens less often is judged again later."""


class OpeningCalendar(Protocol):
    """The opening hours that a calendar of the registry gives. Immutable: a calendar that changes is another object."""

    def __hash__(self) -> int: ...

    def is_open(self, at: datetime, /) -> bool:
        """Whether the station should be open at a moment."""

    def opening_days(self, begin: datetime, end: datetime, /) -> Sequence[OpeningDay]:
        """The days with an opening that touches the interval, in order."""


class MissedDays(NamedTuple):
    """Opening days in a row without service: when the first began (`since`) and when the last was over (`until`)."""

    days: tuple[date, ...]
    since: datetime
    until: datetime


def missed_days(
    hours: OpeningCalendar, after: datetime, count: int, is_unknown: Callable[[datetime, datetime], bool]
) -> MissedDays | None:
    """The first `count` opening days that begin at `after` or later; None when they lie too far ahead.

    A day that is unknown as a whole (`is_unknown` of its opening and closing) is neither missed nor a day with service.
    """
    days: list[OpeningDay] = []
    for day in _days_after(hours, after):
        if not is_unknown(day.opens, day.closes):
            days.append(day)
        if len(days) == count:
            return MissedDays(tuple(day.day for day in days), days[0].opens, max(day.closes for day in days))
    return None


def _days_after(hours: OpeningCalendar, after: datetime) -> Iterator[OpeningDay]:
    first = after.astimezone(UTC).date()
    for start in range(0, _HORIZON.days, _STEP.days):
        for day in _week(hours, first + timedelta(days=start)):
            if day.opens >= after:
                yield day


def served(hours: OpeningCalendar, came_at: datetime, fell_at: datetime) -> bool:
    """Whether a station that was online from `came_at` to `fell_at` served on the last opening day that began before
    `fell_at`."""
    today = fell_at.astimezone(UTC).date()
    days = (*_week(hours, today - _STEP), *_week(hours, today))
    begun = bisect_left(days, fell_at, key=lambda day: day.opens)
    return begun > 0 and came_at < days[begun - 1].closes


@lru_cache(maxsize=8192)
def _week(hours: OpeningCalendar, first: date) -> Sequence[OpeningDay]:
    """The opening days that begin within `_STEP` from a date (UTC); cached, for many stations share a calendar."""
    begin = datetime(first.year, first.month, first.day, tzinfo=UTC)
    end = begin + _STEP
    return tuple(day for day in hours.opening_days(begin, end) if begin <= day.opens < end)
