"""Uncovered areas: a target names the area, and no station in it is in service. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from alerting.blindspots.area_counts import AreaCounts
from alerting.blindspots.spot import SpotChange, SpotFound, SpotGone, SpotKind


class UncoveredAreas:
    """The areas of all targets. An area that loses its last station is notified; an area without a station since a
    target named it is only planned, and quiet."""

    def __init__(self, counts: AreaCounts) -> None:
        self._counts = counts
        self._targets: Mapping[str, Sequence[str]] = {}
        self._open: set[str] = set()
        self._changes: list[SpotChange] = []

    def restore_open(self, areas: Iterable[str]) -> None:
        """Take over the uncovered areas whose incidents are open."""
        self._open = set(areas)

    def set_targets(self, targets: Mapping[str, Sequence[str]], at: datetime, *, had: Collection[str] = ()) -> None:
        """Set the areas that targets name, with the ids of these targets. `had`: areas that had stations in service."""
        before, self._targets = self._targets, targets
        for area in sorted({*before, *targets, *self._open}):
            self._judge(area, at, lost=area in had)

    def follow_areas(self, areas: Iterable[str], at: datetime) -> None:
        """Judge the areas whose numbers changed."""
        for area in sorted(self._targets.keys() & set(areas)):
            self._judge(area, at, lost=True)

    def _judge(self, area: str, at: datetime, *, lost: bool) -> None:
        stations = self._counts.in_service(area)
        named = self._targets.get(area)
        if named and not stations and area not in self._open:
            self._open.add(area)
            self._changes.append(
                SpotFound(
                    kind=SpotKind.UNCOVERED,
                    subject=area,
                    since=at,
                    figures={"targets": list(named), "lost": lost},
                    quiet=not lost,
                )
            )
        elif area in self._open and (stations or not named):
            self._open.discard(area)
            reason = "station_in_service" if stations else "no_target"
            self._changes.append(SpotGone(kind=SpotKind.UNCOVERED, subject=area, ended_at=at, reason=reason))

    def take_changes(self) -> Sequence[SpotChange]:
        """The changes since the last call, in their order."""
        changes, self._changes = self._changes, []
        return changes
