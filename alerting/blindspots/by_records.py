"""Blind spots found in the newest records of a station: idle, stale and no_wifi. Pure.

| kind | a station in service | since |
|---|---|---|
| idle | is online, and had no session for `idle` | the last session, or the first record |
| stale | had no resource applied for `stale` | the last resource applied, or the first record |
| no_wifi | is online, and none of its access points worked for `no_wifi` | the last access point stopped |

After an `absence` idle time is counted anew; nights and weekends are no absence. A blind spot stays open while the
station is silent, because nothing shows that it is over. A station without any session or resource is looked up first:
its terminals may not report sessions or resources at all, which proves nothing.
"""

from array import array
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import msgspec

from alerting.blindspots.area_counts import StandingChange
from alerting.blindspots.columns import MomentColumn
from alerting.blindspots.open_spots import BITS, OpenSpots
from alerting.blindspots.remembered import SpotMemory
from alerting.blindspots.settings import RecordSettings
from alerting.blindspots.spot import CLEARS, SpotKind
from alerting.stations.snapshot import PassTime, Standing
from alerting.stations.stamps import NEVER, moment_of, stamp_of

RETURNED: Final = "returned"
"""The rule by which the memory keeps when a station came back from an absence."""
KINDS: Final = (SpotKind.IDLE, SpotKind.STALE, SpotKind.NO_WIFI)
_ONLINE_ONLY: Final = frozenset({SpotKind.IDLE, SpotKind.NO_WIFI})
_NEXT_DAY: Final = timedelta(days=1)


class StationRecords(msgspec.Struct, frozen=True, kw_only=True):
    """The newest records of all terminals of a station together.

    `first_at`: the first record; `wifi` None: no terminal has an access point; `wifi_since`: when the last access point
    stopped.
    """

    station: str
    first_at: datetime
    last_session_at: datetime | None = None
    resource_at: datetime | None = None
    wifi: bool | None = None
    wifi_since: datetime | None = None

    @property
    def bases(self) -> dict[SpotKind, datetime | None]:
        """From when the time of each kind is counted; None where the kind does not apply."""
        return {
            SpotKind.IDLE: self.last_session_at or self.first_at,
            SpotKind.STALE: self.resource_at or self.first_at,
            SpotKind.NO_WIFI: (self.wifi_since or self.first_at) if self.wifi is False else None,
        }


class ReportingQuestion(NamedTuple):
    """Does a station report usage (IDLE) or resources (STALE) at all?"""

    kind: SpotKind
    station: str


