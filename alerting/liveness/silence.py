"""What a terminal's silence proves when the pipeline had gaps. Pure.

Heartbeats sent in a gap are lost, and after a gap terminals need time to connect again (`floor`, S). So a stretch of
unbroken counted time proves floor((length - S) / every) missed promises, the one that began with the last heartbeat
floor(length / every). Clock values and lengths are in pipeline seconds.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

_LEAST_EVERY: Final = 1.0
"""Seconds: no heartbeat promises the next one sooner (`contract.messages.Every`)."""


class Stretches(msgspec.Struct, frozen=True):
    """A shard's stretches at one moment: the `past` ones that can prove something, in their order, and when the
    present one `began` (below 0: there was no gap yet).

    `half_kept`: at least half of the shard's stations keep their promises in the present one. If not, it proves
    nothing together with others: whatever keeps most of them away may keep all of them away.
    """

    past: Sequence[tuple[float, float]]
    began: float
    now: float
    half_kept: bool = True


def gap_since(stretches: Stretches, seen: float) -> bool:
    """Whether a gap came since a terminal was heard; one at the very moment may have been either side of the gap."""
    return seen <= stretches.began


def is_proven(stretches: Stretches, since: float, every: float, *, floor: float, k: float) -> bool:
    """Whether silence since `since` proves that a terminal is down although there were gaps.

    Either the present stretch alone is long enough for two promises, or all stretches together prove 2k.
    """
    if stretches.now - stretches.began >= 2 * every + floor:
        return True
    before = proven_before(stretches, since, every, floor=floor)
    return before + _proven_now(stretches, since, every, floor=floor) >= 2 * k


def _proven_now(stretches: Stretches, since: float, every: float, *, floor: float) -> int:
    if not stretches.half_kept:
        return 0
    return missed(stretches.now - max(since, stretches.began + floor), every)


def proven_before(stretches: Stretches, since: float, every: float, *, floor: float) -> int:
    """How many missed promises the past stretches prove of a terminal that has been silent since `since`."""
    proven = 0
    for began, ended in reversed(stretches.past):
        if ended <= since:
            break
        proven += missed(ended - (since if began < since else began + floor), every)
    return proven


def missed(length: float, every: float) -> int:
    """The promises of one each `every` seconds that fall within a length; who never promised anything is taken to
    have promised what is least."""
    return max(0, int(length // max(every, _LEAST_EVERY)))


def next_proof(stretches: Stretches, since: float, every: float, *, floor: float, k: float) -> float:
    """The earliest clock value at which the silence may be proven, if the present stretch goes on.

    A later gap never makes it earlier, so it need not be computed again at each gap.
    """
    lacking = 2 * k - proven_before(stretches, since, every, floor=floor)
    steps = min(2.0, max(1.0, float(-(-lacking // 1))))
    proof = stretches.began + floor + steps * every
    return proof if proof > stretches.now else stretches.began + floor + 2 * every
