"""Local days of a station as instants. Pure.

A local day is [start(d), start(d + 1)): each start is midnight in the zone that holds on that day. So days leave no
time out and share none: a day on which clocks change has 23 or 25 hours, and the day before a change of the zone is as
much shorter or longer as the zones are apart. A day that the zone skips is empty.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from contract.home import HOME_ZONE
from registry.hours.local_time import instant_of

CLOSES_AFTER: Final = timedelta(hours=4)
"""A day closes when the pipeline clocks are so far past its end."""

ZoneOn = Callable[[date], ZoneInfo]
"""The zone that holds on a local day: `Calendar.zone_on`."""

_DAY: Final = timedelta(days=1)
# Zones lie up to 14 hours from UTC, and a day is up to a day longer where the zone changes.
_AROUND: Final = timedelta(hours=54)
# Zones lie up to 26 hours apart. After a change a start could therefore lie before the starts of two earlier days.
_REACH: Final = 2


class LocalDay(msgspec.Struct, frozen=True):
    """A local day and its instants [begin, end), in UTC."""

    day: date
    begin: datetime
    end: datetime


def local_days(first: date, last: date, zone_on: ZoneOn) -> list[LocalDay]:
    """The local days `first` to `last`, in order and without gaps."""
    dates = [first + n * _DAY for n in range((last - first).days + 2)]
    starts = [_start(day, zone_on) for day in dates]
    return [LocalDay(day, begin, end) for day, (begin, end) in zip(dates, pairwise(starts), strict=False)]


def month_days(year: int, month: int, zone_on: ZoneOn) -> list[LocalDay]:
    """The local days of a month: all of it, also its last second."""
    first = date(year, month, 1)
    following = (first + 31 * _DAY).replace(day=1)
    return local_days(first, following - _DAY, zone_on)


def readable_zones(names: Iterable[str]) -> list[ZoneInfo]:
    """The zones with valid names; if there are none, the zone of the country. A station with an invalid zone has no
    figures."""
    found: list[ZoneInfo] = []
    for name in names:
        with suppress(ZoneInfoNotFoundError, ValueError, OSError):
            found.append(ZoneInfo(name))
    return found or [ZoneInfo(HOME_ZONE)]


def source_window(first: date, last: date) -> tuple[datetime, datetime]:
    """The time from which the sources of some local days are read, in UTC: wide enough for the days of any zone."""
    begin, end = (datetime.combine(day, time(), tzinfo=UTC) for day in (first, last))
    return begin - _AROUND, end + _AROUND + _DAY


def is_closed(day: LocalDay, clock: datetime, open_gaps: Iterable[datetime] = ()) -> bool:
    """Whether a day is over for its figures: the slowest pipeline clock is `CLOSES_AFTER` past its end, and no gap that
    is still open began before its end."""
    return clock >= day.end + CLOSES_AFTER and all(began_at >= day.end for began_at in open_gaps)


def _start(day: date, zone_on: ZoneOn) -> datetime:
    """Midnight of the day, but never before that of an earlier day."""
    earlier = (day - n * _DAY for n in range(_REACH + 1))
    return max(instant_of(datetime.combine(each, time()), zone_on(each)) for each in earlier)
