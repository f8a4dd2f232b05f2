"""Make an assessment."""

from decimal import Decimal
from typing import Annotated, Final

from fastapi import Request
from pydantic import BaseModel, Field

from api.actions.actor import author_of
from api.actions.settle import settle
from api.context import Context
from api.http.parameters import area_codes
from api.http.problems import Problem
from api.read.assessments.documents import AssessmentDocument, assessment_document
from api.read.assessments.load import load_inputs
from api.read.moment import load_now
from api.read.scope import asked_areas
from api.read.uptime.period import period_named
from audit.assessments.kept import KeptAssessment, make_assessment
from audit.assessments.measured import AssessmentInputs, Satisfaction
from audit.assessments.rules_yaml import MOST_RULES, default_rules
from audit.assessments.scores import MOST_SOURCE, satisfaction
from audit.assessments.store import MOST_WHY, keep_assessment
from contract.errors import RemedyError
from store.pool import Connection

MOST_ASSESSED: Final = 5_000
"""Maximum number of stations in an assessment by the API; `milepost assess` has no such limit."""
_MOST_GIVEN: Final = 2_000


class ScoreRequest(BaseModel):
    """A satisfaction score of a third party for a station or an area, in percent."""

    place: str = Field(min_length=1, max_length=64)
    score: Decimal = Field(ge=0, le=100, decimal_places=2)
    source: str = Field(default="", max_length=MOST_SOURCE)


class AssessmentRequest(BaseModel):
    """`area`: left out for everything; `rules`: YAML, left out for those of Milepost; `why`: the reason for a further
    revision; `by`: on whose behalf the account acts."""

    area: Annotated[str | None, Field(min_length=1, max_length=32)] = None
    period: str = Field(pattern=r"^(19|20|21)\d\d(-(0[1-9]|1[0-2]))?$")
    rules: Annotated[str | None, Field(max_length=MOST_RULES)] = None
    scores: list[ScoreRequest] = Field(default=[], max_length=_MOST_GIVEN)
    why: Annotated[str | None, Field(min_length=1, max_length=MOST_WHY)] = None
    by: Annotated[str | None, Field(min_length=1, max_length=64)] = None


async def assess_area(context: Context, request: Request, said: AssessmentRequest) -> AssessmentDocument:
    """Assess an area and keep the result. Raises a Problem: 422 for what cannot be assessed, 409 if there is an
    assessment and `why` gives no reason for a further one."""
    author = author_of(request, said.by)
    try:
        inputs = await _inputs(context, said)
        rules = default_rules() if said.rules is None else said.rules
        new = await context.work.do_alone(lambda: make_assessment(inputs, rules))
    except RemedyError as exc:
        raise Problem(422, str(exc)) from exc

    async def keep(connection: Connection) -> KeptAssessment:
        return await keep_assessment(connection, new, said.why, author, await load_now(connection))

    return assessment_document((await settle(context, keep)).summary)


async def _inputs(context: Context, said: AssessmentRequest) -> AssessmentInputs:
    scores: dict[str, Satisfaction] = {}
    for one in said.scores:
        if one.place in scores:
            raise Problem(422, f"{one.place} has two scores: keep one")
        scores[one.place] = satisfaction(f"{one.score:f}", one.source)
    async with context.database.snapshot() as connection:
        if said.area is None and await asked_areas(connection, None) is not None:
            raise Problem(422, "your account does not see everything: name an area")
        try:
            return await load_inputs(
                connection, area_codes(said.area), period_named(said.period), scores, most=MOST_ASSESSED
            )
        except Problem as exc:
            raise Problem(422 if exc.status == 404 else exc.status, exc.detail) from exc
