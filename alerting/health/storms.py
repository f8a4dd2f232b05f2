"""Storms: when one cause breaks many terminals, their incidents of one rule and subject get one parent. Pure.

Only the parent is notified. Input: the health incidents that would be notified, in the order in which they were
decided; output: a plan. Which incidents belong together depends on when they began, not on the order of arrival. The
state can be restored from the incidents, so a restart loses nothing.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Final

import msgspec

from alerting.causes.evidence import Fallen, Group, common, deepest_area
from alerting.causes.steps import Ended, Joined, Released, Step
from alerting.incidents.book import Incident
from alerting.station_incidents.cause_settings import CauseSettings
from alerting.stations.common_interval import CommonInterval
from contract.kinds import IncidentKind

WITHIN: Final = timedelta(minutes=30)
"""The longest time from the beginning of one incident of a storm to the next. Terminals install an update one after the
other and sample their health minutes apart; independent failures of the same rule are days apart."""

COMMON: Final = "common"
Topic = tuple[str, str]
"""(rule, subject); the subject is empty where a terminal has only one."""


def storm_key(topic: Topic) -> str:
    """The key of the parent incident of a topic."""
    return ":".join(part for part in (IncidentKind.HEALTH, *topic, COMMON) if part)


def topic_of(incident: Incident) -> Topic:
    """The topic of a health incident, from its detail."""
    return (incident.detail["rule"], incident.detail.get("subject", ""))


class StormUpdate(msgspec.Struct, frozen=True):
    """The parent incident of a storm is opened, or its values change because more incidents joined.

    `began`: when the first one began; `children`: how many; `area`: the deepest area that all of them share.
    """

    topic: Topic
    began: datetime
    children: int
    area: str | None

    @property
    def key(self) -> str:
        """The key of the parent incident."""
        return storm_key(self.topic)


StormPlan = Sequence[StormUpdate | Step]
"""What is to be written into the book, in this order."""


class Storm(msgspec.Struct, kw_only=True):
    """Incidents of one cause. `window`: from the first beginning to the last; an incident that began `WITHIN` of it
    joins.

    `areas`: what all members share; `written`: the values in the parent incident; `open`: members that are not over;
    `ever`: the keys of all members; `changed_at`: when a member last joined or was over.
    """

    window: CommonInterval
    changed_at: datetime
    areas: tuple[Group, ...] | None = None
    written: StormUpdate | None = None
    open: dict[str, Fallen] = {}
    ever: set[str] = set()

    def accepts(self, member: Fallen) -> bool:
        """Whether an incident began near the others, or was a member before."""
        near = CommonInterval(self.window.lo - WITHIN, self.window.hi + WITHIN).meets(member)
        return near or member.key in self.ever

    def add_member(self, member: Fallen, at: datetime) -> None:
        """An incident joins at `at`."""
        if member.groups:
            self.areas = member.groups if self.areas is None else common((self.areas, member.groups))
        if member.key not in self.ever:
            # A member that comes and goes for days does not widen the window again.
            self.window = CommonInterval(min(self.window.lo, member.began), max(self.window.hi, member.began))
        self.open[member.key] = member
        self.ever.add(member.key)
        self.changed_at = max(self.changed_at, at)

    def remove_member(self, key: str, at: datetime) -> None:
        """A member is over since `at`."""
        del self.open[key]
        self.changed_at = max(self.changed_at, at)

    def is_over(self, now: datetime, settings: CauseSettings) -> bool:
        """Whether fewer members are open than a storm needs, most are over, and nothing changed for `hold`."""
        few = len(self.open) < settings.least and len(self.open) <= (1 - settings.returned) * len(self.ever)
        return few and self.changed_at + timedelta(seconds=settings.hold) <= now

    def next_update(self, topic: Topic) -> StormUpdate | None:
        """The new values of the parent, None if they are as written; its size changes only when it has doubled."""
        count = self.written.children if self.written else 0
        grown = len(self.ever) if len(self.ever) >= 2 * count else count
        update = StormUpdate(topic, self.window.lo, grown, deepest_area(self.areas or ()))
        return update if update != self.written else None


def restored_storm(parent: Incident, children: Iterable[tuple[Incident, Fallen]]) -> Storm:
    """A storm from its parent incident and all incidents that ever were its children, in their order."""
    storm = Storm(window=CommonInterval(parent.began_at, parent.began_at), changed_at=parent.opened_at)
    for child, member in children:
        storm.add_member(member, child.opened_at)
        if not child.goes_on:
            storm.remove_member(child.key, max(at for at in (child.closed_at, child.ended_at, child.opened_at) if at))
    storm.written = StormUpdate(topic_of(parent), parent.began_at, parent.detail["children"], parent.area)
    return storm


class _SingleIncidents:
    """The incidents that belong to no storm, by when they began."""

    def __init__(self) -> None:
        self._members: dict[str, Fallen] = {}
        self._order: list[tuple[datetime, str]] = []

    def __len__(self) -> int:
        return len(self._members)

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def add_single(self, member: Fallen) -> None:
        """Add an incident, in place of the one with its key."""
        self.remove_single(member.key)
        self._members[member.key] = member
        insort(self._order, (member.began, member.key))

    def remove_single(self, key: str) -> None:
        """Remove an incident, if it is there."""
        member = self._members.pop(key, None)
        if member is not None:
            del self._order[bisect_left(self._order, (member.began, key))]

    def near_window(self, window: CommonInterval) -> list[Fallen]:
        """The incidents that began `WITHIN` of a window, in order of beginning."""
        first = bisect_left(self._order, (window.lo - WITHIN, ""))
        last = bisect_right(self._order, window.hi + WITHIN, key=itemgetter(0))
        return [self._members[key] for _, key in self._order[first:last]]


class StormTracker:
    """The incidents of one rule and subject: the single ones, and the current storm, of which there is at most one."""

    def __init__(self, topic: Topic, settings: CauseSettings) -> None:
        self.topic = topic
        self._settings = settings
        self._singles = _SingleIncidents()
        self.current: Storm | None = None
        self._plan: list[StormUpdate | Step] = []

    def restore_storms(self, storms: Iterable[Storm], singles: Iterable[Fallen]) -> None:
        """Take over a storm and the single incidents, as restored from the stored incidents."""
        self.current = next(iter(storms), self.current)
        for member in singles:
            self._singles.add_single(member)

    def __bool__(self) -> bool:
        return bool(self._singles or self.current)

    def incident_opened(self, member: Fallen, at: datetime) -> None:
        """An incident that would be notified was opened, decided at `at`."""
        self._singles.add_single(member)
        known = self.current is not None and self.current.accepts(member)
        storm = self.current if known else self._gather_singles(member, at)
        if storm is not None:
            self._join_all_near(storm, member, at)

    def incident_closed(self, key: str, at: datetime) -> None:
        """An incident was closed, decided at `at`."""
        self._singles.remove_single(key)
        if self.current is not None and key in self.current.open:
            self.current.remove_member(key, at)

    def take_plan(self, now: datetime) -> StormPlan:
        """What follows from all incidents up to `now`; a storm that is over is closed."""
        storm = self.current
        if storm is not None and storm.is_over(now, self._settings):
            self._end(storm)
        plan, self._plan = self._plan, []
        return plan

    def _gather_singles(self, member: Fallen, at: datetime) -> Storm | None:
        """A storm of the first `least` single incidents that lie `WITHIN` each other, near this one; None if too few
        do."""
        alone = [each.began for each in self._singles.near_window(CommonInterval(member.began, member.began))]
        least = self._settings.least
        for first, last in zip(alone, alone[least - 1 :], strict=False):
            if last - first <= WITHIN:
                return self._open(CommonInterval(first, last), at)
        return None

    def _open(self, window: CommonInterval, at: datetime) -> Storm:
        """The current storm, widened to `window`, or a new one: a rule and subject has one storm at a time."""
        storm = self.current
        if storm is None:
            storm = self.current = Storm(window=window, changed_at=at)
        storm.window = CommonInterval(min(storm.window.lo, window.lo), max(storm.window.hi, window.hi))
        return storm

    def _join_all_near(self, storm: Storm, first: Fallen, at: datetime) -> None:
        """Move an incident into the storm, then all single incidents near it, until none is near."""
        joined: list[Fallen] = []
        near = [first]
        while near:
            for member in near:
                self._singles.remove_single(member.key)
                storm.add_member(member, at)
            joined += near
            near = self._singles.near_window(storm.window)
        update = storm.next_update(self.topic)
        if update is not None:
            storm.written = update
            self._plan.append(update)
        self._plan += [Joined(member, storm_key(self.topic)) for member in joined]

    def _end(self, storm: Storm) -> None:
        """Close a storm; the members that are still open become single incidents."""
        reason = "most_back" if storm.open else "all_back"
        self._plan.append(Ended(storm_key(self.topic), storm.changed_at, reason, len(storm.ever)))
        self._plan += [Released(member) for member in storm.open.values()]
        self.current = None
        for member in storm.open.values():
            self._singles.add_single(member)
