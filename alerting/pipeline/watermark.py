"""The streams of the partitions in one order, and the watermark up to which everything is known. Pure.

A transition carries the tick that decided it, and the clock of a partition says up to which tick all is decided.
So the transitions can be taken in the order of (tick, partition, seq), in whatever order they arrived, once every
trusted clock has passed their tick.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final, Generic, Protocol, TypeVar

import msgspec

from alerting.stations.snapshot import ClockName
from alerting.stations.verdict import Clock, doubt

PATIENCE: Final = timedelta(seconds=2)
"""A clock that is so much behind the newest is not waited for: transitions of the other partitions go ahead."""
STRIDE: Final = timedelta(minutes=1)
"""The longest step of a pass that catches up, so that rules see late transitions in the order of time."""


class Sequenced(Protocol):
    """A row of a partition's stream."""

    @property
    def partition(self) -> int:
        """The partition that wrote it."""

    @property
    def seq(self) -> int:
        """Its number in that partition."""

    @property
    def tick_at(self) -> datetime:
        """The tick that decided it."""


R = TypeVar("R", bound=Sequenced)


class Watermark(msgspec.Struct, frozen=True):
    """`known`: all trusted clocks have reached it (None: none can be trusted). `ripe`: transitions up to it may be
    taken (None: all may). `untrusted`: clocks whose stations have no known state now."""

    known: datetime | None
    ripe: datetime | None
    untrusted: frozenset[ClockName]


def watermark(clocks: Iterable[Clock], now: datetime) -> Watermark:
    """How far things are known, by the pipeline's clocks as they are in the database at `now`."""
    doubted: set[ClockName] = set()
    ticks: list[datetime] = []
    for clock in clocks:
        if doubt(clock, now) is not None:
            doubted.add((clock.partition, clock.shard))
        else:
            ticks.append(clock.tick_at)
    newest = max(ticks, default=now)
    ripe = min((tick for tick in ticks if newest - tick <= PATIENCE), default=None)
    return Watermark(min(ticks, default=None), ripe, frozenset(doubted))


class Waiting(Generic[R]):
    """Transitions that were read and are not ripe, by partition.

    `read` is the newest number of each partition that was read, `applied` the newest that went out: only behind that
    may a cursor be put.
    """

    def __init__(self, applied: Mapping[int, int]) -> None:
        self.applied = dict(applied)
        self.read = dict(applied)
        self._queues: dict[int, deque[R]] = {}

    def add(self, rows: Iterable[R]) -> None:
        """Take in what was read, of each partition in its order; what was read before is passed over."""
        for row in rows:
            if row.seq > self.read.get(row.partition, -1):
                self.read[row.partition] = row.seq
                self._queues.setdefault(row.partition, deque()).append(row)

    def held(self, partition: int) -> int:
        """How many transitions of a partition wait."""
        return len(self._queues.get(partition, ()))

    def newest(self, partition: int, now: datetime) -> datetime | None:
        """The latest tick that waits in a partition, but for ticks later than `now`. A partition's ticks may go back,
        so that is not always the tick of the last; up to it, all that waits there may go out."""
        ticks = (row.tick_at for row in self._queues.get(partition, ()))
        return max((tick for tick in ticks if tick <= now), default=None)

    @property
    def earliest(self) -> datetime | None:
        """The tick of the first that waits."""
        return min((queue[0].tick_at for queue in self._queues.values() if queue), default=None)

    def ripe(self, until: datetime | None, now: datetime) -> list[R]:
        """Take what is ripe: decided up to `until` (None: everything), in one order over all partitions.

        The transitions of a partition stay in their order, whatever their ticks are. A tick later than `now` comes from
        a clock that is wrong, and is not waited for.
        """
        found: list[tuple[datetime, int, int, R]] = []
        for partition, queue in self._queues.items():
            found += _take(queue, partition, until, now)
        found.sort(key=lambda entry: entry[:3])
        for _, partition, seq, _ in found:
            self.applied[partition] = max(seq, self.applied.get(partition, -1))
        return [row for _, _, _, row in found]


def _take(
    queue: "deque[R]", partition: int, until: datetime | None, now: datetime
) -> Iterator[tuple[datetime, int, int, R]]:
    reached = None
    while queue and (until is None or queue[0].tick_at <= until or queue[0].tick_at > now):
        row = queue.popleft()
        reached = row.tick_at if reached is None else max(reached, row.tick_at)
        yield reached, partition, row.seq, row


def horizon(ripe: datetime | None, full: Iterable[datetime | None]) -> datetime | None:
    """How far a pass may go: as far as is ripe, and not beyond what was read of partitions that have more (`full`:
    the newest tick that waits in each). None: everything that was read."""
    return min((stop for stop in (ripe, *full) if stop is not None), default=None)


def stride(until: datetime | None, *, known: datetime, earliest: datetime | None) -> datetime | None:
    """`until`, but no more than STRIDE behind `known`, or behind the `earliest` that waits when that is later."""
    if until is None or earliest is None:
        return until
    return min(until, max(known + STRIDE, earliest))


def reached(mark: Watermark, *, known: datetime, reach: datetime | None, now: datetime) -> datetime:
    """Up to when everything is known after a pass that went to `reach`: never back, and still when no clock can be
    trusted."""
    if mark.known is None:
        return known
    return max(known, min(time for time in (mark.known, reach, now) if time is not None))
