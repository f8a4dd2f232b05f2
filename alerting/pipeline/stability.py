"""Gaps that recur: a shard whose time is interrupted again and again, however short each time. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

SPAN: Final = timedelta(minutes=10)
"""Gaps within this recur, and so long without one ends it."""
TENTH: Final = SPAN / 10
MANY: Final = 4
_NEAR: Final = timedelta(seconds=1)
"""Gaps of the partitions of a shard so near each other are one."""

Interval = tuple[datetime, datetime]


class Stability(msgspec.Struct, frozen=True):
    """How many gaps a shard had in the last ten minutes, all partitions together, and how many seconds they took."""

    gaps: int = 0
    seconds: float = 0.0
    first: datetime | None = None
    last: datetime | None = None

    @property
    def recurs(self) -> bool:
        """Whether that is more than an interruption: four gaps, or several that take a tenth of the time."""
        return self.gaps >= MANY or (self.gaps > 1 and self.seconds >= TENTH.total_seconds())


def stability_of(intervals: Iterable[Interval], now: datetime) -> Stability:
    """Of the unknown time of a shard, in any order, as of `now`."""
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
        """The gaps of a shard."""
        return self._gaps.get(shard, ())

    def forget_old(self, now: datetime) -> None:
        """Forget the gaps that are too old to count."""
        kept = {shard: [one for one in gaps if one[1] > now - SPAN] for shard, gaps in self._gaps.items()}
        self._gaps = {shard: gaps for shard, gaps in kept.items() if gaps}
