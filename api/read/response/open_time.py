"""How much of an interval a station was open, by its opening hours. Pure."""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import accumulate

from registry.hours.calendar import Calendar, Opening

ZERO = timedelta(0)


class OpenHours:
    """The openings of a calendar, in order and without overlaps, with the open time before each of them.

    The time before the first opening and after the last opening counts as closed.
    """

    def __init__(self, openings: Iterable[Opening]) -> None:
        self._openings = list(openings)
        self._begins = [opens for opens, _ in self._openings]
        self._before = list(accumulate((closes - opens for opens, closes in self._openings), initial=ZERO))

    def between(self, begin: datetime, end: datetime) -> timedelta:
        """The open time within [begin, end)."""
        return max(self._until(end) - self._until(begin), ZERO)

    def _until(self, at: datetime) -> timedelta:
        place = bisect_right(self._begins, at)
        if place == 0:
            return ZERO
        opens, closes = self._openings[place - 1]
        return self._before[place - 1] + min(at, closes) - opens


def hours_of(calendar: Calendar, begin: datetime, end: datetime) -> OpenHours:
    """The openings of a calendar within [begin, end); empty for a calendar that cannot be read."""
    try:
        return OpenHours(calendar.openings(begin, end))
    except ValueError:
        return OpenHours(())


def open_time(hours: OpenHours | None, begin: datetime, end: datetime) -> timedelta:
    """The open time within [begin, end). `hours` None: always open, and an incident without a station; then open time
    is wall time, as in the steps of an escalation."""
    return max(end - begin, ZERO) if hours is None else hours.between(begin, end)
