"""The platform itself is blind: one pipeline_blind incident for each shard and outage, all partitions together. Pure.

Evidence has four sources: gaps that the judges wrote (uncounted time that is over); a pipeline clock with
`blind_since`; a clock that the watchdog found stopped or far behind; and a database call that hung. Evidence that
overlaps in one shard is one outage. Gaps that recur are one incident with the reason `unstable` instead, however short
they are, until ten minutes without a gap have passed. An outage within an announced restart is listed, and does not
page.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from alerting.incidents.book import Book, Incident
from alerting.pipeline.restarts import Announced, covering
from alerting.pipeline.stability import Interval, Stability, stability_of
from contract.kinds import IncidentKind

LONGEST: Final = timedelta(seconds=5)
"""Longest uncounted time without an incident."""
STALE: Final = timedelta(seconds=10)
"""A clock that stands still, or is this far behind, for this long opens an incident."""
FRESH: Final = timedelta(seconds=5)
"""A clock runs again when it moved within this time; shorter than STALE, so that there is a hysteresis."""

GAP: Final = "gap"
HUNG: Final = "database_hung"
BLIND: Final = "blind"
SILENT: Final = "judge_silent"
BEHIND: Final = "behind"
UNSTABLE: Final = "unstable"
SUSPECTED: Final = "shard_suspected"


class WatchedClock(msgspec.Struct, frozen=True, kw_only=True):
    """A row of partition_clock."""

    partition: int
    shard: str
    tick_at: datetime
    judged_at: datetime
    blind_since: datetime | None = None


class PipelineGap(msgspec.Struct, frozen=True, kw_only=True):
    """Uncounted time that is over. `cause`: gap (of one partition), or database_hung (of all partitions)."""

    shard: str
    began_at: datetime
    ended_at: datetime
    partition: int | None = None
    cause: str = GAP
    reason: str = ""


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """A partition whose clock does not run now, or a suspected shard (`partition` None); `since`: the last known
    moment."""

    shard: str
    partition: int | None
    since: datetime
    cause: str


class View(msgspec.Struct, frozen=True, kw_only=True):
    """What the watchdog found: `troubles`, and in `well`, for each shard without a trouble whose clocks all run, the
    tick that all its clocks have reached."""

    shards: tuple[str, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    well: dict[str, datetime] = {}

    def doubting(self, troubles: Sequence[Trouble]) -> "View":
        """This view with the troubles of suspected shards, which are then not in `well`."""
        shards = {trouble.shard for trouble in troubles}
        well = {shard: reached for shard, reached in self.well.items() if shard not in shards}
        every = tuple(sorted({*self.shards, *shards}))
        return View(shards=every, troubles=(*self.troubles, *troubles), well=well)


class _Seen(msgspec.Struct):
    """What the watchdog saw of one clock, in monotonic seconds: `seen` last change or first look, `moved` last change,
    `behind` since when it is behind."""

    judged_at: datetime
    seen: float
    moved: float | None = None
    behind: float | None = None


class Watchdog:
    """Watches the partition clocks over several passes, by a monotonic clock.

    So neither a step of the wall clock nor a pause of this process looks like a stopped judge. After its start, the
    watchdog waits STALE before it reports a stopped clock, and for one movement of a clock before its shard is `well`.
    """

    def __init__(self) -> None:
        self._seen: dict[tuple[str, int], _Seen] = {}

    def look(self, clocks: Sequence[WatchedClock], *, now: datetime, mono: float) -> View:
        """Compare the clocks with the last look. `mono` (s) is read before the clocks, `now` together with them."""
        troubles: list[Trouble] = []
        unwell: set[str] = set()
        for clock in clocks:
            seen = self._follow(clock, now, mono)
            cause = self._trouble(clock, seen, mono)
            if cause is not None:
                troubles.append(
                    Trouble(shard=clock.shard, partition=clock.partition, since=_since(clock, cause), cause=cause)
                )
            if cause is not None or not _is_well(clock, seen, now, mono):
                unwell.add(clock.shard)
        shards = tuple(sorted({clock.shard for clock in clocks}))
        reached = {s: min(clock.tick_at for clock in clocks if clock.shard == s) for s in shards if s not in unwell}
        return View(shards=shards, troubles=tuple(troubles), well=reached)

    def _follow(self, clock: WatchedClock, now: datetime, mono: float) -> _Seen:
        where = (clock.shard, clock.partition)
        seen = self._seen.get(where)
        if seen is None:
            seen = self._seen[where] = _Seen(judged_at=clock.judged_at, seen=mono)
        elif seen.judged_at != clock.judged_at:
            seen.judged_at, seen.seen, seen.moved = clock.judged_at, mono, mono
        if now - clock.tick_at <= STALE:
            seen.behind = None
        elif seen.behind is None:
            seen.behind = mono
        return seen

    @staticmethod
    def _trouble(clock: WatchedClock, seen: _Seen, mono: float) -> str | None:
        if clock.blind_since is not None and clock.tick_at - clock.blind_since > LONGEST:
            return BLIND
        if mono - seen.seen > STALE.total_seconds():
            return SILENT
        if seen.behind is not None and mono - seen.behind > STALE.total_seconds():
            return BEHIND
        return None


def _since(clock: WatchedClock, cause: str) -> datetime:
    if cause == BLIND and clock.blind_since is not None:
        return clock.blind_since
    return min(clock.tick_at, clock.judged_at)


def _is_well(clock: WatchedClock, seen: _Seen, now: datetime, mono: float) -> bool:
    moved = seen.moved is not None and mono - seen.moved <= FRESH.total_seconds()
    return moved and clock.blind_since is None and now - clock.tick_at <= STALE


class DatabaseOutage(msgspec.Struct, frozen=True):
    """The database did not answer from `began` to `ended` (monotonic seconds)."""

    began: float
    ended: float


class OutageMeter:
    """Measures how long the database did not answer, over failed calls and lost connections."""

    def __init__(self) -> None:
        self._since: float | None = None
        self.outage: DatabaseOutage | None = None

    def call(self, mono: float) -> None:
        """A call begins; after a failed call, the measured time goes on from that call."""
        if self._since is None:
            self._since = mono

    def answered(self, mono: float) -> None:
        """The call succeeded; keep an outage if the answer took longer than STALE."""
        if self._since is not None and mono - self._since > STALE.total_seconds():
            self.outage = DatabaseOutage(self.outage.began if self.outage else self._since, mono)
        self._since = None

    def take(self) -> None:
        """Delete the measured outage after it was written."""
        self.outage = None


def pipeline_key(shard: str) -> str:
    """The key of the pipeline_blind incident of a shard."""
    return f"{IncidentKind.PIPELINE_BLIND}:{shard}"


def follow_pipeline(
    book: Book,
    *,
    gaps: Iterable[PipelineGap],
    view: View,
    now: datetime,
    complete: bool = True,
    recent: Mapping[str, Sequence[Interval]] | None = None,
    announced: Sequence[Announced] = (),
) -> None:
    """Open, update and close pipeline_blind incidents in the book from gaps and the watchdog's view.

    `complete`: there are no more gaps to read; `recent`: by shard, the gaps of the last ten minutes; `announced`:
    restarts that may explain an outage.
    """
    figures = {shard: _stability(found, announced, now) for shard, found in (recent or {}).items()}
    for gap in sorted(gaps, key=lambda gap: (gap.shard, gap.began_at)):
        _take_gap(book, gap, now)
    for trouble in sorted(view.troubles, key=lambda trouble: (trouble.shard, trouble.since)):
        _take_trouble(book, trouble, now)
    for shard, stability in figures.items():
        _follow_stability(book, shard, stability, now)
    _follow_restarts(book, announced, {trouble.shard for trouble in view.troubles}, now)
    for shard, reached in view.well.items() if complete else ():
        standing = book.open_of(pipeline_key(shard))
        if standing is not None and not (_is_unstable(standing) and figures.get(shard, Stability()).gaps):
            book.close(standing, ended_at=_end(standing, reached), now=now, reason="clocks_count_again")
    _wait_for_the_end(book, now)


def _stability(intervals: Sequence[Interval], announced: Sequence[Announced], now: datetime) -> Stability:
    return stability_of((one for one in intervals if covering(announced, *one) is None), now)


def _is_unstable(incident: Incident) -> bool:
    return incident.detail.get("reason") == UNSTABLE


def _follow_stability(book: Book, shard: str, stability: Stability, now: datetime) -> None:
    """Open or update the `unstable` incident of a shard whose gaps recur, with the present figures."""
    standing = book.open_of(pipeline_key(shard))
    if not stability.recurs and (standing is None or not _is_unstable(standing) or not stability.gaps):
        return
    figures = {"reason": UNSTABLE, "gaps": stability.gaps, "gaps_s": stability.seconds}
    detail = _detail(standing.detail if standing else {}, UNSTABLE, None, None) | figures
    if standing is None:
        book.open(_pipeline_incident(shard, stability.first or now, now, detail), UNSTABLE)
        return
    loud = {"quiet": False} if "announced_by" in detail else {}
    book.update(msgspec.structs.replace(standing, detail=detail | loud), UNSTABLE)


def _follow_restarts(book: Book, announced: Sequence[Announced], troubled: Collection[str], now: datetime) -> None:
    """Make incidents within an announced restart quiet, and make them page when they last longer than the restart."""
    for new in book.opened:
        one = covering(announced, new.began_at, _reach(new, troubled, now))
        if one is not None and not _is_unstable(new):
            said = {"quiet": True, "announced_by": one.actor, "announced_reason": one.reason}
            said |= {"announced_remark": one.remark} if one.remark else {}
            book.update(msgspec.structs.replace(new, detail=new.detail | said), "announced")
    for known in book.open_of_kind(IncidentKind.PIPELINE_BLIND):
        explained = covering(announced, known.began_at, _reach(known, troubled, now)) is not None
        if known.detail.get("quiet") and "announced_by" in known.detail and not explained:
            book.update(msgspec.structs.replace(known, detail=known.detail | {"quiet": False}), "took_longer")


def _reach(incident: Incident, troubled: Collection[str], now: datetime) -> datetime:
    """The known end of an outage; now, while its shard has a trouble."""
    if incident.shard in troubled:
        return now
    return incident.ended_at or max(_gap_end(incident), incident.began_at)


def _wait_for_the_end(book: Book, now: datetime) -> None:
    """Hold the notifications of new incidents whose only evidence is gaps, which are over.

    Such an incident is usually closed in the next pass: then people get one notification about a past outage.
    """
    for new in book.opened:
        if new.is_open and _only_gaps(new):
            book.hold(new.id, now + STALE)


def _take_gap(book: Book, gap: PipelineGap, now: datetime) -> None:
    key = pipeline_key(gap.shard)
    standing = book.open_of(key)
    same = [known for known in book.all_of(key) if _overlaps(known, gap)]
    if standing is not None and _is_unstable(standing):
        _merge(book, standing, gap.began_at, gap.cause, gap.partition, gap)
    elif same:
        best = max(same, key=lambda known: (known.goes_on, known.began_at, known.id))
        _merge(book, best, gap.began_at, gap.cause, gap.partition, gap)
    elif gap.ended_at - gap.began_at <= LONGEST:
        book.ignore(key, "short_gap")
    else:
        new = _pipeline_incident(gap.shard, gap.began_at, now, _detail({}, gap.cause, gap.partition, gap))
        if book.open_of(key) is None:
            book.open(new, gap.cause)
        else:
            book.add_closed(msgspec.structs.replace(new, closed_at=now, ended_at=gap.ended_at), gap.cause)


def _overlaps(known: Incident, gap: PipelineGap) -> bool:
    """Whether an incident and a gap overlap. An incident whose only evidence is gaps ends with its last gap."""
    until = known.ended_at if not known.goes_on else _gap_end(known) if _only_gaps(known) else None
    return gap.ended_at > known.began_at and (until is None or gap.began_at < until)


def _take_trouble(book: Book, trouble: Trouble, now: datetime) -> None:
    key = pipeline_key(trouble.shard)
    standing = book.open_of(key)
    if standing is not None:
        _merge(book, standing, trouble.since, trouble.cause, trouble.partition, None)
    else:
        detail = _detail({}, trouble.cause, trouble.partition, None)
        book.open(_pipeline_incident(trouble.shard, trouble.since, now, detail), trouble.cause)


def _merge(
    book: Book, known: Incident, began_at: datetime, cause: str, partition: int | None, gap: PipelineGap | None
) -> None:
    merged = msgspec.structs.replace(
        known, began_at=min(known.began_at, began_at), detail=_detail(known.detail, cause, partition, gap)
    )
    book.update(merged, cause)


def _detail(before: dict[str, Any], cause: str, partition: int | None, gap: PipelineGap | None) -> dict[str, Any]:
    """The detail with one more piece of evidence: causes, partitions and the judges' reasons, each once and sorted, and
    `gaps_until`: the end of the last gap (ms)."""
    detail = dict(before)
    _add(detail, "causes", cause)
    if partition is not None:
        _add(detail, "partitions", partition)
    if gap is not None:
        if gap.reason:
            _add(detail, "reasons", gap.reason)
        detail["gaps_until"] = max(detail.get("gaps_until", 0), _ms(gap.ended_at))
    return detail


def _add(detail: dict[str, Any], name: str, value: str | int) -> None:
    detail[name] = sorted({*detail.get(name, ()), value})


def _only_gaps(incident: Incident) -> bool:
    return set(incident.detail.get("causes", ())) <= {GAP, HUNG}


def _gap_end(incident: Incident) -> datetime:
    return datetime.fromtimestamp(incident.detail.get("gaps_until", 0) / 1000, incident.began_at.tzinfo)


def _ms(moment: datetime) -> int:
    return -(-int(moment.timestamp() * 1_000_000) // 1000)


def _end(incident: Incident, reached: datetime) -> datetime:
    """The end of an outage: the end of its gaps if these are the only evidence, otherwise the tick that all clocks have
    reached.

    The end is never later than that tick, so that the gap of the next outage does not belong to this one.
    """
    if _is_unstable(incident):
        return max(min(_gap_end(incident), reached), incident.began_at)
    return min(_gap_end(incident), reached) if _only_gaps(incident) else reached


def _pipeline_incident(shard: str, began_at: datetime, now: datetime, detail: dict[str, Any]) -> Incident:
    return Incident(
        id=0,
        kind=IncidentKind.PIPELINE_BLIND,
        key=pipeline_key(shard),
        status="open",
        shard=shard,
        began_at=began_at,
        opened_at=now,
        detail=detail,
    )
