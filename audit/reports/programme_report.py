"""The report of programmes: their targets, what was reached of them by a day (the least first) and why. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from fractions import Fraction
from itertools import islice
from typing import Final

import msgspec

from audit.days.figures import percent
from audit.programmes.reach import Amount, TargetReach, TargetStatus, furthest_first
from audit.reports.cell_text import bytes_text
from audit.reports.columns import titled_column
from audit.reports.document import ByteCount, CellValue, ColumnKind, Report, ReportTable
from audit.reports.made_up import marked
from audit.reports.texts import text
from audit.reports.uptime_report import PeriodFacts, verify_text
from contract.glossary import word
from registry.model import SHARES

_NAMES: Final = 5
"""Areas that a reason names."""
MOST_LACKING: Final = 1_000
"""Areas of a target in the table of areas without a station."""
_COUNT: Final = ColumnKind.COUNT
_OF_AREAS: Final = ("covered", "covered_areas")


class ProgrammeFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The facts of a report. `areas`: the names of areas by code; `rate_days`: the days of rates."""

    about: PeriodFacts
    day: date
    reaches: Sequence[TargetReach]
    areas: Mapping[str, str]
    rate_days: int


def programme_report(facts: ProgrammeFacts, language: str) -> Report:
    """The report in `language` (zh-CN or en)."""
    about = facts.about
    place = text("everything", language) if about.place is None else about.place[1]
    lacking = _lacking(facts, language)
    report = Report(
        title=text("programme_title", language, place=place),
        subtitle=facts.day.isoformat(),
        language=language,
        dated=facts.day,
        facts=(
            *([] if about.place is None else [(text("area", language), " ".join(about.place))]),
            (text("as_of", language), facts.day.isoformat()),
            (text("by_status", language), _counts(facts.reaches, language)),
        ),
        notes=(
            text("programme_note", language),
            text("programme_areas", language),
            text("programme_measures", language, days=facts.rate_days),
            text("programme_proof", language),
        ),
        tables=(_targets(facts, language), *([lacking] if lacking.rows else [])),
        listed=0,
        wide=True,
        text=verify_text(about, language),
        checkpoint=about.checkpoint,
    )
    return marked(report) if about.made_up else report


def why_short(one: TargetReach, names: Mapping[str, str], language: str) -> str:
    """The reasons for which a target is not reached; empty for one that is, or that promises nothing."""
    if one.status in (TargetStatus.REACHED, TargetStatus.NO_PROMISE):
        return ""
    return text("separator", language).join(_why(one, names, language))


def metric_name(one: TargetReach, language: str) -> str:
    """The name of the metric of a target, with the language of its content."""
    name = word("metric", one.target.metric, language)
    spoken = one.target.language
    return name if spoken is None else text("of_language", language, metric=name, language=spoken)


def amount_text(amount: Amount, metric: str) -> str:
    """An amount, bytes in units, or a share in percent; all are rounded down."""
    if metric in SHARES:
        return percent(Fraction(amount)) or ""
    return bytes_text(int(amount)) if metric == "content_bytes" else f"{int(amount):,}"


def _why(one: TargetReach, names: Mapping[str, str], language: str) -> Iterator[str]:
    if one.reached is None or one.promised is None:
        yield text("nothing_measured", language)
    else:
        yield text("short_by", language, n=amount_text(one.promised - one.reached, one.target.metric))
    if one.lacking and one.target.metric in _OF_AREAS:
        yield text(
            "areas_lacking", language, n=len(one.lacking), all=one.units, names=_some(one.lacking, names, language)
        )
    if one.waiting:
        yield text("stations_waiting", language, n=f"{one.waiting:,}")


def _some(codes: Sequence[str], names: Mapping[str, str], language: str) -> str:
    shown = text("comma", language).join(names.get(code, code) for code in islice(codes, _NAMES))
    more = len(codes) - _NAMES
    return text("areas_more", language, names=shown, n=f"{more:,}") if more > 0 else shown


def _counts(reaches: Sequence[TargetReach], language: str) -> str:
    found = Counter(one.status for one in reaches)
    return text("targets_counted", language, **{status.value: f"{found[status]:,}" for status in TargetStatus})


def _targets(facts: ProgrammeFacts, language: str) -> ReportTable:
    return ReportTable(
        name=text("targets", language),
        title=text("targets_furthest", language),
        columns=(
            titled_column("rank", language, _COUNT, 1),
            titled_column("target", language, share=3),
            titled_column("name", language, share=5),
            titled_column("programme", language, share=3),
            titled_column("metric", language, share=3),
            titled_column("promised", language, _COUNT, 3),
            titled_column("reached", language, _COUNT, 3),
            titled_column("progress_percent", language, ColumnKind.RATE, title="progress"),
            titled_column("deadline", language, ColumnKind.DAY, 3),
            titled_column("status", language),
            titled_column("in_service", language, _COUNT, 3),
            titled_column("waiting", language, _COUNT, 3),
            titled_column("why", language, share=7),
        ),
        rows=[(rank, *_cells(one, facts.areas, language)) for rank, one in furthest_first(facts.reaches)],
    )


def _cells(one: TargetReach, names: Mapping[str, str], language: str) -> tuple[CellValue, ...]:
    target = one.target
    return (
        target.id,
        target.name,
        target.programme or "",
        metric_name(one, language),
        _cell(one.promised, target.metric),
        _cell(one.reached, target.metric),
        one.progress,
        target.deadline,
        word("target_status", one.status, language),
        one.stations,
        one.waiting,
        why_short(one, names, language),
    )


def _cell(amount: Amount | None, metric: str) -> CellValue:
    return ByteCount(amount) if metric == "content_bytes" and amount is not None else amount


def _lacking(facts: ProgrammeFacts, language: str) -> ReportTable:
    title = text("lacking_areas", language)
    return ReportTable(
        name=title,
        title=title,
        columns=(
            titled_column("target", language, share=3),
            titled_column("name", language, share=5),
            titled_column("area_code", language, share=3),
            titled_column("area", language, share=5),
        ),
        rows=[
            (one.target.id, one.target.name, code, facts.areas.get(code, ""))
            for _, one in furthest_first(facts.reaches)
            if one.target.metric in _OF_AREAS
            for code in one.lacking[:MOST_LACKING]
        ],
    )
