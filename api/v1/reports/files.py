"""Reports as files: PDF, XLSX or CSV."""

from collections.abc import Callable
from datetime import date, datetime
from functools import partial
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Response

from api.context import Context, Shared
from api.http.parameters import AreaFilter, AssessmentId, FormatName, PeriodName, ReportLanguage, StationId
from api.http.problems import Problem
from api.http.work import WorkRoute
from api.read.assessments.documents import require_kept
from api.read.reports.effect import load_effect_facts
from api.read.reports.load import load_uptime_facts
from api.read.reports.programme import MOST_STATIONS as PROGRAMME_STATIONS
from api.read.reports.programme import load_programme_facts
from api.read.reports.station import load_station_facts
from api.read.uptime.load import asked_period
from audit.reports.assessment_report import assessment_report
from audit.reports.document import Report
from audit.reports.effect_report import effect_report
from audit.reports.formats import FORMATS, PROOF
from audit.reports.pdf_process import pdf_apart
from audit.reports.programme_report import programme_report
from audit.reports.station_report import StationFacts, station_report
from audit.reports.uptime_report import uptime_report
from contract.bounds import FIRST_DAY, LAST_DAY
from contract.home import HOME
from contract.said import SaidError

router = APIRouter(tags=["reports"], route_class=WorkRoute)

MOST_STATIONS: Final = {"pdf": 1_000, "xlsx": 5_000, "csv": 5_000}
"""Maximum number of stations in a report of the API; `milepost report` has no such limit."""

SheetFormatName = Annotated[
    Literal["pdf", "xlsx", "csv", "proof"],
    Query(description="the format of the file; proof: the text that proves the figures of a month"),
]
DayName = Annotated[date | None, Query(ge=FIRST_DAY, le=LAST_DAY, description="a day: 2026-11-30; today")]


def _described(*media: str) -> dict[int | str, dict[str, Any]]:
    schema = {"schema": {"type": "string", "format": "binary"}, "example": "(the bytes of the file)"}
    return {200: {"description": "the file", "content": dict.fromkeys(media, schema)}}


_MEDIA: Final = tuple(form.media for form in FORMATS.values())
_FILE: Final = _described(*_MEDIA)
_SHEET: Final = _described(*_MEDIA, PROOF)


@router.get("/reports/uptime", response_class=Response, responses=_FILE)
async def get_uptime_report(
    context: Shared,
    area: AreaFilter = None,
    period: PeriodName = None,
    format: FormatName = "pdf",  # noqa: A002 -- the name of the parameter
    language: ReportLanguage = "zh-CN",
) -> Response:
    """The uptime of an area with all areas below it, or of everything in the scope: sums, areas, stations in order of
    their service rates (the lowest first) with the reasons, and days. CSV has the stations. 422 for more than 1,000
    stations in a PDF or 5,000 in another format: ask for a smaller area."""
    async with context.database.snapshot() as connection:
        asked = await asked_period(connection, period)
        facts = await load_uptime_facts(connection, area, asked, language, most=MOST_STATIONS[format])
    name = facts.about.place[0] if facts.about.place else "all"
    return await _file(context, lambda: uptime_report(facts, language), format, f"uptime-{name}-{asked.name}")


@router.get("/reports/effect", response_class=Response, responses=_FILE)
async def get_effect_report(
    context: Shared,
    area: AreaFilter = None,
    period: PeriodName = None,
    format: FormatName = "pdf",  # noqa: A002 -- the name of the parameter
    language: ReportLanguage = "zh-CN",
) -> Response:
    """The use of an area with all areas below it, or of everything in the scope: visits, time used, terminals that
    work, stations in order of their use rates (the lowest first) with the reasons, visits by category and language,
    days, and content by language. CSV has the stations. 422 for too many stations, as for the report of uptime."""
    async with context.database.snapshot() as connection:
        asked = await asked_period(connection, period)
        facts = await load_effect_facts(connection, area, asked, language, most=MOST_STATIONS[format])
    name = facts.about.place[0] if facts.about.place else "all"
    return await _file(context, lambda: effect_report(facts, language), format, f"effect-{name}-{asked.name}")


