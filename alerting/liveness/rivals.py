"""The boots beside the current ones of a partition's terminals: each keeps its own promise. Pure.

A terminal may be two machines, or one whose numbers went back. Whoever of them goes on sending is alive: it takes the
place of a current boot that ends, and both at once are a conflict.
"""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from alerting.liveness.boot_order import (
    FORGOTTEN,
    RIVAL_ADVANCES,
    UNHEARD,
    ClockOf,
    Memories,
    Memory,
    Order,
    Promise,
    Repeats,
    Still,
    Verdict,
    judge_other_boot,
    remember,
)
from contract.messages import Heartbeat

TWO_BOOTS: Final = "identity_conflict"
NUMBERS: Final = "numbers"
OTHER_UNHEARD: Final = "other_unheard"
"""Why a conflict is over of which nobody knows whether the other boot lives: its shard has stood still for long."""
_REPEATS: Final = 3
"""So many heartbeats with numbers that are not newer are a machine that lives."""
_NEAR: Final = 2
"""By so many a message may be overtaken by others of its connection."""


class Rivals:
    """Works on the terminals' memories; `rows` are those in which a promise may live."""

    def __init__(self, memories: Memories, clock_of: ClockOf) -> None:
        self._memories = memories
        self._clock_of = clock_of
        self.rows: set[int] = set()
        self._unsettled: set[int] = set()

    def restore(self, row: int, memory: Memory) -> None:
        """Take over what a store had of a terminal."""
        self._memories.put(row, memory)
        self._note(row, memory)

    # -- heartbeats --------------------------------------------------------------------------------------------

    def judge(self, row: int, run: int, heard: Promise) -> Verdict:
        """Judge a heartbeat of another boot than the current one, which has `run`."""
        memory = self._memories.open(row)
        verdict = judge_other_boot(memory, run, heard, self._clock_of)
        if verdict == "stale":
            newest, seen = _newest_of(memory, heard)
            is_double = seen is not None and self.is_double(heard, newest, heard.seen - seen)
            if not is_double:
                counted = _counted(memory.other_repeats, heard, newest, self._clock_of, alone=False)
                memory.other_repeats = counted or memory.other_repeats
                if _is_enough(counted):
                    verdict = self._go_on(memory, heard)
        self._note(row, memory)
        return verdict

    @staticmethod
    def is_double(heard: Promise | Heartbeat, newest: Order, after: float) -> bool:
        """Whether numbers that are not newer came `after` so few seconds because the message came twice, or late."""
        return after < heard.every / 2 and heard.run == newest[0] and newest[1] - heard.n <= _NEAR

    def repeated(self, row: int, heard: Promise, newest: Order, *, alone: bool) -> bool:
        """Whether the current boot lives though its numbers are not newer than `newest`. `alone`: the shard has one
        bridge, so none of these is another bridge's late double."""
        memory = self._memories.open(row)
        counted = _counted(memory.repeats, heard, newest, self._clock_of, alone=alone)
        memory.repeats = counted or memory.repeats
        self._note(row, memory)
        return _is_enough(counted)

    def _go_on(self, memory: Memory, heard: Promise) -> Verdict:
        """A boot that is not the current one lives, and its numbers go on from these, unless another is the rival."""
        rival = memory.rival
        if rival is not None and rival.boot != heard.boot and rival.advances and rival.is_fresh(self._clock_of):
            return "waiting"
        memory.candidate = None if _is_of(memory.candidate, heard.boot) else memory.candidate
        remember(memory, heard.boot, heard.order)
        heard.advances, heard.since = RIVAL_ADVANCES, heard.seen
        memory.rival = heard
        return "rival"

    # -- what lives --------------------------------------------------------------------------------------------

    def living(self, row: int) -> Promise | None:
        """The rival of a terminal, if there is one that sends and keeps its promise."""
        rival = self._rival(row)
        return rival if rival is not None and rival.advances >= RIVAL_ADVANCES and not rival.away else None

    def away(self, row: int) -> Promise | None:
        """A boot beside the current one that said goodbye, and need not be back yet."""
        rival = self._rival(row)
        return rival if rival is not None and rival.away else None

    def _rival(self, row: int) -> Promise | None:
        memory = self._memories.look(row) if row in self.rows else None
        rival = None if memory is None else memory.rival
        return rival if rival is not None and rival.lives(self._clock_of) else None

    def last_rival(self, row: int) -> Promise | None:
        """The rival of a terminal, also one that broke its promise."""
        memory = self._memories.look(row)
        rival = None if memory is None else memory.rival
        return rival if rival is not None and rival.advances >= RIVAL_ADVANCES else None

    def awaited(self, row: int) -> float:
        """Seconds that a terminal has left because of a boot that was heard, and may be believed when it is again."""
        memory = self._memories.look(row) if row in self.rows else None
        promises = [] if memory is None else _promises(memory)
        return max((one.due - self._clock_of(one.shard) for one in promises if not one.away), default=0.0)

    def conflict(self, row: int) -> str | None:
        """Why a terminal that is heard is in conflict, if it is."""
        if row not in self.rows:
            return None
        if self.living(row) is not None:
            return TWO_BOOTS
        memory = self._memories.look(row)
        repeats = None if memory is None else memory.repeats
        if repeats is not None and repeats.advances >= _REPEATS and repeats.lives(self._clock_of):
            return NUMBERS
        return None

    # -- shards that stand still -------------------------------------------------------------------------------

    def stood_still(self, row: int, other: str, here: tuple[str, float]) -> float:
        """Seconds for which shard `other` has stood still, on the clock of the shard in `here`, which shows so much.

        Counted from when this was first asked: of a terminal with two boots, at every heartbeat.
        """
        memory, (beside, now), clock = self._memories.open(row), here, self._clock_of(other)
        known = memory.still
        if known is None or (known.shard, known.clock, known.beside) != (other, clock, beside):
            memory.still = None if other == beside else Still(other, clock, beside, now)
            return 0.0
        return max(0.0, now - known.since)

    def is_unheard(self, row: int, here: tuple[str, float]) -> bool:
        """Whether nobody knows whether the living rival still sends. A conflict ends then; its promise does not."""
        rival = self.living(row)
        return rival is not None and self.stood_still(row, rival.shard, here) >= UNHEARD

    def forget_unheard(self, row: int, here: tuple[str, float]) -> None:
        """A rival whose shard has stood still for a day hides the end of the current boot no longer."""
        rival = self.living(row)
        if rival is not None and self.stood_still(row, rival.shard, here) >= FORGOTTEN:
            self._memories.open(row).rival = None

    def stay(self, row: int, current: Promise) -> None:
        """The boot that was the current one goes on as the rival of the one that took its place."""
        memory = self._memories.open(row)
        current.advances, current.since = RIVAL_ADVANCES, current.seen
        memory.rival = current
        self._note(row, memory)

    # -- goodbyes ----------------------------------------------------------------------------------------------

    def leave(self, row: int, boot: str, order: tuple[int, int | None], until: tuple[str, float]) -> None:
        """A boot that is not the current one said goodbye under these numbers, until a clock value of a shard."""
        memory, (run, n) = self._memories.open(row), order
        rival, candidate = memory.rival, memory.candidate
        known = candidate if candidate is not None and candidate.boot == boot else None
        newest = memory.older[boot] if known is None else known.order
        order = (run, newest[1] + 1 if n is None else n)
        if order <= newest:
            return
        remember(memory, boot, order)
        memory.candidate = None if known is not None else candidate
        if rival is not None and rival.boot == boot:
            rival.away, (rival.shard, rival.deadline) = rival.advances > 0, until
            memory.rival = rival if rival.away else None

    def shorten(self, row: int, boot: str, connection: tuple[int, int], shard: str, stamp: float, grace: float) -> bool:
        """A Last Will of a connection (run, conn) of a boot that is not the current one; whether it says anything."""
        memory = self._memories.look(row)
        found = [one for one in ([] if memory is None else _promises(memory)) if one.boot == boot]
        if not any((one.run, one.conn, one.shard) == (*connection, shard) for one in found):
            return False
        for one in _promises(self._memories.open(row)):
            if (one.boot, one.run, one.conn, one.shard) == (boot, *connection, shard):
                one.deadline = min(one.deadline, max(stamp, one.seen + one.every) + grace)
        return True

    # -- time --------------------------------------------------------------------------------------------------

    def hold(self, shard: str, clock: float) -> set[int]:
        """An interval of a shard did not count: as for current boots, no boot was heard later than `clock`. Returns
        the rows changed."""
        changed = set()
        for row, one in list(self._living_of(self.rows, shard)):
            ahead = max(0.0, one.seen - clock)
            one.seen -= ahead
            one.since = min(one.since, clock)
            one.deadline -= ahead
            changed.add(row)
        return changed

    def settle(self, shard: str, seconds: float) -> set[int]:
        """Messages of a bridge that had not ticked yet may be as young as the tick that followed them."""
        changed = set()
        for row, one in list(self._living_of(self._unsettled, shard)) if self._unsettled else ():
            if one.unsettled:
                one.seen, one.deadline, one.unsettled = one.seen + seconds, one.deadline + seconds, False
                changed.add(row)
        for row in changed:
            self._note(row, self._memories.open(row))
        return changed

    def _living_of(self, rows: Iterable[int], shard: str) -> Iterator[tuple[int, Promise]]:
        """The promises of a shard that live; rows in which none does are forgotten."""
        for row in list(rows):
            memory = self._memories.look(row)
            if memory is None or not any(one.lives(self._clock_of) for one in _promises(memory)):
                self.rows.discard(row)
                self._unsettled.discard(row)
                continue
            for one in _promises(self._memories.open(row)):
                if one.shard == shard and one.lives(self._clock_of):
                    yield row, one

    def _note(self, row: int, memory: Memory) -> None:
        if memory.has_promises:
            self.rows.add(row)
        if any(one.unsettled for one in _promises(memory)):
            self._unsettled.add(row)
        else:
            self._unsettled.discard(row)


