"""The boots beside the current ones of a partition's terminals: each has a promise of its own. Pure.

A terminal may be two machines, or one machine whose numbers went back. A boot that goes on sending is alive: it takes
the place of a current boot that ends, and two that are alive at once are a conflict.
"""

from typing import Final

import msgspec

from alerting.liveness.boot_order import (
    FORGOTTEN,
    RIVAL_ADVANCES,
    UNHEARD,
    BootVerdict,
    ClockOf,
    Order,
    OtherBoots,
    OtherBootsColumn,
    Promise,
    RepeatedNumbers,
    ShardMoment,
    StoppedClock,
    judge_other_boot,
    remember_boot,
)
from alerting.liveness.boot_promises import BootPromises
from contract.clocks import PipelineSeconds
from contract.messages import Heartbeat

TWO_BOOTS: Final = "identity_conflict"
"""Why a terminal is in conflict: two of its boots are alive."""
NUMBERS: Final = "numbers"
"""Why a terminal is in conflict: its heartbeats have numbers that were used before."""
OTHER_UNHEARD: Final = "other_unheard"
"""Why a conflict is over although the other boot may live: that boot's shard has stood still for long."""
_REPEATS: Final = 3
"""So many heartbeats whose numbers are not newer show that a machine goes on sending."""
_NEAR: Final = 2
"""How many other messages of its connection may overtake a message."""


class Rivals:
    """Reads and changes the terminals' memories; `row` is a terminal's, `here` a moment by the clock of the shard
    through which the terminal's current boot is heard. `began_of`: when the present stretch of a shard's clock began.
    `floor`: see `LivenessSettings`."""

    def __init__(self, memories: OtherBootsColumn, clock_of: ClockOf, began_of: ClockOf, floor: float) -> None:
        self._memories = memories
        self._clock_of = clock_of
        self._began_of = began_of
        self._floor = floor
        self.promises = BootPromises(memories, clock_of)

    def restore(self, row: int, memory: OtherBoots) -> None:
        """Take over the stored memory of a terminal."""
        self._memories.replace(row, memory)
        self.promises.note(row, memory)

    # -- heartbeats --------------------------------------------------------------------------------------------

    def judge(self, row: int, run: int, heard: Promise) -> BootVerdict:
        """Judge a heartbeat of another boot than the current one, which has `run`."""
        memory = self._memories.open(row)
        verdict = judge_other_boot(memory, run, heard, self._clock_of)
        if verdict == "stale":
            newest, seen = _newest_of(memory, heard)
            if seen is None or not is_double(heard, newest, heard.seen - seen):
                counted = _count_repeat(memory.other_repeats, heard, newest, self._clock_of, alone=False)
                memory.other_repeats = counted or memory.other_repeats
                if counted is not None and _is_enough(counted):
                    verdict = self._begin_again(memory, heard)
                    # Its numbers do not go on from these yet: its next heartbeat has to be counted as well.
                    counted.newest = newest if verdict == "waiting" else counted.newest
        self.promises.note(row, memory)
        return verdict

    def is_alive_by_repeats(self, row: int, heard: Promise, newest: Order, *, alone: bool) -> bool:
        """Count a heartbeat of the current boot with numbers not newer than `newest`; whether there were enough of
        them to show that the boot lives. `alone`: the shard has one bridge, so none of them is a late double that
        came by another bridge."""
        memory = self._memories.open(row)
        counted = _count_repeat(memory.repeats, heard, newest, self._clock_of, alone=alone)
        memory.repeats = counted or memory.repeats
        self.promises.note(row, memory)
        return counted is not None and _is_enough(counted)

    def _begin_again(self, memory: OtherBoots, heard: Promise) -> BootVerdict:
        """A boot that is not the current one lives, and its numbers go on from these. It is the rival, unless another
        boot is."""
        rival = memory.rival
        if rival is not None and rival.boot != heard.boot and rival.advances and rival.is_fresh(self._clock_of):
            return "waiting"
        memory.candidate = None if _is_of(memory.candidate, heard.boot) else memory.candidate
        remember_boot(memory, heard.boot, heard.order)
        heard.advances, heard.since = RIVAL_ADVANCES, heard.seen
        memory.rival = heard
        return "rival"

    def make_rival(self, row: int, current: Promise) -> None:
        """The boot that was the current one goes on as the rival of the boot that took its place."""
        memory = self._memories.open(row)
        current.advances, current.since = RIVAL_ADVANCES, current.seen
        memory.rival = current
        self.promises.note(row, memory)

    # -- which boots live --------------------------------------------------------------------------------------

    def living(self, row: int) -> Promise | None:
        """The rival of a terminal, if it has one that sends and whose deadline has not passed."""
        rival = self._rival(row)
        return rival if rival is not None and rival.advances >= RIVAL_ADVANCES and not rival.away else None

    def away(self, row: int) -> Promise | None:
        """A boot beside the current one that said goodbye, and need not be back yet."""
        rival = self._rival(row)
        return rival if rival is not None and rival.away else None

    def _rival(self, row: int) -> Promise | None:
        memory = self._memories.read(row) if row in self.promises else None
        rival = None if memory is None else memory.rival
        return rival if rival is not None and rival.lives(self._clock_of) else None

    def last_rival(self, row: int) -> Promise | None:
        """The rival of a terminal, also one whose deadline has passed."""
        memory = self._memories.read(row)
        rival = None if memory is None else memory.rival
        return rival if rival is not None and rival.advances >= RIVAL_ADVANCES else None

    def awaited(self, row: int) -> tuple[float, str]:
        """(seconds, shard): until the last of the other boots is overdue, each of which may become the current boot
        with its next heartbeat, and through which shard that boot is heard. 0 or less: there is none."""
        memory = self._memories.read(row) if row in self.promises else None
        promises = [] if memory is None else memory.promises
        waits = (
            (one.awaited_until(self._began_of(one.shard), self._floor) - self._clock_of(one.shard), one.shard)
            for one in promises
            if not one.away
        )
        return max(waits, default=(0.0, ""))

    def conflict(self, row: int) -> str | None:
        """Why a terminal that sends heartbeats is in conflict; None: there is no conflict."""
        if row not in self.promises:
            return None
        if self.living(row) is not None:
            return TWO_BOOTS
        memory = self._memories.read(row)
        repeats = None if memory is None else memory.repeats
        if repeats is not None and repeats.advances >= _REPEATS and repeats.lives(self._clock_of):
            return NUMBERS
        return None

    # -- shards that stand still -------------------------------------------------------------------------------

    def stood_still(self, row: int, other: str, here: ShardMoment) -> float:
        """Seconds, by the clock of `here`, for which the clock of shard `other` has stood still.

        Measured from the first call, which comes with every heartbeat of a terminal with two boots.
        """
        memory, (beside, now), clock = self._memories.open(row), here, self._clock_of(other)
        known = memory.still
        if known is None or (known.shard, known.clock, known.beside) != (other, clock, beside):
            memory.still = None if other == beside else StoppedClock(other, clock, beside, now)
            return 0.0
        return max(0.0, now - known.since)

    def is_unheard(self, row: int, here: ShardMoment) -> bool:
        """Whether the shard of the living rival has stood still for so long that the conflict ends. The promise of the
        rival does not end with it."""
        rival = self.living(row)
        return rival is not None and self.stood_still(row, rival.shard, here) >= UNHEARD

    def forget_unheard(self, row: int, here: ShardMoment) -> None:
        """Drop a rival, or boots that are not believed yet, whose shard has stood still for a day: the end of the
        current boot shows again."""
        rival, (left, shard) = self.living(row), self.awaited(row)
        names: tuple[str, ...] = ("candidate", "rival", "repeats", "other_repeats")
        if rival is not None:
            names, shard = ("rival",), rival.shard
        elif left <= 0:
            return
        if self.stood_still(row, shard, here) >= FORGOTTEN:
            self._memories.open(row).drop(names, shard)

    # -- goodbyes ----------------------------------------------------------------------------------------------

    def leave(self, row: int, boot: str, order: tuple[int, int | None], until: ShardMoment) -> None:
        """A boot that is not the current one said goodbye under these numbers (run, n), and is back by `until`."""
        memory, (run, n) = self._memories.open(row), order
        rival, candidate = memory.rival, memory.candidate
        known = candidate if candidate is not None and candidate.boot == boot else None
        newest = memory.older[boot] if known is None else known.order
        order = (run, newest[1] + 1 if n is None else n)
        if order <= newest:
            return
        remember_boot(memory, boot, order)
        memory.candidate = None if known is not None else candidate
        if rival is not None and rival.boot == boot:
            rival.away, (rival.shard, rival.deadline) = rival.advances > 0, until
            memory.rival = rival if rival.away else None

    def take_will(self, row: int, boot: str, connection: tuple[int, int], at: ShardMoment, grace: float) -> bool:
        """A Last Will of a connection (run, conn) of a boot that is not the current one came: shorten the deadline of
        that boot. False: the will is of no connection that is known."""
        memory, (shard, stamp) = self._memories.read(row), at
        wanted = (boot, *connection, shard)
        if memory is None or all(_connection_of(one) != wanted for one in memory.promises):
            return False
        for one in self._memories.open(row).promises:
            if _connection_of(one) == wanted:
                end = max(stamp, one.seen + one.every) + grace
                one.deadline = min(one.deadline, PipelineSeconds(end))
        return True


