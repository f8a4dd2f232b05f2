"""Which blind spots the stations have, and what is told of them. Pure."""

from array import array
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from alerting.blindspots.columns import RowNumbers
from alerting.blindspots.spot import SpotChange, SpotFound, SpotGone, SpotKind
from alerting.stations.snapshot import Standing

BITS: Final = {kind: 1 << place for place, kind in enumerate(SpotKind)}


class OpenSpots:
    """A row for every station, and a mark for each blind spot that it has."""

    def __init__(self) -> None:
        self.rows = RowNumbers()
        self._marks = array("B")
        self._turns: list[SpotChange] = []

    def restore_open(self, told: Iterable[tuple[SpotKind, str]]) -> None:
        """With the blind spots that go on."""
        for kind, station in told:
            self._mark(self.row_of(station), kind)

    def row_of(self, station: str) -> int:
        row = self.rows.row_of(station)
        if row == len(self._marks):
            self._marks.append(0)
        return row

    def is_open(self, row: int, kind: SpotKind) -> bool:
        return bool(self._marks[row] & BITS[kind])

    def open_spot(self, kind: SpotKind, row: int, standing: Standing, since: datetime, figures: dict[str, Any]) -> None:
        """A station is a blind spot."""
        self._mark(row, kind)
        self._turns.append(
            SpotFound(kind=kind, subject=standing.station, area=standing.area, since=since, figures=figures)
        )

    def close_spot(self, kind: SpotKind, row: int, at: datetime, reason: str) -> None:
        """A station is none any more, if it was one."""
        if self.is_open(row, kind):
            self._marks[row] &= ~BITS[kind] & 0xFF
            self._turns.append(SpotGone(kind=kind, subject=self.rows.names[row], ended_at=at, reason=reason))

    def _mark(self, row: int, kind: SpotKind) -> None:
        self._marks[row] |= BITS[kind]

    def take_changes(self) -> Sequence[SpotChange]:
        """What was decided since the last call, in its order."""
        turns, self._turns = self._turns, []
        return turns
