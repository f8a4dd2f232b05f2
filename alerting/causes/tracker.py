"""Common causes: stations that fell together have one parent incident, and only the parent pages. Pure.

In each pass: report the falls and the returns in the order in which they were decided, call `wanted`, look up the other
stations of those groups, and call `decide`. It returns a plan, which `write_plan` writes into the book. The plan
depends on the order and the times of the events only, and not on their division into passes.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from alerting.causes.candidates import CauseCandidate, best_candidate, new_cause, opened
from alerting.causes.common_cause import CommonCause, Opening
from alerting.causes.events import EventQueue, StationReturned
from alerting.causes.evidence import Fallen, Group, Peer
from alerting.causes.membership import Membership
from alerting.causes.steps import Alone, Ended, Released, Returned, Step, outage_key
from alerting.station_incidents.cause_settings import CauseSettings
from contract.kinds import IncidentKind

MOST_WANTED: Final = 200
"""Largest number of groups that are looked up in one pass."""


Online = Callable[[Group], int]
"""The number of stations of a group that are in service and online, after all events that were reported."""
Expected = Callable[[str], Opening]
"""The opening of a station as of the last event that was reported."""


def always_expected(_: str) -> Opening:
    """The `Expected` of stations without opening hours."""
    return Opening()


class Causes:
    """The rules of common causes over their `members`. `kind`: the kind of the parent incidents."""

    def __init__(self, settings: CauseSettings, online: Online, kind: IncidentKind = IncidentKind.AREA_OUTAGE) -> None:
        self.members = Membership(settings)
        self._settings = settings
        self._kind = kind
        self._online = online
        self._events = EventQueue()
        self._peers: Mapping[Group, Sequence[Peer]] = {}
        self._is_known: Callable[[str], bool] = lambda _: True
        self._expected: Expected = always_expected
        self._late_at: datetime | None = None
        self._plan: list[Step] = []

    # -- events ------------------------------------------------------------------------------------------------

    def restore(self, outages: Iterable[CommonCause], alone: Iterable[Fallen]) -> None:
        """Restore the causes with their children, and the falls without a cause (`alone`)."""
        self.members.restore(outages, alone)

    def note_fall(self, at: datetime, fallen: Fallen) -> None:
        """Report that a station's incident opened; `at`: the time of that decision."""
        self._events.add_fall(at, fallen)

    def note_return(self, at: datetime, station: str) -> None:
        """Report that a station's incident is over; `at`: the time of that decision."""
        self._events.add_return(at, station, self.members.fall_of(station))

    def down(self) -> set[str]:
        """The stations that are down after all events that were reported."""
        return self._events.apply_to(set(self.members))

    def wanted(self) -> list[Group]:
        """The groups whose other stations to look up before `decide`: the groups of the falls that no running cause
        takes, those with most falls first, at most `MOST_WANTED`."""
        counts: Counter[Group] = Counter()
        for fallen in self._events.falls():
            if self._taker(fallen) is None:
                counts.update(fallen.groups)
        ranked = sorted(counts, key=lambda group: (-counts[group], group))[:MOST_WANTED]
        return [group for group in ranked if self._online(group) + counts[group] >= self._settings.least]

    # -- deciding ----------------------------------------------------------------------------------------------

    def decide(
        self,
        known: datetime,
        peers: Mapping[Group, Sequence[Peer]] | None = None,
        is_known: Callable[[str], bool] = lambda _: True,
        expected: Expected = always_expected,
    ) -> list[Step]:
        """The plan that follows from all events up to `known`; `peers`: the sampled stations of the wanted groups.

        A cause with a child whose present state is not known (`is_known`) does not end.
        """
        self._peers, self._is_known, self._expected = peers or {}, is_known, expected
        self._late_at = None
        while self._events:
            self._advance(self._events.next_at)
            event = self._events.take()
            if isinstance(event, StationReturned):
                self._return(event.station, event.at)
            else:
                self._place([fall.fallen for fall in event], event[0].at)
        self._advance(known)
        self._events.clear()
        plan, self._plan = self._plan, []
        return plan

    def _left(self, group: Group) -> int:
        """The number of stations of a group that were online when the present event was decided."""
        return max(0, self._online(group) + self._events.ahead(group))

    def _return(self, station: str, at: datetime) -> None:
        fallen, outage = self.members.fall_of(station), self.members.cause_of(station)
        if fallen is not None:
            self._plan.append(Returned(fallen, at, outage.key if outage else None))
            self.members.leave(station, at)

    def _place(self, falls: Sequence[Fallen], at: datetime) -> None:
        """Join each fall to a running cause or to a new cause; the others stay without a cause."""
        fresh = []
        for fallen in falls:
            self.members.leave(fallen.station, at)
            if not self._join_running(fallen, at):
                self.members.add_alone(fallen)
                fresh.append(fallen)
        self._explain(fresh, at)
        self._plan += [Alone(fallen, at) for fallen in self._still_alone(fresh)]

    def _join_running(self, fallen: Fallen, at: datetime) -> bool:
        """Join a fall to the running cause that takes it; returns False if there is none."""
        taker = self._taker(fallen)
        if taker is not None:
            self._plan += self.members.join(taker, fallen, at)
        return taker is not None

    def _still_alone(self, falls: Iterable[Fallen]) -> list[Fallen]:
        return [fallen for fallen in falls if self.members.alone(fallen.station) is not None]

    def _taker(self, fallen: Fallen) -> CommonCause | None:
        """The running cause that takes a fall: prefer a matching instant, then the largest number of stations."""
        keys = (outage_key(group, self._kind) for group in fallen.groups)
        known = [outage for key in keys if (outage := self.members.outages.get(key)) is not None]
        takers = [one for one in known if one.takes(fallen, self._left(one.group), self._settings)]
        return min(takers, key=lambda one: (not one.window.meets(fallen), -len(one.ever), one.key), default=None)

    # -- a new cause -------------------------------------------------------------------------------------------

    def _explain(self, fresh: Sequence[Fallen], at: datetime) -> None:
        """Open causes for the falls, best candidate first, until no candidate has enough evidence."""
        while fresh:
            found = best_candidate(fresh, self.members, self._peers, self._left, self._settings)
            if found is None:
                return
            self._open(found, at)
            fresh = self._still_alone(fresh)

    def _open(self, found: CauseCandidate, at: datetime) -> None:
        key = outage_key(found.group, self._kind)
        if key not in self.members.outages:
            self.members.outages[key] = new_cause(key, found, at)
            self._plan.append(opened(self._kind, self.members.outages[key], found))
        outage = self.members.outages[key]
        outage.window = found.window
        for fallen in found.members:
            self._plan += self.members.join(outage, fallen, at)
        for part in found.parts:
            self._absorb(part, outage, at)

    def _absorb(self, part: CommonCause, whole: CommonCause, at: datetime) -> None:
        """Move the children of a smaller cause to the larger cause that it is part of, and end the smaller cause."""
        for fallen in list(part.children.values()):
            self._plan += self.members.join(whole, fallen, at)
        whole.ever |= part.ever
        part.children = {}
        self._end(part, at, "part_of_larger", whole.key)

    # -- the end of a cause ------------------------------------------------------------------------------------

    def _had_time(self, fallen: Fallen, outage: CommonCause, at: datetime) -> bool:
        return outage.gave_time(fallen, at, self._expected(fallen.station), self._settings)

    def _advance(self, to: datetime) -> None:
        """End the causes that are over by `to`, in the order of time."""
        while due := self._first_due(to):
            at, key, reason = due
            outage = self.members.outages[key]
            if all(self._is_known(station) for station in outage.children):
                self._end(outage, at, reason)
            else:
                outage.postpone(to)
                self.members.touch(outage)
        self._release_late(to)

    def _first_due(self, to: datetime) -> tuple[datetime, str, str] | None:
        dues = ((outage.due(self._settings), key) for key, outage in self.members.outages.items())
        return min(((due[0], key, due[1]) for due, key in dues if due is not None and due[0] <= to), default=None)

    def _release_late(self, to: datetime) -> None:
        """Release the stations that did not come back although their time after the end of the cause is over."""
        if to == self._late_at:
            return
        self._late_at = to
        for outage in list(self.members.late):
            for fallen in sorted(outage.children.values(), key=lambda one: one.station):
                until = outage.verified_at(fallen, self._settings)
                is_over = (until is None or until <= to) and self._had_time(fallen, outage, to)
                if is_over and self._is_known(fallen.station):
                    self.members.release(outage, fallen, to)
                    if not self._join_running(fallen, to):
                        self._plan.append(Released(fallen))
            self.members.drop_if_over(outage)

    def _end(self, outage: CommonCause, at: datetime, reason: str, into: str | None = None) -> None:
        """End a cause. Stations that are still down may have another common cause: one that runs, as a county and a
        feeder may fail at the same instant, or a new one. The others stay without a cause.

        Stations that had too little time to come back stay children until that time is over: those with a long
        interval, and those that closed before the end.
        """
        del self.members.outages[outage.key]
        over = outage.low_at if outage.returning(self._settings) else at
        self._plan.append(Ended(outage.key, over, reason, len(outage.ever), into))
        outage.ended = at
        prompt = [one for one in outage.prompt_children(at, self._settings) if self._had_time(one, outage, at)]
        left = sorted(prompt, key=lambda fallen: fallen.station)
        for fallen in left:
            self.members.release(outage, fallen, at)
        self.members.keep_late(outage)
        left = [fallen for fallen in left if not self._join_running(fallen, at)]
        # The peers were looked up for the falls of this pass. They are no evidence about the stations that are left.
        self._peers, peers = {}, self._peers
        self._explain(left, at)
        self._peers = peers
        self._plan += [Released(fallen) for fallen in self._still_alone(left)]
