"""Areas without service within opening hours: dark, or down to their last station. Pure.

An area is dark when none of its stations has worked for `after` while at least one station is waited for. An area with
one working station left gets the same incident without notification; if the last station fails too, the incident
becomes a dark one and is notified.

Unknown time (a gap in the pipeline clock of a waiting station) does not count towards `after`, and nothing is decided
while such a clock is not reliable. After closing time nothing begins; an open incident stays open until a station
works.

When a dark area contains other dark areas, only the outermost is notified; the inner areas are its children. When the
outer incident closes, an area that is still dark has a recovery time of `after` before it is notified itself. An area
in which an outage took stations is a child of that outage's incident in the same way.
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

RECOVERY: Final = "release"
"""The key in the memory for the end of the recovery time of an area, which begins when its parent incident closes."""


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
        self._begin_recovery(gone, known)

    def follow_tallies(self, tallies: Mapping[Path, AreaTally], known: datetime) -> None:
        """Take the changes of a pass, after `AreaCounts` has taken them."""
        for area, change in self._stretches.add_tallies(tallies, known).items():
            self._judge(area, change)

    def _judge(self, area: str, change: AreaChange) -> None:
        ended = self._stretches.judge(area, change)
        if ended is None:
            return
        self._memory.forget_moment(RECOVERY, area)
        self._parents.remove_area(area)
        if ended.stretch.reported is not None:
            gone = SpotGone(kind=SpotKind.AREA_DARK, subject=area, ended_at=ended.ended_at, reason=ended.reason)
            self._changes.append(gone)
            self._begin_recovery([spot_key(SpotKind.AREA_DARK, area)], ended.at)

    def _begin_recovery(self, keys: Iterable[str], known: datetime) -> None:
        """Begin the recovery time of the children of incidents that closed."""
        for key in keys:
            for child in self._parents.children_of(key):
                if self._memory.moment_of(RECOVERY, child) is None:
                    self._memory.remember(RECOVERY, child, known + self._after)

    def may_be_due(self, known: datetime, outages: Collection[str]) -> bool:
        """Whether `find_due` may decide something by now; `outages`: the keys of the open ones."""
        return (
            bool(self._memory.moments_of_rule(RECOVERY))
            or self._stretches.may_report(known)
            or bool(self._ended_parents(outages))
        )

    def _ended_parents(self, outages: Collection[str]) -> list[str]:
        """The outages that closed while areas under them are still dark."""
        return [key for key in self._parents.parents() if not _is_dark_area(key) and key not in outages]

    def find_due(self, moment: PassTime, gaps: Gaps, outages: Iterable[OpenOutage]) -> None:
        """Report the stretches that have lasted long enough; outer areas first, so that they become parents."""
        open_outages = {outage.key: outage for outage in outages}
        self._begin_recovery(self._ended_parents(open_outages), moment.known)
        for area in self._stretches.due_areas(moment, gaps):
            self._report(area, open_outages.values())
        for area in sorted(area for area, at in self._memory.moments_of_rule(RECOVERY).items() if at <= moment.known):
            self._end_recovery(area, open_outages.values())

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
        for outer in reversed(self._stretches.path(area)[:-1]):
            if self._stretches.is_reported_dark(outer):
                return spot_key(SpotKind.AREA_DARK, outer)
        took_some = [outage for outage in outages if outage.areas.get(area) and outage.began <= stretch.since]
        return max(took_some, key=lambda o: (o.areas[area], o.began, o.key)).key if took_some else None

    def _adopt(self, area: str) -> None:
        """Make this area the parent of the inner dark areas that have no parent, or whose parent closed."""
        key = spot_key(SpotKind.AREA_DARK, area)
        for inner in sorted({*self._parents.heads_below(area), *self._parents.children_of(key)}):
            self._parents.place_area(inner, self._stretches.path(inner), key)
            self._memory.forget_moment(RECOVERY, inner)
            self._append_found(inner, "part_of_a_larger_one", only_update=True)

    def _end_recovery(self, area: str, outages: Iterable[OpenOutage]) -> None:
        """End the recovery time of an area that is still dark: it is notified itself, or gets another parent."""
        self._memory.forget_moment(RECOVERY, area)
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
