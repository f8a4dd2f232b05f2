"""Assessments of areas and stations by rules; each is kept for ever."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from api.actions.assessments.make import AssessmentRequest, assess_area
from api.context import Shared
from api.http.paging import PageOf
from api.http.parameters import AreaFilter, AssessmentId, ReportLanguage
from api.http.work import WorkRoute
from api.read.assessments.documents import (
    AssessedPlace,
    AssessmentDocument,
    WholeAssessment,
    list_assessments,
    places_page,
    require_kept,
    whole_document,
)
from api.read.schemas import Listing

router = APIRouter(tags=["assessments"], route_class=WorkRoute)

_AssessedPeriod = Annotated[
    str | None,
    Query(pattern=r"^(19|20|21)\d\d(-(0[1-9]|1[0-2]))?$", description="only of this month or year: 2026-11, 2026"),
]


@router.get("/assessments")
async def get_assessments(
    context: Shared, page: PageOf, area: AreaFilter = None, period: _AssessedPeriod = None
) -> Listing[AssessmentDocument]:
    """Assessments, the newest first, of an area with all areas below it. Your account sees an assessment if its scope
    has the assessed area."""
    async with context.database.snapshot() as connection:
        return await list_assessments(connection, page, areas=area, period=period)


@router.post("/assessments", status_code=201)
async def assess(context: Shared, request: Request, said: AssessmentRequest) -> AssessmentDocument:
    """Assess an area, the areas below it and its stations, for a month or a year whose last day is counted. 409 if it
    is assessed already: then `why` makes a further revision. 422 for more than 5,000 stations: `milepost assess` has
    no limit."""
    return await assess_area(context, request, said)


@router.get("/assessments/{id}")
async def get_assessment(
    context: Shared,
    id: AssessmentId,  # noqa: A002
    language: ReportLanguage = "zh-CN",
) -> WholeAssessment:
    """An assessment: the result of the whole area, its rules, and the hashes of what is kept."""
    async with context.database.snapshot() as connection:
        found = await require_kept(connection, id)
    return await context.work.do_alone(lambda: whole_document(found, language))


@router.get("/assessments/{id}/places")
async def get_assessed_places(
    context: Shared,
    page: PageOf,
    id: AssessmentId,  # noqa: A002
    level: Annotated[str | None, Query(max_length=32, description="only this level, such as county or station")] = None,
    language: ReportLanguage = "zh-CN",
) -> Listing[AssessedPlace]:
    """The places of an assessment, the highest level first, in each level the worst first, with a reason for each lost
    point."""
    async with context.database.snapshot() as connection:
        found = await require_kept(connection, id)
    return await context.work.do_alone(lambda: places_page(found, page, language, level))