class RecordSpots:
    """When every station would be a blind spot of each kind."""

    def __init__(
        self,
        spots: OpenSpots,
        memory: SpotMemory,
        settings: RecordSettings,
        standing: Callable[[str], Standing | None],
    ) -> None:
        self._spots, self._memory, self._settings, self._standing = spots, memory, settings, standing
        self._due = {kind: MomentColumn() for kind in KINDS}
        self._base = {kind: MomentColumn() for kind in KINDS}
        self._missing, self._reporting = array("B"), array("B")
        self._questions: list[ReportingQuestion] = []

    def follow_station(self, step: StandingChange, row: int, silent: datetime | None) -> None:
        """Take the change of the station in `row`. `silent`: since when it was silent, if this change ended that."""
        _, after, at = step
        if after is None or not after.in_service:
            self._leave(row, at, "deleted" if after is None else after.lifecycle)
            return
        if silent is not None and after.since is not None and after.since - silent >= self._settings.absence:
            self._memory.remember(RETURNED, after.station, after.since)
            self._spots.close_spot(SpotKind.IDLE, row, after.since, "returned")
        self._wait(row, after)

    def _leave(self, row: int, at: datetime, reason: str) -> None:
        self._memory.forget_moment(RETURNED, self._spots.rows.names[row])
        for kind in KINDS:
            self._due[kind][row] = NEVER
            self._spots.close_spot(kind, row, at, reason)

    def note_records(self, records: Iterable[StationRecords], known: datetime) -> None:
        """Take the newest records of some stations."""
        for one in records:
            row = self._spots.row_of(one.station)
            self._note_missing(row, one)
            for kind, base in one.bases.items():
                self._base[kind][row] = NEVER if base is None else stamp_of(base)
                if base is None or base + self._patience(kind) > known:
                    self._spots.close_spot(kind, row, base or known, CLEARS[kind])
            self._forget_return(one)
            standing = self._standing(one.station)
            if standing is not None and standing.in_service:
                self._wait(row, standing)

    def _note_missing(self, row: int, one: StationRecords) -> None:
        for bits in (self._missing, self._reporting):
            bits.extend([0] * (row + 1 - len(bits)))
        newest = {SpotKind.IDLE: one.last_session_at, SpotKind.STALE: one.resource_at}
        self._missing[row] = sum(BITS[kind] for kind, at in newest.items() if at is None)

    def _forget_return(self, one: StationRecords) -> None:
        returned = self._memory.moment_of(RETURNED, one.station)
        if returned is not None and returned <= (one.last_session_at or one.first_at):
            self._memory.forget_moment(RETURNED, one.station)

    def _wait(self, row: int, standing: Standing) -> None:
        if row >= len(self._missing):
            return  # the station never sent a record
        for kind in KINDS:
            base = self._counted_from(kind, row)
            if base is None or self._spots.is_open(row, kind) or not _may_be(kind, standing):
                self._due[kind][row] = NEVER
            else:
                self._due[kind][row] = stamp_of(base + self._patience(kind))

    def _patience(self, kind: SpotKind) -> timedelta:
        s = self._settings
        return {SpotKind.IDLE: s.idle, SpotKind.STALE: s.stale}.get(kind, s.no_wifi)

    def _counted_from(self, kind: SpotKind, row: int) -> datetime | None:
        base = moment_of(self._base[kind][row])
        if base is None or kind is not SpotKind.IDLE:
            return base
        return max(base, self._memory.moment_of(RETURNED, self._spots.rows.names[row]) or base)

    def may_be_due(self, known: datetime) -> bool:
        """Whether time alone may decide something by now."""
        return any(due.may_be_due(stamp_of(known)) for due in self._due.values())

    def find_due(self, now: PassTime) -> None:
        """Open the blind spots that have lasted long enough; a station whose clock is not trusted waits."""
        for kind, column in self._due.items():
            for row in column.take_due(stamp_of(now.known), now.untrusted):
                standing = self._standing(self._spots.rows.names[row])
                if standing is None or not _may_be(kind, standing) or self._spots.is_open(row, kind):
                    continue
                if standing.clock in now.untrusted:
                    column.park_row(row, standing.clock)
                else:
                    self._judge(kind, row, standing, now.known)

    def _judge(self, kind: SpotKind, row: int, standing: Standing, known: datetime) -> None:
        since = self._counted_from(kind, row)
        if since is None:
            return
        due = since + self._patience(kind)
        if due > known:
            self._due[kind][row] = stamp_of(due)
        elif self._missing[row] & ~self._reporting[row] & BITS[kind]:
            self._questions.append(ReportingQuestion(kind, standing.station))
            self._due[kind][row] = stamp_of(known + _NEXT_DAY)
        else:
            self._spots.open_spot(kind, row, standing, since, {})

    def take_questions(self) -> list[ReportingQuestion]:
        """The questions since the last call; a question without an answer is asked again the next day."""
        questions, self._questions = self._questions, []
        return questions

    def note_reporting(self, reporting: Iterable[ReportingQuestion]) -> None:
        """Take the questions to which the answer is yes; their stations are judged in the next pass."""
        for kind, station in reporting:
            row = self._spots.row_of(station)
            self._reporting[row] |= BITS[kind]
            self._due[kind][row] = 0


def _may_be(kind: SpotKind, standing: Standing) -> bool:
    return standing.in_service and (kind not in _ONLINE_ONLY or standing.state == "online")
