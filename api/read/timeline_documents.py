"""A station's timeline from the rows that it is made of. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec

from alerting.stations.verdict import Verdict
from api.read.rows import DatabaseRow
from api.read.schemas import Interval, StationClosure, Timeline
from audit.timeline import HistoryInterval, PresenceRun, StateChange, StationDecisions, UnknownInterval, timeline
from registry.hours.calendar import ALWAYS, Calendar

_ALWAYS_BEFORE: Final = datetime.min.replace(tzinfo=UTC)


class TimelineRows(msgspec.Struct, frozen=True, kw_only=True):
    """What was read of a station and of the window [begin, end). `changes`: decisions of the judges; `presence`:
    records of the terminals; `gaps`: times that are unknown; `lifecycles`: changes, oldest first; `lifecycle`: the
    present one."""

    begin: datetime
    end: datetime
    changes: Sequence[DatabaseRow]
    presence: Sequence[DatabaseRow]
    gaps: Sequence[UnknownInterval]
    closures: Sequence[StationClosure]
    lifecycles: Sequence[DatabaseRow]
    lifecycle: str
    calendar: Calendar

    @property
    def things(self) -> int:
        """How many things the timeline is made of; a day of opening hours is one."""
        rows = len(self.changes) + len(self.presence) + len(self.gaps)
        return rows + sum(closure.approved for closure in self.closures) + (self.end - self.begin).days

    @property
    def most(self) -> int:
        """Rows of the kind of which there are the most."""
        return max(len(self.changes), len(self.presence), len(self.gaps))


def timeline_document(rows: TimelineRows) -> Timeline:
    """Intervals without gaps or overlaps, oldest first."""
    decided = StationDecisions(
        closures=tuple((closure.begin, closure.end) for closure in rows.closures if closure.approved),
        lifecycles=lifecycles_of(rows.lifecycles, rows.lifecycle),
        openings=None if rows.calendar is ALWAYS else tuple(rows.calendar.openings(rows.begin, rows.end)),
    )
    changes, presence = map(_change, rows.changes), map(_ran, rows.presence)
    spans = timeline(changes, rows.gaps, presence, begin=rows.begin, end=rows.end, decided=decided)
    return Timeline(intervals=[_interval(span) for span in spans])


def lifecycles_of(changes: Sequence[DatabaseRow], present: str) -> tuple[tuple[datetime, str], ...]:
    """(since, lifecycle), oldest first. Without a change on record the present one has always been."""
    first = changes[0]["before"] if changes else present
    return (_ALWAYS_BEFORE, first), *((change["at"], change["after"]) for change in changes)


def _change(row: DatabaseRow) -> StateChange:
    return StateChange(seq=row["seq"], at=row["at"], state=row["after"], usable=row["usable"])


def _ran(row: DatabaseRow) -> PresenceRun:
    return PresenceRun(began_at=row["ts"], ended_at=row["until"], usable=row["usable"], received_at=row["received_at"])


def _interval(span: HistoryInterval) -> Interval:
    return Interval(
        begin=span.begin,
        end=span.end,
        verdict=Verdict(span.verdict),
        usable=span.usable,
        evidence=span.evidence,
        revision=span.revision,
    )
