"""Columns of moments by station: when something would be due for each of 700,000, found in a millisecond. Pure."""

from array import array
from collections import defaultdict
from collections.abc import Iterator, Set
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np

from alerting.stations.snapshot import ClockName

NEVER: Final = 2**63 - 1
"""Of a moment that is not there."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def stamp(moment: datetime) -> int:
    """Microseconds since the epoch."""
    return (moment - _EPOCH) // _MICROSECOND


def moment(stamp: int) -> datetime | None:
    return None if stamp == NEVER else _EPOCH + timedelta(microseconds=stamp)


class RowNumbers:
    """The number of each station, from 0."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self.names: list[str] = []

    def __len__(self) -> int:
        return len(self.names)

    def find_row(self, station: str) -> int | None:
        return self._numbers.get(station)

    def row_of(self, station: str) -> int:
        found = self._numbers.get(station)
        if found is None:
            found = self._numbers[station] = len(self.names)
            self.names.append(station)
        return found


class MomentColumn:
    """One moment for each row, NEVER at first; `due` finds those that have come.

    Nothing can be said of a row whose clock is not trusted: it is parked until it is, however long that takes.
    """

    def __init__(self) -> None:
        self._column = array("q")
        self._earliest = NEVER
        self._parked: dict[ClockName, set[int]] = defaultdict(set)

    def __getitem__(self, row: int) -> int:
        return self._column[row] if row < len(self._column) else NEVER

    def __setitem__(self, row: int, at: int) -> None:
        missing = row + 1 - len(self._column)
        if missing > 0:
            if at == NEVER:
                return
            self._column.extend([NEVER] * missing)
        self._column[row] = at
        self._earliest = min(self._earliest, at)

    def may_be_due(self, known: int) -> bool:
        """Whether `due` may find any: cheap, and never wrongly no."""
        return self._earliest <= known or bool(self._parked)

    def park_row(self, row: int, clock: ClockName) -> None:
        """Find `row` again as soon as `clock` is trusted; a moment set in the meantime counts too."""
        self._parked[clock].add(row)

    def take_due(self, known: int, untrusted: Set[ClockName]) -> Iterator[int]:
        """The rows whose moment has come; each is taken from its column."""
        for clock in [clock for clock in self._parked if clock not in untrusted]:
            yield from sorted(self._parked.pop(clock))
        if self._earliest > known:
            return
        view: Any = np.frombuffer(self._column, dtype=np.int64)
        rows: list[int] = np.flatnonzero(view <= known).tolist()
        view[rows] = NEVER
        self._earliest = int(view.min()) if len(view) else NEVER
        del view
        yield from rows
