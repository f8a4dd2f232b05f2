"""The field: how every station stands, kept up to date from transitions, registry, calendars and closures. Pure.

The shell feeds it in the order of time and takes what changed as pairs (before, after). It keeps columns instead of
objects: 700,000 stations are to fit into a fraction of a gigabyte. A `Standing` is made when somebody asks.
"""

import heapq
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final, Protocol

import msgspec
import numpy as np

from alerting.liveness.columns import STATE_OF, WORDS, LiveState, flag, unflag
from alerting.stations.columns import NONE, Rows, moment_of, stamp_of
from alerting.stations.promise import USUAL
from alerting.stations.snapshot import UNPROVEN, ClockName, Standing
from alerting.stations.window import Window
from registry.closures.rules import Closure, Closures
from registry.hours.calendar import SHUT
from store.troubles import Troubles

BULK: Final = 50_000
"""Stations that open or close in one go; the others of a calendar follow in the next, so that no pass takes long."""
AWAY_OVERDUE: Final = "away_overdue"
"""Why the judges call a station offline that did not come back in time."""
_TICK: Final = timedelta(microseconds=1)


class Hours(Protocol):
    """Opening hours: what a calendar of the registry can say. Every time is aware; None: never."""

    def is_open(self, at: datetime, /) -> bool: ...

    def next_change(self, at: datetime, /) -> datetime | None:
        """The first opening or closing after `at`."""

    def next_opening(self, at: datetime, /) -> datetime | None: ...

    def last_change(self, at: datetime, /) -> datetime | None:
        """The last opening or closing not after `at`."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What the registry says of a station. `commissioned_at`: since when it is expected to report; `calendar` None:
    open always."""

    station: str
    area: str | None = None
    path: tuple[str, ...] = ()
    kind: str | None = None
    isp: str | None = None
    feeder: str | None = None
    lifecycle: str = "commissioned"
    commissioned_at: datetime | None = None
    calendar: int | None = None
    programmes: tuple[str, ...] = ()


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """What the judges said last of a station: the state, since when, the last heartbeat before it, and why.

    `unusable_since`: since when it is online and not usable.
    """

    partition: int
    state: str
    since: datetime | None = None
    usable: bool | None = None
    unusable_since: datetime | None = None
    shard: str | None = None
    seen_at: datetime | None = None
    reason: str | None = None


class StationChange(msgspec.Struct, frozen=True, kw_only=True):
    """A transition: a station's own, or (`terminal` given) one of its terminals'.

    `at`: since when it holds; `tick_at`: the tick that decided it; `seen_at`: the last heartbeat before it.
    """

    station: str
    before: str
    after: str
    at: datetime
    tick_at: datetime
    reason: str
    partition: int = 0
    seq: int = 0
    usable: bool | None = None
    seen_at: datetime | None = None
    shard: str | None = None
    terminal: str | None = None


