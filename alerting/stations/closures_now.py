"""Which closures hold for a station at a moment, and when the next one begins or ends. Pure."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from alerting.stations.columns import StationColumns
from registry.closures.rules import Closure, Closures


class ClosuresNow:
    """The declared closures, found by the stations of the columns."""

    def __init__(self, columns: StationColumns) -> None:
        self._columns = columns
        self._declared: dict[int, Closure] = {}
        self._closures = Closures()

    def replace(self, closures: Iterable[Closure]) -> list[Closure]:
        """Replace all closures. Returns those that were added, changed or withdrawn; of a changed closure the old and
        the new one."""
        before, self._declared = self._declared, {closure.id: closure for closure in closures}
        self._closures = Closures(self._declared.values())
        different: list[Closure] = []
        for number in sorted(before.keys() | self._declared.keys()):
            old, new = before.get(number), self._declared.get(number)
            if old != new:
                different += [closure for closure in (old, new) if closure is not None]
        return different

    def next_change(self, at: datetime) -> datetime | None:
        """When the next closure after `at` begins or ends; None: never."""
        return self._closures.next_change(at)

    def changed(self, after: datetime, until: datetime) -> list[Closure]:
        """The closures that begin or end after `after` and not after `until`, in that order."""
        return self._closures.changed(after, until)

    def of_row(self, row: int) -> list[Closure]:
        """The closures of a station."""
        if not self._declared:
            return []
        columns = self._columns
        profile = columns.profile_of(row)
        return self._closures.of_station(columns.ids[row], profile.path, profile.programmes)

    def flag_row(self, row: int, now: datetime) -> None:
        """Set whether a closure silences a station now, and whether one excuses it."""
        columns = self._columns
        if not self._declared and not columns.silenced[row]:
            return
        found = self.of_row(row)
        columns.silenced[row] = any(closure.holds(now) for closure in found)
        columns.excused[row] = any(closure.excuses(now) for closure in found)

    def excuses_within(self, row: int, begin: datetime, end: datetime) -> bool:
        """Whether an approved closure of a station holds at any time from `begin` to `end`."""
        return any(_excuses_within(closure, begin, end) for closure in self.of_row(row))

    def excusing_within(self, begin: datetime, end: datetime) -> Iterator[Closure]:
        """The approved closures that hold at any time from `begin` to `end`."""
        return (closure for closure in self._declared.values() if _excuses_within(closure, begin, end))


def _excuses_within(closure: Closure, begin: datetime, end: datetime) -> bool:
    return closure.approved_at is not None and max(closure.from_at, begin) < min(closure.ends_at, end)
