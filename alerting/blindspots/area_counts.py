"""How many stations of each area, with all areas below it, have which verdict: updated with each change. Pure.

A pass brings (before, after) pairs of stations. They are added up by path of areas first, so the fall of a county or of
the whole nation costs one addition per station and one per path and level, and never a scan over all stations.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, NamedTuple

import msgspec

from alerting.stations.snapshot import ClockName, Standing
from alerting.stations.verdict import verdict_of

COLUMNS: Final = (
    "online", "unusable", "offline", "away", "unknown", "closed", "excused", "never_seen", "suspended", "working",
)  # fmt: skip
"""Columns of the table `area_count`. All but the last are verdicts; `working`: online, and not reported as unusable."""
WORKING: Final = COLUMNS.index("working")
_AWAITED: Final = tuple(COLUMNS.index(name) for name in ("online", "unusable", "offline", "away", "unknown", "closed"))
_IN_SERVICE: Final = tuple(range(COLUMNS.index("suspended")))


class StandingChange(NamedTuple):
    """A station before and after a change at `at`. `before` None: it is new; `after` None: it was deleted."""

    before: Standing | None
    after: Standing | None
    at: datetime


Path = tuple[str, ...]
"""Codes of areas from the root of the tree down to one area."""
Cells = list[int]
"""Numbers of stations, in the order of COLUMNS."""

_column_of: dict[tuple[str, str, bool | None, bool, bool], int] = {}
_RETIRED: Final = "retired"


def column_of(standing: Standing) -> int | None:
    """The column in which a station is counted: its verdict, its clock taken as trusted. None for a retired station,
    which is not counted."""
    if standing.lifecycle == _RETIRED:
        return None
    key = (standing.lifecycle, standing.state, standing.usable, standing.open, standing.excused)
    found = _column_of.get(key)
    if found is None:
        lifecycle, state, usable, is_open, excused = key
        verdict = verdict_of(lifecycle=lifecycle, state=state, usable=usable, open=is_open, excused=excused)
        found = _column_of[key] = COLUMNS.index(verdict.value)
    return found


def is_waited_for(standing: Standing) -> bool:
    """Whether a station should be working now and is not.

    A station that never reported is not waited for: it is a blind spot itself (`dark`), and no sign of a dark area.
    """
    return (
        standing.state != "never_seen"
        and standing.open
        and not standing.silenced
        and not standing.excused
        and standing.in_service
        and not standing.working
    )


class AreaTally(msgspec.Struct):
    """The changes of one pass in one path of areas.

    `cells`: changes of the numbers. `waiting`: changes of the stations that are waited for, by pipeline clock.
    `fell_at`: when the last station stopped working; `came_at`: when the first station began to work; `at`: the last
    change.
    """

    cells: Cells = msgspec.field(default_factory=lambda: [0] * len(COLUMNS))
    waiting: dict[ClockName | None, int] = msgspec.field(default_factory=dict)
    fell_at: datetime | None = None
    came_at: datetime | None = None
    at: datetime | None = None


def add_up(steps: Iterable[StandingChange]) -> dict[Path, AreaTally]:
    """The changes of a pass, which are in their order, added up by path."""
    found: dict[Path, AreaTally] = {}
    for before, after, at in steps:
        there = None
        if before is not None:
            there = _of(found, before.path)
            _add(there, before, -1)
            there.at = at
        if after is not None:
            if before is None or before.path != after.path:
                there = _of(found, after.path)
            if there is not None:
                _add(there, after, 1)
                there.at = at
                if before is not None:
                    _note_times(there, before, after, at)
    return found


def _of(found: dict[Path, AreaTally], path: Path) -> AreaTally:
    there = found.get(path)
    if there is None:
        there = found[path] = AreaTally()
    return there


def _add(there: AreaTally, standing: Standing, sign: int) -> None:
    column = column_of(standing)
    if column is not None:
        there.cells[column] += sign
    if standing.working:
        there.cells[WORKING] += sign
    elif is_waited_for(standing):
        clock = standing.clock
        there.waiting[clock] = there.waiting.get(clock, 0) + sign


def _note_times(there: AreaTally, before: Standing, after: Standing, at: datetime) -> None:
    """Note since when a station works, or does not: since its state or usability changed, or else since `at`, when it
    came into service."""
    if before.working == after.working or not after.in_service:
        return
    since = after.unusable_since or (at if before.state == after.state or after.since is None else after.since)
    if after.working:
        there.came_at = since if there.came_at is None else min(there.came_at, since)
    else:
        there.fell_at = since if there.fell_at is None else max(there.fell_at, since)


class AreaCounts:
    """The numbers of every area that has or had a station."""

    def __init__(self) -> None:
        self._cells: dict[str, Cells] = {}
        self._changed: set[str] = set()

    def add_tallies(self, tallies: dict[Path, AreaTally]) -> None:
        """Add the changes of a pass to every area of each path."""
        for path, there in tallies.items():
            moved = [(column, number) for column, number in enumerate(there.cells) if number]
            if moved:
                self._add(path, moved)

    def _add(self, path: Path, moved: Sequence[tuple[int, int]]) -> None:
        for area in path:
            cells = self._cells.get(area)
            if cells is None:
                cells = self._cells[area] = [0] * len(COLUMNS)
            for column, number in moved:
                cells[column] += number
            self._changed.add(area)

    def numbers_of(self, area: str) -> Sequence[int]:
        """The numbers of an area, in the order of COLUMNS; zeros when no station lies there."""
        return self._cells.get(area) or [0] * len(COLUMNS)

    def working(self, area: str) -> int:
        """Stations that work: online, and not reported as unusable."""
        cells = self._cells.get(area)
        return 0 if cells is None else cells[WORKING]

    def in_service(self, area: str) -> int:
        """Commissioned stations, including those that never reported."""
        cells = self.numbers_of(area)
        return sum(cells[column] for column in _IN_SERVICE)

    def awaited(self, area: str) -> int:
        """Stations in service that have reported at least once and that no closure excuses, open now or not."""
        cells = self.numbers_of(area)
        return sum(cells[column] for column in _AWAITED)

    def take_changed(self) -> dict[str, Sequence[int]]:
        """The numbers of the areas that changed since the last call."""
        changed, self._changed = self._changed, set()
        return {area: tuple(self._cells[area]) for area in changed}