class Changed(msgspec.Struct, frozen=True):
    """How a station stood and stands now, and as of when; None: it was not, or is no longer, registered."""

    before: Standing | None
    after: Standing | None
    at: datetime

    @property
    def station(self) -> str:
        known = self.after or self.before
        return known.station if known else ""


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What the station rules ask beyond a Standing.

    `every`: the interval of its slowest terminal, s. `reason` and `seen_at` of the last change of state;
    `opened_at`: when its present (or last) opening began, or a closure within it ended (None: it is open always);
    `resumed_at`: when the last gap of its clock ended, from which on it can be heard again.
    """

    reason: str | None = None
    seen_at: datetime | None = None
    every: float = USUAL
    opened_at: datetime | None = None
    resumed_at: datetime | None = None


class Field:
    """All stations at one moment, `time`, which only goes forward. `troubles`: what of it cannot be judged."""

    def __init__(self, time: datetime, calendars: Mapping[int, Hours] | None = None) -> None:
        self.time = time
        self.troubles = Troubles()
        self._rows = Rows()
        self._hours: dict[int, Hours] = {}
        self._open: dict[int, bool] = {}
        self._opened: dict[int, datetime | None] = {}
        self._closures = Closures()
        self._declared: dict[int, Closure] = {}
        self._agenda: list[tuple[datetime, int]] = []
        self._turning: deque[tuple[int, bool]] = deque()
        self._resumed: dict[ClockName, datetime] = {}
        # The instants by which what falls in a shard is suspected.
        self._suspected: dict[str, Window] = {}
        self._changes: list[Changed] = []
        self.set_calendars(calendars or {})

    def __len__(self) -> int:
        return len(self._rows.index)

    def __contains__(self, station: str) -> bool:
        return station in self._rows.index

    @property
    def rows(self) -> Rows:
        """The columns, for those who count; only the field writes them."""
        return self._rows

    # -- asking ------------------------------------------------------------------------------------------------

    def standing(self, station: str) -> Standing | None:
        row = self._rows.index.get(station)
        return None if row is None else self._standing(row)

    def standings(self) -> Iterator[Standing]:
        return (self._standing(row) for row in self._rows.index.values())

    def not_working(self) -> Iterator[Standing]:
        """The stations that a visitor cannot use, planned and suspended ones too."""
        rows = self._rows
        return (self._standing(row) for row in rows.index.values() if not rows.works(row))

    def about(self, station: str) -> About:
        """What else is known of a station of the field. Raises KeyError when it is not there."""
        rows = self._rows
        row = rows.index[station]
        clock = rows.clock_of(row)
        times = (self._opened.get(rows.calendar[row]), moment_of(rows.silence_ended[row]))
        resumed = self._resumed.get(clock) if clock else max(self._resumed.values(), default=None)
        return About(
            reason=rows.reason_of(row),
            seen_at=moment_of(rows.seen[row]),
            every=rows.every[row] or USUAL,
            opened_at=max((time for time in times if time is not None), default=None),
            resumed_at=resumed,
        )

    def hours(self, station: str) -> Hours | None:
        """The calendar of a station; None: open always, or not known."""
        row = self._rows.index.get(station)
        return None if row is None else self._hours.get(self._rows.calendar[row])

    def opens_at(self, station: str, at: datetime) -> datetime | None:
        """When a station that is closed or silenced should be open again; None: it should now, or it is not known."""
        row = self._rows.index.get(station)
        if row is None:
            return None
        profile, hours = self._rows.profile_of(row), self.hours(station)
        silences = self._closures.of_station(station, profile.path, profile.programmes)
        begin = max((closure.ends_at for closure in silences if closure.holds(at)), default=at)
        if hours is not None and not hours.is_open(begin):
            return hours.next_opening(begin)
        return begin if begin > at else None

    def every_of(self, station: str) -> float:
        """The interval of a station's slowest terminal that counts, in seconds."""
        row = self._rows.index.get(station)
        return (self._rows.every[row] if row is not None else 0.0) or USUAL

    def note_promise(self, station: str, every: float) -> None:
        """That is the interval now; no change of how the station stands."""
        row = self._rows.index.get(station)
        if row is not None:
            self._rows.every[row] = every

    def excused(self) -> list[str]:
        """The stations that an approved closure excuses now."""
        return [station for station, row in self._rows.index.items() if self._rows.excused[row]]

    def clock_of(self, station: str) -> ClockName | None:
        """The clock that a station's state rests on."""
        row = self._rows.index.get(station)
        return None if row is None else self._rows.clock_of(row)

    def was_online(self, station: str, since: datetime) -> bool:
        """Whether a station has been online since then, until it fell if it did, as far as that was seen."""
        row = self._rows.index.get(station)
        return row is not None and self._rows.online_since[row] <= stamp_of(since)

    def is_expected_throughout(self, station: str, begin: datetime, end: datetime) -> bool:
        """Whether a station is in service, and open and not excused from `begin` to `end`."""
        row = self._rows.index.get(station)
        if row is None or not self._rows.serving[row] or self._is_excused_between(row, begin, end):
            return False
        return self._is_open_throughout(self._rows.calendar[row], begin, end)

    def _is_excused_between(self, row: int, begin: datetime, end: datetime) -> bool:
        if not self._declared:
            return False
        profile = self._rows.profile_of(row)
        found = self._closures.of_station(self._rows.ids[row], profile.path, profile.programmes)
        return any(_excuses_between(one, begin, end) for one in found)

    def _is_open_throughout(self, calendar: int, begin: datetime, end: datetime) -> bool:
        hours = self._hours.get(calendar)
        if hours is None:
            return True
        change = hours.next_change(begin) if hours.is_open(begin) else begin
        return change is None or change >= end

    def steady(
        self,
        shard: str,
        begin: datetime,
        end: datetime,
        *,
        untrusted: Iterable[ClockName] = (),
        without: Iterable[str] = (),
        most: int | None = None,
    ) -> tuple[int, list[str]]:
        """How many stations of a shard are online since `begin`, and expected to be until `end`, and at most `most` of
        them from all over it; none of `without`, and none whose clock says nothing."""
        rows = self._rows
        found = rows.of_shard(shard, LiveState.ONLINE) & (rows.view(rows.online_since) <= stamp_of(begin))
        found &= ~np.isin(rows.view(rows.clock), [rows.number_of(clock) for clock in untrusted])
        calendars = [one for one in self._hours if not self._is_open_throughout(one, begin, end)]
        found &= ~np.isin(rows.view(rows.calendar), calendars)
        found[[rows.index[station] for station in without if station in rows.index]] = False
        for closure in self._declared.values():
            if _excuses_between(closure, begin, end):
                found[rows.of_scope(closure)] = False
        kept = np.flatnonzero(found)
        step = 1 if most is None else max(1, -(-len(kept) // most))
        return len(kept), [rows.ids[row] for row in kept[::step].tolist()]

    def fallen(self, shard: str, since: datetime) -> list[tuple[str, datetime, datetime]]:
        """(station, heard last, missed since) of the stations of a shard that went offline after `since`; not of those
        that are suspected, nor of those that did not come back from being away."""
        rows = self._rows
        found = rows.of_shard(shard, LiveState.OFFLINE) & (rows.view(rows.since) >= stamp_of(since))
        found &= (rows.view(rows.suspected) == 0) & (rows.view(rows.seen) > stamp_of(None))
        kept = (row for row in np.flatnonzero(found).tolist() if rows.reason_of(row) != AWAY_OVERDUE)
        times = ((rows.ids[row], moment_of(rows.seen[row]), moment_of(rows.since[row])) for row in kept)
        return [(station, heard, missed) for station, heard, missed in times if heard and missed]

    # -- suspected shards --------------------------------------------------------------------------------------

    def suspect(self, shard: str, window: Window) -> None:
        """From now on, what falls in a shard within these instants is suspected; what did already is."""
        self._suspected[shard] = window
        for station, heard, missed in self.fallen(shard, window.lo):
            if window.spans(heard, missed):
                row = self._rows.index[station]
                before = self._standing(row)
                self._rows.suspected[row] = 1
                self._changed(before, self._standing(row))

    def trust(self, shard: str) -> None:
        """What falls in a shard is suspected no more."""
        self._suspected.pop(shard, None)

    def mark(self, station: str) -> None:
        """Say that a station is suspected, when memory is loaded."""
        row = self._rows.index.get(station)
        if row is not None and self._rows.state[row] == LiveState.OFFLINE:
            self._rows.suspected[row] = 1

    def release(self, station: str) -> None:
        """A station is suspected no more: it stands as the judges say."""
        row = self._rows.index.get(station)
        if row is not None and self._rows.suspected[row]:
            before = self._standing(row)
            self._rows.suspected[row] = 0
            self._changed(before, self._standing(row))

    def is_suspected(self, station: str) -> bool:
        row = self._rows.index.get(station)
        return row is not None and bool(self._rows.suspected[row])

    def resting_on(self, clocks: Iterable[ClockName]) -> list[str]:
        """The stations whose state rests on one of these clocks."""
        return self._rows.resting_on(clocks)

    def take(self) -> list[Changed]:
        """What changed since the last call, in its order."""
        changes, self._changes = self._changes, []
        return changes

    @property
    def changes(self) -> list[Changed]:
        """What will be taken, so far."""
        return self._changes

    # -- the registry ------------------------------------------------------------------------------------------

    def restore(self, facts: Facts, judged: Judged | None = None) -> None:
        """Put a station in as it stands, when memory is loaded: that is no change."""
        self._note_facts(self._rows.add(facts.station), facts)
        if judged is not None:
            self.restore_state(facts.station, judged)

    def restore_state(self, station: str, judged: Judged) -> None:
        """Say how a station stands, when memory is loaded; nothing when nobody registered it."""
        row = self._rows.index.get(station)
        if row is not None:
            self._note_judged(row, judged)

    def register(self, facts: Facts, judged: Judged | None = None) -> None:
        """Take over what the registry says of a station; `judged` only of one that is new here."""
        row = self._rows.index.get(facts.station)
        before = None if row is None else self._standing(row)
        if row is None:
            self.restore(facts, judged)
            row = self._rows.index[facts.station]
        else:
            self._note_facts(row, facts)
        self._changed(before, self._standing(row))

    def forget(self, station: str) -> None:
        """The station was deleted."""
        row = self._rows.index.get(station)
        if row is not None:
            before = self._standing(row)
            self._rows.remove(row)
            self._changed(before, None)

    def set_paths(self, paths: Mapping[str, tuple[str, ...]]) -> None:
        """The division tree changed: {area: path}. Stations of areas that are not named keep theirs."""
        for row, before in self._rows.repath(paths, self._standing):
            self._flag_closures(row)
            self._changed(before, self._standing(row))

    def _note_facts(self, row: int, facts: Facts) -> None:
        profile = (facts.area, facts.path, facts.kind, facts.isp, facts.feeder, facts.lifecycle, facts.programmes)
        calendar = NONE if facts.calendar is None else facts.calendar
        self._rows.note_facts(row, profile, calendar, stamp_of(facts.commissioned_at))
        self._rows.open[row] = self._open.get(calendar, True)
        self._flag_closures(row)

    # -- states ------------------------------------------------------------------------------------------------

    def apply(self, change: StationChange) -> bool:
        """Take a transition in; False when nobody registered the station."""
        row = self._rows.index.get(change.station)
        if row is None:
            return False
        before, judged = self._standing(row), WORDS[self._rows.state[row]]
        self._note_judged(
            row,
            Judged(
                partition=change.partition,
                state=change.after,
                since=change.at if change.after != judged else before.since or change.at,
                usable=change.usable,
                unusable_since=before.unusable_since or change.at,
                shard=change.shard,
                seen_at=change.seen_at,
                reason=change.reason if change.after != judged else self._rows.reason_of(row),
            ),
        )
        self._note_suspected(row, change, fell=change.after != judged)
        self._changed(before, self._standing(row))
        return True

    def _note_suspected(self, row: int, change: StationChange, *, fell: bool) -> None:
        rows = self._rows
        if change.after != "offline":
            rows.suspected[row] = 0
        elif fell and change.seen_at is not None and change.reason != AWAY_OVERDUE:
            window = self._suspected.get(change.shard or "")
            rows.suspected[row] = window is not None and window.spans(change.seen_at, change.at)

    def rest(self, station: str, clock: ClockName) -> None:
        """The station is heard through this clock now; its state did not change."""
        row = self._rows.index.get(station)
        if row is not None:
            before = self._standing(row)
            self._rows.rest(row, clock)
            self._changed(before, self._standing(row))

    def resume(self, clock: ClockName, at: datetime) -> None:
        """A gap of a clock ended at `at`."""
        known = self._resumed.get(clock)
        self._resumed[clock] = at if known is None else max(known, at)

    def _note_judged(self, row: int, judged: Judged) -> None:
        rows = self._rows
        rows.state[row] = STATE_OF[judged.state]
        rows.since[row] = stamp_of(judged.since)
        rows.seen[row] = stamp_of(judged.seen_at)
        rows.usable[row] = flag(judged.usable)
        if rows.state[row] == LiveState.ONLINE:
            rows.online_since[row] = rows.since[row]
        rows.note_unusable(row, judged.unusable_since or judged.since)
        rows.note_reason(row, judged.reason)
        if judged.shard is not None:
            rows.rest(row, (judged.partition, judged.shard))

    # -- time --------------------------------------------------------------------------------------------------

    @property
    def next_boundary(self) -> datetime | None:
        """When the next calendar opens or closes, or a closure begins or ends."""
        upcoming = self._closures.next_change(self.time)
        if self._agenda and (upcoming is None or self._agenda[0][0] <= upcoming):
            return self._agenda[0][0]
        return upcoming

    @property
    def turning(self) -> bool:
        """Whether stations are still to be told that they opened or closed (`turn_some`)."""
        return bool(self._turning)

    def advance(self, until: datetime) -> None:
        """Let time go on to `until`, over every opening, closing and closure on the way."""
        while (boundary := self.next_boundary) is not None and boundary <= until:
            before, self.time = self.time, max(self.time, boundary)
            for closure in self._closures.changed(before, self.time):
                self._reflag(closure)
            while self._agenda and self._agenda[0][0] <= self.time:
                self._turn(heapq.heappop(self._agenda)[1])
        self.time = max(self.time, until)

    def set_calendars(self, calendars: Mapping[int, Hours]) -> None:
        """The calendars by their ids, in place of those before."""
        self._hours = dict(calendars)
        self._agenda = []
        self.troubles.drop_kind("calendar")
        for calendar in calendars:
            self._turn(calendar)

    def _turn(self, calendar: int) -> None:
        """Set what a calendar says now, and note when it says something else.

        One that cannot be reckoned with is shut for good, and named: its stations accuse nobody.
        """
        try:
            self._turn_to(calendar, self._hours[calendar])
        except Exception as exc:  # whatever it is: it costs this calendar's stations, and no others
            self.troubles.put("calendar", str(calendar), exc)
            self._hours[calendar] = SHUT
            self._turn_to(calendar, SHUT)

    def _turn_to(self, calendar: int, hours: Hours) -> None:
        is_open = hours.is_open(self.time)
        self._opened[calendar] = _last_opening(hours, self.time, is_open)
        upcoming = hours.next_change(self.time)
        if upcoming is not None:
            heapq.heappush(self._agenda, (upcoming, calendar))
        if self._open.get(calendar) is not is_open:
            self._open[calendar] = is_open
            self._turning.append((calendar, is_open))

    def turn_some(self, limit: int = BULK) -> int:
        """Open or close the stations whose calendar did, those that are not working at most `limit` of them, and
        report these; for those that work nothing else changes, and their next change says how they stand then.
        Returns how many were reported."""
        turned = 0
        while self._turning and turned < limit:
            calendar, is_open = self._turning[0]
            idle = self._rows.turn(calendar, is_open)
            if len(idle) <= limit - turned:
                self._turning.popleft()
            for row in idle[: limit - turned]:
                before = self._standing(row)
                self._rows.open[row] = is_open
                self._changed(before, msgspec.structs.replace(before, open=is_open))
            turned += len(idle)
        return min(turned, limit)

    # -- closures ----------------------------------------------------------------------------------------------

    def set_closures(self, closures: Iterable[Closure]) -> None:
        """All closures, in place of those before; ones that ended days ago may be left out."""
        before, self._declared = self._declared, {closure.id: closure for closure in closures}
        self._closures = Closures(self._declared.values())
        for number in sorted(before.keys() | self._declared.keys()):
            old, new = before.get(number), self._declared.get(number)
            for closure in (old, new) if old != new else ():
                if closure is not None and closure.from_at <= self.time:
                    self._reflag(closure)

    def _reflag(self, closure: Closure) -> None:
        """A closure began, ended, or is not what it was."""
        ended = stamp_of(closure.ends_at) if closure.from_at < closure.ends_at <= self.time else None
        for row in self._rows.of_scope(closure):
            before = self._standing(row)
            if ended is not None:
                self._rows.silence_ended[row] = max(self._rows.silence_ended[row], ended)
            self._flag_closures(row)
            self._changed(before, self._standing(row))

    def _flag_closures(self, row: int) -> None:
        rows = self._rows
        if not self._declared and not rows.silenced[row]:
            return
        profile = rows.profile_of(row)
        found = self._closures.of_station(rows.ids[row], profile.path, profile.programmes)
        rows.silenced[row] = any(closure.holds(self.time) for closure in found)
        rows.excused[row] = any(closure.excuses(self.time) for closure in found)

    # -- making standings --------------------------------------------------------------------------------------

    def _changed(self, before: Standing | None, after: Standing | None) -> None:
        if before != after:
            self._changes.append(Changed(before, after, self.time))

    def _standing(self, row: int) -> Standing:
        rows = self._rows
        profile = rows.profile_of(row)
        clock = rows.clock_of(row)
        return Standing(
            station=rows.ids[row],
            area=profile.area,
            path=profile.path,
            kind=profile.kind,
            isp=profile.isp,
            feeder=profile.feeder,
            lifecycle=profile.lifecycle,
            commissioned_at=moment_of(rows.commissioned[row]),
            state=UNPROVEN if rows.suspected[row] else WORDS[rows.state[row]],
            since=moment_of(rows.since[row]),
            usable=unflag(rows.usable[row]),
            unusable_since=rows.unusable_since(row),
            partition=clock[0] if clock else None,
            shard=clock[1] if clock else None,
            open=bool(rows.open[row]),
            excused=bool(rows.excused[row]),
            silenced=bool(rows.silenced[row]),
        )


def _excuses_between(closure: Closure, begin: datetime, end: datetime) -> bool:
    """Whether an approved closure holds at any time from `begin` to `end`."""
    return closure.approved_at is not None and max(closure.from_at, begin) < min(closure.ends_at, end)


def _last_opening(hours: Hours, at: datetime, is_open: bool) -> datetime | None:
    last = hours.last_change(at)
    return last if is_open or last is None else hours.last_change(last - _TICK)
