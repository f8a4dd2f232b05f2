"""Stations that fell together have one incident: what is common to them is the parent, and it alone pages. Pure.

Tell it the falls and the returns in the order in which they were decided, answer what it wants to know about the
stations that are still online, and let it decide: it gives a plan, which `write_plan` takes into a book. What it
decides depends on the order and the times of what it was told and not on how that was cut into passes.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec

from alerting.causes.candidates import Claim, claim, with_parts
from alerting.causes.common_cause import Outage
from alerting.causes.evidence import Fallen, Group, Peer, common, deepest_area
from alerting.causes.steps import Alone, Ended, Grown, Joined, Opened, Released, Returned, Step, outage_key
from alerting.station_incidents.cause_settings import CauseSettings
from contract.kinds import IncidentKind

MOST_WANTED: Final = 200
"""Groups that are asked about in one pass."""


Online = Callable[[Group], int]
"""How many stations of a group are in service and online, after all that was told."""


class _Fell(msgspec.Struct, frozen=True):
    at: datetime
    fallen: Fallen


class _Rose(msgspec.Struct, frozen=True):
    at: datetime
    station: str
    groups: tuple[Group, ...]


class Causes:
    """The causes that go on, and who is down without one. `kind` is that of the parents."""

    def __init__(self, settings: CauseSettings, online: Online, kind: str = IncidentKind.AREA_OUTAGE) -> None:
        self._settings = settings
        self._kind = kind
        self._online = online
        self.outages: dict[str, Outage] = {}
        # Those that are over, while slow stations of them are verified alone.
        self.late: list[Outage] = []
        self._home: dict[str, Outage] = {}
        self._alone: dict[str, Fallen] = {}
        self._by_group: dict[Group, set[str]] = {}
        self._events: deque[_Fell | _Rose] = deque()
        self._pending: dict[str, Fallen] = {}
        self._ahead: Counter[Group] = Counter()
        self._peers: Mapping[Group, Sequence[Peer]] = {}
        self._knows: Callable[[str], bool] = lambda _: True
        self._plan: list[Step] = []
        # Outages whose memory changed since somebody took this set, and (key, beginning) of those that are gone.
        self.touched: set[str] = set()
        self.gone: list[tuple[str, datetime]] = []

    # -- what comes in -----------------------------------------------------------------------------------------

    def restore(self, outages: Iterable[Outage], alone: Iterable[Fallen]) -> None:
        """Take over what a store kept: causes with their children, and who is down without one."""
        for outage in outages:
            if outage.ended is None:
                self.outages[outage.key] = outage
            elif outage.children:
                self.late.append(outage)
            for station in outage.children:
                self._home[station] = outage
        for fallen in alone:
            self._add_alone(fallen)

    def fell(self, at: datetime, fallen: Fallen) -> None:
        """A station's incident opened; `at` is when that was decided."""
        self._events.append(_Fell(at, fallen))
        self._pending[fallen.station] = fallen
        self._ahead.update(fallen.groups)

    def rose(self, at: datetime, station: str) -> None:
        """A station's incident is over; `at` is when that was decided."""
        groups = self._groups_of(station)
        self._events.append(_Rose(at, station, groups))
        self._ahead.subtract(groups)

    def _groups_of(self, station: str) -> tuple[Group, ...]:
        home = self._home.get(station)
        found = self._pending.get(station) or (home.children[station] if home else self._alone.get(station))
        return found.groups if found is not None else ()

    def down(self) -> set[str]:
        """Who is down after all that was told."""
        found = {*self._home, *self._alone}
        for event in self._events:
            if isinstance(event, _Fell):
                found.add(event.fallen.station)
            else:
                found.discard(event.station)
        return found

    def is_child(self, station: str) -> bool:
        """Whether it is down by a common cause."""
        return station in self._home

    def is_down(self, station: str) -> bool:
        return station in self._home or station in self._alone

    def alone(self, station: str) -> Fallen | None:
        """The fall of a station that is down without a common cause."""
        return self._alone.get(station)

    def wanted(self) -> list[Group]:
        """The groups whose other stations should be looked at before deciding: those of falls that no known cause
        takes; first those in which most fell."""
        counts: Counter[Group] = Counter()
        for event in self._events:
            if isinstance(event, _Fell) and self._taker(event.fallen) is None:
                counts.update(event.fallen.groups)
        ranked = sorted(counts, key=lambda group: (-counts[group], group))[:MOST_WANTED]
        return [group for group in ranked if self._online(group) + counts[group] >= self._settings.least]

    # -- deciding ----------------------------------------------------------------------------------------------

    def decide(
        self,
        known: datetime,
        peers: Mapping[Group, Sequence[Peer]] | None = None,
        knows: Callable[[str], bool] = lambda _: True,
    ) -> list[Step]:
        """What follows from all that was told, up to `known`; `peers` answers what was wanted. A cause with a station
        of which nobody `knows` how it stands now does not end."""
        self._peers, self._knows = peers or {}, knows
        while self._events:
            self._advance(self._events[0].at)
            self._take_step()
        self._advance(known)
        self._ahead.clear()
        self._pending.clear()
        plan, self._plan = self._plan, []
        return plan

    def _take_step(self) -> None:
        """The next return, or the falls up to it that were decided together."""
        first = self._events.popleft()
        if isinstance(first, _Rose):
            self._ahead.update(first.groups)
            self._return(first.station, first.at)
            return
        falls = [first.fallen]
        while self._events and isinstance(following := self._events[0], _Fell) and following.at == first.at:
            falls.append(following.fallen)
            self._events.popleft()
        for fallen in falls:
            self._ahead.subtract(fallen.groups)
        self._place(falls, first.at)

    def _left(self, group: Group) -> int:
        """Stations of a group that were online when this step was decided."""
        return max(0, self._online(group) + self._ahead[group])

    def _place(self, falls: Sequence[Fallen], at: datetime) -> None:
        """Find each fall a cause, or leave it alone."""
        fresh = []
        for fallen in falls:
            self._leave(fallen.station, at)
            taker = self._taker(fallen)
            if taker is None:
                self._add_alone(fallen)
                fresh.append(fallen)
            else:
                self._join(taker, fallen, at)
        self._explain(fresh, at)
        self._plan += [Alone(fallen, at) for fallen in fresh if fallen.station in self._alone]

    def _taker(self, fallen: Fallen) -> Outage | None:
        """The known cause of a fall: first one whose instant fits, then the one that took most."""
        known = [o for o in self._outages_at(fallen.groups) if o.takes(fallen, self._left(o.group), self._settings)]
        return min(known, key=lambda o: (not o.window.meets(fallen), -len(o.ever), o.key), default=None)

    def _outages_at(self, groups: Sequence[Group]) -> list[Outage]:
        return [self.outages[key] for group in groups if (key := outage_key(group, self._kind)) in self.outages]

    def _explain(self, fresh: Sequence[Fallen], at: datetime) -> None:
        """Open a cause for what fell, the one that explains most first, as long as one does."""
        while fresh:
            groups = sorted(_by_group(fresh).items())
            claims = [found for group, mine in groups if (found := self._claim(group, mine)) is not None]
            if not claims:
                return
            self._open(min(claims, key=lambda found: found.rank), at)
            fresh = [fallen for fallen in fresh if fallen.station in self._alone]

    def _claim(self, group: Group, mine: Sequence[Fallen]) -> Claim | None:
        """A group as a cause of its members that fell now, `mine`, when the evidence is enough."""
        down = [self._alone[station] for station in self._by_group.get(group, ())]
        asked = self._peers.get(group, ())
        found = claim(group, mine, down, asked, self._left(group), self._settings)
        return None if found is None else with_parts(found, self._parts(found))

    def _parts(self, found: Claim) -> list[Outage]:
        """Smaller causes of the same instant that lie wholly in a group."""
        return [
            outage
            for outage in self.outages.values()
            if outage.group != found.group and found.group in outage.common and outage.window.touches(found.window)
        ]

    def _open(self, found: Claim, at: datetime) -> None:
        key = outage_key(found.group, self._kind)
        if key not in self.outages:
            self._new(key, found, at)
        outage = self.outages[key]
        outage.window = found.window
        for fallen in found.members:
            self._drop_alone(fallen)
            self._join(outage, fallen, at)
        for part in found.parts:
            self._absorb(part, outage, at)

    def _new(self, key: str, found: Claim, at: datetime) -> None:
        seen: list[Fallen | Peer] = [*found.members, *found.peers]
        outage = self.outages[key] = Outage(
            key=key,
            group=found.group,
            window=found.window,
            began=min(one.until for one in seen),
            joined_at=at,
            low_at=at,
            patience=0.0,
            common=common([*(one.groups for one in seen), *(part.common for part in found.parts)]),
            share=round(found.evidence.share, 3),
            expected=round(found.evidence.fallen),
            told=len(found.members),
        )
        self._plan.append(
            Opened(
                key=key,
                group=found.group,
                area=deepest_area(outage.common),
                began=outage.began,
                instant=found.window.lo,
                children=len(found.members),
                expected=outage.expected,
                share=outage.share,
            )
        )

    def _absorb(self, part: Outage, whole: Outage, at: datetime) -> None:
        """A cause turned out to be part of a larger one."""
        for fallen in list(part.children.values()):
            self._join(whole, fallen, at)
        whole.ever |= part.ever
        part.children = {}
        self._end(part, at, "part_of_larger", whole.key)

    # -- membership --------------------------------------------------------------------------------------------

    def _join(self, outage: Outage, fallen: Fallen, at: datetime) -> None:
        self._home[fallen.station] = outage
        before = outage.common
        outage.add(fallen, at, self._settings)
        self.touched.add(outage.key)
        self._plan.append(Joined(fallen, outage.key))
        if len(outage.ever) >= 2 * outage.told or deepest_area(before) != deepest_area(outage.common):
            outage.told = len(outage.ever)
            self._plan.append(Grown(outage.key, outage.told, deepest_area(outage.common)))

    def _return(self, station: str, at: datetime) -> None:
        outage = self._home.get(station)
        fallen = self._alone.get(station) if outage is None else outage.children[station]
        if fallen is not None:
            self._plan.append(Returned(fallen, at, outage.key if outage else None))
            self._leave(station, at)

    def _leave(self, station: str, at: datetime) -> None:
        """A station is down no more, or not as it was."""
        outage = self._home.pop(station, None)
        if outage is not None:
            outage.remove(station, at)
            self.touched.add(outage.key)
            self._drop_late(outage)
        elif station in self._alone:
            self._drop_alone(self._alone[station])

    def _add_alone(self, fallen: Fallen) -> None:
        self._alone[fallen.station] = fallen
        for group in fallen.groups:
            self._by_group.setdefault(group, set()).add(fallen.station)

    def _drop_alone(self, fallen: Fallen) -> None:
        for group in self._alone.pop(fallen.station).groups:
            members = self._by_group[group]
            members.discard(fallen.station)
            if not members:
                del self._by_group[group]

    # -- the way back ------------------------------------------------------------------------------------------

    def _advance(self, to: datetime) -> None:
        """End what is over by then, in the order of time."""
        while due := self._first_due(to):
            at, key, reason = due
            outage = self.outages[key]
            if all(self._knows(station) for station in outage.children):
                self._end(outage, at, reason)
            else:
                outage.postpone(to)
                self.touched.add(key)
        self._verify(to)

    def _verify(self, to: datetime) -> None:
        """Stations that had time enough to come back after their cause was over, and did not, stand alone."""
        for outage in list(self.late):
            for fallen in sorted(outage.children.values(), key=lambda one: one.station):
                until = outage.verified_at(fallen, self._settings)
                if (until is None or until <= to) and self._knows(fallen.station):
                    outage.remove(fallen.station, to)
                    del self._home[fallen.station]
                    self._add_alone(fallen)
                    self._plan.append(Released(fallen))
            self._drop_late(outage)

    def _drop_late(self, outage: Outage) -> None:
        if outage.ended is not None and not outage.children:
            self.late = [other for other in self.late if other is not outage]
            self.gone.append((outage.key, outage.began))

    def _first_due(self, to: datetime) -> tuple[datetime, str, str] | None:
        dues = ((outage.due(self._settings), key) for key, outage in self.outages.items())
        return min(((due[0], key, due[1]) for due, key in dues if due is not None and due[0] <= to), default=None)

    def _end(self, outage: Outage, at: datetime, reason: str, into: str | None = None) -> None:
        """Close a cause; who is still down is looked at again, as a group and then alone. Those whose promise gave them
        no time to come back yet stay its children until it did."""
        del self.outages[outage.key]
        over = outage.low_at if outage.returning(self._settings) else at
        self._plan.append(Ended(outage.key, over, reason, len(outage.ever), into))
        left = sorted(self._prompt(outage, at), key=lambda fallen: fallen.station)
        for fallen in left:
            outage.remove(fallen.station, at)
            del self._home[fallen.station]
            self._add_alone(fallen)
        if outage.children:
            self.late.append(outage)
            self.touched.add(outage.key)
        else:
            self.gone.append((outage.key, outage.began))
        self._peers, peers = {}, self._peers
        self._explain(left, at)
        self._peers = peers
        self._plan += [Released(fallen) for fallen in left if fallen.station in self._alone]

    def _prompt(self, outage: Outage, at: datetime) -> list[Fallen]:
        """The children that had time to come back."""
        outage.ended = at
        verified = {one.station: outage.verified_at(one, self._settings) for one in outage.children.values()}
        return [one for one in outage.children.values() if (until := verified[one.station]) is None or until <= at]


def _by_group(falls: Iterable[Fallen]) -> dict[Group, list[Fallen]]:
    found: dict[Group, list[Fallen]] = {}
    for fallen in falls:
        for group in fallen.groups:
            found.setdefault(group, []).append(fallen)
    return found
