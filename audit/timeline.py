"""The history of a station as intervals without gaps or overlaps. Pure.

Three sources, in any order and with doubles: the station's own transitions, the pipeline's gaps, and the presence
that terminals recorded while their link was down. The same set gives the same history, however it arrived.

- A transition holds from its `at`, which may lie before ones decided earlier: an offline is back-dated. What was
  decided later replaces everything from its `at` on, so the last interval always is the judge's last word.
- Before the first message it is never_seen. In a gap of the pipeline it is unknown, except while never_seen.
- Presence turns offline into "link down, running": still offline (it counts for service, never for online), but
  with evidence `presence` and what the terminal said of being usable.
- `revision` is 1 as judged live, and one more for each later arrival of presence about the interval.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import pairwise
from typing import Generic, Literal, TypeVar

import msgspec

_T = TypeVar("_T")
Evidence = Literal["live", "presence", "none"]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A transition of the station itself; `seq` is the order in which it was decided."""

    seq: int
    at: datetime
    state: str
    usable: bool | None = None


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Time in which the platform itself was blind."""

    began_at: datetime
    ended_at: datetime


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """A presence record: a terminal ran from `began_at` to `ended_at` without a link."""

    began_at: datetime
    ended_at: datetime
    usable: bool | None
    received_at: datetime


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """One interval of the history, [begin, end)."""

    begin: datetime
    end: datetime
    verdict: str
    usable: bool | None
    evidence: Evidence
    revision: int = 1


def timeline(
    changes: Iterable[Change], gaps: Iterable[Gap], presence: Iterable[Ran], *, begin: datetime, end: datetime
) -> list[Span]:
    """The intervals that cover exactly [begin, end]; the one still going on ends at `end`.

    Raises ValueError when `begin` is not before `end`.
    """
    if begin >= end:
        raise ValueError("begin must be before end")
    history = settle(changes)
    covered = _Cover((gap.began_at, gap.ended_at, gap) for gap in set(gaps))
    ran = _Cover((run.began_at, run.ended_at, run) for run in set(presence))
    cuts = {begin, end, *(change.at for change in history), *covered.times, *ran.times}
    inner = sorted(cut for cut in cuts if begin <= cut <= end)
    starts = [change.at for change in history]
    pieces = []
    for since, until in pairwise(inner):
        place = bisect_right(starts, since)
        change = history[place - 1] if place else None
        blind = bool(covered.at(since))
        pieces.append(_span(since, until, change, blind, ran.at(since)))
    return list(_merged(pieces))


def settle(changes: Iterable[Change]) -> list[Change]:
    """The changes that still stand, in the order of time: each takes away the earlier decided ones from its `at` on."""
    standing: list[Change] = []
    for change in sorted(set(changes), key=lambda change: change.seq):
        while standing and standing[-1].at >= change.at:
            standing.pop()
        standing.append(change)
    return standing


class _Cover(Generic[_T]):
    """Which of many intervals lie over a moment; the moments are asked in rising order."""

    def __init__(self, intervals: Iterable[tuple[datetime, datetime, _T]]) -> None:
        kept = [(begin, end, what) for begin, end, what in intervals if begin < end]
        self.times = {time for begin, end, _ in kept for time in (begin, end)}
        self._waiting = sorted(kept, key=lambda interval: interval[0], reverse=True)
        self._active: list[tuple[datetime, _T]] = []

    def at(self, moment: datetime) -> list[_T]:
        while self._waiting and self._waiting[-1][0] <= moment:
            _, end, what = self._waiting.pop()
            self._active.append((end, what))
        self._active = [(end, what) for end, what in self._active if end > moment]
        return [what for _, what in self._active]


def _span(begin: datetime, end: datetime, change: Change | None, blind: bool, ran: list[Ran]) -> Span:
    if change is None or change.state == "never_seen":
        return Span(begin=begin, end=end, verdict="never_seen", usable=None, evidence="none")
    if blind:
        return Span(begin=begin, end=end, verdict="unknown", usable=None, evidence="none")
    if change.state == "offline" and ran:
        return Span(
            begin=begin,
            end=end,
            verdict="offline",
            usable=_any(run.usable for run in ran),
            evidence="presence",
            revision=1 + len({run.received_at for run in ran}),
        )
    return Span(begin=begin, end=end, verdict=change.state, usable=change.usable, evidence="live")


def _any(answers: Iterable[bool | None]) -> bool | None:
    """Usable while at least one terminal says so; None when none said anything."""
    said = [answer for answer in answers if answer is not None]
    return any(said) if said else None


def _merged(pieces: Iterable[Span]) -> Iterator[Span]:
    """Neighbours that say the same become one."""
    pending: Span | None = None
    for piece in pieces:
        if pending is not None and msgspec.structs.replace(pending, begin=piece.begin, end=piece.end) == piece:
            pending = msgspec.structs.replace(pending, end=piece.end)
            continue
        if pending is not None:
            yield pending
        pending = piece
    if pending is not None:
        yield pending
