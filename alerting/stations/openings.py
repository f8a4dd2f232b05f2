"""Which calendars are open now, since when, and when the next of them opens or closes. Pure."""

import heapq
from collections import deque
from collections.abc import Iterator, Mapping
from datetime import datetime

from alerting.stations.model import OpeningHours
from alerting.stations.stamps import INSTANT
from registry.hours.calendar import SHUT
from store.troubles import Troubles


class Openings:
    """The calendars by their ids. `turned`: calendars that opened (True) or closed, whose stations do not show it yet.

    A calendar that cannot be read is shut for good, and is named in the troubles: its stations raise no incident.
    """

    def __init__(self, troubles: Troubles) -> None:
        self.turned: deque[tuple[int, bool]] = deque()
        self._troubles = troubles
        self._hours: dict[int, OpeningHours] = {}
        self._open: dict[int, bool] = {}
        self._opened: dict[int, datetime | None] = {}
        #: A heap of what comes next.
        self._agenda: list[tuple[datetime, int]] = []

    def replace(self, calendars: Mapping[int, OpeningHours], now: datetime) -> None:
        """Replace all calendars."""
        self._hours = dict(calendars)
        self._agenda = []
        self._troubles.drop_kind("calendar")
        for calendar in calendars:
            self._turn(calendar, now)

    def hours_of(self, calendar: int) -> OpeningHours | None:
        """A calendar; None: it is not known, and counts as always open."""
        return self._hours.get(calendar)

    def is_open(self, calendar: int) -> bool:
        """Whether a calendar is open now."""
        return self._open.get(calendar, True)

    def opened_at(self, calendar: int) -> datetime | None:
        """When the present opening of a calendar, or its last, began; None: it is always open, or not known."""
        return self._opened.get(calendar)

    def is_open_throughout(self, calendar: int, begin: datetime, end: datetime) -> bool:
        """Whether a calendar is open from `begin` to `end`."""
        hours = self._hours.get(calendar)
        if hours is None:
            return True
        change = hours.next_change(begin) if hours.is_open(begin) else begin
        return change is None or change >= end

    def not_open_throughout(self, begin: datetime, end: datetime) -> Iterator[int]:
        """The calendars that are not open from `begin` to `end`."""
        return (calendar for calendar in self._hours if not self.is_open_throughout(calendar, begin, end))

    @property
    def next_change(self) -> datetime | None:
        """When the next calendar opens or closes; None: never."""
        return self._agenda[0][0] if self._agenda else None

    def advance(self, now: datetime) -> None:
        """Open and close the calendars whose time has come."""
        while self._agenda and self._agenda[0][0] <= now:
            self._turn(heapq.heappop(self._agenda)[1], now)

    def _turn(self, calendar: int, now: datetime) -> None:
        try:
            self._turn_to(calendar, self._hours[calendar], now)
        except Exception as exc:  # whatever it is: it costs this calendar's stations, and no others
            self._troubles.put("calendar", str(calendar), exc)
            self._hours[calendar] = SHUT
            self._turn_to(calendar, SHUT, now)

    def _turn_to(self, calendar: int, hours: OpeningHours, now: datetime) -> None:
        """Set whether a calendar is open now, and note when that changes next."""
        is_open = hours.is_open(now)
        self._opened[calendar] = _last_opening(hours, now, is_open)
        upcoming = hours.next_change(now)
        if upcoming is not None:
            heapq.heappush(self._agenda, (upcoming, calendar))
        if self._open.get(calendar) is not is_open:
            self._open[calendar] = is_open
            self.turned.append((calendar, is_open))


def _last_opening(hours: OpeningHours, at: datetime, is_open: bool) -> datetime | None:
    last = hours.last_change(at)
    return last if is_open or last is None else hours.last_change(last - INSTANT)
