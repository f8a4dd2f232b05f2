"""Pages of assessments: the list, and a single one with the worst places and why."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import Request, Response

from api.console.area_choice import find_area
from api.console.name_lookup import load_account_names
from api.console.pages import page_router, show, words_for
from api.console.texts import Words
from api.context import Shared
from api.http.paging import MAX_ID, AfterAssessment, Page
from api.http.parameters import AssessmentId, Cursor, Text
from api.read.assessments.documents import require_kept, rules_of
from audit.assessments.assess import PlaceResult
from audit.assessments.kept import AssessmentSummary, KeptAssessment, inputs_of, result_of
from audit.assessments.store import list_assessments
from audit.reports.assessment_report import assessment_report, change, level_word, lost_reasons, measured_by_key
from audit.reports.cell_text import cell_text, points_text
from audit.reports.document import ReportTable
from audit.reports.texts import text

router = page_router()

_PAGE: Final = 50
_SHOWN: Final = 100
"""Maximum number of places of a level on a page."""
_PERIOD: Final = re.compile(r"(19|20|21)\d\d(-(0[1-9]|1[0-2]))?")


@router.get("/assessments")
async def show_assessments(
    request: Request, context: Shared, area: Text = "", period: Text = "", cursor: Cursor = ""
) -> Response:
    """Assessments, the newest first."""
    words = words_for(request)
    page = Page(_PAGE, cursor or None)
    before = page.after(AfterAssessment, AfterAssessment(MAX_ID)).id
    asked = period.strip() if _PERIOD.fullmatch(period.strip()) else None
    async with context.database.snapshot() as connection:
        where_asked = await find_area(connection, request, area, words)
        found = await list_assessments(
            connection, before=before, areas=where_asked.codes, period=asked, limit=_PAGE + 1
        )
        accounts = await load_account_names(connection, words, [one.made_by for one in found])
    shown, following = page.cut(found, lambda one: AfterAssessment(one.id))
    return show(
        request,
        "assessments.html",
        rows=[{"one": one, **_summary(one, words)} for one in shown],
        who=accounts.shown,
        next=following,
        cursor=cursor,
        area=area,
        where_asked=where_asked,
        period=asked or "",
        bad_period=bool(period.strip()) and asked is None,
    )


@router.get("/assessments/{id}")
async def show_assessment(request: Request, context: Shared, id: AssessmentId) -> Response:  # noqa: A002
    """One assessment: its result, the places of each level with the worst first, the rules."""
    words = words_for(request)
    async with context.database.snapshot() as connection:
        found = await require_kept(connection, id)
        accounts = await load_account_names(connection, words, [found.summary.made_by])
    return show(
        request,
        "assessment.html",
        one=found.summary,
        who=accounts.shown,
        most=_SHOWN,
        **_summary(found.summary, words),
        **await context.work.do_alone(lambda: _contents(found, words)),
    )


def _summary(one: AssessmentSummary, words: Words) -> dict[str, Any]:
    return {
        "place": text("everything", words.language)
        if one.area is None
        else words.pick(one.area_name or one.area, one.area_name_en),
        "points": None if one.score is None else points_text(one.score),
    }


def _contents(found: KeptAssessment, words: Words) -> dict[str, Any]:
    """What the page shows from the report, so that both say the same."""
    report = assessment_report(found, words.language)
    whole, _, rules = report.tables
    return {
        "title": report.title,
        "facts": report.facts,
        "notes": report.notes,
        "tables": [_table(whole), _table(rules)],
        "levels": _levels(found, words),
    }


def _table(table: ReportTable) -> dict[str, Any]:
    return {
        "title": table.title,
        "note": table.note,
        "columns": [column.heading for column in table.columns],
        "rows": [
            [cell_text(value, column.kind) for value, column in zip(row, table.columns, strict=True)]
            for row in table.rows
        ],
    }


def _levels(found: KeptAssessment, words: Words) -> list[dict[str, Any]]:
    places: dict[str, list[PlaceResult]] = {}
    for one in result_of(found.kept).places:
        places.setdefault(one.level, []).append(one)
    return [
        {"title": level_word(level, words.language), "rows": _rows(found, ones[:_SHOWN], words), "of": len(ones)}
        for level, ones in places.items()
    ]


def _rows(found: KeptAssessment, places: Sequence[PlaceResult], words: Words) -> list[Mapping[str, Any]]:
    measured, rules = measured_by_key(inputs_of(found.kept)), rules_of(found)
    rows: list[Mapping[str, Any]] = []
    for one in places:
        place, changed = measured[one.level, one.id], change(one)
        rows.append(
            {
                "id": one.id,
                "name": place.named(words.language),
                "rank": one.rank,
                "result": one.result.value,
                "points": None if one.score is None else points_text(one.score),
                "change": None if changed is None else ("+" if changed > 0 else "") + points_text(changed),
                "reasons": lost_reasons(place, one, rules, words.language),
            }
        )
    return rows
