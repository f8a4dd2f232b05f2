"""The report of a station for a month or a year: a strip of its hours, days, incidents and revisions. Pure."""

from collections.abc import Sequence
from datetime import date

import msgspec

from audit.days.figures import Figures
from audit.reports.cell_text import time_text
from audit.reports.columns import titled_column
from audit.reports.document import (
    CellValue,
    ColumnKind,
    HeatStrip,
    Report,
    ReportTable,
    ReportText,
    StripDay,
)
from audit.reports.hour_signs import NOT_OPEN, hour_state, legend
from audit.reports.made_up import marked
from audit.reports.reasons import reasons
from audit.reports.texts import text
from audit.reports.uptime_report import (
    PeriodFacts,
    daily_chart,
    parts_table,
    period_lines,
    sums_table,
    verify_text,
    witness_line,
)
from audit.sheets.station_proof import StationProof
from contract.glossary import word

_HOURS = 24
_PROOF = ("proof_verify", "proof_compare", "proof_digest", "proof_export")


class ReportedIncident(msgspec.Struct, frozen=True, kw_only=True):
    """An incident of the station. Times are in China time, to the minute; `closed`: empty for an open incident;
    `cause`: the cause in its newest repair."""

    id: int
    kind: str
    began: str
    closed: str
    cause: str | None


class ReportedRevision(msgspec.Struct, frozen=True, kw_only=True):
    """A further revision of a day."""

    day: date
    number: int
    recorded: date
    causes: tuple[str, ...]
    addendum: bool
    difference: Figures


class StationFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The facts of a report of a station. `parts`: days (or the first days of months) with their figures; `hours`: the
    figures of the hours of each day, for a month only; `before`: the name and the figures of the period before;
    `proof`: for a month only, if the ledger has a checkpoint."""

    about: PeriodFacts
    area: str
    figures: Figures
    later: Figures | None
    before: tuple[str, Figures]
    parts: Sequence[tuple[date, Figures]]
    hours: Sequence[tuple[date, Sequence[Figures]]]
    incidents: Sequence[ReportedIncident]
    revisions: Sequence[ReportedRevision]
    proof: StationProof | None = None


def station_report(facts: StationFacts, language: str) -> Report:
    """The report in `language` (zh-CN or en)."""
    about, proof = facts.about, facts.proof
    title = text("by_month" if about.is_year else "by_day", language)
    causes = tuple(sorted({incident.cause for incident in facts.incidents if incident.cause is not None}))
    why = reasons(
        facts.figures, causes, language, unexplained=sum(incident.cause is None for incident in facts.incidents)
    )
    place = about.place or ("", "")
    report = Report(
        title=text("station_title", language, place=place[1]),
        subtitle=about.period,
        language=language,
        dated=about.last,
        facts=(
            *period_lines(about, None, language),
            (text("area", language), facts.area),
            (text("why", language), why or text("strip_served", language)),
        ),
        notes=(text("rates_note", language),),
        tables=(
            sums_table(facts.figures, facts.later, facts.before, language),
            parts_table(facts.parts, language, title=title),
            *([_incidents(facts.incidents, language)] if facts.incidents else []),
            *([_revisions(facts.revisions, language)] if facts.revisions else []),
        ),
        listed=1,
        text=_verify_text(facts, language),
        chart=daily_chart(about, facts.parts, language),
        strip=_strip(facts, language) if facts.hours else None,
        checkpoint=about.checkpoint if proof is None else proof.signed.note.render(),
        qr=None if proof is None else proof.qr,
        proof=None if proof is None else proof.render(),
    )
    return marked(report) if about.made_up else report


def _verify_text(facts: StationFacts, language: str) -> ReportText:
    """The steps for a reader: by the proof if there is one."""
    usual, proof = verify_text(facts.about, language), facts.proof
    if proof is None:
        return usual
    values = {"digest": proof.digest, "first": proof.first, "last": proof.last}
    misses = text("comma", language).join(f"{day.day:%m-%d}" for day in proof.unproven)
    lines = [text(name, language, **values) for name in _PROOF]
    lines += [text("proof_misses", language, days=misses)] if misses else []
    lines.append(witness_line(proof.signed.note.render(), language))
    return msgspec.structs.replace(usual, verify=tuple(lines))


def _strip(facts: StationFacts, language: str) -> HeatStrip:
    days = [StripDay(day=day, hours=_signs(hours)) for day, hours in sorted(facts.hours)]
    return HeatStrip(title=text("strip", language), days=tuple(days), legend=legend(language))


def _signs(hours: Sequence[Figures]) -> tuple[str, ...]:
    """24 entries: a day of 23 hours gets an additional hour that is not open, and a day of 25 hours loses its last
    hour."""
    found = [hour_state(figures) for figures in hours[:_HOURS]]
    return (*found, *(NOT_OPEN for _ in range(_HOURS - len(found))))


def _incidents(incidents: Sequence[ReportedIncident], language: str) -> ReportTable:
    columns = (
        titled_column("incident", language, ColumnKind.COUNT, 1),
        titled_column("kind", language, share=3),
        titled_column("began_at", language, share=3, title="began"),
        titled_column("closed_at", language, share=3, title="ended"),
        titled_column("cause", language, share=3),
    )
    rows: list[tuple[CellValue, ...]] = [
        (
            one.id,
            word("kind", one.kind, language),
            one.began,
            one.closed or None,
            None if one.cause is None else word("repair_cause", one.cause, language),
        )
        for one in incidents
    ]
    title = text("incidents", language)
    return ReportTable(name=title, title=title, columns=columns, rows=rows)


def _revisions(revisions: Sequence[ReportedRevision], language: str) -> ReportTable:
    columns = (
        titled_column("day", language, ColumnKind.DAY, 2),
        titled_column("revision", language, ColumnKind.COUNT, 1),
        titled_column("recorded", language, ColumnKind.DAY, 2),
        titled_column("causes", language, share=5),
        titled_column("difference", language, share=6),
    )
    rows: list[tuple[CellValue, ...]] = [
        (one.day, one.number, one.recorded, _causes(one, language), _difference(one.difference, language))
        for one in revisions
    ]
    title = text("revisions", language)
    return ReportTable(name=title, title=title, columns=columns, rows=rows)


def _causes(one: ReportedRevision, language: str) -> str:
    named = [word("revision_cause", cause, language) for cause in one.causes]
    return text("comma", language).join([*named, *([text("addendum", language)] if one.addendum else [])])


def _difference(difference: Figures, language: str) -> str:
    changed = [(name, getattr(difference, name)) for name in difference.__struct_fields__]
    parts = [
        f"{word('figure', name, language)} {'+' if ms > 0 else '−'}{time_text(abs(ms))}" for name, ms in changed if ms
    ]
    return text("comma", language).join(parts)
