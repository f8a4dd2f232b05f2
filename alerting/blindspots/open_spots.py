"""Which blind spots each station has, and the changes that are still to be written. Pure."""

from array import array
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from alerting.blindspots.columns import RowNumbers
from alerting.blindspots.spot import SpotChange, SpotFound, SpotGone, SpotKind
from alerting.stations.snapshot import Standing

BITS: Final = {kind: 1 << place for place, kind in enumerate(SpotKind)}
"""The bit of each kind in the marks of a station."""


class OpenSpots:
    """A row for every station, with a bit for each blind spot that the station has."""

    def __init__(self) -> None:
        self.rows = RowNumbers()
        self._marks = array("B")
        self._changes: list[SpotChange] = []

    def restore_open(self, spots: Iterable[tuple[SpotKind, str]]) -> None:
        """Take over the blind spots that are open, as (kind, station)."""
        for kind, station in spots:
            self._mark(self.row_of(station), kind)

    def row_of(self, station: str) -> int:
        """The row of a station, made if the station is new."""
        row = self.rows.row_of(station)
        if row == len(self._marks):
            self._marks.append(0)
        return row

    def is_open(self, row: int, kind: SpotKind) -> bool:
        """Whether the station in `row` has a blind spot of this kind."""
        return bool(self._marks[row] & BITS[kind])

    def open_spot(self, kind: SpotKind, row: int, standing: Standing, since: datetime, figures: dict[str, Any]) -> None:
        """Open a blind spot of this kind for the station in `row`; `figures` go into the detail of the incident."""
        self._mark(row, kind)
        self._changes.append(
            SpotFound(kind=kind, subject=standing.station, area=standing.area, since=since, figures=figures)
        )

    def close_spot(self, kind: SpotKind, row: int, at: datetime, reason: str) -> None:
        """Close the blind spot of this kind of the station in `row`, over since `at`; no effect if there is none."""
        if self.is_open(row, kind):
            self._marks[row] &= ~BITS[kind] & 0xFF
            self._changes.append(SpotGone(kind=kind, subject=self.rows.names[row], ended_at=at, reason=reason))

    def _mark(self, row: int, kind: SpotKind) -> None:
        self._marks[row] |= BITS[kind]

    def take_changes(self) -> Sequence[SpotChange]:
        """The changes since the last call, in their order."""
        changes, self._changes = self._changes, []
        return changes
