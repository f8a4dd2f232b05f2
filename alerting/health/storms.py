"""What one cause broke on many terminals has one incident: of a rule and subject, and it alone pages. Pure.

Tell it the health incidents that page in the order in which they were decided, and let it plan. Which belong together
depends on when they began and not on the order in which they were heard. All that is remembered can be read off the
incidents, so a restart forgets nothing.
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
from alerting.stations.window import Window
from contract.kinds import IncidentKind

WITHIN: Final = timedelta(minutes=30)
"""Terminals take an update one after the other and sample their health minutes apart: what broke all of them begins
within half an hour from one to the next, where failures of a kind by chance are days apart."""

COMMON: Final = "common"
Topic = tuple[str, str]
"""(rule, subject); the subject is empty where a terminal has only one."""


def storm_key(topic: Topic) -> str:
    return ":".join(part for part in (IncidentKind.HEALTH, *topic, COMMON) if part)


def topic_of(incident: Incident) -> Topic:
    return (incident.detail["rule"], incident.detail.get("subject", ""))


class StormUpdate(msgspec.Struct, frozen=True):
    """What is to be said of a storm from now on: it opened, or others joined it and it says otherwise."""

    topic: Topic
    began: datetime
    children: int
    area: str | None

    @property
    def key(self) -> str:
        return storm_key(self.topic)


StormPlan = Sequence[StormUpdate | Step]


class Storm(msgspec.Struct, kw_only=True):
    """What hangs together: it takes what began `WITHIN` of its `window`, from the first beginning to the last.

    `open` are those of it that are not over, `ever` the keys of all; `changed_at`: when last one joined or was over.
    """

    window: Window
    changed_at: datetime
    areas: tuple[Group, ...] | None = None
    told: StormUpdate | None = None
    open: dict[str, Fallen] = {}
    ever: set[str] = set()

    def accepts(self, member: Fallen) -> bool:
        """Whether it began near the others, or was of this cause before."""
        near = Window(self.window.lo - WITHIN, self.window.hi + WITHIN).meets(member)
        return near or member.key in self.ever

    def add_member(self, member: Fallen, at: datetime) -> None:
        if member.groups:
            self.areas = member.groups if self.areas is None else common((self.areas, member.groups))
        if member.key not in self.ever:
            # One that comes and goes for days is of this cause, and what begins near its last coming is not.
            self.window = Window(min(self.window.lo, member.began), max(self.window.hi, member.began))
        self.open[member.key] = member
        self.ever.add(member.key)
        self.changed_at = max(self.changed_at, at)

    def remove_member(self, key: str, at: datetime) -> None:
        del self.open[key]
        self.changed_at = max(self.changed_at, at)

    def is_over(self, now: datetime, settings: CauseSettings) -> bool:
        """Fewer are left than would open it, most are over, and nothing happened for a while."""
        few = len(self.open) < settings.least and len(self.open) <= (1 - settings.returned) * len(self.ever)
        return few and self.changed_at + timedelta(seconds=settings.hold) <= now

    def next_update(self, topic: Topic) -> StormUpdate | None:
        """What is to be told: its beginning and area as they are, its size when it doubled."""
        count = self.told.children if self.told else 0
        grown = len(self.ever) if len(self.ever) >= 2 * count else count
        told = StormUpdate(topic, self.window.lo, grown, deepest_area(self.areas or ()))
        return told if told != self.told else None


def restored_storm(parent: Incident, children: Iterable[tuple[Incident, Fallen]]) -> Storm:
    """A storm as its incident and those that ever were its children, in their order, tell it."""
    storm = Storm(window=Window(parent.began_at, parent.began_at), changed_at=parent.opened_at)
    for child, member in children:
        storm.add_member(member, child.opened_at)
        if not child.goes_on:
            storm.remove_member(child.key, max(at for at in (child.closed_at, child.ended_at, child.opened_at) if at))
    storm.told = StormUpdate(topic_of(parent), parent.began_at, parent.detail["children"], parent.area)
    return storm


class _SingleIncidents:
    """What pages alone, by when it began."""

    def __init__(self) -> None:
        self._members: dict[str, Fallen] = {}
        self._order: list[tuple[datetime, str]] = []

    def __len__(self) -> int:
        return len(self._members)

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def add_single(self, member: Fallen) -> None:
        self.remove_single(member.key)
        self._members[member.key] = member
        insort(self._order, (member.began, member.key))

    def remove_single(self, key: str) -> None:
        member = self._members.pop(key, None)
        if member is not None:
            del self._order[bisect_left(self._order, (member.began, key))]

    def near_window(self, window: Window) -> list[Fallen]:
        """Those that began `WITHIN` of it, in their order."""
        first = bisect_left(self._order, (window.lo - WITHIN, ""))
        last = bisect_right(self._order, window.hi + WITHIN, key=itemgetter(0))
        return [self._members[key] for _, key in self._order[first:last]]


class StormTracker:
    """Of one rule and subject: what pages alone, and the storm that goes on."""

    def __init__(self, topic: Topic, settings: CauseSettings) -> None:
        self.topic = topic
        self._settings = settings
        self._alone = _SingleIncidents()
        self.current: Storm | None = None
        self._plan: list[StormUpdate | Step] = []

    def restore_storms(self, storms: Iterable[Storm], alone: Iterable[Fallen]) -> None:
        """Take over what the incidents tell."""
        self.current = next(iter(storms), self.current)
        for member in alone:
            self._alone.add_single(member)

    def __bool__(self) -> bool:
        return bool(self._alone or self.current)

    def incident_opened(self, member: Fallen, at: datetime) -> None:
        """An incident that pages opened; `at` is when that was decided."""
        self._alone.add_single(member)
        known = self.current is not None and self.current.accepts(member)
        storm = self.current if known else self._found(member, at)
        if storm is not None:
            self._gather(storm, member, at)

    def incident_closed(self, key: str, at: datetime) -> None:
        """An incident was closed; `at` is when that was decided."""
        self._alone.remove_single(key)
        if self.current is not None and key in self.current.open:
            self.current.remove_member(key, at)

    def take_plan(self, now: datetime) -> StormPlan:
        """What follows from all that was told, up to `now`."""
        storm = self.current
        if storm is not None and storm.is_over(now, self._settings):
            self._end(storm)
        plan, self._plan = self._plan, []
        return plan

    def _found(self, member: Fallen, at: datetime) -> Storm | None:
        """The storm of the first that are enough and near each other, this one among them."""
        alone = [each.began for each in self._alone.near_window(Window(member.began, member.began))]
        least = self._settings.least
        for first, last in zip(alone, alone[least - 1 :], strict=False):
            if last - first <= WITHIN:
                return self._open(Window(first, last), at)
        return None

    def _open(self, window: Window, at: datetime) -> Storm:
        """There is one of a rule and subject at a time: what gathers elsewhere is of it as well."""
        storm = self.current
        if storm is None:
            storm = self.current = Storm(window=window, changed_at=at)
        storm.window = Window(min(storm.window.lo, window.lo), max(storm.window.hi, window.hi))
        return storm

    def _gather(self, storm: Storm, first: Fallen, at: datetime) -> None:
        """Take in one and then what is near enough, until nothing is."""
        joined: list[Fallen] = []
        near = [first]
        while near:
            for member in near:
                self._alone.remove_single(member.key)
                storm.add_member(member, at)
            joined += near
            near = self._alone.near_window(storm.window)
        told = storm.next_update(self.topic)
        if told is not None:
            storm.told = told
            self._plan.append(told)
        self._plan += [Joined(member, storm_key(self.topic)) for member in joined]

    def _end(self, storm: Storm) -> None:
        """Close a storm; the few that are left stand alone."""
        reason = "most_back" if storm.open else "all_back"
        self._plan.append(Ended(storm_key(self.topic), storm.changed_at, reason, len(storm.ever)))
        self._plan += [Released(member) for member in storm.open.values()]
        self.current = None
        for member in storm.open.values():
            self._alone.add_single(member)
