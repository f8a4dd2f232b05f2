"""The report of the effect of an area: use, terminals, stations (the least used first), days and content. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import Final

import msgspec

from audit.effect.figures import (
    Effect,
    StationEffect,
    Stock,
    UseFigures,
    UseState,
    by_part,
    least_used_first,
    split_sums,
    total_effect,
)
from audit.reports.columns import titled_column
from audit.reports.document import CellValue, ColumnKind, Report, ReportColumn, ReportTable
from audit.reports.made_up import marked
from audit.reports.texts import text
from audit.reports.uptime_report import PeriodFacts, figure_columns, period_lines, verify_text

_COUNT: Final = ColumnKind.COUNT


class EffectFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The facts of a report. `properties`: visits by "category" and "language"; `known_days`, `working_days`: the rule
    for terminals."""

    about: PeriodFacts
    stations: Sequence[StationEffect]
    days: Mapping[date, UseFigures]
    properties: Mapping[str, Mapping[str, int]]
    stock: Sequence[Stock]
    known_days: int
    working_days: int


def effect_report(facts: EffectFacts, language: str) -> Report:
    """The report in `language` (zh-CN or en)."""
    about = facts.about
    place = text("everything", language) if about.place is None else about.place[1]
    whole = total_effect(station.effect for station in facts.stations)
    split = {
        name: _split(name, split_sums(sums, whole.use.sessions), whole.use.sessions, language)
        for name, sums in facts.properties.items()
    }
    report = Report(
        title=text("effect_title", language, place=place),
        subtitle=about.period,
        language=language,
        dated=about.last,
        facts=(
            *period_lines(about, len(facts.stations), language),
            (text("effect_counts", language), _counts(facts.stations, language)),
        ),
        notes=(
            text("effect_note", language),
            text("effect_sources", language),
            text("effect_terminals", language, known=facts.known_days, working=facts.working_days),
        ),
        tables=(
            _sums(whole, language),
            _stations(facts.stations, language),
            *(table for table in split.values() if table.rows),
            _parts(facts, language),
            *([_stock(facts.stock, language)] if facts.stock else []),
        ),
        listed=1,
        wide=True,
        text=verify_text(about, language),
        checkpoint=about.checkpoint,
    )
    return marked(report) if about.made_up else report


def why_little(effect: Effect, language: str) -> str:
    """The reasons for little use; empty for a station with visits and working terminals."""
    return text("separator", language).join(_why(effect, language))


def _why(effect: Effect, language: str) -> Iterator[str]:
    if effect.state is not UseState.USED:
        yield text(f"state_{effect.state}", language)
    terminals = effect.terminals
    if effect.state is not UseState.NOT_DUE and not terminals.known:
        yield text("no_terminal", language)
    elif terminals.working < terminals.known:
        yield text("terminals_broken", language, n=terminals.known - terminals.working, known=terminals.known)


def _counts(stations: Sequence[StationEffect], language: str) -> str:
    found = Counter(station.effect.state for station in stations)
    return text("effect_counted", language, **{state.value: f"{found[state]:,}" for state in UseState})


def _columns(language: str) -> tuple[ReportColumn, ...]:
    return (
        titled_column("use_rate_percent", language, ColumnKind.RATE, title="use_rate"),
        titled_column("sessions", language, _COUNT),
        titled_column("used_ms", language, ColumnKind.TIME),
        titled_column("open_ms", language, ColumnKind.TIME),
        *figure_columns(language, "online_ms"),
        titled_column("terminals", language, _COUNT, 1),
        titled_column("working", language, _COUNT, 1),
        titled_column("working_percent", language, ColumnKind.RATE, title="working_share"),
    )


def _cells(effect: Effect) -> tuple[CellValue, ...]:
    return (
        effect.use_rate,
        effect.use.sessions,
        effect.use.used_ms,
        effect.open_ms,
        effect.figures.online_ms,
        effect.terminals.known,
        effect.terminals.working,
        effect.terminals.share,
    )


def _sums(whole: Effect, language: str) -> ReportTable:
    title = text("sums", language)
    return ReportTable(
        name=title,
        title=title,
        columns=(*_columns(language), titled_column("bytes", language, _COUNT)),
        rows=[(*_cells(whole), whole.use.bytes)],
    )


def _stations(stations: Sequence[StationEffect], language: str) -> ReportTable:
    return ReportTable(
        name=text("stations", language),
        title=text("least_used", language),
        columns=(
            titled_column("rank", language, _COUNT, 1),
            titled_column("station", language, share=4),
            titled_column("name", language, share=5),
            titled_column("area", language, share=3),
            *_columns(language),
            titled_column("why", language, share=7),
        ),
        rows=[
            (rank, one.id, one.name, one.area, *_cells(one.effect), why_little(one.effect, language))
            for rank, one in least_used_first(stations)
        ],
        note=text("effect_order", language),
    )


def _split(name: str, parts: Sequence[tuple[str | None, int]], sessions: int | None, language: str) -> ReportTable:
    title = text(f"by_{name}", language)
    return ReportTable(
        name=title[:31],
        title=title,
        columns=(
            titled_column("value", language, share=4),
            titled_column("sessions", language, _COUNT),
            titled_column("share_percent", language, ColumnKind.RATE, title="share_of_visits"),
        ),
        rows=[
            (text("not_given", language) if value is None else value, visits, _share(visits, sessions))
            for value, visits in parts
        ],
    )


def _share(visits: int, sessions: int | None) -> Fraction | None:
    return Fraction(visits, sessions) if sessions else None


def _parts(facts: EffectFacts, language: str) -> ReportTable:
    title = text("by_month" if facts.about.is_year else "by_day", language)
    return ReportTable(
        name=title,
        title=title,
        columns=(
            titled_column("day", language, ColumnKind.DAY, 3),
            titled_column("sessions", language, _COUNT),
            titled_column("used_ms", language, ColumnKind.TIME),
            titled_column("bytes", language, _COUNT),
        ),
        rows=[
            (day, use.sessions, use.used_ms, use.bytes)
            for day, use in by_part(facts.days, is_year=facts.about.is_year).items()
        ],
    )


def _stock(stock: Sequence[Stock], language: str) -> ReportTable:
    title = text("stock", language)
    return ReportTable(
        name=title,
        title=title,
        columns=(
            titled_column("language", language, share=3),
            titled_column("titles", language, _COUNT),
            titled_column("bytes", language, _COUNT, title="stock_bytes"),
            titled_column("stations", language, _COUNT, title="stations_holding"),
        ),
        rows=[(one.language or text("not_given", language), one.titles, one.bytes, one.stations) for one in stock],
        note=text("effect_stock", language),
    )
