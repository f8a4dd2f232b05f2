"""What a terminal's silence proves when the pipeline had gaps. Pure.

Heartbeats that were sent in a gap are lost, and after a gap terminals need time to connect again (`floor`, S). So a
stretch of unbroken counted time proves floor((length - S) / every) missed heartbeats, and the stretch that began with
the last heartbeat proves floor(length / every). Lengths are in pipeline seconds.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from contract.clocks import PipelineSeconds

_LEAST_EVERY: Final = 1.0
"""Seconds: no heartbeat promises the next one sooner (`contract.messages.Every`)."""


class Stretches(msgspec.Struct, frozen=True):
    """A shard's stretches at one moment: the `past` ones that can prove something, in their order, and when the
    present one `began` (below 0: there was no gap yet).

    `half_kept`: at least half of the shard's stations keep their promises in the present stretch. If fewer do, the
    stretch proves nothing together with others: what keeps most stations away may keep all of them away.
    """

    past: Sequence[tuple[PipelineSeconds, PipelineSeconds]]
    began: PipelineSeconds
    now: PipelineSeconds
    half_kept: bool = True


def gap_since(stretches: Stretches, seen: PipelineSeconds) -> bool:
    """Whether a gap came since a terminal was heard. A gap at the very moment counts as later."""
    return seen <= stretches.began


def is_proven(stretches: Stretches, since: PipelineSeconds, every: float, *, floor: float, k: float) -> bool:
    """Whether silence since `since` proves that a terminal is down although there were gaps.

    Either the present stretch alone is long enough for two promises, or all stretches together prove 2k.
    """
    if stretches.now - stretches.began >= 2 * every + floor:
        return True
    before = proven_before(stretches, since, every, floor=floor)
    return before + _proven_now(stretches, since, every, floor=floor) >= 2 * k


def _proven_now(stretches: Stretches, since: PipelineSeconds, every: float, *, floor: float) -> int:
    if not stretches.half_kept:
        return 0
    return missed(stretches.now - max(since, stretches.began + floor), every)


def proven_before(stretches: Stretches, since: PipelineSeconds, every: float, *, floor: float) -> int:
    """How many missed heartbeats the past stretches prove of a terminal that has been silent since `since`."""
    proven = 0
    for began, ended in reversed(stretches.past):
        if ended <= since:
            break
        proven += missed(ended - (since if began < since else began + floor), every)
    return proven


def missed(length: float, every: float) -> int:
    """How many heartbeats, one each `every` seconds, were due within a length (s). A terminal that never promised an
    interval is judged by the shortest that can be promised."""
    return max(0, int(length // max(every, _LEAST_EVERY)))


def next_proof(
    stretches: Stretches, since: PipelineSeconds, every: float, *, floor: float, k: float
) -> PipelineSeconds:
    """The earliest clock value at which the silence may be proven, if the present stretch goes on.

    A later gap never makes it earlier, so it need not be computed again at each gap.
    """
    lacking = 2 * k - proven_before(stretches, since, every, floor=floor)
    steps = min(2.0, max(1.0, float(-(-lacking // 1))))
    proof = stretches.began + floor + steps * every
    return PipelineSeconds(proof if proof > stretches.now else stretches.began + floor + 2 * every)
