"""The report of an area's uptime for a month or a year: sums, areas, stations with reasons (the worst first), and days.
Pure."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from fractions import Fraction
from typing import Any, Final

import msgspec

from audit.days.figures import Figures
from audit.ledger.checkpoints import claimed_cosigners
from audit.ledger.notes import NoteError, parse_note
from audit.ranks import ranked
from audit.reports.columns import titled_column
from audit.reports.document import (
    CellValue,
    ColumnKind,
    DailyRates,
    Report,
    ReportColumn,
    ReportTable,
    ReportText,
)
from audit.reports.made_up import marked
from audit.reports.reasons import LostDays, not_online_ms, not_served_ms, reasons
from audit.reports.texts import text
from contract.glossary import word
from contract.home import HOME

_VERIFY: Final = ("verify_export", "verify_figures")
_RATES: Final = ("online_rate", "service_rate", "coverage")
_SUMS: Final = ("scheduled_ms", "excused_ms", "unknown_ms", "due_ms", "online_ms", "service_due_ms", "usable_ms")


class ReportedPlace(msgspec.Struct, frozen=True, kw_only=True):
    """A station (`area`: the name of its area) or an area. `causes`: the causes in its repairs, as machine words;
    `unexplained`: the number of its incidents without a cause; `lost`: for a month only."""

    id: str
    name: str
    figures: Figures
    area: str = ""
    incidents: int = 0
    causes: tuple[str, ...] = ()
    unexplained: int = 0
    lost: LostDays | None = None


class PeriodFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The subject of a report. `place`: None for everything in the scope; `kept`: the first and the last counted day;
    `frozen`: the day on which the month was frozen, None for a year; `made_up`: for a demonstration."""

    place: tuple[str, str] | None
    period: str
    is_year: bool
    last: date
    kept: tuple[date, date] | None
    frozen: date | None
    checkpoint: str | None
    made_up: bool = False


class UptimeFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The facts of a report of an area. `parts`: days (or the first days of months) with their figures; `before`: the
    name and the figures of the period before; `later`: the figures with addenda, None without addenda."""

    about: PeriodFacts
    figures: Figures
    later: Figures | None
    before: tuple[str, Figures]
    areas: Sequence[ReportedPlace]
    stations: Sequence[ReportedPlace]
    parts: Sequence[tuple[date, Figures]]


def uptime_report(facts: UptimeFacts, language: str) -> Report:
    """The report in `language` (zh-CN or en)."""
    about = facts.about
    place = text("everything", language) if about.place is None else about.place[1]
    title = text("by_month" if about.is_year else "by_day", language)
    report = Report(
        title=text("uptime_title", language, place=place),
        subtitle=about.period,
        language=language,
        dated=about.last,
        facts=period_lines(about, len(facts.stations), language),
        notes=(text("rates_note", language),),
        tables=(
            sums_table(facts.figures, facts.later, facts.before, language),
            _stations(facts.stations, language),
            *([_areas(facts.areas, language)] if facts.areas else []),
            parts_table(facts.parts, language, title=title),
        ),
        listed=1,
        wide=True,
        text=verify_text(about, language),
        chart=daily_chart(about, facts.parts, language),
        checkpoint=about.checkpoint,
    )
    return marked(report) if about.made_up else report


def period_lines(about: PeriodFacts, stations: int | None, language: str) -> tuple[tuple[str, str], ...]:
    """The subject of a report, as labels and values."""

    def said(name: str, **values: object) -> str:
        return text(name, language, **values)

    kept = about.kept
    if about.is_year:
        status = said("of_year")
    else:
        status = said("not_frozen") if about.frozen is None else said("frozen", day=about.frozen)
    return (
        *(
            []
            if about.place is None
            else [(said("area" if stations is not None else "station"), " ".join(about.place))]
        ),
        (said("period"), about.period),
        (said("days"), said("no_days") if kept is None else said("days_between", first=kept[0], last=kept[1])),
        (said("status"), status),
        *([] if stations is None else [(said("stations"), f"{stations:,}")]),
    )


def verify_text(about: PeriodFacts, language: str) -> ReportText:
    """The steps for a reader to verify a report."""
    first, last = about.kept or (about.last, about.last)
    return ReportText(
        page=text("page", language),
        verify_title=text("verify_title", language),
        verify=(
            *(text(name, language, first=first, last=last) for name in _VERIFY),
            *([] if about.checkpoint is None else _checkpoint_lines(about.checkpoint, language)),
        ),
        no_checkpoint=text("no_checkpoint", language),
    )


def _checkpoint_lines(checkpoint: str, language: str) -> list[str]:
    """With what a reader compares a checkpoint, and who signed it."""
    step = "verify_checkpoint" if _cosigners_of(checkpoint) else "verify_checkpoint_alone"
    return [text(step, language), witness_line(checkpoint, language)]


def witness_line(checkpoint: str, language: str) -> str:
    """Whether another office signed a checkpoint. The signatures are not verified here."""
    cosigners = _cosigners_of(checkpoint)
    if not cosigners:
        return text("no_witness", language)
    named = [f"{name} ({datetime.fromtimestamp(at, HOME):%Y-%m-%d %H:%M})" for name, at in cosigners]
    return text("cosigned", language, names=text("comma", language).join(named))


def _cosigners_of(checkpoint: str) -> tuple[tuple[str, int], ...]:
    try:
        return claimed_cosigners(parse_note(checkpoint))
    except NoteError:
        return ()


def daily_chart(about: PeriodFacts, parts: Iterable[tuple[date, Figures]], language: str) -> DailyRates | None:
    """The service rate of each day of a month; None for a year, and without days."""
    rates = tuple((day, figures.service_rate) for day, figures in sorted(parts))
    return None if about.is_year or not rates else DailyRates(title=text("chart", language), days=rates)


def parts_table(parts: Iterable[tuple[date, Figures]], language: str, *, title: str) -> ReportTable:
    """Days or months with their figures, in order."""
    day = titled_column("day", language, ColumnKind.DAY, 3)
    rows = [(at, *_rates(figures), *_all(figures)) for at, figures in sorted(parts)]
    columns = (day, *_rate_columns(language), *figure_columns(language, *_SUMS))
    return ReportTable(name=title[:31], title=title, columns=columns, rows=rows)


def worst_first(places: Iterable[ReportedPlace]) -> list[tuple[int | None, ReportedPlace]]:
    """(rank, place) by service rate, then by online rate, the time without service, and the id. Equal service rates
    have the same rank; places without a service rate come last and have no rank."""
    return ranked(sorted(places, key=_order), lambda place: place.figures.service_rate)


def _order(place: ReportedPlace) -> Any:
    figures = place.figures
    return (
        figures.service_rate is None,
        figures.service_rate or Fraction(),
        figures.online_rate is None,
        figures.online_rate or Fraction(),
        -not_served_ms(figures),
        place.id,
    )


def _stations(stations: Iterable[ReportedPlace], language: str) -> ReportTable:
    columns = (
        titled_column("rank", language, ColumnKind.COUNT, 1),
        titled_column("station", language, share=3),
        titled_column("name", language, share=5),
        titled_column("area", language, share=3),
        *_rate_columns(language),
        titled_column("not_online_ms", language, ColumnKind.TIME),
        titled_column("not_served_ms", language, ColumnKind.TIME),
        *figure_columns(language, "due_ms", "unknown_ms", "excused_ms"),
        titled_column("incidents", language, ColumnKind.COUNT),
        titled_column("why", language, share=8),
    )
    return ReportTable(
        name=text("stations", language),
        title=text("stations_worst", language),
        columns=columns,
        rows=[_station_row(rank, place, language) for rank, place in worst_first(stations)],
        note=text("order_note", language),
    )


def _station_row(rank: int | None, place: ReportedPlace, language: str) -> tuple[CellValue, ...]:
    figures = place.figures
    return (
        rank,
        place.id,
        place.name,
        place.area,
        *_rates(figures),
        not_online_ms(figures),
        not_served_ms(figures),
        figures.due_ms,
        figures.unknown_ms,
        figures.excused_ms,
        place.incidents,
        reasons(figures, place.causes, language, unexplained=place.unexplained, lost=place.lost),
    )


def _areas(areas: Iterable[ReportedPlace], language: str) -> ReportTable:
    columns = (
        titled_column("rank", language, ColumnKind.COUNT, 1),
        titled_column("code", language, share=3, title="area_code"),
        titled_column("name", language, share=4),
        *_rate_columns(language),
        *figure_columns(language, *_SUMS),
    )
    rows = [
        (rank, place.id, place.name, *_rates(place.figures), *_all(place.figures)) for rank, place in worst_first(areas)
    ]
    return ReportTable(name=text("area", language), title=text("areas_worst", language), columns=columns, rows=rows)


def sums_table(figures: Figures, later: Figures | None, before: tuple[str, Figures], language: str) -> ReportTable:
    """The sums of the period, with addenda if there are any, and of the period before."""
    name, earlier = before
    lines = [
        (text("this_period", language), figures),
        *([] if later is None else [(text("with_addenda", language), later)]),
        (text("period_before", language, name=name), earlier),
    ]
    part = titled_column("part", language, share=4)
    return ReportTable(
        name=text("sums", language),
        title=text("sums", language),
        columns=(part, *_rate_columns(language), *figure_columns(language, *_SUMS)),
        rows=[(label, *_rates(found), *_all(found)) for label, found in lines],
    )


def _rate_columns(language: str) -> tuple[ReportColumn, ...]:
    return tuple(
        ReportColumn(key=f"{name}_percent", title=word("figure", name, language), kind=ColumnKind.RATE)
        for name in _RATES
    )


def figure_columns(language: str, *names: str) -> tuple[ReportColumn, ...]:
    """Columns of times; `names`: the names of the figures."""
    return tuple(ReportColumn(key=name, title=word("figure", name, language), kind=ColumnKind.TIME) for name in names)


def _rates(figures: Figures) -> tuple[Fraction | None, ...]:
    return tuple(getattr(figures, name) for name in _RATES)


def _all(figures: Figures) -> tuple[int, ...]:
    return tuple(getattr(figures, name) for name in _SUMS)
