"""Blind spots of single stations: dark and shut by their silence, idle, stale and no_wifi by their records. Pure.

| kind | a station in service | since |
|---|---|---|
| dark | never reported for `never` after it was commissioned, or is silent for `dark` | then |
| shut | was not online on `shut_days` opening days in a row | the first of these openings |
| idle | is online, and had no session for `idle` | the last session, or its first record |
| stale | had no resource applied for `stale` | the last one, or its first record |
| no_wifi | is online, and none of its access points worked for `no_wifi` | the last one stopped |

An approved closure is no silence: it ends dark and shut, and what follows is counted from its end. Nor is time that the
platform itself does not know. Idle is counted anew after an `absence`, nights and weekends being none; idle, stale and
no_wifi that were found stay while the station is silent, for nobody can say that they are over.
"""

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from alerting.areas import Step
from alerting.opening_days import Hours, missed_days, served
from alerting.spot_columns import NEVER, Moments, Rows, moment, stamp
from alerting.spot_gaps import Gaps
from alerting.spot_memory import Memory
from alerting.spots import Found, Gone, Kind, Turn
from alerting.standing import Moment, Standing

EXPECTED: Final = "expected"
"""The memory's rule for stations that are expected to answer since later than they are silent."""
IN_HOURS: Final = "in_hours"
"""For those last online on an opening day earlier than they were last online."""
RETURNED: Final = "returned"
"""For those that came back from an absence."""

_BITS: Final = {kind: 1 << place for place, kind in enumerate(Kind)}
_SILENCE: Final = (Kind.DARK, Kind.SHUT)
_RECORDS: Final = (Kind.IDLE, Kind.STALE, Kind.NO_WIFI)
_AGAIN: Final = timedelta(seconds=5)
_LATER: Final = timedelta(days=30)
_NEXT_DAY: Final = timedelta(days=1)
"""Schedules change: opening days are counted again each day."""
_MOST: Final = 20_000
"""Stations whose opening days are looked up in one pass."""


class StationSettings(msgspec.Struct, frozen=True, kw_only=True):
    """When a station is a blind spot; see the table above."""

    never: timedelta = timedelta(days=1)
    dark: timedelta = timedelta(days=7)
    shut_days: int = 3
    idle: timedelta = timedelta(days=14)
    stale: timedelta = timedelta(days=90)
    no_wifi: timedelta = timedelta(hours=1)
    absence: timedelta = timedelta(days=3)


class Records(msgspec.Struct, frozen=True, kw_only=True):
    """What the newest records of a station's terminals say together.

    `first_at`: since when they are heard; `wifi` None: none has an access point; `wifi_since`: when the last stopped.
    """

    station: str
    first_at: datetime
    last_session_at: datetime | None = None
    resource_at: datetime | None = None
    wifi: bool | None = None
    wifi_since: datetime | None = None


class World(msgspec.Struct, frozen=True):
    """Whom the rules ask: how a station stands, and its opening hours."""

    standing: Callable[[str], Standing | None]
    hours: Callable[[str], Hours]


