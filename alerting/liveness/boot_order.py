"""In which order a terminal's messages were sent, whatever order they arrive in. Pure.

`boot` is random at each agent start and `run` counts starts, so an unknown boot with a higher run is a restart. Another
unknown boot is a reinstalled, restored or cloned terminal: it is believed after its second heartbeat. The boot that it
replaced may be a machine that never stopped. Each boot therefore has a promise of its own, which is when its next
heartbeat is due.
"""

from collections.abc import Callable, Iterable
from typing import Final, Literal

import msgspec

from contract.clocks import PipelineSeconds, WallMs

REMEMBERED: Final = 8
"""Older boots that are remembered of a terminal."""
RIVAL_ADVANCES: Final = 2
"""Advances of an older boot that make it a rival of the current boot."""
_LATE: Final = 1.5
"""Intervals after which a heartbeat is missing."""
UNHEARD: Final = 600.0
"""Seconds for which a shard may stand still until a boot behind it no longer makes a conflict."""
FORGOTTEN: Final = 86_400.0
"""Seconds for which a shard may stand still until a boot behind it no longer hides the end of the current boot."""

ClockOf = Callable[[str], PipelineSeconds]
"""The pipeline clock of a shard, by its name."""
ShardMoment = tuple[str, PipelineSeconds]
"""A moment as a shard's clock shows it: (shard, value)."""
Order = tuple[int, int]
"""(run, n): the numbers of a message."""


