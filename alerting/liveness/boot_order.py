"""In which order a terminal's messages were sent, whatever order they arrive in. Pure.

`boot` is random at each agent start and `run` counts starts, so an unknown boot with a higher run is a restart. Another
unknown boot is a reinstalled, restored or cloned terminal: it is believed after its second heartbeat. The boot that it
replaced may be a machine that never stopped; each boot therefore keeps a promise of its own.
"""

from collections.abc import Callable
from typing import Final, Literal

import msgspec

REMEMBERED: Final = 8
RIVAL_ADVANCES: Final = 2
_LATE: Final = 1.5
"""Intervals after which a heartbeat is missing."""
UNHEARD: Final = 600.0
"""Seconds for which a shard may stand still until nobody says any more that a boot is heard through it."""
FORGOTTEN: Final = 86_400.0
"""The same until that boot hides the end of another no longer."""

ClockOf = Callable[[str], float]
"""The pipeline clock of a shard, by its name."""
Order = tuple[int, int]
"""(run, n)."""


class Promise(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What a boot said with its last heartbeat. Clock values are those of its own shard."""

    boot: str
    run: int
    n: int
    conn: int
    every: float
    seen: float
    #: wall ms
    seen_at: int
    deadline: float
    usable: int
    shard: str
    #: How many heartbeats of it counted, each half an `every` after the one before, and when the last did.
    advances: int = 0
    since: float = 0.0
    #: It came by a bridge that had not ticked yet.
    unsettled: bool = False
    #: It said goodbye since, and is back by the deadline.
    away: bool = False

    @property
    def order(self) -> Order:
        return self.run, self.n

    @property
    def due(self) -> float:
        """By when its next heartbeat should have come."""
        return min(self.seen + _LATE * self.every, self.deadline)

    def lives(self, clock_of: ClockOf) -> bool:
        return clock_of(self.shard) < self.deadline

    def is_fresh(self, clock_of: ClockOf) -> bool:
        """Whether it missed no heartbeat yet, so that no other boot may take its place in the memory."""
        return clock_of(self.shard) < self.due


class Repeats(Promise, kw_only=True, omit_defaults=True):
    """Heartbeats with numbers that are not newer, the last of them; `newest` are the numbers that were then."""

    newest: Order = (0, 0)


class Still(msgspec.Struct):
    """The clock of `shard` shows `clock` since that of `beside` showed `since`."""

    shard: str
    clock: float
    beside: str
    since: float


class Memory(
    msgspec.Struct,
    omit_defaults=True,
    # The plain names held other shapes once.
    rename={"candidate": "candidate_boot", "rival": "rival_boot"},
):
    """What few terminals have. `older` maps boots to their newest (run, n), oldest first."""

    older: dict[str, Order] = {}
    #: By which shard and when (its clock) the newest of `older` was replaced.
    replaced: tuple[str, float] | None = None
    candidate: Promise | None = None
    #: The older boot that went on last; a rival from `RIVAL_ADVANCES` on.
    rival: Promise | None = None
    #: Of the current boot, and of the other boot that sends such heartbeats.
    repeats: Repeats | None = None
    other_repeats: Repeats | None = None
    #: Of two boots that are heard through two shards: whether one of these stands still.
    still: Still | None = None

    @property
    def has_promises(self) -> bool:
        return bool(self.candidate or self.rival or self.repeats or self.other_repeats)


class Memories:
    """The memories of all terminals that have one, by row. What is not in use is kept as bytes: after years every
    terminal has older boots, and as objects those of 700,000 would take more room than everything else."""

    def __init__(self) -> None:
        self._folded: list[bytes | None] = []
        self._open: dict[int, Memory] = {}

    def look(self, row: int) -> Memory | None:
        """What a terminal has, to be read only."""
        if row in self._open:
            return self._open[row]
        folded = self._folded[row] if row < len(self._folded) else None
        return None if folded is None else _DECODER.decode(folded)

    def open(self, row: int) -> Memory:
        """What a terminal has, made if it has none; it may be changed until the next `fold`."""
        found = self._open.get(row)
        if found is None:
            found = self._open[row] = self.look(row) or Memory()
        return found

    def put(self, row: int, memory: Memory) -> None:
        self._open[row] = memory

    def fold(self) -> None:
        """Nobody changes any of them until it is opened again."""
        missing = max(self._open, default=-1) + 1 - len(self._folded)
        self._folded += [None] * max(missing, 0)
        for row, memory in self._open.items():
            self._folded[row] = _ENCODER.encode(memory)
        self._open.clear()


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(Memory)

Verdict = Literal["believed", "waiting", "stale", "rival"]


def judge_other_boot(memory: Memory, run: int, heard: Promise, clock_of: ClockOf) -> Verdict:
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
        remember(memory, candidate.boot, candidate.order)
        memory.replaced = None
    memory.candidate = heard
    return "waiting"


def highest_run(memory: Memory, run: int) -> int:
    """The highest run that was believed; `run` is the current boot's."""
    return max(run, *(order[0] for order in memory.older.values())) if memory.older else run


def replace(memory: Memory, current: tuple[str, Order], by: str, place: tuple[str, float]) -> None:
    """The boot `by` is the current one from now on; `current` was, and `place` is the shard and clock of that."""
    memory.older.pop(by, None)
    remember(memory, *current)
    memory.replaced = place
    if memory.candidate is not None and memory.candidate.boot == by:
        memory.candidate = None
    if memory.rival is not None and memory.rival.boot == by:
        memory.rival = None


def remember(memory: Memory, boot: str, order: Order) -> None:
    """Keep the newest numbers of a boot that is not the current one; of `REMEMBERED` boots, the latest."""
    memory.older.pop(boot, None)
    memory.older[boot] = order
    while len(memory.older) > REMEMBERED:
        del memory.older[next(iter(memory.older))]


def _advance(memory: Memory, heard: Promise, clock_of: ClockOf) -> bool:
    """An older boot sent a newer heartbeat. Whether it is a rival now; there is one, so the first keeps its place."""
    known = memory.rival
    if known is not None and known.boot == heard.boot:
        place: tuple[str, float] | None = (known.shard, known.since)
        heard.advances = known.advances
    elif known is not None and known.advances and known.is_fresh(clock_of):
        return False
    else:
        place = memory.replaced if next(reversed(memory.older)) == heard.boot else None
    _count_advance(heard, place)
    memory.rival = heard
    return heard.advances >= RIVAL_ADVANCES


def _count_advance(heard: Promise, place: tuple[str, float] | None) -> None:
    """Count a heartbeat that comes half its `every` after the clock value in `place`, if they can be compared.

    None: that was long ago. Those of another shard cannot be: counting begins with this heartbeat.
    """
    if place is None or (place[0] == heard.shard and heard.seen - place[1] >= heard.every / 2):
        heard.advances += 1
        heard.since = heard.seen
    else:
        heard.since = place[1] if place[0] == heard.shard else heard.seen