def is_double(heard: Promise | Heartbeat, newest: Order, after: float) -> bool:
    """Whether a message with numbers that are not newer, `after` seconds after the newest, is a double or late."""
    return after < heard.every / 2 and heard.run == newest[0] and newest[1] - heard.n <= _NEAR


def _connection_of(one: Promise) -> tuple[str, int, int, str]:
    return one.boot, one.run, one.conn, one.shard


def _is_of(one: Promise | None, boot: str) -> bool:
    return one is not None and one.boot == boot


def _count_repeat(
    last: RepeatedNumbers | None, heard: Promise, newest: Order, clock_of: ClockOf, *, alone: bool
) -> RepeatedNumbers | None:
    """The count after one more heartbeat whose numbers are not newer than `newest`; None: it does not count."""
    counted = 0
    if last is not None and last.lives(clock_of):
        if last.boot != heard.boot and last.is_fresh(clock_of):
            return None
        if (last.boot, last.shard) == (heard.boot, heard.shard) and (alone or last.newest == newest):
            if heard.seen - last.since < heard.every / 2:
                return None
            counted = last.advances
    now = RepeatedNumbers(**msgspec.structs.asdict(heard))
    now.advances, now.since = counted + 1, heard.seen
    now.newest = heard.order if now.advances >= _REPEATS else newest
    return now


def _is_enough(counted: RepeatedNumbers) -> bool:
    return counted.advances >= _REPEATS


def _newest_of(memory: OtherBoots, heard: Promise) -> tuple[Order, PipelineSeconds | None]:
    """The newest numbers of a boot that is not the current one, and when they came if that can be compared."""
    known = memory.candidate if _is_of(memory.candidate, heard.boot) else memory.rival
    seen = known.seen if known is not None and (known.boot, known.shard) == (heard.boot, heard.shard) else None
    if known is not None and known is memory.candidate:
        return known.order, seen
    return memory.older[heard.boot], seen
