"""Since when each area has no working station, or only one: the stretches from which dark areas are found. Pure.

A stretch begins when an area's numbers say so, changes between its two stages, and ends when enough stations work again
or none is waited for. An incident follows only after the stretch has lasted `after`; `alerting.blindspots.dark_areas`
decides what is notified then.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

import msgspec

from alerting.blindspots.area_counts import AreaCounts, AreaTally, Path
from alerting.blindspots.remembered import SpotMemory
from alerting.blindspots.unknown_time import Gaps
from alerting.stations.snapshot import ClockName, PassTime


class DarkStage(StrEnum):
    """How far an area has gone dark. The values are also rules of the memory, which stores since when."""

    LAST_ONE = "last_one"
    DARK = "dark_area"


class DarkStretch(msgspec.Struct):
    """An area is in `stage` since `since`. `reported`: the stage of its incident, None without one, which began at
    `reported_since`."""

    stage: DarkStage
    since: datetime
    reported: DarkStage | None = None
    reported_since: datetime | None = None


class AreaChange(msgspec.Struct):
    """The changes of one pass in an area, as an `AreaTally` has them for a path of areas."""

    at: datetime
    fell_at: datetime | None = None
    came_at: datetime | None = None


class EndedStretch(NamedTuple):
    """A stretch that is over since `ended_at`; `at` is when the area last changed."""

    stretch: DarkStretch
    reason: str
    ended_at: datetime
    at: datetime


class DarkStretches:
    """The stretches of all areas. `after`: how long one must last. `least`: an area that is waited for with fewer
    stations than this has no stage LAST_ONE."""

    def __init__(self, counts: AreaCounts, memory: SpotMemory, *, after: timedelta, least: int) -> None:
        self._counts, self._memory = counts, memory
        self._after, self._least = after, least
        self._waiting: dict[str, dict[ClockName | None, int]] = {}
        self._paths: dict[str, Path] = {}
        self._stretches: dict[str, DarkStretch] = {}
        self._running: set[str] = set()

    def restore_reported(self, area: str, stage: DarkStage, since: datetime) -> None:
        """Take over the incident of an area that is open."""
        self._stretches[area] = DarkStretch(stage, since, stage, since)

    def restore_running(self) -> list[str]:
        """Take over the stretches without an incident from the memory; returns the areas of all stretches."""
        for stage in DarkStage:
            for area, since in self._memory.moments_of_rule(stage).items():
                stretch = self._stretches.setdefault(area, DarkStretch(stage, since))
                if stretch.reported is not stage:
                    stretch.stage, stretch.since = stage, since
                    self._running.add(area)
        return list(self._stretches)

    def add_tallies(self, tallies: Mapping[Path, AreaTally], known: datetime) -> dict[str, AreaChange]:
        """Add the stations that are waited for; returns the changes of each area on the paths."""
        found: dict[str, AreaChange] = {}
        for path, there in tallies.items():
            for depth, area in enumerate(path, start=1):
                if area not in self._paths or self._paths[area] != path[:depth]:
                    self._paths[area] = path[:depth]
                if there.waiting:
                    self._add_waiting(area, there.waiting)
                _merge(found.setdefault(area, AreaChange(there.at or known)), there)
        return found

    def _add_waiting(self, area: str, moved: Mapping[ClockName | None, int]) -> None:
        waiting = self._waiting.setdefault(area, {})
        for clock, number in moved.items():
            waiting[clock] = waiting.get(clock, 0) + number
            if not waiting[clock]:
                del waiting[clock]
        if not waiting:
            del self._waiting[area]

    def judge(self, area: str, change: AreaChange) -> EndedStretch | None:
        """Begin, change or end the stretch of an area after its numbers changed; returns a stretch that ended."""
        working, awaited = self._counts.working(area), self._counts.awaited(area)
        stretch = self._stretches.get(area)
        if working > 1 or not awaited or (working and awaited < self._least):
            return self._end(area, "station_works" if working else "nobody_awaited", working, change)
        if area in self._waiting:
            return self._begin(area, stretch, DarkStage.LAST_ONE if working else DarkStage.DARK, change)
        if stretch is None:
            return None
        if stretch.reported is None or (working and stretch.reported is DarkStage.DARK):
            return self._end(area, "station_works" if working else "closing_time", working, change)
        self._return_to_reported(area, stretch)
        return None

    def _begin(
        self, area: str, stretch: DarkStretch | None, stage: DarkStage, change: AreaChange
    ) -> EndedStretch | None:
        ended = None
        if stretch is not None and stretch.reported is DarkStage.DARK and stage is DarkStage.LAST_ONE:
            ended = self._end(area, "station_works", 1, change)
            stretch = None
        if stretch is None:
            stretch = self._stretches[area] = DarkStretch(stage, _since(change))
        elif stretch.stage is stage:
            return None
        elif stretch.reported is stage:
            self._return_to_reported(area, stretch)
            return None
        else:
            stretch.stage, stretch.since = stage, _since(change)
        self._running.add(area)
        self._remember(area, stretch)
        return ended

    def _return_to_reported(self, area: str, stretch: DarkStretch) -> None:
        """The area did not reach the other stage: it is in the stage of its incident again."""
        if stretch.reported is not None and stretch.reported_since is not None:
            stretch.stage, stretch.since = stretch.reported, stretch.reported_since
        self._running.discard(area)
        self._remember(area, stretch)

    def _remember(self, area: str, stretch: DarkStretch | None) -> None:
        for stage in DarkStage:
            if stretch is not None and stage is stretch.stage:
                self._memory.remember(stage, area, stretch.since)
            else:
                self._memory.forget_moment(stage, area)

    def _end(self, area: str, reason: str, working: int, change: AreaChange) -> EndedStretch | None:
        stretch = self._stretches.pop(area, None)
        if stretch is None:
            return None
        self._running.discard(area)
        self._remember(area, None)
        ended_at = (change.came_at if working else None) or change.at
        return EndedStretch(stretch, reason, ended_at, change.at)

    def may_report(self, known: datetime) -> bool:
        """Whether a stretch may have lasted long enough by now, unknown time left aside."""
        return any(known - self._stretches[area].since >= self._after for area in self._running)

    def due_areas(self, moment: PassTime, gaps: Gaps) -> list[str]:
        """The areas whose stretch has lasted `after` without unknown time, outer areas first."""
        due = [area for area in self._running if self._is_due(area, moment, gaps)]
        return sorted(due, key=lambda area: (len(self.path(area)), area))

    def _is_due(self, area: str, moment: PassTime, gaps: Gaps) -> bool:
        since, clocks = self._stretches[area].since, self._waiting.get(area, {})
        if moment.known - since < self._after or not moment.untrusted.isdisjoint(clocks):
            return False
        return moment.known - since - gaps.unknown_within(clocks, since, moment.known) >= self._after

    def mark_reported(self, area: str) -> DarkStretch:
        """The stage that an area has reached has an incident from now on."""
        stretch = self._stretches[area]
        stretch.reported, stretch.reported_since = stretch.stage, stretch.since
        self._running.discard(area)
        return stretch

    def stretch(self, area: str) -> DarkStretch:
        """The stretch of an area; KeyError without one."""
        return self._stretches[area]

    def is_reported_dark(self, area: str) -> bool:
        """Whether an area has an incident of the stage DARK."""
        stretch = self._stretches.get(area)
        return stretch is not None and stretch.reported is DarkStage.DARK

    def path(self, area: str) -> Path:
        """The areas from the root down to this one; only the area itself while none of its stations was seen."""
        return self._paths.get(area, (area,))

    def waiting(self, area: str) -> int:
        """How many stations of an area are waited for."""
        return sum(self._waiting.get(area, {}).values())


def _merge(change: AreaChange, there: AreaTally) -> None:
    if there.at is not None:
        change.at = max(change.at, there.at)
    if there.fell_at is not None:
        change.fell_at = there.fell_at if change.fell_at is None else max(change.fell_at, there.fell_at)
    if there.came_at is not None:
        change.came_at = there.came_at if change.came_at is None else min(change.came_at, there.came_at)


def _since(change: AreaChange) -> datetime:
    """When the area reached its stage: when its last station fell, its first one came, or at the last change."""
    return change.fell_at or change.came_at or change.at
