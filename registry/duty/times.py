"""Whether a duty is in force at a moment: its times, its dates and its rotation. Pure.

A span of the times belongs to the local day on which it begins: a night watch that begins on Sunday is of the week of
this Sunday, and of the dates that include it, until it ends on Monday morning.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from registry.duty.model import Duty, PassedOver
from registry.hours.day_classes import DayClass, DayClasses
from registry.hours.local_time import instant_of, is_skipped_day
from registry.hours.opening_text import ScheduleError, parse_rules

_DAY: Final = timedelta(days=1)
_A_MONDAY: Final = date(1970, 1, 5)


def why_not_in_force(duty: Duty, now: datetime, classes: DayClasses, timezone: str) -> PassedOver | None:
    """None: the duty is in force at `now`; otherwise why it is not. `timezone`: of times that name none."""
    found: PassedOver = PassedOver.NOT_ON_DUTY
    try:
        for day in _days_of(duty.times, now, classes, timezone):
            if is_valid_on(duty, day):
                if is_in_week(duty, day):
                    return None
                found = PassedOver.OUTSIDE_ROTATION
    except ScheduleError:
        return PassedOver.UNREADABLE_TIMES
    return found


def is_valid_on(duty: Duty, day: date) -> bool:
    """Whether the dates of a duty include a local day."""
    return (duty.valid_from is None or duty.valid_from <= day) and (duty.valid_to is None or day <= duty.valid_to)


def is_in_week(duty: Duty, day: date) -> bool:
    """Whether the week of a local day is one of the duty. Calendar weeks count, whatever the classes of their days."""
    weeks = (_monday(day) - _monday(duty.valid_from or _A_MONDAY)).days // 7
    return weeks % duty.weeks == duty.week - 1


def local_day(now: datetime, timezone: str) -> date:
    """The day of a moment in a time zone."""
    return now.astimezone(_zone(timezone)).date()


def spans_in_force(
    duty: Duty, begin: datetime, end: datetime, classes: DayClasses, timezone: str
) -> list[tuple[datetime, datetime]]:
    """The spans in which a duty is in force that may overlap [`begin`, `end`): exactly the moments at which
    `why_not_in_force` is None. Raises ScheduleError."""
    rules = parse_rules(duty.times)
    zone = rules.zone or timezone
    found: list[tuple[datetime, datetime]] = []
    for day in days_around(begin, end, zone):
        if is_valid_on(duty, day) and is_in_week(duty, day) and not _is_skipped(day, zone):
            spans = rules.spans(day, classes.class_of(day))
            found += [(_instant(day, since, zone), _instant(day, until, zone)) for since, until in spans]
    return found


@lru_cache(maxsize=256)
def days_around(begin: datetime, end: datetime, zone: str) -> tuple[date, ...]:
    """The local days on which spans that overlap [`begin`, `end`) may begin."""
    first, last = local_day(begin, zone) - 2 * _DAY, local_day(end, zone) + _DAY
    return tuple(first + n * _DAY for n in range((last - first).days + 1))


# Many duties have the same times, and many areas are asked about at the same moment.
@lru_cache(maxsize=16_384)
def _days_of(times: str, now: datetime, classes: DayClasses, timezone: str) -> tuple[date, ...]:
    """The local days on which a span began that holds at `now`. The day after is looked at because a clock that goes
    back over midnight shows the old day again. Raises ScheduleError."""
    zone = parse_rules(times).zone or timezone
    today = local_day(now, zone)
    return tuple(
        day
        for day in (today, today - _DAY, today + _DAY)
        if any(begin <= now < end for begin, end in _spans_on(times, zone, day, classes.class_of(day)))
    )


@lru_cache(maxsize=16_384)
def _spans_on(times: str, timezone: str, day: date, kind: DayClass) -> tuple[tuple[datetime, datetime], ...]:
    """The spans that begin on a local day of this class, in UTC."""
    if _is_skipped(day, timezone):
        return ()
    spans = parse_rules(times).spans(day, kind)
    return tuple((_instant(day, begin, timezone), _instant(day, end, timezone)) for begin, end in spans)


@lru_cache(maxsize=4096)
def _is_skipped(day: date, timezone: str) -> bool:
    return is_skipped_day(datetime.combine(day, time()), _zone(timezone))


# In a month duties begin and end at some 90,000 different minutes at most.
@lru_cache(maxsize=131_072)
def _instant(day: date, minute: int, timezone: str) -> datetime:
    midnight = datetime.combine(day, time())
    return instant_of(midnight + timedelta(minutes=minute), _zone(timezone)).astimezone(UTC)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


@lru_cache(maxsize=256)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
