"""Instants of local times, also on days when clocks change. Pure.

A local time means the first instant at which the local clock shows this time or a later one. So the hour that is
skipped when clocks go forward has no length, and of the hour that comes twice when they go back the first one counts.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


def instant_of(wall: datetime, zone: ZoneInfo) -> datetime:
    """The first instant, in UTC, at which the clock of a zone shows `wall` or a later time."""
    found = wall.replace(tzinfo=zone).astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) == wall:
        return found
    return _end_of_gap(wall.replace(tzinfo=zone, fold=1).astimezone(UTC), found, zone)


def is_skipped_day(midnight: datetime, zone: ZoneInfo) -> bool:
    """Whether a zone skipped the day of this midnight, as Samoa skipped 30 December 2011."""
    return instant_of(midnight, zone) == instant_of(midnight + timedelta(days=1), zone)


def _end_of_gap(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The second at which clocks went forward, after `before` and not after `after`."""
    offset = after.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0)
        before, after = (before, middle) if middle.astimezone(zone).utcoffset() == offset else (middle, after)
    return after
