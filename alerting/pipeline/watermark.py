"""Putting the partitions' streams into one order, and how far everything is known. Pure.

A transition carries the tick that decided it, and a partition's clock says up to which tick everything was decided.
So what the partitions wrote can be taken in the order of (tick, partition, seq), however it came in, once every clock
that can be trusted has gone past it.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final, Generic, Protocol, TypeVar

import msgspec

from alerting.stations.snapshot import ClockName
from alerting.stations.verdict import Clock, doubt

PATIENCE: Final = timedelta(seconds=2)
"""A clock that is so much behind the newest lets the others' transitions go ahead: nobody waits for it to recover or
to be given up."""
STRIDE: Final = timedelta(minutes=1)
"""The longest step in which what is late is caught up with, so that rules see what came first, first."""


class Sequenced(Protocol):
    @property
    def partition(self) -> int: ...

    @property
    def seq(self) -> int: ...

    @property
    def tick_at(self) -> datetime: ...


R = TypeVar("R", bound=Sequenced)


class Watermark(msgspec.Struct, frozen=True):
    """`known`: all trusted clocks have reached it (None: none can be trusted). `ripe`: so far transitions may go ahead
    (None: all may). `untrusted`: clocks that say nothing about now."""

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

        What a partition wrote stays in its order, whatever its ticks say; and a tick later than `now` comes from a
        clock that is wrong, for which nobody waits.
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
