"""The page of answers: who owns what, and how fast people acknowledge and repair."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from fastapi import Request, Response

from api.console.area_choice import find_area
from api.console.name_lookup import PlaceNames, load_account_names, load_names_of
from api.console.pages import page_router, show, words_for
from api.console.response.rows import figure_cells, work_row
from api.console.texts import Words
from api.context import Shared
from api.http.parameters import Text
from api.read.moment import load_now
from api.read.response.report import MOST, load_report
from api.read.response.schemas import FiguresDocument, NamedFigures, ResponseDocument
from contract.said import capital

router = page_router()

PERIODS: Final = (7, 30, 90)
"""Days of which the page shows figures; the first is the usual one."""
_NEEDS: Final = ("unowned", "overdue", "escalated")


@router.get("/response")
async def show_response(request: Request, context: Shared, area: Text = "", days: Text = "") -> Response:
    """Incidents that need somebody, and the figures of the last days."""
    words = words_for(request)
    chosen = next((one for one in PERIODS if str(one) == days), PERIODS[0])
    async with context.database.snapshot() as connection:
        where_asked = await find_area(connection, request, area, words)
        now = await load_now(connection)
        found = await load_report(connection, now - timedelta(days=chosen), now, where_asked.codes)
        named = await load_names_of(connection, words, found.places)
        accounts = await load_account_names(connection, words, found.accounts)
    report = await found.document(context.work)
    needs = [(name, getattr(report, name)) for name in _NEEDS]
    return show(
        request,
        "response.html",
        report=report,
        needs=[
            (name, need, [work_row(one, named, words, accounts.shown) for one in need.items]) for name, need in needs
        ],
        tables=_tables(report, named, words),
        most=MOST,
        days=chosen,
        periods=PERIODS,
        area=area,
        where_asked=where_asked,
    )


def _tables(report: ResponseDocument, named: PlaceNames, words: Words) -> list[tuple[str, list[dict[str, Any]]]]:
    """(name of the text, rows) of each table that has rows."""
    areas = {one.name: named.area(one.name) or words("no_place") for one in report.by_area}
    tables = [
        ("by_all", [_row(words("by_all"), report.figures, words)]),
        ("by_kind", [_row(words.named("kind", one.name or ""), one.figures, words) for one in report.by_kind]),
        (
            "by_cause",
            [_row(capital(words.named("repair_cause", one.name or "")), one.figures, words) for one in report.by_cause],
        ),
        ("by_area", _by_area(report.by_area, areas, words)),
    ]
    return [(name, rows) for name, rows in tables if rows]


def _by_area(figures: Sequence[NamedFigures], areas: dict[str | None, str], words: Words) -> list[dict[str, Any]]:
    return [{**_row(areas[one.name], one.figures, words), "code": one.name} for one in figures]


def _row(name: str, figures: FiguresDocument, words: Words) -> dict[str, Any]:
    counts = (figures.incidents, figures.acknowledged, figures.repaired)
    return {"name": name, "counts": counts, "cells": figure_cells(words, figures), "code": None}
