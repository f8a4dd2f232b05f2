"""The history of a station as intervals without gaps or overlaps. Pure.

Sources, in any order and with doubles: the station's own transitions, the pipeline's gaps, the presence that terminals
recorded while their link was down, and what people decided: opening hours, approved closures, the lifecycle. The same
set gives the same history, however it arrived.

- A transition holds from its `at`, which may lie before ones decided earlier: an offline is back-dated. What was
  decided later replaces everything from its `at` on, so the last interval always is the judge's last word.
- While not commissioned it is suspended, whatever its terminals did.
- Before the first message it is never_seen. In a gap of the pipeline it is unknown, except while never_seen; also while
  it is silent and gaps leave open whether its heartbeats were lost, or its shard was suspected (`unproven`).
- Online while its terminals say that nobody can use it, it is unusable.
- Not online outside opening hours it is closed, and within them in an approved closure excused; a terminal that was
  left on is online all the same. These are the rules of `alerting.stations.verdict`, for each moment as it was then.
- Presence turns offline into "link down, running": still offline (it counts for service, never for online), unknown,
  closed or excused, but with evidence `presence` and what the terminal said of being usable.
- `revision` is 1 as judged live, and one more for each later arrival of presence about the interval.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from heapq import heappop, heappush
from itertools import pairwise
from typing import Final, Generic, Literal, TypeVar

import msgspec

from alerting.stations.snapshot import UNPROVEN
from alerting.stations.verdict import LIVE, Verdict, verdict_of

_T = TypeVar("_T")
Evidence = Literal["live", "presence", "none"]


class StateChange(msgspec.Struct, frozen=True, kw_only=True):
    """A transition of the station itself; `seq` is the order in which it was decided."""

    seq: int
    at: datetime
    state: str
    usable: bool | None = None


class UnknownInterval(msgspec.Struct, frozen=True, kw_only=True):
    """Time in which the platform itself was blind, or (`silent`) in which the silence of a station proved nothing,
    because its shard was suspected."""

    began_at: datetime
    ended_at: datetime
    silent: bool = False


class PresenceRun(msgspec.Struct, frozen=True, kw_only=True):
    """A presence record: a terminal ran from `began_at` to `ended_at` without a link."""

    began_at: datetime
    ended_at: datetime
    usable: bool | None
    received_at: datetime


class StationDecisions(msgspec.Struct, frozen=True, kw_only=True):
    """What people decided about a station. `openings`: when it should be open, None for always; `closures`: the
    approved ones; both as (begin, end). `lifecycles`: (since when, which), which holds until the next; the first one
    holds also before it."""

    openings: tuple[tuple[datetime, datetime], ...] | None = None
    closures: tuple[tuple[datetime, datetime], ...] = ()
    lifecycles: tuple[tuple[datetime, str], ...] = ()


NOTHING_DECIDED: Final = StationDecisions()
"""In service and open always."""


class HistoryInterval(msgspec.Struct, frozen=True, kw_only=True):
    """One interval of the history, [begin, end)."""

    begin: datetime
    end: datetime
    verdict: str
    usable: bool | None
    evidence: Evidence
    revision: int = 1


def timeline(
    changes: Iterable[StateChange],
    gaps: Iterable[UnknownInterval],
    presence: Iterable[PresenceRun],
    *,
    begin: datetime,
    end: datetime,
    decided: StationDecisions = NOTHING_DECIDED,
) -> list[HistoryInterval]:
    """The intervals that cover exactly [begin, end]; the one still going on ends at `end`.

    Raises ValueError when `begin` is not before `end`.
    """
    if begin >= end:
        raise ValueError("begin must be before end")
    sources = _Sources(changes, gaps, presence, decided)
    inner = sorted({begin, end, *(cut for cut in sources.cuts if begin < cut < end)})
    return list(_merged(_span(since, until, sources.station_at(since)) for since, until in pairwise(inner)))


def standing_changes(changes: Iterable[StateChange]) -> list[StateChange]:
    """The changes that still stand, in the order of time: each takes away the earlier decided ones from its `at` on."""
    standing: list[StateChange] = []
    for change in sorted(set(changes), key=lambda change: change.seq):
        while standing and standing[-1].at >= change.at:
            standing.pop()
        standing.append(change)
    return standing


class _IntervalCounter(Generic[_T]):
    """How many of each kind of interval lie over a moment; the moments are asked in rising order, so that all of them
    together cost little more than the intervals sorted."""

    def __init__(self, intervals: Iterable[tuple[datetime, datetime, _T]]) -> None:
        kept = [(begin, end, what) for begin, end, what in intervals if begin < end]
        self.times = {time for begin, end, _ in kept for time in (begin, end)}
        self._waiting = sorted(kept, key=lambda interval: interval[0], reverse=True)
        # (end, a number for each to tell equal ends apart, what), the first to end on top.
        self._running: list[tuple[datetime, int, _T]] = []
        self._over: Counter[_T] = Counter()

    def counts_at(self, moment: datetime) -> Mapping[_T, int]:
        while self._waiting and self._waiting[-1][0] <= moment:
            _, end, what = self._waiting.pop()
            heappush(self._running, (end, len(self._waiting), what))
            self._over[what] += 1
        while self._running and self._running[0][0] <= moment:
            what = heappop(self._running)[2]
            self._over[what] -= 1
            if not self._over[what]:
                del self._over[what]
        return self._over


class _StationAt(msgspec.Struct, frozen=True):
    """What all sources say of one moment."""

    state: str | None
    usable: bool | None
    # What those said of being usable that ran without a link, and how many receipts say so.
    ran: tuple[bool | None, ...]
    receipts: int
    blind: bool
    open: bool
    excused: bool
    lifecycle: str


class _Sources:
    """All that is known, to be asked for moments in rising order."""

    def __init__(
        self,
        changes: Iterable[StateChange],
        gaps: Iterable[UnknownInterval],
        presence: Iterable[PresenceRun],
        decided: StationDecisions,
    ) -> None:
        self._changes = standing_changes(changes)
        self._change_times = [change.at for change in self._changes]
        self._lifecycles = sorted(set(decided.lifecycles))
        self._always_open = decided.openings is None
        known = set(gaps)
        self._gaps = _IntervalCounter((gap.began_at, gap.ended_at, None) for gap in known if not gap.silent)
        self._doubts = _IntervalCounter((gap.began_at, gap.ended_at, None) for gap in known if gap.silent)
        runs = set(presence)
        self._ran = _IntervalCounter((run.began_at, run.ended_at, run.usable) for run in runs)
        self._receipts = _IntervalCounter((run.began_at, run.ended_at, run.received_at) for run in runs)
        self._openings = _IntervalCounter((begin, end, None) for begin, end in set(decided.openings or ()))
        self._closures = _IntervalCounter((begin, end, None) for begin, end in set(decided.closures))
        covers = (self._gaps, self._doubts, self._ran, self._openings, self._closures)
        self.cuts = {*self._change_times, *(at for at, _ in self._lifecycles)}.union(*(cover.times for cover in covers))

    def station_at(self, moment: datetime) -> _StationAt:
        place = bisect_right(self._change_times, moment)
        change = self._changes[place - 1] if place else None
        state = change.state if change else None
        doubted = bool(self._doubts.counts_at(moment))
        return _StationAt(
            state=UNPROVEN if doubted and state == "offline" else state,
            usable=change.usable if change else None,
            ran=tuple(self._ran.counts_at(moment)),
            receipts=len(self._receipts.counts_at(moment)),
            blind=bool(self._gaps.counts_at(moment)),
            open=self._always_open or bool(self._openings.counts_at(moment)),
            excused=bool(self._closures.counts_at(moment)),
            lifecycle=self._lifecycle(moment),
        )

    def _lifecycle(self, moment: datetime) -> str:
        if not self._lifecycles:
            return "commissioned"
        place = bisect_right(self._lifecycles, moment, key=lambda entry: entry[0])
        return self._lifecycles[max(place - 1, 0)][1]


_SILENT: Final = frozenset({"offline", UNPROVEN})
_NOT_HEARD: Final = frozenset({Verdict.SUSPENDED, Verdict.NEVER_SEEN})


def _span(begin: datetime, end: datetime, moment: _StationAt) -> HistoryInterval:
    verdict = verdict_of(
        lifecycle=moment.lifecycle,
        state=moment.state,
        usable=moment.usable,
        open=moment.open,
        excused=moment.excused,
    )
    if verdict in _NOT_HEARD:
        return HistoryInterval(begin=begin, end=end, verdict=verdict.value, usable=None, evidence="none")
    if moment.blind:
        return HistoryInterval(begin=begin, end=end, verdict=Verdict.UNKNOWN.value, usable=None, evidence="none")
    if moment.state in _SILENT and moment.ran:
        return HistoryInterval(
            begin=begin,
            end=end,
            verdict=verdict.value,
            usable=_any(moment.ran),
            evidence="presence",
            revision=1 + moment.receipts,
        )
    if verdict is Verdict.UNKNOWN:
        return HistoryInterval(begin=begin, end=end, verdict=verdict.value, usable=None, evidence="none")
    usable = moment.usable if verdict in LIVE else None
    return HistoryInterval(begin=begin, end=end, verdict=verdict.value, usable=usable, evidence="live")


def _any(answers: Iterable[bool | None]) -> bool | None:
    """Usable while at least one terminal says so; None when none said anything."""
    said = [answer for answer in answers if answer is not None]
    return any(said) if said else None


def _merged(pieces: Iterable[HistoryInterval]) -> Iterator[HistoryInterval]:
    """Neighbours that say the same become one."""
    pending: HistoryInterval | None = None
    for piece in pieces:
        if pending is not None and msgspec.structs.replace(pending, begin=piece.begin, end=piece.end) == piece:
            pending = msgspec.structs.replace(pending, end=piece.end)
            continue
        if pending is not None:
            yield pending
        pending = piece
    if pending is not None:
        yield pending
