"""Which blind spots the stations have, and what is told of them. Pure."""

from array import array
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from alerting.blindspots.columns import Rows
from alerting.blindspots.spot import Found, Gone, Kind, Turn
from alerting.stations.snapshot import Standing

BITS: Final = {kind: 1 << place for place, kind in enumerate(Kind)}


class Ledger:
    """A row for every station, and a mark for each blind spot that it has."""

    def __init__(self) -> None:
        self.rows = Rows()
        self._marks = array("B")
        self._turns: list[Turn] = []

    def begin(self, told: Iterable[tuple[Kind, str]]) -> None:
        """With the blind spots that go on."""
        for kind, station in told:
            self._mark(self.row(station), kind)

    def row(self, station: str) -> int:
        row = self.rows.of(station)
        if row == len(self._marks):
            self._marks.append(0)
        return row

    def has(self, row: int, kind: Kind) -> bool:
        return bool(self._marks[row] & BITS[kind])

    def find(self, kind: Kind, row: int, standing: Standing, since: datetime, figures: dict[str, Any]) -> None:
        """A station is a blind spot."""
        self._mark(row, kind)
        self._turns.append(Found(kind=kind, subject=standing.station, area=standing.area, since=since, figures=figures))

    def clear(self, kind: Kind, row: int, at: datetime, reason: str) -> None:
        """A station is none any more, if it was one."""
        if self.has(row, kind):
            self._marks[row] &= ~BITS[kind] & 0xFF
            self._turns.append(Gone(kind=kind, subject=self.rows.names[row], ended_at=at, reason=reason))

    def _mark(self, row: int, kind: Kind) -> None:
        self._marks[row] |= BITS[kind]

    def take(self) -> Sequence[Turn]:
        """What was decided since the last call, in its order."""
        turns, self._turns = self._turns, []
        return turns