def _promises(memory: Memory) -> list[Promise]:
    return [one for one in (memory.candidate, memory.rival, memory.repeats, memory.other_repeats) if one is not None]


def _is_of(one: Promise | None, boot: str) -> bool:
    return one is not None and one.boot == boot


def _counted(last: Repeats | None, heard: Promise, newest: Order, clock_of: ClockOf, *, alone: bool) -> Repeats | None:
    """What is remembered of heartbeats whose numbers are not newer than `newest`, after another one; None: it does not
    count."""
    counted = 0
    if last is not None and last.lives(clock_of):
        if last.boot != heard.boot and last.is_fresh(clock_of):
            return None
        if (last.boot, last.shard) == (heard.boot, heard.shard) and (alone or last.newest == newest):
            if heard.seen - last.since < heard.every / 2:
                return None
            counted = last.advances
    now = Repeats(**msgspec.structs.asdict(heard))
    now.advances, now.since = counted + 1, heard.seen
    now.newest = heard.order if now.advances >= _REPEATS else newest
    return now


def _is_enough(counted: Repeats | None) -> bool:
    return counted is not None and counted.advances >= _REPEATS


def _newest_of(memory: Memory, heard: Promise) -> tuple[Order, float | None]:
    """The newest numbers of a boot that is not the current one, and when they came if that can be compared."""
    known = memory.candidate if _is_of(memory.candidate, heard.boot) else memory.rival
    seen = known.seen if known is not None and (known.boot, known.shard) == (heard.boot, heard.shard) else None
    if known is not None and known is memory.candidate:
        return known.order, seen
    return memory.older[heard.boot], seen
