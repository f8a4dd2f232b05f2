"""When stations should be open: opening hours and closures, and what both change as time goes on. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

import msgspec
import numpy as np

from alerting.liveness.arrays import view
from alerting.stations.closures_now import ClosuresNow
from alerting.stations.columns import StationColumns
from alerting.stations.model import ChangeLog, OpeningHours
from alerting.stations.openings import Openings
from alerting.stations.selections import in_scope, working
from alerting.stations.stamps import stamp_of
from registry.closures.rules import Closure
from store.troubles import Troubles

BULK: Final = 50_000
"""Stations that open or close in one go; the others of a calendar follow in the next, so that no pass takes long."""


class StationSchedule:
    """The opening hours and closures of the stations in the columns, at the moment of the log, which it moves on."""

    def __init__(self, columns: StationColumns, log: ChangeLog, troubles: Troubles) -> None:
        self.openings = Openings(troubles)
        self.closures = ClosuresNow(columns)
        self._columns = columns
        self._log = log

    # -- asking ------------------------------------------------------------------------------------------------

    def hours(self, station: str) -> OpeningHours | None:
        """The calendar of a station; None: it is always open, or not known."""
        row = self._columns.index.get(station)
        return None if row is None else self.openings.hours_of(self._columns.calendar[row])

    def opens_at(self, station: str, at: datetime) -> datetime | None:
        """When a station that is closed or silenced should be open again; None: it should be now, or it is not
        known."""
        row = self._columns.index.get(station)
        if row is None:
            return None
        hours = self.openings.hours_of(self._columns.calendar[row])
        held = (closure.ends_at for closure in self.closures.of_row(row) if closure.holds(at))
        begin = max(held, default=at)
        if hours is not None and not hours.is_open(begin):
            return hours.next_opening(begin)
        return begin if begin > at else None

    def excused(self) -> list[str]:
        """The stations that an approved closure excuses now."""
        return [station for station, row in self._columns.index.items() if self._columns.excused[row]]

    def is_expected_throughout(self, station: str, begin: datetime, end: datetime) -> bool:
        """Whether a station is in service, and open and not excused from `begin` to `end`."""
        row = self._columns.index.get(station)
        if row is None or not self._columns.serving[row] or self.closures.excuses_within(row, begin, end):
            return False
        return self.openings.is_open_throughout(self._columns.calendar[row], begin, end)

    # -- time --------------------------------------------------------------------------------------------------

    @property
    def next_boundary(self) -> datetime | None:
        """When the next calendar opens or closes, or a closure begins or ends."""
        times = (self.openings.next_change, self.closures.next_change(self._log.time))
        return min((time for time in times if time is not None), default=None)

    def advance(self, until: datetime) -> None:
        """Let time go on to `until`, over every opening, closing and closure on the way."""
        log = self._log
        while (boundary := self.next_boundary) is not None and boundary <= until:
            before, log.time = log.time, max(log.time, boundary)
            for closure in self.closures.changed(before, log.time):
                self._flag_closure(closure)
            self.openings.advance(log.time)
        log.time = max(log.time, until)

    def set_calendars(self, calendars: Mapping[int, OpeningHours]) -> None:
        """Replace all calendars, by their ids."""
        self.openings.replace(calendars, self._log.time)

    @property
    def turning(self) -> bool:
        """Whether stations are still to open or close with their calendar (`turn_some`)."""
        return bool(self.openings.turned)

    def turn_some(self, limit: int = BULK) -> int:
        """Open or close the stations whose calendar did, and note the change of those that are not working, at most
        `limit` of them. A working station does not change otherwise, so its next change shows it. Returns how many
        changes were noted."""
        columns, turned, count = self._columns, self.openings.turned, 0
        while turned and count < limit:
            calendar, is_open = turned[0]
            idle = _turn_working(columns, calendar, is_open)
            if len(idle) <= limit - count:
                turned.popleft()
            for row in idle[: limit - count]:
                before = columns.standing_of(row)
                columns.open[row] = is_open
                self._log.note(before, msgspec.structs.replace(before, open=is_open))
            count += len(idle)
        return min(count, limit)

    # -- closures ----------------------------------------------------------------------------------------------

    def set_closures(self, closures: Iterable[Closure]) -> None:
        """Replace all closures. Closures that ended days ago may be left out."""
        for closure in self.closures.replace(closures):
            if closure.from_at <= self._log.time:
                self._flag_closure(closure)

    def _flag_closure(self, closure: Closure) -> None:
        """Set the flags of the stations of a closure that began, ended, or changed."""
        columns, now = self._columns, self._log.time
        ended = stamp_of(closure.ends_at) if closure.from_at < closure.ends_at <= now else None
        for row in in_scope(columns, closure):
            before = columns.standing_of(row)
            if ended is not None:
                columns.silence_ended[row] = max(columns.silence_ended[row], ended)
            self.closures.flag_row(row, now)
            self._log.note(before, columns.standing_of(row))


def _turn_working(columns: StationColumns, calendar: int, is_open: bool) -> list[int]:
    """Open or close the stations of a calendar that work; returns the rows of those that do not, still unchanged."""
    is_working, opened = working(columns), view(columns.open)
    turned = (view(columns.calendar) == calendar) & (opened != is_open)
    opened[turned & is_working] = is_open
    idle: list[int] = np.flatnonzero(turned & ~is_working).tolist()
    return idle
