"""Areas without service within opening hours: dark, or down to their last station. Pure.

An area is dark when none of its stations has worked for `after` while at least one station is waited for. An area with
one working station left gets the same incident, quiet, which becomes a dark one if that station falls too.

Time that is unknown to a clock of a waiting station does not count, and nothing is decided while such a clock cannot be
trusted. After closing time nothing begins; an open incident stays open until a station works.

Of dark areas within each other only the outermost is notified: the areas below it are its children. When the outer
incident closes, an area that is still dark has `after` once more to come back before it is notified itself. An area of
which an outage took stations is a child of that outage's incident in the same way.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

import msgspec

from alerting.blindspots.area_counts import AreaCounts, AreaTally, Path
from alerting.blindspots.area_parents import AreaParents
from alerting.blindspots.dark_stretch import AreaChange, DarkStage, DarkStretch, DarkStretches
from alerting.blindspots.remembered import SpotMemory
from alerting.blindspots.spot import SpotChange, SpotFound, SpotGone, SpotKind, spot_key
from alerting.blindspots.unknown_time import Gaps
from alerting.stations.snapshot import PassTime

RELEASE: Final = "release"
"""The rule by which the memory keeps until when an area may come back after its parent incident closed."""


class OpenOutage(Protocol):
    """An open incident of many stations with one cause, and how many of them are down in each area."""

    @property
    def key(self) -> str:
        """The key of the incident."""

    @property
    def began(self) -> datetime:
        """When its first station fell."""

    @property
    def areas(self) -> Mapping[str, int]:
        """How many of its stations are down, by area."""


class OpenAreaIncident(msgspec.Struct, frozen=True, kw_only=True):
    """An incident of an area that is open. `above`: the key of its parent, open or not."""

    area: str
    stage: DarkStage
    since: datetime
    above: str | None = None


class DarkAreas:
    """All areas that are dark, down to one station, or about to be so. `least`: an area with fewer stations is not
    notified."""

    def __init__(self, counts: AreaCounts, memory: SpotMemory, *, after: timedelta, least: int) -> None:
        self._counts, self._memory = counts, memory
        self._after, self._least = after, least
        self._stretches = DarkStretches(counts, memory, after=after, least=least)
        self._parents = AreaParents()
        self._changes: list[SpotChange] = []

    def load_areas(
        self, tallies: Mapping[Path, AreaTally], incidents: Iterable[OpenAreaIncident], known: datetime
    ) -> None:
        """Begin with all stations in `tallies`, the incidents that are open, and the stored memory."""
        changes = self._stretches.add_tallies(tallies, known)
        for incident in incidents:
            self._stretches.restore_reported(incident.area, incident.stage, incident.since)
            if incident.stage is DarkStage.DARK:
                self._parents.place_area(incident.area, self._stretches.path(incident.area), incident.above)
        for area in sorted({*changes, *self._stretches.restore_running()}):
            self._judge(area, AreaChange(known))
        gone = [key for key in self._parents.parents() if _is_dark_area(key) and not self._is_reported(key)]
        self._give_time(gone, known)

    def follow_tallies(self, tallies: Mapping[Path, AreaTally], known: datetime) -> None:
        """Take the changes of a pass, after `AreaCounts` has taken them."""
        for area, change in self._stretches.add_tallies(tallies, known).items():
            self._judge(area, change)

    def _judge(self, area: str, change: AreaChange) -> None:
        ended = self._stretches.judge(area, change)
        if ended is None:
            return
        self._memory.forget_moment(RELEASE, area)
        self._parents.remove_area(area)
        if ended.stretch.reported is not None:
            gone = SpotGone(kind=SpotKind.AREA_DARK, subject=area, ended_at=ended.ended_at, reason=ended.reason)
            self._changes.append(gone)
            self._give_time([spot_key(SpotKind.AREA_DARK, area)], ended.at)

    def _give_time(self, keys: Iterable[str], known: datetime) -> None:
        """The children of incidents that closed have time to come back before they are notified themselves."""
        for key in keys:
            for child in self._parents.children_of(key):
                if self._memory.moment_of(RELEASE, child) is None:
                    self._memory.remember(RELEASE, child, known + self._after)

    def may_be_due(self, known: datetime, outages: Collection[str]) -> bool:
        """Whether `find_due` may decide something by now; `outages`: the keys of the open ones."""
        return (
            bool(self._memory.moments_of_rule(RELEASE))
            or self._stretches.may_report(known)
            or bool(self._ended_parents(outages))
        )

    def _ended_parents(self, outages: Collection[str]) -> list[str]:
        """The outages that closed while areas under them are still dark."""
        return [key for key in self._parents.parents() if not _is_dark_area(key) and key not in outages]

    def find_due(self, moment: PassTime, gaps: Gaps, outages: Iterable[OpenOutage]) -> None:
        """Report the stretches that have lasted long enough; outer areas first, so that they become parents."""
        over = {outage.key: outage for outage in outages}
        self._give_time(self._ended_parents(over), moment.known)
        for area in self._stretches.due_areas(moment, gaps):
            self._report(area, over.values())
        for area in sorted(area for area, at in self._memory.moments_of_rule(RELEASE).items() if at <= moment.known):
            self._release(area, over.values())

    def _report(self, area: str, outages: Iterable[OpenOutage]) -> None:
        stretch = self._stretches.mark_reported(area)
        is_dark = stretch.stage is DarkStage.DARK
        if is_dark:
            self._parents.place_area(area, self._stretches.path(area), self._find_parent(area, stretch, outages))
        self._append_found(area, stretch.stage)
        if is_dark:
            self._adopt(area)

    def _find_parent(self, area: str, stretch: DarkStretch, outages: Iterable[OpenOutage]) -> str | None:
        """The parent incident of an area: of the nearest dark area that it lies in, else of the outage that took most
        of its stations."""
        for higher in reversed(self._stretches.path(area)[:-1]):
            if self._stretches.is_reported_dark(higher):
                return spot_key(SpotKind.AREA_DARK, higher)
        over = [outage for outage in outages if outage.areas.get(area) and outage.began <= stretch.since]
        return max(over, key=lambda o: (o.areas[area], o.began, o.key)).key if over else None

    def _adopt(self, area: str) -> None:
        """Become the parent of the dark areas below that had none, or were about to have none."""
        key = spot_key(SpotKind.AREA_DARK, area)
        for below in sorted({*self._parents.heads_below(area), *self._parents.children_of(key)}):
            self._parents.place_area(below, self._stretches.path(below), key)
            self._memory.forget_moment(RELEASE, below)
            self._append_found(below, "part_of_a_larger_one", only_update=True)

    def _release(self, area: str, outages: Iterable[OpenOutage]) -> None:
        """An area did not come back in the time that it had: it is notified itself, or gets another parent."""
        self._memory.forget_moment(RELEASE, area)
        parent = self._find_parent(area, self._stretches.stretch(area), outages)
        self._parents.place_area(area, self._stretches.path(area), parent)
        self._append_found(area, "still_dark", only_update=True)

    def _append_found(self, area: str, reason: str, *, only_update: bool = False) -> None:
        stretch, awaited = self._stretches.stretch(area), self._counts.awaited(area)
        is_dark = stretch.reported is DarkStage.DARK
        self._changes.append(
            SpotFound(
                kind=SpotKind.AREA_DARK,
                subject=area,
                since=stretch.reported_since or stretch.since,
                figures={"stage": stretch.reported, "stations": awaited, "waiting": self._stretches.waiting(area)},
                quiet=not is_dark or awaited < self._least,
                above=self._parents.parent_of(area) if is_dark else None,
                reason=reason,
                only_update=only_update,
            )
        )

    def _is_reported(self, key: str) -> bool:
        return self._stretches.is_reported_dark(key.rpartition(":")[2])

    def take_changes(self) -> Sequence[SpotChange]:
        """The decisions since the last call, in their order."""
        changes, self._changes = self._changes, []
        return changes


def _is_dark_area(key: str) -> bool:
    return key.startswith(spot_key(SpotKind.AREA_DARK, ""))
