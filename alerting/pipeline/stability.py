"""Gaps that recur: the clocks of a shard are interrupted again and again, however short each gap is. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

SPAN: Final = timedelta(minutes=10)
"""The interval in which gaps are counted; after this long without a gap, a shard is stable again."""
TENTH: Final = SPAN / 10
MANY: Final = 4
_NEAR: Final = timedelta(seconds=1)
"""Gaps of the partitions of a shard that are this near each other count as one gap."""

Interval = tuple[datetime, datetime]


class Stability(msgspec.Struct, frozen=True):
    """The gaps of a shard in the last ten minutes, all partitions together: their number and their total seconds,
    the beginning of the `first` and the end of the `last`."""

    gaps: int = 0
    seconds: float = 0.0
    first: datetime | None = None
    last: datetime | None = None

    @property
    def recurs(self) -> bool:
        """Whether the gaps recur: at least four, or several that take at least a tenth of the time."""
        return self.gaps >= MANY or (self.gaps > 1 and self.seconds >= TENTH.total_seconds())


def stability_of(intervals: Iterable[Interval], now: datetime) -> Stability:
    """The stability of a shard as of `now`, from its gaps in any order."""
    begin = now - SPAN
    merged = _union((max(began, begin), ended) for began, ended in intervals if ended > begin)
    seconds = sum((ended - began).total_seconds() for began, ended in merged)
    if not merged:
        return Stability()
    return Stability(len(merged), round(seconds, 3), merged[0][0], merged[-1][1])


def _union(intervals: Iterable[Interval]) -> Sequence[Interval]:
    found: list[Interval] = []
    for began, ended in sorted(intervals):
        if found and began - found[-1][1] <= _NEAR:
            found[-1] = (found[-1][0], max(found[-1][1], ended))
        else:
            found.append((began, ended))
    return found


class RecentGaps:
    """The gaps of the last ten minutes, by shard."""

    def __init__(self) -> None:
        self._gaps: dict[str, list[Interval]] = {}

    def add_gap(self, shard: str, began_at: datetime, ended_at: datetime) -> None:
        """Note a gap of a shard."""
        self._gaps.setdefault(shard, []).append((began_at, ended_at))

    def gaps_of(self, shard: str) -> Sequence[Interval]:
        """The gaps of a shard in the last ten minutes."""
        return self._gaps.get(shard, ())

    def forget_old(self, now: datetime) -> None:
        """Delete the gaps that are too old to count."""
        kept = {shard: [one for one in gaps if one[1] > now - SPAN] for shard, gaps in self._gaps.items()}
        self._gaps = {shard: gaps for shard, gaps in kept.items() if gaps}