class StationSpots:
    """What every station would be due for, and which blind spots it has."""

    def __init__(self, world: World, memory: Memory, settings: StationSettings) -> None:
        self._world, self._memory, self._settings = world, memory, settings
        self._rows = Rows()
        self._told = array("B")
        self._silent, self._came, self._served = Moments(), Moments(), Moments()
        self._due = {kind: Moments() for kind in (*_SILENCE, *_RECORDS)}
        self._base = {kind: Moments() for kind in _RECORDS}
        self._off_hours: set[str] = set()
        self._resolved: Mapping[tuple[Kind, str], datetime] = {}
        self._turns: list[Turn] = []

    # -- stations ------------------------------------------------------------------------------------------------

    def begin(self, told: Iterable[tuple[Kind, str]], resolved: Mapping[tuple[Kind, str], datetime]) -> None:
        """Begin with the blind spots that are open, and those that a person resolved, by when; then tell it of every
        station as new, and `recheck`. Records come after."""
        self._resolved = resolved
        for kind, station in told:
            self._mark(self._row(station), kind)

    def recheck(self, told: Mapping[tuple[Kind, str], datetime], known: datetime) -> None:
        """End those, by since when they are open, that nobody saw ending."""
        for (kind, station), since in told.items():
            self._recheck(kind, station, since, known)

    def _recheck(self, kind: Kind, station: str, since: datetime, known: datetime) -> None:
        """The station may be gone, or have come and fallen silent again."""
        standing = self._world.standing(station)
        row = self._row(station)
        if standing is None:
            self._clear(row, kind, known, "deleted")
        elif kind is Kind.DARK and (silence := self._silence(standing)) and silence > since:
            self._clear(row, kind, silence, "heartbeat")
            self._wait(row, standing)

    def follow(self, step: Step) -> None:
        """Take the change of a station."""
        before, after, at = step
        either = after or before
        if either is None:
            return
        row = self._row(either.station)
        if after is None or not after.in_service:
            self._leave(row, at, "deleted" if after is None else after.lifecycle)
        elif after.state == "online":
            self._come(row, after, at)
        else:
            self._fall(row, before, after, at)

    def _leave(self, row: int, at: datetime, reason: str) -> None:
        station = self._rows.names[row]
        for kind in self._due:
            self._due[kind][row] = NEVER
            self._clear(row, kind, at, reason)
        self._silent[row] = self._came[row] = self._served[row] = NEVER
        self._off_hours.discard(station)
        for rule in (EXPECTED, IN_HOURS, RETURNED):
            self._memory.drop(rule, station)

    def _come(self, row: int, after: Standing, at: datetime) -> None:
        since = after.since or at
        if self._came[row] == NEVER:
            self._came[row] = stamp(since)
            self._note_absence(row, after, since)
            self._silent[row] = NEVER
            self._memory.drop(EXPECTED, after.station)
            for kind in _SILENCE:
                self._due[kind][row] = NEVER
            self._clear(row, Kind.DARK, since, "heartbeat")
            self._wait_for_records(row, after)
            at = since
        if self._has(row, Kind.SHUT):
            if after.open:
                self._clear(row, Kind.SHUT, at, "online_in_hours")
            else:
                self._off_hours.add(after.station)

    def _note_absence(self, row: int, after: Standing, since: datetime) -> None:
        silent = moment(self._silent[row])
        if silent is None:
            return
        self._served[row] = stamp(self._memory.get(IN_HOURS, after.station) or silent)
        if since - silent >= self._settings.absence:
            self._memory.put(RETURNED, after.station, since)
            self._clear(row, Kind.IDLE, since, "returned")

    def _fall(self, row: int, before: Standing | None, after: Standing, at: datetime) -> None:
        self._off_hours.discard(after.station)
        came = moment(self._came[row])
        if came is not None:
            self._note_service(row, after, came, after.since or at)
        self._came[row] = NEVER
        if self._is_expected_anew(before, after):
            self._memory.put(EXPECTED, after.station, at)
        silence = self._silence(after)
        self._silent[row] = NEVER if silence is None else stamp(silence)
        for kind in (Kind.IDLE, Kind.NO_WIFI):
            self._due[kind][row] = NEVER
        if after.excused:
            self._excuse(row, at)
        else:
            self._wait(row, after)
        self._wait_for_records(row, after)

    def _note_service(self, row: int, after: Standing, came: datetime, fell: datetime) -> None:
        """Remember the last opening day with service, when it is not the one on which the station fell silent."""
        if served(self._world.hours(after.station), came, fell):
            self._memory.drop(IN_HOURS, after.station)
        else:
            last = moment(self._served[row]) or self._memory.get(IN_HOURS, after.station)
            self._memory.put(IN_HOURS, after.station, last or came)
        self._served[row] = NEVER

    def _is_expected_anew(self, before: Standing | None, after: Standing) -> bool:
        """Whether it is expected to answer since now: it came into service, or its closure ended."""
        if before is not None:
            return not before.in_service or (before.excused and not after.excused)
        dated = after.state != "never_seen" or after.commissioned_at is not None
        return not dated and self._memory.get(EXPECTED, after.station) is None

    def _excuse(self, row: int, at: datetime) -> None:
        for kind in _SILENCE:
            self._due[kind][row] = NEVER
            self._clear(row, kind, at, "excused")

    def _silence(self, standing: Standing) -> datetime | None:
        """Since when a station says nothing that it should say; None when that is not known."""
        first = standing.commissioned_at if standing.state == "never_seen" else standing.since
        expected = self._memory.get(EXPECTED, standing.station)
        return max((at for at in (first, expected) if at is not None), default=None)

    def _wait(self, row: int, standing: Standing) -> None:
        silence, s = self._silence(standing), self._settings
        never = standing.state == "never_seen"
        if silence is None:
            return
        if not self._has(row, Kind.DARK):
            self._due[Kind.DARK][row] = stamp(silence + (s.never if never else s.dark))
        if not never and not self._has(row, Kind.SHUT):
            earliest = timedelta(days=s.shut_days - 1, hours=-2)  # a day may have 23 hours
            self._due[Kind.SHUT][row] = stamp(self._service(standing, silence) + earliest)

    def _service(self, standing: Standing, silence: datetime) -> datetime:
        """When the last opening day with service was, or the station began to be expected."""
        last = self._memory.get(IN_HOURS, standing.station)
        expected = self._memory.get(EXPECTED, standing.station)
        return silence if last is None else max(last, expected or last)

    # -- records -------------------------------------------------------------------------------------------------

    def note(self, records: Iterable[Records], known: datetime) -> None:
        """Take what the newest records say."""
        for one in records:
            row = self._row(one.station)
            off = (one.wifi_since or one.first_at) if one.wifi is False else None
            bases = {Kind.IDLE: one.last_session_at or one.first_at, Kind.STALE: one.resource_at or one.first_at}
            for kind, base in (*bases.items(), (Kind.NO_WIFI, off)):
                self._base[kind][row] = NEVER if base is None else stamp(base)
                if base is None or base + self._patience(kind) > known:
                    self._clear(row, kind, base or known, _CLEARED[kind])
            returned = self._memory.get(RETURNED, one.station)
            if returned is not None and returned <= bases[Kind.IDLE]:
                self._memory.drop(RETURNED, one.station)
            standing = self._world.standing(one.station)
            if standing is not None and standing.in_service:
                self._wait_for_records(row, standing)

    def _wait_for_records(self, row: int, standing: Standing) -> None:
        for kind in _RECORDS:
            base = self._counted_from(kind, row)
            if base is None or self._has(row, kind) or (kind is not Kind.STALE and standing.state != "online"):
                self._due[kind][row] = NEVER
            else:
                self._due[kind][row] = stamp(base + self._patience(kind))

    def _counted_from(self, kind: Kind, row: int) -> datetime | None:
        base = moment(self._base[kind][row])
        if base is None or kind is not Kind.IDLE:
            return base
        return max(base, self._memory.get(RETURNED, self._rows.names[row]) or base)

    def _patience(self, kind: Kind) -> timedelta:
        return {Kind.IDLE: self._settings.idle, Kind.STALE: self._settings.stale}.get(kind, self._settings.no_wifi)

    # -- time ----------------------------------------------------------------------------------------------------

    def may_turn(self, known: datetime) -> bool:
        """Whether time alone may decide something by now."""
        return bool(self._off_hours) or any(due.is_due(stamp(known)) for due in self._due.values())

    def advance(self, now: Moment, gaps: Gaps) -> None:
        """Find what has lasted long enough."""
        for station in sorted(self._off_hours):
            self._look_at_hours(station, now)
        for kind, column in self._due.items():
            for done, row in enumerate(column.due(stamp(now.known))):
                standing = self._world.standing(self._rows.names[row])
                if standing is None or not standing.in_service:
                    continue
                if not now.knows(standing) or (kind is Kind.SHUT and done >= _MOST):
                    column[row] = stamp(now.known + _AGAIN)
                elif kind is Kind.DARK:
                    self._look_dark(row, standing, now.known, gaps)
                elif kind is Kind.SHUT:
                    self._look_shut(row, standing, now.known, gaps)
                else:
                    self._look_at_records(kind, row, standing, now.known)

    def _look_at_hours(self, station: str, now: Moment) -> None:
        standing = self._world.standing(station)
        if standing is not None and now.knows(standing) and self._world.hours(station).is_open(now.known):
            self._off_hours.discard(station)
            self._clear(self._row(station), Kind.SHUT, now.known, "online_in_hours")

    def _look_dark(self, row: int, standing: Standing, known: datetime, gaps: Gaps) -> None:
        since = self._silence(standing) or known
        never = standing.state == "never_seen"
        patience = self._settings.never if never else self._settings.dark
        left = patience - (known - since - gaps.within([standing.clock], since, known))
        if left > timedelta():
            self._due[Kind.DARK][row] = stamp(known + left)
        else:
            self._find(Kind.DARK, row, standing, since, {"never_seen": never})

    def _look_shut(self, row: int, standing: Standing, known: datetime, gaps: Gaps) -> None:
        last = self._service(standing, self._silence(standing) or known)
        clocks = [standing.clock]
        missed = missed_days(
            self._world.hours(standing.station),
            last,
            self._settings.shut_days,
            lambda opens, closes: gaps.within(clocks, opens, closes) >= closes - opens,
        )
        if missed is None:
            self._due[Kind.SHUT][row] = stamp(known + _LATER)
        elif missed.until > known:
            self._due[Kind.SHUT][row] = stamp(min(missed.until, known + _NEXT_DAY))
        else:
            figures = {"days": [day.isoformat() for day in missed.days]}
            self._find(Kind.SHUT, row, standing, missed.since, figures)

    def _look_at_records(self, kind: Kind, row: int, standing: Standing, known: datetime) -> None:
        since = self._counted_from(kind, row)
        if since is None or (kind is not Kind.STALE and standing.state != "online"):
            return
        if since + self._patience(kind) > known:
            self._due[kind][row] = stamp(since + self._patience(kind))
        else:
            self._find(kind, row, standing, since, {})

    # -- what is told --------------------------------------------------------------------------------------------

    def _find(self, kind: Kind, row: int, standing: Standing, since: datetime, figures: dict[str, Any]) -> None:
        self._mark(row, kind)
        resolved = self._resolved.get((kind, standing.station))
        if resolved is None or since > resolved:
            self._turns.append(
                Found(kind=kind, subject=standing.station, area=standing.area, since=since, figures=figures)
            )

    def _clear(self, row: int, kind: Kind, at: datetime, reason: str) -> None:
        if self._has(row, kind):
            self._told[row] &= ~_BITS[kind] & 0xFF
            self._turns.append(Gone(kind=kind, subject=self._rows.names[row], ended_at=at, reason=reason))

    def _row(self, station: str) -> int:
        row = self._rows.of(station)
        if row == len(self._told):
            self._told.append(0)
        return row

    def _mark(self, row: int, kind: Kind) -> None:
        self._told[row] |= _BITS[kind]

    def _has(self, row: int, kind: Kind) -> bool:
        return bool(self._told[row] & _BITS[kind])

    def take(self) -> Sequence[Turn]:
        """What was decided since the last call, in its order."""
        turns, self._turns = self._turns, []
        return turns


_CLEARED: Final = {Kind.IDLE: "session", Kind.STALE: "resource_applied", Kind.NO_WIFI: "wifi_works"}
