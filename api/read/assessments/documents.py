"""Assessments as the API and the pages show them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from pydantic import ConfigDict, Field

from api.http.paging import MAX_ID, AfterAssessed, AfterAssessment, Page, cursor_of
from api.http.problems import not_found
from api.read.schemas import Document, Listing
from audit.assessments.assess import PlaceResult
from audit.assessments.kept import AssessmentSummary, KeptAssessment, inputs_of, result_of
from audit.assessments.measured import MeasuredPlace
from audit.assessments.rules import PeriodRules
from audit.assessments.rules_yaml import read_rules
from audit.assessments.store import list_assessments as list_kept
from audit.assessments.store import load_assessment
from audit.reports.assessment_report import lost_reasons, measured_by_key
from store.pool import Connection

_Result = Literal["pass", "warn", "fail", "none"]
_Points = float | None


class AssessmentDocument(Document):
    """An assessment without its places. Points are those of the whole area, of 100."""

    model_config = ConfigDict(title="Assessment")

    id: int
    area: str | None = Field(description="null: everything")
    period: str
    revision: int
    why: str | None = Field(description="the reason for a further revision")
    points: _Points
    result: _Result
    places: int = Field(description="the number of areas below and stations")
    rules_name: str
    rules_version: int
    made_at: datetime
    made_by: str = Field(description="the account")


class AssessedCriterion(Document):
    """A criterion. `possible` is 0 if it is left out."""

    criterion: str
    percent: float | None
    possible: float
    points: float


class AssessedPlace(Document):
    """A place. `reasons`: one for each lost point, in the language that was asked for."""

    level: str = Field(description="station, or the level of an area")
    id: str
    name: str
    rank: int | None = Field(description="in its level, 1 is the best; equal points share a rank")
    points: _Points
    result: _Result
    points_before: _Points
    rank_before: int | None
    lost_by_cap: float
    criteria: list[AssessedCriterion]
    reasons: list[str]


class WholeAssessment(AssessmentDocument):
    """An assessment with the whole area, its counted days, and what proves it."""

    model_config = ConfigDict(title="WholeAssessment")

    first_day: str
    last_day: str
    frozen: bool = Field(description="whether all its months were frozen when it was made")
    made_up: bool = Field(description="whether its data was made up for a demonstration")
    whole: AssessedPlace
    sha256: Mapping[str, str] = Field(description="of inputs, rules and result, as in the ledger")
    rules: str


async def list_assessments(
    connection: Connection, page: Page, *, areas: Sequence[str] | None, period: str | None
) -> Listing[AssessmentDocument]:
    """Assessments, the newest first. Raises a Problem for an invalid cursor."""
    before = page.after(AfterAssessment, AfterAssessment(MAX_ID)).id
    found = await list_kept(connection, before=before, areas=areas, period=period, limit=page.limit + 1)
    shown, following = page.cut(found, lambda one: AfterAssessment(one.id))
    return Listing(items=[assessment_document(one) for one in shown], next=following)


async def require_kept(connection: Connection, number: int) -> KeptAssessment:
    """An assessment. Raises a Problem (404)."""
    found = await load_assessment(connection, number)
    if found is None:
        raise not_found("assessment", number)
    return found


def assessment_document(one: AssessmentSummary) -> AssessmentDocument:
    """A row of the list."""
    return AssessmentDocument(
        points=_points(one.score),
        result=one.outcome.value,
        **{name: getattr(one, name) for name in AssessmentDocument.model_fields if name not in ("points", "result")},
    )


def whole_document(found: KeptAssessment, language: str) -> WholeAssessment:
    """An assessment without its places."""
    inputs, result = inputs_of(found.kept), result_of(found.kept)
    return WholeAssessment(
        **assessment_document(found.summary).model_dump(),
        first_day=inputs.first.isoformat(),
        last_day=inputs.last.isoformat(),
        frozen=inputs.frozen,
        made_up=inputs.made_up,
        whole=_place(result.whole, inputs.whole, rules_of(found), language),
        sha256=found.kept.hashes,
        rules=found.kept.rules,
    )


def places_page(found: KeptAssessment, page: Page, language: str, level: str | None) -> Listing[AssessedPlace]:
    """Places by level, the worst first. Raises a Problem for an invalid cursor."""
    begin = page.after(AfterAssessed, AfterAssessed(0)).count
    places = [one for one in result_of(found.kept).places if level is None or one.level == level]
    shown = places[begin : begin + page.limit]
    end = begin + len(shown)
    following = cursor_of(AfterAssessed(end)) if end < len(places) else None
    return Listing(items=place_documents(found, shown, language), next=following)


def place_documents(found: KeptAssessment, places: Sequence[PlaceResult], language: str) -> list[AssessedPlace]:
    """Places of an assessment with their reasons."""
    measured, rules = measured_by_key(inputs_of(found.kept)), rules_of(found)
    return [_place(one, measured[one.level, one.id], rules, language) for one in places]


def rules_of(found: KeptAssessment) -> PeriodRules:
    """The rules by which it was made."""
    rules = read_rules(found.kept.rules)
    return rules.year if len(found.summary.period) == len("2026") else rules.month


def _place(one: PlaceResult, measured: MeasuredPlace, rules: PeriodRules, language: str) -> AssessedPlace:
    return AssessedPlace(
        level=one.level,
        id=one.id,
        name=measured.named(language),
        rank=one.rank,
        points=_points(one.score),
        result=one.result.value,
        points_before=_points(one.score_before),
        rank_before=one.rank_before,
        lost_by_cap=one.lost_by_cap / 100,
        criteria=[
            AssessedCriterion(
                criterion=line.criterion.value,
                percent=_points(line.value),
                possible=line.possible / 100,
                points=line.points / 100,
            )
            for line in one.lines
        ],
        reasons=lost_reasons(measured, one, rules, language),
    )


def _points(hundredths: int | None) -> float | None:
    return None if hundredths is None else hundredths / 100
