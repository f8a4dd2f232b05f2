"""When a health rule fires: the effect of a run of samples on any spell before it. Pure.

A sample is bad, clear, or between the two thresholds (hysteresis). The first bad sample begins a spell. The spell fires
when its samples have lasted for the hold time of the rule without a clear one (debounce), and ends with a clear sample.
Two samples further apart than `gap`, or with a missing record between them, say nothing about the time between: a spell
that has not fired begins again.

Records come in any order, so each run of consecutive records has a `Chain`: the effect of that run on any spell before
it. The chains of adjacent runs can be joined in any order, and nothing else of the samples is stored. Times are seconds
on one clock.
"""

from enum import IntEnum

import msgspec


class SampleLevel(IntEnum):
    """The level of one sample under a rule."""

    CLEAR = 0
    BETWEEN = 1
    BAD = 2


class SpellLimits(msgspec.Struct, frozen=True):
    """`hold`: how long a spell lasts before it fires. `gap`: how far apart two samples may be. `latched`: no gap ends a
    spell that has fired."""

    hold: float
    gap: float
    latched: bool = True


class Spell(msgspec.Struct, frozen=True, array_like=True):
    """A time of samples that are not clear: when it began, when its last sample was, and whether it has fired."""

    fired: bool
    began: float
    last: float


class Chain(msgspec.Struct, frozen=True, array_like=True):
    """The effect of a run of samples; `first` and `last` are the times of its first and last sample.

    `alone`: the spell after the run when there was none before, or any when a sample of it is clear (`cleared`).
    Otherwise `end` is the last sample before the first gap within the run, and `rest` is the spell that the samples
    after that gap leave (`broken`: there is one).
    """

    first: float
    last: float
    alone: Spell | None
    cleared: bool = False
    end: float = 0.0
    broken: bool = False
    rest: Spell | None = None


CLEARED = None
"""The chain that ends every spell and begins none; nearly all chains are this one."""

MaybeChain = Chain | None


def chain_of(sample: SampleLevel, at: float, limits: SpellLimits) -> MaybeChain:
    """The chain of a single sample."""
    if sample is SampleLevel.CLEAR:
        return CLEARED
    spell = Spell(limits.hold <= 0, at, at) if sample is SampleLevel.BAD else None
    return Chain(at, at, spell, end=at)


def spell_after_chain(before: Spell | None, chain: MaybeChain, limits: SpellLimits, *, joined: bool) -> Spell | None:
    """The spell after `chain`, when `before` was the spell before it. `joined`: no record is missing between them."""
    if chain is CLEARED:
        return None
    if before is None or chain.cleared:
        return chain.alone
    if before.fired and limits.latched:
        return Spell(True, before.began, chain.last)
    if not joined or chain.first - before.last > limits.gap:
        return chain.alone
    fired = before.fired or chain.end - before.began >= limits.hold
    if fired and limits.latched:
        return Spell(True, before.began, chain.last)
    return chain.rest if chain.broken else Spell(fired, before.began, chain.last)


def join_chains(a: MaybeChain, b: MaybeChain, limits: SpellLimits, *, joined: bool = True) -> MaybeChain:
    """The chain of both runs, `a` being the earlier one. `joined`: no record is missing between them."""
    if b is CLEARED:
        return CLEARED
    alone = spell_after_chain(None if a is CLEARED else a.alone, b, limits, joined=joined)
    if a is CLEARED or a.cleared or b.cleared:
        first = b.first if a is CLEARED else a.first
        return Chain(first, b.last, alone, cleared=True) if alone else CLEARED
    return _join_unclear(a, b, alone, limits, joined=joined)


def _join_unclear(a: Chain, b: Chain, alone: Spell | None, limits: SpellLimits, *, joined: bool) -> Chain:
    if a.broken:
        rest = spell_after_chain(a.rest, b, limits, joined=joined)
        return Chain(a.first, b.last, alone, end=a.end, broken=True, rest=rest)
    if not joined or b.first - a.last > limits.gap:
        return Chain(a.first, b.last, alone, end=a.last, broken=True, rest=b.alone)
    return Chain(a.first, b.last, alone, end=b.end, broken=b.broken, rest=b.rest)
