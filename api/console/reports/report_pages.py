"""Pages of reports: the targets of programmes as of a day, and the effect of an area in a month or a year.

They show the tables of the reports for download, so a page and a report have the same numbers.
"""

import re
from collections.abc import Awaitable, Callable
from datetime import date, datetime
from http import HTTPStatus
from typing import Any, Final

from fastapi import Request, Response

from api.console.area_choice import AreaFound, find_area
from api.console.pages import link, page_router, show, words_for
from api.context import Shared
from api.http.parameters import Text
from api.http.problems import Problem
from api.read.reports.effect import load_effect_facts
from api.read.reports.programme import MOST_STATIONS, load_programme_facts
from api.read.uptime.load import usual_period
from api.read.uptime.period import UptimePeriod, period_named
from audit.reports.cell_text import cell_text
from audit.reports.document import Report, ReportTable
from audit.reports.effect_report import effect_report
from audit.reports.programme_report import programme_report
from contract.bounds import require_day
from contract.home import HOME
from store.pool import Connection

router = page_router()

MOST_ROWS: Final = 200
_MOST_OF_EFFECT: Final = 1_000
_PERIOD: Final = re.compile(r"(19|20|21)\d\d(-(0[1-9]|1[0-2]))?")
_FAULTS: Final = {
    HTTPStatus.NOT_FOUND: "report_unknown",
    HTTPStatus.UNPROCESSABLE_ENTITY: "report_too_many",
}
"""The text of the page for the status of a Problem."""

Make = Callable[[], Report]


@router.get("/programmes")
async def show_programmes(request: Request, context: Shared, area: Text = "", day: Text = "") -> Response:
    """What programmes promised and what was reached by the end of a day, the least progress first."""
    words = words_for(request)
    asked, bad = _day(day.strip())

    async def load(connection: Connection, codes: list[str] | None) -> Make:
        facts = await load_programme_facts(connection, codes, asked, words.language, most=MOST_STATIONS)
        return lambda: programme_report(facts, words.language)

    async with context.database.snapshot() as connection:
        where_asked = await find_area(connection, request, area, words)
        made, fault = await _made(connection, where_asked, load)
    return await _shown(
        request,
        context,
        made,
        fault,
        name="programmes",
        field={"name": "day", "label": words("programmes_day"), "value": asked.isoformat(), "type": "date"},
        wrong=words("report_bad_day") if bad else "",
        where_asked=where_asked,
        area=area,
        file="/api/v1/reports/programme",
    )


@router.get("/effect")
async def show_effect(request: Request, context: Shared, area: Text = "", period: Text = "") -> Response:
    """The use of an area in a month or a year: stations, the least used first, with the reasons."""
    words = words_for(request)
    async with context.database.snapshot() as connection:
        asked, bad = await _period(connection, period.strip())

        async def load(connection: Connection, codes: list[str] | None) -> Make:
            facts = await load_effect_facts(connection, codes, asked, words.language, most=_MOST_OF_EFFECT)
            return lambda: effect_report(facts, words.language)

        where_asked = await find_area(connection, request, area, words)
        made, fault = await _made(connection, where_asked, load)
    return await _shown(
        request,
        context,
        made,
        fault,
        name="effect",
        field={"name": "period", "label": words("uptime_period"), "value": asked.name, "type": "text"},
        wrong=words("uptime_bad_period") if bad else "",
        where_asked=where_asked,
        area=area,
        file="/api/v1/reports/effect",
    )


async def _made(
    connection: Connection, area: AreaFound, load: Callable[[Connection, list[str] | None], Awaitable[Make]]
) -> tuple[Make | None, str | None]:
    """The function that makes the report, or the name of the text that says why there is none."""
    if area.choices:
        return None, None
    try:
        return await load(connection, [area.code] if area.code else area.codes and area.codes[:1]), None
    except Problem as exc:
        if exc.status not in _FAULTS:
            raise
        return None, _FAULTS[HTTPStatus(exc.status)]


async def _shown(
    request: Request,
    context: Shared,
    made: Make | None,
    fault: str | None,
    *,
    name: str,
    field: dict[str, str],
    where_asked: AreaFound,
    file: str,
    **values: Any,
) -> Response:
    words = words_for(request)
    report = None if made is None else await context.work.do(MOST_ROWS, made)
    tables = [] if report is None else [_table(table) for table in report.tables if table.rows]
    query = {"area": where_asked.code, field["name"]: field["value"], "language": words.language}
    return show(
        request,
        "report.html",
        HTTPStatus.NOT_FOUND if fault == "report_unknown" else HTTPStatus.OK,
        name=name,
        report=report,
        tables=tables,
        fault=fault,
        field=field,
        most=MOST_ROWS,
        where_asked=where_asked,
        files=[] if report is None else [(form, link(file, **query, format=form)) for form in ("pdf", "xlsx", "csv")],
        **values,
    )


def _table(table: ReportTable) -> dict[str, Any]:
    columns = [column.heading for column in table.columns]
    return {
        "title": table.title,
        "note": table.note,
        "columns": columns,
        "rows": [
            [
                (cell_text(value, column.kind), _target_of(column.key, value))
                for value, column in zip(row, table.columns, strict=True)
            ]
            for row in table.rows[:MOST_ROWS]
        ],
        "more": len(table.rows) > MOST_ROWS,
    }


def _target_of(key: str, value: object) -> str:
    """The page that a cell leads to; empty: none."""
    if key == "station":
        return f"/stations/{value}"
    return f"/areas/{value}" if key == "area_code" else ""


def _day(text: str) -> tuple[date, bool]:
    """The day that is asked for, else today; and whether the text names none."""
    try:
        return require_day(date.fromisoformat(text)), False
    except ValueError:
        return datetime.now(HOME).date(), bool(text)


async def _period(connection: Connection, text: str) -> tuple[UptimePeriod, bool]:
    if _PERIOD.fullmatch(text):
        return period_named(text), False
    return await usual_period(connection), bool(text)
