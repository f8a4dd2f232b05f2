"""Blind spots found in the silence of a station: dark and shut. Pure.

| kind | a station in service | since |
|---|---|---|
| dark | did not report for `never` after it was commissioned, or is silent for `dark` | that moment |
| shut | was not online on `shut_days` opening days in a row | the first of these openings |

A station in an approved closure is not silent: the closure ends both kinds, and silence is counted from its end.
Unknown time of the platform does not count either.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final

import msgspec

from alerting.blindspots.area_counts import StandingChange
from alerting.blindspots.columns import MomentColumn
from alerting.blindspots.open_spots import OpenSpots
from alerting.blindspots.opening_days import OpeningCalendar, missed_days, served
from alerting.blindspots.remembered import SpotMemory
from alerting.blindspots.settings import SilenceSettings
from alerting.blindspots.spot import SpotKind
from alerting.blindspots.unknown_time import Gaps
from alerting.stations.snapshot import PassTime, Standing
from alerting.stations.stamps import NEVER, moment_of, stamp_of

EXPECTED: Final = "expected"
"""The rule by which the memory keeps since when a station is expected to report, if that is later than its silence."""
IN_HOURS: Final = "in_hours"
"""The rule for the last opening day with service, if the station was online once more outside opening hours."""
KINDS: Final = (SpotKind.DARK, SpotKind.SHUT)
_AGAIN: Final = timedelta(seconds=5)
_LATER: Final = timedelta(days=30)
_NEXT_DAY: Final = timedelta(days=1)
"""Opening days are counted again after this time, because schedules change."""
_MOST: Final = 20_000
"""The most stations whose opening days are computed in one pass."""


class StationLookup(msgspec.Struct, frozen=True):
    """Lookups that the rules need: the standing and the opening hours of a station."""

    standing: Callable[[str], Standing | None]
    hours: Callable[[str], OpeningCalendar]


class SilenceSpots:
    """Since when every station is silent, and when it would be a blind spot of each kind."""

    def __init__(self, spots: OpenSpots, lookup: StationLookup, memory: SpotMemory, settings: SilenceSettings) -> None:
        self._spots, self._lookup, self._memory, self._settings = spots, lookup, memory, settings
        self._silent, self._came, self._served = MomentColumn(), MomentColumn(), MomentColumn()
        self._due = {kind: MomentColumn() for kind in KINDS}
        self._off_hours: set[str] = set()

    def close_deleted(self, spots: Iterable[tuple[SpotKind, str]], known: datetime) -> None:
        """After all stations are loaded: close those of the open blind spots whose station was deleted."""
        for kind, station in spots:
            if self._lookup.standing(station) is None:
                self._spots.close_spot(kind, self._spots.row_of(station), known, "deleted")

    def follow_station(self, step: StandingChange, row: int) -> datetime | None:
        """Take the change of the station in `row`; returns since when it was silent, if this change ended that."""
        before, after, at = step
        if after is None or not after.in_service:
            self._leave(row, at, "deleted" if after is None else after.lifecycle)
            return None
        if after.state == "online":
            return self._come(row, after, at)
        self._fall(row, before, after, at)
        return None

    def _leave(self, row: int, at: datetime, reason: str) -> None:
        station = self._spots.rows.names[row]
        for kind in KINDS:
            self._due[kind][row] = NEVER
            self._spots.close_spot(kind, row, at, reason)
        self._silent[row] = self._came[row] = self._served[row] = NEVER
        self._off_hours.discard(station)
        for rule in (EXPECTED, IN_HOURS):
            self._memory.forget_moment(rule, station)

    def _come(self, row: int, after: Standing, at: datetime) -> datetime | None:
        silent = None
        if self._came[row] == NEVER:
            at = after.since or at
            silent = self._end_silence(row, after, at)
        if self._spots.is_open(row, SpotKind.SHUT):
            if after.open:
                self._spots.close_spot(SpotKind.SHUT, row, at, "online_in_hours")
            else:
                self._off_hours.add(after.station)
        return silent

    def _end_silence(self, row: int, after: Standing, since: datetime) -> datetime | None:
        silent = moment_of(self._silent[row])
        if silent is not None:
            self._served[row] = stamp_of(self._service(after, silent))
        self._came[row], self._silent[row] = stamp_of(since), NEVER
        self._memory.forget_moment(EXPECTED, after.station)
        for kind in KINDS:
            self._due[kind][row] = NEVER
        self._spots.close_spot(SpotKind.DARK, row, since, "heartbeat")
        return silent

    def _fall(self, row: int, before: Standing | None, after: Standing, at: datetime) -> None:
        self._off_hours.discard(after.station)
        came = moment_of(self._came[row])
        if came is not None:
            self._note_service(row, after, came, after.since or at)
        elif before is not None and before.in_service and before.since not in (None, after.since):
            self._keep_service(before)
        self._came[row] = NEVER
        if self._is_expected_anew(before, after):
            self._memory.remember(EXPECTED, after.station, at)
        silence = self._silence(after)
        self._silent[row] = NEVER if silence is None else stamp_of(silence)
        if after.excused:
            self._excuse(row, at)
        elif silence is not None:
            self._wait(row, after, silence)

    def _note_service(self, row: int, after: Standing, came: datetime, fell: datetime) -> None:
        """Remember the last opening day with service, if the station fell silent on another day."""
        if served(self._lookup.hours(after.station), came, fell):
            self._memory.forget_moment(IN_HOURS, after.station)
        else:
            last = moment_of(self._served[row]) or self._memory.moment_of(IN_HOURS, after.station)
            self._memory.remember(IN_HOURS, after.station, last or came)
        self._served[row] = NEVER

    def _keep_service(self, before: Standing) -> None:
        """A station changed from away to offline or back: it stays silent, and its last service does not move."""
        if before.since is not None and self._memory.moment_of(IN_HOURS, before.station) is None:
            self._memory.remember(IN_HOURS, before.station, before.since)

    def _is_expected_anew(self, before: Standing | None, after: Standing) -> bool:
        """Whether a station is expected to report from now on: it came into service, or its closure ended."""
        if before is not None:
            return not before.in_service or (before.excused and not after.excused)
        dated = after.state != "never_seen" or after.commissioned_at is not None
        return not dated and self._memory.moment_of(EXPECTED, after.station) is None

    def _excuse(self, row: int, at: datetime) -> None:
        for kind in KINDS:
            self._due[kind][row] = NEVER
            self._spots.close_spot(kind, row, at, "excused")

    def _silence(self, standing: Standing) -> datetime | None:
        """Since when a station is silent although it is expected to report; None when that is not known."""
        first = standing.commissioned_at if standing.state == "never_seen" else standing.since
        expected = self._memory.moment_of(EXPECTED, standing.station)
        return max((at for at in (first, expected) if at is not None), default=None)

    def _service(self, standing: Standing, silence: datetime) -> datetime:
        """The last opening day with service, or since when the station is expected to report, if that is later."""
        last = self._memory.moment_of(IN_HOURS, standing.station)
        expected = self._memory.moment_of(EXPECTED, standing.station)
        return silence if last is None else max(last, expected or last)

    def _wait(self, row: int, standing: Standing, silence: datetime) -> None:
        s, never = self._settings, standing.state == "never_seen"
        if not self._spots.is_open(row, SpotKind.DARK):
            self._due[SpotKind.DARK][row] = stamp_of(silence + (s.never if never else s.dark))
        if not never and not self._spots.is_open(row, SpotKind.SHUT):
            earliest = timedelta(days=s.shut_days - 1, hours=-2)  # a day may have 23 hours
            self._due[SpotKind.SHUT][row] = stamp_of(self._service(standing, silence) + earliest)

    def may_be_due(self, known: datetime) -> bool:
        """Whether time alone may decide something by now."""
        return bool(self._off_hours) or any(due.may_be_due(stamp_of(known)) for due in self._due.values())

    def find_due(self, now: PassTime, gaps: Gaps) -> None:
        """Open and close what time alone decides; a station whose clock is not trusted waits."""
        for station in sorted(self._off_hours):
            self._judge_off_hours(station, now)
        for kind, column in self._due.items():
            for done, row in enumerate(column.take_due(stamp_of(now.known), now.untrusted)):
                standing = self._lookup.standing(self._spots.rows.names[row])
                if standing is None or not self._may_be(kind, row, standing):
                    continue
                if standing.clock in now.untrusted:
                    column.park_row(row, standing.clock)
                elif kind is SpotKind.SHUT and done >= _MOST:
                    column[row] = stamp_of(now.known + _AGAIN)
                elif kind is SpotKind.DARK:
                    self._judge_dark(row, standing, now.known, gaps)
                else:
                    self._judge_shut(row, standing, now.known, gaps)

    def _may_be(self, kind: SpotKind, row: int, standing: Standing) -> bool:
        expected = standing.in_service and standing.state != "online" and not standing.excused
        return expected and not self._spots.is_open(row, kind)

    def _judge_off_hours(self, station: str, now: PassTime) -> None:
        standing = self._lookup.standing(station)
        if standing is not None and now.knows(standing) and self._lookup.hours(station).is_open(now.known):
            self._off_hours.discard(station)
            self._spots.close_spot(SpotKind.SHUT, self._spots.row_of(station), now.known, "online_in_hours")

    def _judge_dark(self, row: int, standing: Standing, known: datetime, gaps: Gaps) -> None:
        since = self._silence(standing) or known
        never = standing.state == "never_seen"
        patience = self._settings.never if never else self._settings.dark
        left = patience - (known - since - gaps.unknown_within([standing.clock], since, known))
        if left > timedelta():
            self._due[SpotKind.DARK][row] = stamp_of(known + left)
        else:
            self._spots.open_spot(SpotKind.DARK, row, standing, since, {"never_seen": never})

    def _judge_shut(self, row: int, standing: Standing, known: datetime, gaps: Gaps) -> None:
        last = self._service(standing, self._silence(standing) or known)
        clocks = [standing.clock]
        missed = missed_days(
            self._lookup.hours(standing.station),
            last,
            self._settings.shut_days,
            lambda opens, closes: gaps.unknown_within(clocks, opens, closes) >= closes - opens,
        )
        if missed is None:
            self._due[SpotKind.SHUT][row] = stamp_of(known + _LATER)
        elif missed.until > known:
            self._due[SpotKind.SHUT][row] = stamp_of(min(missed.until, known + _NEXT_DAY))
        else:
            figures = {"days": [day.isoformat() for day in missed.days]}
            self._spots.open_spot(SpotKind.SHUT, row, standing, missed.since, figures)
