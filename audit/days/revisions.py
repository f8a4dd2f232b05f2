"""Which kept days later knowledge touches, and the next revision of exactly these. Pure.

Nothing is overwritten: a day that is touched gets revision n + 1, with the causes and the difference to the revision
before. The difference may be zero: then the evidence came and changed nothing. What arrives once more touches nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from enum import StrEnum

import msgspec

from alerting.stations.verdict import Verdict
from audit.days.figures import Figures, StationSources, openings_of
from audit.days.local_days import LocalDay
from audit.days.spans import Spans, common, either, milliseconds, spans_of, union
from audit.days.station_days import StationDay
from audit.findings.effects import differing
from audit.timeline import PresenceRun, StateChange, StationDecisions, UnknownInterval, timeline


class RevisionCause(StrEnum):
    """Why a day has a further revision."""

    PRESENCE = "presence"
    CLOSURE = "closure"
    SCHEDULE = "schedule"
    LIFECYCLE = "lifecycle"
    JUDGED = "judged"
    AREA = "area"
    CORRECTION = "correction"


class DayRevision(msgspec.Struct, frozen=True, kw_only=True):
    """The next revision of a day: why, and by how much each figure differs from the revision before."""

    day: StationDay
    causes: tuple[RevisionCause, ...]
    difference: Figures


def touched_days(
    before: StationSources, after: StationSources, days: Sequence[LocalDay]
) -> dict[date, tuple[RevisionCause, ...]]:
    """The days that differ in what their figures are made of, and in which sources."""
    if not days:
        return {}
    window = [(milliseconds(days[0].begin), milliseconds(days[-1].end))]
    changed = {
        RevisionCause.PRESENCE: _presence(before.presence, after.presence),
        RevisionCause.CLOSURE: either(spans_of(before.decided.closures), spans_of(after.decided.closures)),
        RevisionCause.SCHEDULE: either(openings_of(before.decided), openings_of(after.decided)),
        RevisionCause.LIFECYCLE: either(_commissioned(before, days), _commissioned(after, days)),
        RevisionCause.JUDGED: _judged(before, after, days),
        RevisionCause.CORRECTION: differing(before.corrected, after.corrected),
    }
    inside = {cause: common(spans, window) for cause, spans in changed.items()}
    found = {day.day: tuple(cause for cause, spans in inside.items() if _touches(spans, day)) for day in days}
    return {day: causes for day, causes in found.items() if causes}


def moved_days(before: Mapping[date, LocalDay], after: Mapping[date, LocalDay]) -> dict[date, tuple[RevisionCause]]:
    """The days that begin or end at other instants, because the zone of the schedule was edited."""
    return {day: (RevisionCause.SCHEDULE,) for day in sorted(before) if day in after and before[day] != after[day]}


def next_revision(kept: StationDay, fresh: StationDay, causes: Iterable[RevisionCause] = ()) -> DayRevision | None:
    """Revision n + 1 of a kept day from its figures computed anew; None: nothing touched it.

    A day that counts for other areas than before has the cause `area` too.
    """
    moved = (RevisionCause.AREA,) if fresh.path != kept.path else ()
    why = {*causes, *moved}
    if not why:
        return None
    return DayRevision(
        day=msgspec.structs.replace(fresh, revision=kept.revision + 1),
        causes=tuple(cause for cause in RevisionCause if cause in why),
        difference=fresh.figures - kept.figures,
    )


def _touches(spans: Spans, day: LocalDay) -> bool:
    return bool(common(spans, [(milliseconds(day.begin), milliseconds(day.end))]))


def _presence(before: Iterable[PresenceRun], after: Iterable[PresenceRun]) -> Spans:
    """The time of records that are new; a repeated record is not, whenever it was received."""
    one, other = ({(run.began_at, run.ended_at, run.usable) for run in runs} for runs in (before, after))
    return spans_of((begin, end) for begin, end, _ in one ^ other)


def _commissioned(sources: StationSources, days: Sequence[LocalDay]) -> Spans:
    lifecycles = StationDecisions(lifecycles=sources.decided.lifecycles)
    history = timeline((), (), (), begin=days[0].begin, end=days[-1].end, decided=lifecycles)
    return spans_of((span.begin, span.end) for span in history if span.verdict != Verdict.SUSPENDED)


def _judged(before: StationSources, after: StationSources, days: Sequence[LocalDay]) -> Spans:
    """The time in which transitions or gaps say something else."""
    one, other = (_said(sources.changes, sources.gaps, days) for sources in (before, after))
    differing = [either(one.get(word, ()), other.get(word, ())) for word in one.keys() | other.keys()]
    return union(*differing, either(_blind(before.gaps), _blind(after.gaps)))


def _said(
    changes: Iterable[StateChange], gaps: Iterable[UnknownInterval], days: Sequence[LocalDay]
) -> dict[tuple[str, bool | None], Spans]:
    found: dict[tuple[str, bool | None], Spans] = {}
    for span in timeline(changes, gaps, (), begin=days[0].begin, end=days[-1].end):
        key = span.verdict, span.usable
        found[key] = union(found.get(key, ()), spans_of([(span.begin, span.end)]))
    return found


def _blind(gaps: Iterable[UnknownInterval]) -> Spans:
    return spans_of((gap.began_at, gap.ended_at) for gap in gaps if not gap.silent)
