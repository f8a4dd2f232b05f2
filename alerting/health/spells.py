"""When a health rule fires: what a run of samples does to whatever stood before it. Pure.

A sample is bad, clear, or between the two thresholds. The first bad one begins a spell; it fires when the samples have
gone on for the rule's hold time without a clear one, and stays until a clear one. Two samples further apart than `gap`,
or with records between them that have not come, prove nothing about the time between: what had not fired begins again.

Records come in any order, so a `Chain` is kept of each run of consecutive records: it says what that run makes of any
spell before it. Chains of adjacent runs join to the chain of both, in whatever order they were made, and nothing else
of the samples has to be kept. Times are seconds on one clock.
"""

from enum import IntEnum

import msgspec


class SampleLevel(IntEnum):
    CLEAR = 0
    BETWEEN = 1
    BAD = 2


class SpellLimits(msgspec.Struct, frozen=True):
    """`hold`: how long a spell lasts before it fires. Latched: once fired, no gap ends it."""

    hold: float
    gap: float
    latched: bool = True


class Spell(msgspec.Struct, frozen=True, array_like=True):
    """Since when it has been bad, and the last sample of it."""

    fired: bool
    began: float
    last: float


class Chain(msgspec.Struct, frozen=True, array_like=True):
    """A run of samples: the first and the last of them.

    `alone` is what they leave behind when nothing was before, or anything when one of them is clear (`cleared`).
    Otherwise `end` is the last sample before the first gap within, and `rest` what the samples after that gap (if
    `broken`) leave behind alone.
    """

    first: float
    last: float
    alone: Spell | None
    cleared: bool = False
    end: float = 0.0
    broken: bool = False
    rest: Spell | None = None


CLEARED = None
"""The chain that ends every spell and begins none: nearly all are that."""

MaybeChain = Chain | None


def chain_of(sample: SampleLevel, at: float, limits: SpellLimits) -> MaybeChain:
    """The chain of a single sample."""
    if sample is SampleLevel.CLEAR:
        return CLEARED
    spell = Spell(limits.hold <= 0, at, at) if sample is SampleLevel.BAD else None
    return Chain(at, at, spell, end=at)


def spell_after_chain(before: Spell | None, chain: MaybeChain, limits: SpellLimits, *, joined: bool) -> Spell | None:
    """The spell after the chain. `joined`: no record is missing between the two."""
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
    """The chain of both, `a` being the earlier."""
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
