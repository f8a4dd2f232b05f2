"""Areas that a target names and in which no station is in service. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from alerting.blindspots.area_counts import AreaCounts
from alerting.blindspots.spot import SpotChange, SpotFound, SpotGone, SpotKind


class UncoveredAreas:
    """The areas of all targets. One that loses its last station is paged about; one that has had none since it was
    named is a plan, and quiet."""

    def __init__(self, counts: AreaCounts) -> None:
        self._counts = counts
        self._targets: Mapping[str, Sequence[str]] = {}
        self._told: set[str] = set()
        self._turns: list[SpotChange] = []

    def restore_open(self, told: Iterable[str]) -> None:
        """Begin with those that go on."""
        self._told = set(told)

    def set_targets(self, targets: Mapping[str, Sequence[str]], at: datetime, *, had: Collection[str] = ()) -> None:
        """The areas that are to be covered, and by which targets. `had`: those that had stations when last looked."""
        before, self._targets = self._targets, targets
        for area in sorted({*before, *targets, *self._told}):
            self._judge(area, at, lost=area in had)

    def follow_areas(self, areas: Iterable[str], at: datetime) -> None:
        """Look at areas whose numbers changed."""
        for area in sorted(self._targets.keys() & set(areas)):
            self._judge(area, at, lost=True)

    def _judge(self, area: str, at: datetime, *, lost: bool) -> None:
        stations = self._counts.in_service(area)
        named = self._targets.get(area)
        if named and not stations and area not in self._told:
            self._told.add(area)
            self._turns.append(
                SpotFound(
                    kind=SpotKind.UNCOVERED,
                    subject=area,
                    since=at,
                    figures={"targets": list(named), "lost": lost},
                    quiet=not lost,
                )
            )
        elif area in self._told and (stations or not named):
            self._told.discard(area)
            reason = "station_in_service" if stations else "no_target"
            self._turns.append(SpotGone(kind=SpotKind.UNCOVERED, subject=area, ended_at=at, reason=reason))

    def take_changes(self) -> Sequence[SpotChange]:
        """What was decided since the last call."""
        turns, self._turns = self._turns, []
        return turns
