"""Columns with one moment per station: of 700,000 stations those that are due are found in a millisecond. Pure."""

from array import array
from collections import defaultdict
from collections.abc import Iterator, Set

import numpy as np

from alerting.liveness.arrays import view
from alerting.stations.snapshot import ClockName
from alerting.stations.stamps import NEVER


class RowNumbers:
    """The row number of each station, counted from 0."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self.names: list[str] = []

    def __len__(self) -> int:
        return len(self.names)

    def row_of(self, station: str) -> int:
        """The row of a station; a station without a row gets the next one."""
        found = self._numbers.get(station)
        if found is None:
            found = self._numbers[station] = len(self.names)
            self.names.append(station)
        return found


class MomentColumn:
    """One moment for each row, NEVER at first; `take_due` finds the rows whose moment has come.

    A row whose clock is not trusted cannot be judged: it is parked until its clock is trusted again.
    """

    def __init__(self) -> None:
        self._column = array("q")
        self._earliest: int = NEVER
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
        """Whether `take_due` may find a row. Cheap; False is always right, True may be wrong."""
        return self._earliest <= known or bool(self._parked)

    def park_row(self, row: int, clock: ClockName) -> None:
        """Find `row` again as soon as `clock` is trusted; a moment that is set in the meantime counts too."""
        self._parked[clock].add(row)

    def take_due(self, known: int, untrusted: Set[ClockName]) -> Iterator[int]:
        """The rows whose moment has come, which is NEVER after that, and the parked rows whose clock is trusted now."""
        for clock in [clock for clock in self._parked if clock not in untrusted]:
            yield from sorted(self._parked.pop(clock))
        if self._earliest > known:
            return
        moments = view(self._column)
        rows: list[int] = np.flatnonzero(moments <= known).tolist()
        moments[rows] = NEVER
        self._earliest = int(moments.min()) if len(moments) else NEVER
        del moments
        yield from rows
