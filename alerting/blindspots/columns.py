"""Columns with one moment per station: of 700,000 stations those that are due are found in a millisecond. Pure."""

from array import array
from collections import defaultdict
from collections.abc import Iterator, Set
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np

from alerting.stations.snapshot import ClockName

NEVER: Final = 2**63 - 1
"""The stamp of a moment that does not exist."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def stamp(moment: datetime) -> int:
    """Microseconds since the epoch."""
    return (moment - _EPOCH) // _MICROSECOND


def moment(stamp: int) -> datetime | None:
    """The moment of a stamp; None for NEVER."""
    return None if stamp == NEVER else _EPOCH + timedelta(microseconds=stamp)


class RowNumbers:
    """The row number of each station, counted from 0."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self.names: list[str] = []

    def __len__(self) -> int:
        return len(self.names)

    def find_row(self, station: str) -> int | None:
        """The row of a station; None when it has none."""
        return self._numbers.get(station)

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
        view: Any = np.frombuffer(self._column, dtype=np.int64)
        rows: list[int] = np.flatnonzero(view <= known).tolist()
        view[rows] = NEVER
        self._earliest = int(view.min()) if len(view) else NEVER
        del view
        yield from rows