@router.get("/reports/programme", response_class=Response, responses=_FILE)
async def get_programme_report(
    context: Shared,
    area: AreaFilter = None,
    day: DayName = None,
    format: FormatName = "pdf",  # noqa: A002 -- the name of the parameter
    language: ReportLanguage = "zh-CN",
) -> Response:
    """What programmes promised and what was reached by the end of a day, of the targets whose areas all lie in an area,
    or in the scope: in order of the progress (the least first) with the reasons, and the areas without a station. CSV
    has the targets. 422 for more than 20,000 stations in the scope."""
    asked = day or datetime.now(HOME).date()
    async with context.database.snapshot() as connection:
        facts = await load_programme_facts(connection, area, asked, language, most=PROGRAMME_STATIONS)
    name = facts.about.place[0] if facts.about.place else "all"
    return await _file(context, lambda: programme_report(facts, language), format, f"programme-{name}-{asked}")


@router.get("/reports/stations/{id}", response_class=Response, responses=_SHEET)
async def get_station_report(
    context: Shared,
    id: StationId,  # noqa: A002 -- the name in the path
    period: PeriodName = None,
    format: SheetFormatName = "pdf",  # noqa: A002 -- the name of the parameter
    language: ReportLanguage = "zh-CN",
) -> Response:
    """A station: its state in each hour, its days, incidents and revisions. CSV has the days. `proof` is the proof of
    a month for `milepost verify`, which a PDF has as an attachment: 409 for a year or a month without kept days, and
    before the first checkpoint."""
    async with context.database.snapshot() as connection:
        asked = await asked_period(connection, period)
        facts = await load_station_facts(connection, id, asked, language)
    if format == "proof":
        return _proof(facts, asked.name)
    return await _file(context, lambda: station_report(facts, language), format, f"station-{asked.name}")


@router.get("/reports/assessments/{id}", response_class=Response, responses=_FILE)
async def get_assessment_report(
    context: Shared,
    id: AssessmentId,  # noqa: A002 -- the name in the path
    format: FormatName = "pdf",  # noqa: A002 -- the name of the parameter
    language: ReportLanguage = "zh-CN",
) -> Response:
    """An assessment: the result, the places (in each level the worst first) with a reason for each lost point, and the
    rules. The same assessment gives the same bytes at any time. CSV has the places. 422 for too many places, as for the
    report of uptime."""
    async with context.database.snapshot() as connection:
        found = await require_kept(connection, id)
    if found.summary.places > MOST_STATIONS[format]:
        raise Problem(422, f"the report has more than {MOST_STATIONS[format]} places: run `milepost report assessment`")
    name = f"assessment-{id}-{found.summary.period}"
    return await _file(context, lambda: assessment_report(found, language), format, name)


def _proof(facts: StationFacts, period: str) -> Response:
    if facts.proof is None:
        raise Problem(
            409, "there is no proof: ask for a month with kept days, after the first checkpoint of the ledger"
        )
    headers = {"Content-Disposition": f'attachment; filename="station-{period}.proof.txt"', "Cache-Control": "no-store"}
    return Response(facts.proof.render(), media_type=PROOF, headers=headers)


async def _file(context: Context, make: Callable[[], Report], form: str, name: str) -> Response:
    written = FORMATS[form]
    write = partial(pdf_apart, fonts=context.config.fonts) if form == "pdf" else written.write
    try:
        data = await context.work.do_alone(lambda: write(make()))
    except SaidError as exc:
        raise Problem(503, str(exc)) from exc
    headers = {"Content-Disposition": f'attachment; filename="{name}.{form}"', "Cache-Control": "no-store"}
    return Response(data, media_type=written.media, headers=headers)