class Promise(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The last heartbeat of a boot, and when its next one is due. Clock values are those of `shard`."""

    boot: str
    run: int
    n: int
    conn: int
    every: float
    seen: PipelineSeconds
    seen_at: WallMs
    deadline: PipelineSeconds
    usable: int
    shard: str
    #: How many of its heartbeats counted, each half an `every` after the one before, and when the last of them came.
    advances: int = 0
    since: PipelineSeconds = PipelineSeconds(0.0)
    #: It came by a bridge that had not ticked yet.
    unsettled: bool = False
    #: The boot said goodbye since, and is back by the deadline.
    away: bool = False

    @property
    def order(self) -> Order:
        """The numbers of the heartbeat."""
        return self.run, self.n

    @property
    def due(self) -> PipelineSeconds:
        """When the next heartbeat is missing."""
        return min(PipelineSeconds(self.seen + _LATE * self.every), self.deadline)

    def awaited_until(self, began: PipelineSeconds, floor: float) -> PipelineSeconds:
        """Until when the next heartbeat may come, if the present stretch of the shard began at `began`.

        The gap before it may have taken that heartbeat. Then the one after it is awaited, from when all terminals are
        connected again, but not for longer than the promise holds.
        """
        if self.seen > began:
            return self.due
        return max(self.due, min(PipelineSeconds(began + floor + _LATE * self.every), self.deadline))

    def lives(self, clock_of: ClockOf) -> bool:
        """Whether the deadline has not passed."""
        return clock_of(self.shard) < self.deadline

    def is_fresh(self, clock_of: ClockOf) -> bool:
        """Whether no heartbeat is missing yet, so that no other boot may take this one's place in the memory."""
        return clock_of(self.shard) < self.due


class RepeatedNumbers(Promise, kw_only=True, omit_defaults=True):
    """The last of several heartbeats whose numbers were not newer than `newest`, the newest numbers at that time."""

    newest: Order = (0, 0)


class StoppedClock(msgspec.Struct):
    """The clock of `shard` has shown `clock` since the clock of the shard `beside` showed `since`."""

    shard: str
    clock: PipelineSeconds
    beside: str
    since: PipelineSeconds


class OtherBoots(
    msgspec.Struct,
    omit_defaults=True,
    # Rows that an older version stored have other types under the plain names.
    rename={"candidate": "candidate_boot", "rival": "rival_boot"},
):
    """The boots of a terminal beside its current one, as they are stored.

    `older` maps boots to their newest numbers, oldest boot first.
    """

    older: dict[str, Order] = {}
    #: When the newest of `older` was replaced, by the clock of its shard.
    replaced: ShardMoment | None = None
    #: An unknown boot, believed when it sends a second heartbeat.
    candidate: Promise | None = None
    #: The older boot that advanced last; a rival from `RIVAL_ADVANCES` on.
    rival: Promise | None = None
    #: Heartbeats with numbers that are not newer: of the current boot, and of another boot.
    repeats: RepeatedNumbers | None = None
    other_repeats: RepeatedNumbers | None = None
    #: Of two boots that are heard through two shards: whether the clock of one of these stands still.
    still: StoppedClock | None = None

    @property
    def promises(self) -> list[Promise]:
        """The promises of all boots that have one."""
        kept = (self.candidate, self.rival, self.repeats, self.other_repeats)
        return [one for one in kept if one is not None]

    def drop(self, names: Iterable[str], shard: str) -> None:
        """Forget those of the promises `names` that were heard through a shard."""
        for name in names:
            one = getattr(self, name)
            if one is not None and one.shard == shard:
                setattr(self, name, None)


class OtherBootsColumn:
    """The other boots of all terminals that have any, by row. What is not in use is kept as bytes: after years every
    terminal has older boots, and as objects those of 700,000 would take more memory than everything else."""

    def __init__(self) -> None:
        self._folded: list[bytes | None] = []
        self._open: dict[int, OtherBoots] = {}

    def read(self, row: int) -> OtherBoots | None:
        """The other boots of a terminal, not to be changed; None: it has none."""
        if row in self._open:
            return self._open[row]
        folded = self._folded[row] if row < len(self._folded) else None
        return None if folded is None else _DECODER.decode(folded)

    def open(self, row: int) -> OtherBoots:
        """The other boots of a terminal, made when it has none. They may be changed until the next `fold`."""
        found = self._open.get(row)
        if found is None:
            found = self._open[row] = self.read(row) or OtherBoots()
        return found

    def replace(self, row: int, memory: OtherBoots) -> None:
        """Set the other boots of a terminal."""
        self._open[row] = memory

    def fold(self) -> None:
        """Turn what is open into bytes; it must not be changed before it is opened again."""
        missing = max(self._open, default=-1) + 1 - len(self._folded)
        self._folded += [None] * max(missing, 0)
        for row, memory in self._open.items():
            self._folded[row] = _ENCODER.encode(memory)
        self._open.clear()


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(OtherBoots)

BootVerdict = Literal["believed", "waiting", "stale", "rival"]


def judge_other_boot(memory: OtherBoots, run: int, heard: Promise, clock_of: ClockOf) -> BootVerdict:
    """Judge a heartbeat whose boot is not the current one, which has `run`. Updates `memory`.

    believed: the boot is the current one from now on. waiting: it must go on sending. stale: its number is not newer
    than the newest of its boot. rival: it is an older boot that went on sending.
    """
    if heard.boot in memory.older:
        if heard.order <= memory.older[heard.boot]:
            return "stale"
        memory.older[heard.boot] = heard.order
        return "rival" if _advance(memory, heard, clock_of) else "waiting"
    candidate = memory.candidate
    if candidate is not None and candidate.boot == heard.boot and heard.order <= candidate.order:
        return "stale"
    if (candidate is not None and candidate.boot == heard.boot) or heard.run > highest_run(memory, run):
        return "believed"
    if candidate is not None:
        remember_boot(memory, candidate.boot, candidate.order)
        memory.replaced = None
    memory.candidate = heard
    return "waiting"


def highest_run(memory: OtherBoots, run: int) -> int:
    """The highest run that was believed; `run` is the current boot's."""
    return max(run, *(order[0] for order in memory.older.values())) if memory.older else run


def replace_boot(memory: OtherBoots, current: tuple[str, Order], by: str, place: ShardMoment) -> None:
    """Make `by` the current boot in place of `current` (boot, numbers), which is an older one from `place` on."""
    memory.older.pop(by, None)
    remember_boot(memory, *current)
    memory.replaced = place
    if memory.candidate is not None and memory.candidate.boot == by:
        memory.candidate = None
    if memory.rival is not None and memory.rival.boot == by:
        memory.rival = None
    # A count belongs to one machine, because a machine that becomes the current machine may restart its numbers. Of two
    # other machines, the machine with the later heartbeat is more likely to run.
    counts = [one for one in (memory.other_repeats, memory.repeats) if one is not None]
    memory.repeats = next((one for one in counts if one.boot == by), None)
    others = [one for one in counts if one.boot != by]
    memory.other_repeats = max(others, key=lambda one: one.seen_at, default=None)


def remember_boot(memory: OtherBoots, boot: str, order: Order) -> None:
    """Keep the newest numbers of a boot that is not the current one, and at most the `REMEMBERED` latest boots."""
    memory.older.pop(boot, None)
    memory.older[boot] = order
    while len(memory.older) > REMEMBERED:
        del memory.older[next(iter(memory.older))]


def _advance(memory: OtherBoots, heard: Promise, clock_of: ClockOf) -> bool:
    """An older boot sent a newer heartbeat: whether it is a rival now. There is one rival, and the first keeps its
    place."""
    known = memory.rival
    if known is not None and known.boot == heard.boot:
        place: ShardMoment | None = (known.shard, known.since)
        heard.advances = known.advances
    elif known is not None and known.advances and known.is_fresh(clock_of):
        return False
    else:
        place = memory.replaced if next(reversed(memory.older)) == heard.boot else None
    _count_advance(heard, place)
    memory.rival = heard
    return heard.advances >= RIVAL_ADVANCES


def _count_advance(heard: Promise, place: ShardMoment | None) -> None:
    """Count a heartbeat that comes half its `every` or more after `place`. None: that was long ago.

    Clock values of two shards cannot be compared: after another shard, counting begins with this heartbeat.
    """
    if place is None or (place[0] == heard.shard and heard.seen - place[1] >= heard.every / 2):
        heard.advances += 1
        heard.since = heard.seen
    else:
        heard.since = place[1] if place[0] == heard.shard else heard.seen
