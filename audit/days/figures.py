"""The figures of a station for a span of time, in whole milliseconds. Pure.

    S  scheduled    opening hours, while the station is commissioned
    E  excused      approved closures within S
    U  unknown      within S without E: the platform was blind, or could not prove a silence
    D  due          S without E and U
       online       time in D in which the station was heard
    K  service due  D without the time in which the station was online and no terminal said whether it is usable
       usable       time in K in which the station was online and usable, or ran usable while its link was down

Online rate = online / D, service rate = usable / K, coverage = D / (S - E). A rate of nothing is None: neither 100% nor
0%. Presence counts for service only, because the station was not online. `audit.timeline` decides what a station was at
each moment; here time is only added. U follows the gaps also for a station that was never heard, because the platform
could not have heard it. Time that two persons corrected (`audit.findings`) counts as they decided, within S.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from fractions import Fraction
from functools import reduce
from operator import add
from typing import Final

import msgspec

from alerting.stations.verdict import UP, Verdict
from audit.days.spans import EVER, Span, Spans, common, length, spans_of, union, without
from audit.findings.effects import NOTHING_CORRECTED, CorrectedSpans
from audit.timeline import (
    NOTHING_DECIDED,
    HistoryInterval,
    PresenceRun,
    StateChange,
    StationDecisions,
    UnknownInterval,
    timeline,
)

COVERAGE_NEEDED: Final = Fraction(95, 100)
"""Below this coverage no headline rate is shown."""


class StationSources(msgspec.Struct, frozen=True, kw_only=True):
    """All that the figures of a station are made of, in any order and with repetitions."""

    changes: tuple[StateChange, ...] = ()
    gaps: tuple[UnknownInterval, ...] = ()
    presence: tuple[PresenceRun, ...] = ()
    decided: StationDecisions = NOTHING_DECIDED
    corrected: CorrectedSpans = NOTHING_CORRECTED


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Milliseconds of a station or an area. They can be added, over days and over stations; rates cannot."""

    scheduled_ms: int = 0
    excused_ms: int = 0
    unknown_ms: int = 0
    online_ms: int = 0
    service_due_ms: int = 0
    usable_ms: int = 0

    def __add__(self, other: "Figures") -> "Figures":
        return self._with(other, int.__add__)

    def __sub__(self, other: "Figures") -> "Figures":
        return self._with(other, int.__sub__)

    def times(self, count: int) -> "Figures":
        """The sum of `count` stations with these same figures."""
        return Figures(**{name: getattr(self, name) * count for name in self.__struct_fields__})

    @property
    def due_ms(self) -> int:
        """D: the time for which the station answers."""
        return self.scheduled_ms - self.excused_ms - self.unknown_ms

    @property
    def online_rate(self) -> Fraction | None:
        """Online time of D; None when nothing was due."""
        return _ratio(self.online_ms, self.due_ms)

    @property
    def service_rate(self) -> Fraction | None:
        """Usable time of K; None when K is empty."""
        return _ratio(self.usable_ms, self.service_due_ms)

    @property
    def coverage(self) -> Fraction | None:
        """How much of the time that nobody excused the platform can judge; None when there was none."""
        return _ratio(self.due_ms, self.scheduled_ms - self.excused_ms)

    @property
    def has_headline(self) -> bool:
        """Whether the rates may stand alone: something was due, and coverage is at least `COVERAGE_NEEDED`."""
        return self.due_ms > 0 and self.coverage is not None and self.coverage >= COVERAGE_NEEDED

    def _with(self, other: "Figures", combine: Callable[[int, int], int]) -> "Figures":
        return Figures(**{name: combine(getattr(self, name), getattr(other, name)) for name in self.__struct_fields__})


def figures_between(sources: StationSources, begin: datetime, end: datetime) -> Figures:
    """The figures of a station for [begin, end); all zero when `end` is not after `begin`."""
    if begin >= end:
        return Figures()
    decided, corrected = sources.decided, sources.corrected
    observed = without(EVER, corrected.any)
    history = timeline(sources.changes, sources.gaps, sources.presence, begin=begin, end=end, decided=decided)
    blind = spans_of((gap.began_at, gap.ended_at) for gap in sources.gaps if not gap.silent)

    scheduled = common(openings_of(decided), _when(history, _is_commissioned))
    excused = common(scheduled, union(common(observed, spans_of(decided.closures)), corrected.excused))
    answerable = without(scheduled, excused)
    not_known = common(observed, union(blind, _when(history, _is_unknown)))
    unknown = common(answerable, union(not_known, corrected.unknown))
    due = without(answerable, unknown)
    service_due = without(due, common(observed, _when(history, _says_nothing)))
    online = union(common(observed, _when(history, _is_heard)), corrected.up)
    usable = union(common(observed, _when(history, _serves)), corrected.up)
    return Figures(
        scheduled_ms=length(scheduled),
        excused_ms=length(excused),
        unknown_ms=length(unknown),
        online_ms=length(common(due, online)),
        service_due_ms=length(service_due),
        usable_ms=length(common(service_due, usable)),
    )


def openings_of(decided: StationDecisions) -> Spans:
    """The opening hours of a station, whatever its lifecycle."""
    return EVER if decided.openings is None else spans_of(decided.openings)


def total(figures: Iterable[Figures]) -> Figures:
    """The sum: the figures of several days, or of several stations."""
    return reduce(add, figures, Figures())


def percent(rate: Fraction | None) -> str | None:
    """A rate for people, with two decimals. It is rounded down, so only 100% is shown as 100%."""
    if rate is None:
        return None
    hundredths = hundredths_of_percent(rate)
    return f"{hundredths // 100}.{hundredths % 100:02}%"


def hundredths_of_percent(rate: Fraction) -> int:
    """A rate in hundredths of a percent, rounded down, so that only a complete time is 100.00%."""
    return int(rate * 10_000 // 1)


def _ratio(part: int, whole: int) -> Fraction | None:
    return Fraction(part, whole) if whole else None


def _when(history: Iterable[HistoryInterval], holds: Callable[[HistoryInterval], bool]) -> list[Span]:
    return spans_of((interval.begin, interval.end) for interval in history if holds(interval))


def _is_commissioned(interval: HistoryInterval) -> bool:
    return interval.verdict != Verdict.SUSPENDED


def _is_unknown(interval: HistoryInterval) -> bool:
    return interval.verdict == Verdict.UNKNOWN


def _is_heard(interval: HistoryInterval) -> bool:
    return interval.verdict in UP


def _says_nothing(interval: HistoryInterval) -> bool:
    return _is_heard(interval) and interval.usable is None


def _serves(interval: HistoryInterval) -> bool:
    """Heard or recorded as usable. A station that is silent without a record serves nobody."""
    return interval.usable is True and (_is_heard(interval) or interval.evidence == "presence")
