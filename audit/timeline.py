"""The history of a station as intervals without gaps or overlaps. Pure.

Sources, in any order and with repetitions: the transitions of the station, the gaps of the pipeline, the presence that
terminals recorded while their link was down, and decisions of people: opening hours, approved closures, lifecycle. The
same set of sources gives the same history, in whatever order it arrived.

- A transition holds from its `at`, which may lie before earlier decisions: an offline is back-dated. A later decision
  replaces everything from its `at` on, so the last interval is always the last decision of the judge.
- A station that is not commissioned is suspended, whatever its terminals did.
- Before its first message a station is never_seen. In a gap of the pipeline it is unknown, except while never_seen. It
  is also unknown while it is silent and gaps may have lost its heartbeats, or its shard was suspected (`unproven`).
- A station is unusable while it is online and its terminals report that people cannot use it.
- A station that is not online is closed outside opening hours, and within them excused in an approved closure. A
  terminal that was left on is online anyway. These are the rules of `alerting.stations.verdict`, applied to each
  moment.
- Presence means "link down, running": the verdict stays offline (it counts as service time, never as online time),
  unknown, closed or excused, but the evidence is `presence`, with the usability recorded then.
- `revision` is 1 for what was judged live, and one more for each later arrival of presence about the interval.
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
"""What an interval rests on: messages of the time, presence recorded by terminals, or nothing."""


class StateChange(msgspec.Struct, frozen=True, kw_only=True):
    """A transition of the station. `seq`: the order in which transitions were decided."""

    seq: int
    at: datetime
    state: str
    usable: bool | None = None


class UnknownInterval(msgspec.Struct, frozen=True, kw_only=True):
    """Time in which the pipeline was blind; or, if `silent`, in which silence of the station proved nothing because its
    shard was suspected."""

    began_at: datetime
    ended_at: datetime
    silent: bool = False


class PresenceRun(msgspec.Struct, frozen=True, kw_only=True):
    """A presence record: a terminal ran from `began_at` to `ended_at` while its link was down."""

    began_at: datetime
    ended_at: datetime
    usable: bool | None
    received_at: datetime


class StationDecisions(msgspec.Struct, frozen=True, kw_only=True):
    """Decisions of people about a station. `openings`: when it should be open, None: always; `closures`: approved ones;
    both as (begin, end). `lifecycles`: (since when, lifecycle), each until the next; the first also holds before."""

    openings: tuple[tuple[datetime, datetime], ...] | None = None
    closures: tuple[tuple[datetime, datetime], ...] = ()
    lifecycles: tuple[tuple[datetime, str], ...] = ()


NOTHING_DECIDED: Final = StationDecisions()
"""Always in service and open."""


class HistoryInterval(msgspec.Struct, frozen=True, kw_only=True):
    """One interval of the history: [begin, end)."""

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
    """The intervals that cover exactly [begin, end]; the current one ends at `end`.

    Raises ValueError when `begin` is not before `end`.
    """
    if begin >= end:
        raise ValueError("begin must be before end")
    sources = _Sources(changes, gaps, presence, decided)
    inner = sorted({begin, end, *(cut for cut in sources.cuts if begin < cut < end)})
    return list(_merged(_span(since, until, sources.station_at(since)) for since, until in pairwise(inner)))


def valid_changes(changes: Iterable[StateChange]) -> list[StateChange]:
    """The changes that are still valid, in order of time: each replaces earlier decisions from its `at` on."""
    standing: list[StateChange] = []
    for change in sorted(set(changes), key=lambda change: change.seq):
        while standing and standing[-1].at >= change.at:
            standing.pop()
        standing.append(change)
    return standing


class _IntervalCounter(Generic[_T]):
    """Counts how many intervals with each value contain a moment.

    Moments must be asked in rising order: then all of them together cost little more than sorting the intervals.
    """

    def __init__(self, intervals: Iterable[tuple[datetime, datetime, _T]]) -> None:
        kept = [(begin, end, what) for begin, end, what in intervals if begin < end]
        self.times = {time for begin, end, _ in kept for time in (begin, end)}
        self._waiting = sorted(kept, key=lambda interval: interval[0], reverse=True)
        # A heap of (end, a number that makes entries with the same end differ, value); the first to end is on top.
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
    """The state of all sources at one moment."""

    state: str | None
    usable: bool | None
    # Usability as reported by terminals that ran without a link, and how many receipts these records have.
    ran: tuple[bool | None, ...]
    receipts: int
    blind: bool
    open: bool
    excused: bool
    lifecycle: str


class _Sources:
    """All sources together; moments must be asked in rising order."""

    def __init__(
        self,
        changes: Iterable[StateChange],
        gaps: Iterable[UnknownInterval],
        presence: Iterable[PresenceRun],
        decided: StationDecisions,
    ) -> None:
        self._changes = valid_changes(changes)
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
    """Usable while at least one terminal reports so; None when no terminal reported anything."""
    known = [answer for answer in answers if answer is not None]
    return any(known) if known else None


def _merged(pieces: Iterable[HistoryInterval]) -> Iterator[HistoryInterval]:
    """Neighbouring intervals that differ only in time are joined."""
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
