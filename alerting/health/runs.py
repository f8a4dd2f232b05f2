"""The records of one boot of a terminal (a box) as runs of consecutive ids, each with its chains of samples. Pure."""

from bisect import bisect_right
from collections.abc import Callable
from typing import Final

import msgspec

from alerting.health.spells import CLEARED, MaybeChain, Spell, SpellLimits, join_chains, spell_after_chain

MAX_RUNS: Final = 16
"""Runs kept for a box. Beyond that the oldest hole is closed: records that come for it later change nothing."""
MAX_CHAINS: Final = 256
"""Chains kept for a run; names of services that come and go must not fill the memory."""

LimitsOf = Callable[[str], SpellLimits]
"""The limits of a key."""
Chains = dict[str, MaybeChain]
"""Chains by key: the mark of a rule and a subject."""
_NOTHING: Final = object()


class RecordRun(msgspec.Struct, array_like=True):
    """The records with the ids `low` to `high`, all received. A key without a chain had no sample."""

    low: int
    high: int
    chains: Chains = {}

    def append_chains(self, chains: Chains, limits: LimitsOf, *, joined: bool = True) -> None:
        """Join `chains`, which come after those of the run. `joined`: no record is missing between them."""
        mine = self.chains
        for key, chain in chains.items():
            if chain is CLEARED:
                mine[key] = CLEARED
                continue
            before = mine.get(key, _NOTHING)
            mine[key] = chain if before is _NOTHING else join_chains(before, chain, limits(key), joined=joined)  # type: ignore[arg-type]
        if len(mine) > MAX_CHAINS:
            self._shrink(chains)

    def _shrink(self, keep: Chains) -> None:
        for key in [key for key, chain in self.chains.items() if chain is CLEARED and key not in keep]:
            del self.chains[key]
        for key in list(self.chains)[: max(0, len(self.chains) - MAX_CHAINS)]:
            del self.chains[key]


def has_record(runs: list[RecordRun], number: int) -> bool:
    """Whether the record with this id was received already."""
    if not runs or number > runs[-1].high:
        return False
    place = bisect_right(runs, number, key=_low)
    return place > 0 and number <= runs[place - 1].high


def _low(run: RecordRun) -> int:
    return run.low


def insert_record(runs: list[RecordRun], number: int, chains: Chains, limits: LimitsOf) -> bool:
    """Insert the chains of a record that was not received before.

    Returns False when the record came in order, True when it changed what was before it.
    """
    if runs and number == runs[-1].high + 1:
        runs[-1].high = number
        runs[-1].append_chains(chains, limits)
        return False
    place = bisect_right(runs, number, key=_low)
    if place and runs[place - 1].high == number - 1:
        runs[place - 1].high = number
        runs[place - 1].append_chains(chains, limits)
        place -= 1
    else:
        runs.insert(place, RecordRun(number, number, dict(chains)))
    if place + 1 < len(runs) and runs[place + 1].low == number + 1:
        _merge(runs, place, limits, joined=True)
    if len(runs) > MAX_RUNS:
        _merge(runs, 0, limits, joined=False)
    return True


def _merge(runs: list[RecordRun], place: int, limits: LimitsOf, *, joined: bool) -> None:
    later = runs.pop(place + 1)
    runs[place].high = later.high
    runs[place].append_chains(later.chains, limits, joined=joined)


def spell_after(before: Spell | None, runs: list[RecordRun], key: str, limits: SpellLimits) -> Spell | None:
    """The spell after all runs, when `before` was the spell before them; times on the clock of the box."""
    spell = before
    for run in runs:
        chain = run.chains.get(key, _NOTHING)
        if chain is not _NOTHING:
            spell = spell_after_chain(spell, chain, limits, joined=False)  # type: ignore[arg-type]
    return spell
