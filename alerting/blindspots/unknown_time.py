"""Unknown time: intervals in which a pipeline clock stood still, so that rules must not count them. Pure."""

from bisect import insort
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from alerting.stations.snapshot import ClockName


class UnknownTime(NamedTuple):
    """An interval of one pipeline clock that is over; `seq` as in the table `pipeline_gap`."""

    partition: int
    shard: str
    began_at: datetime
    ended_at: datetime
    seq: int = 0


class Gaps:
    """The unknown time of every clock, as far back as rules look. `cursors`: the newest `seq` by partition."""

    def __init__(self, gaps: Iterable[UnknownTime] = ()) -> None:
        self._by_clock: dict[ClockName, list[tuple[datetime, datetime]]] = {}
        self.cursors: dict[int, int] = {}
        self.add_gaps(gaps)

    def add_gaps(self, gaps: Iterable[UnknownTime]) -> None:
        """Add intervals; an interval that was added before changes nothing."""
        for gap in gaps:
            known = self._by_clock.setdefault((gap.partition, gap.shard), [])
            if (gap.began_at, gap.ended_at) not in known:
                insort(known, (gap.began_at, gap.ended_at))
            self.cursors[gap.partition] = max(self.cursors.get(gap.partition, -1), gap.seq)

    def forget_before(self, before: datetime) -> None:
        """Delete the intervals that ended before a moment; no rule looks further back."""
        for clock, gaps in self._by_clock.items():
            self._by_clock[clock] = [gap for gap in gaps if gap[1] >= before]

    def unknown_within(self, clocks: Iterable[ClockName | None], begin: datetime, end: datetime) -> timedelta:
        """How much of the time from `begin` to `end` was unknown to at least one of the clocks; None is no clock."""
        parts = sorted(
            (max(began, begin), min(ended, end))
            for clock in clocks
            if clock is not None
            for began, ended in self._by_clock.get(clock, ())
            if ended > begin and began < end
        )
        total, reached = timedelta(), begin
        for began, ended in parts:
            total += max(ended - max(began, reached), timedelta())
            reached = max(reached, ended)
        return total
