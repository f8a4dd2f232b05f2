"""One order for the streams of all partitions, and the watermark: the time up to which everything is known. Pure.

Each transition has the tick at which it was decided, and the clock of a partition has the tick up to which all is
decided. So transitions can be processed in the order of (tick, partition, seq), whatever the order of their arrival,
as soon as every trusted clock has passed their tick.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final, Generic, Protocol, TypeVar

import msgspec

from alerting.stations.snapshot import ClockName
from alerting.stations.verdict import Clock, doubt

PATIENCE: Final = timedelta(seconds=2)
"""A clock that is this far behind the newest clock does not delay the transitions of the other partitions."""
STRIDE: Final = timedelta(minutes=1)
"""The longest time that one pass advances when it catches up, so that late transitions keep the order of time."""


class Sequenced(Protocol):
    """A row of a partition's stream."""

    @property
    def partition(self) -> int:
        """The partition of the row."""

    @property
    def seq(self) -> int:
        """The number of the row in its partition."""

    @property
    def tick_at(self) -> datetime:
        """The tick at which the transition was decided."""


R = TypeVar("R", bound=Sequenced)


class Watermark(msgspec.Struct, frozen=True):
    """`known`: the time that all trusted clocks have reached (None: no clock is trusted). `ripe`: transitions up to
    this time may be processed (None: all). `untrusted`: the clocks whose stations have no known state now."""

    known: datetime | None
    ripe: datetime | None
    untrusted: frozenset[ClockName]


def watermark(clocks: Iterable[Clock], now: datetime) -> Watermark:
    """The watermark from the pipeline clocks, as the database has them at `now`."""
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

    `read`: the newest number that was read of each partition; `applied`: the newest number that was taken out. A cursor
    must not move beyond `applied`.
    """

    def __init__(self, applied: Mapping[int, int]) -> None:
        self.applied = dict(applied)
        self.read = dict(applied)
        self._queues: dict[int, deque[R]] = {}

    def add(self, rows: Iterable[R]) -> None:
        """Add rows that were read, those of each partition in their order; rows that were read before are skipped."""
        for row in rows:
            if row.seq > self.read.get(row.partition, -1):
                self.read[row.partition] = row.seq
                self._queues.setdefault(row.partition, deque()).append(row)

    def held(self, partition: int) -> int:
        """The number of waiting transitions of a partition."""
        return len(self._queues.get(partition, ()))

    def newest(self, partition: int, now: datetime) -> datetime | None:
        """The latest tick among the waiting transitions of a partition, without ticks later than `now`.

        The ticks of a partition may go back, so this is not always the tick of its last row.
        """
        ticks = (row.tick_at for row in self._queues.get(partition, ()))
        return max((tick for tick in ticks if tick <= now), default=None)

    @property
    def earliest(self) -> datetime | None:
        """The earliest tick at the head of a queue; None: nothing waits."""
        return min((queue[0].tick_at for queue in self._queues.values() if queue), default=None)

    def ripe(self, until: datetime | None, now: datetime) -> list[R]:
        """Remove and return the ripe transitions: decided up to `until` (None: all), in one order over all partitions.

        The transitions of a partition keep their order, whatever their ticks are. A tick later than `now` comes from a
        wrong clock, so its transition is ripe at once.
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
    """How far a pass may go: up to `ripe`, and not beyond the rows that were read of partitions that have more rows.

    `full`: the newest waiting tick of each such partition. None: all rows that were read.
    """
    return min((stop for stop in (ripe, *full) if stop is not None), default=None)


def stride(until: datetime | None, *, known: datetime, earliest: datetime | None) -> datetime | None:
    """`until`, but at most STRIDE after `known`, or the `earliest` waiting tick if that is later."""
    if until is None or earliest is None:
        return until
    return min(until, max(known + STRIDE, earliest))


def reached(mark: Watermark, *, known: datetime, reach: datetime | None, now: datetime) -> datetime:
    """The watermark after a pass that went to `reach`. It never goes back, and does not move while no clock is
    trusted."""
    if mark.known is None:
        return known
    return max(known, min(time for time in (mark.known, reach, now) if time is not None))
