"""Make, answer and close findings and disputes; propose, approve and refuse corrections."""

from typing import Annotated, Literal

from fastapi import Request
from pydantic import BaseModel, Field

from access.roles import Permission
from api.actions.actor import author_of
from api.actions.people import with_own
from api.actions.photos import put_finding_photo
from api.actions.settle import settle
from api.context import Context
from api.http.paging import MAX_ID
from api.http.problems import Problem
from api.http.times import parse_stored_time
from api.read.findings.listing import (
    CorrectionDocument,
    FindingDocument,
    correction_document,
    finding_document,
    require_correction,
    require_finding,
)
from api.read.moment import load_now
from audit.findings import store as finding_store
from audit.findings.rules import (
    MAX_FINDING_TEXT,
    AuditFinding,
    Correction,
    CorrectionStatus,
    CountsAs,
    FindingKind,
    NewCorrection,
    NewFinding,
    NotYoursError,
)
from registry.photos.rules import Photo
from store.pool import Connection

_Name = Annotated[str | None, Field(min_length=1, max_length=64)]
_Text = Annotated[str, Field(min_length=1, max_length=MAX_FINDING_TEXT)]
_Time = Annotated[str | None, Field(max_length=64)]


class DisputeRequest(BaseModel):
    """A time of a station, and what is wrong with it; times are ISO 8601. `by`: on whose behalf the account acts."""

    station: str = Field(min_length=1, max_length=64)
    begin: str = Field(alias="from", max_length=64)
    until: str = Field(max_length=64)
    text: _Text
    by: _Name = None


class FindingRequest(BaseModel):
    """An incident of a single station, or a station with times; times are ISO 8601. `by`: on whose behalf the account
    acts."""

    incident: int | None = Field(
        default=None, ge=0, le=MAX_ID, description="an incident; station and times may be left out"
    )
    station: _Name = None
    begin: _Time = Field(default=None, alias="from")
    until: _Time = None
    text: _Text
    by: _Name = None


class AnswerRequest(BaseModel):
    """`by`: on whose behalf the account acts."""

    text: _Text
    by: _Name = None


class ProposalRequest(BaseModel):
    """A time of a station, and as what it should count; times are ISO 8601. `by`: on whose behalf the account acts."""

    station: str = Field(min_length=1, max_length=64)
    begin: str = Field(alias="from", max_length=64)
    until: str = Field(max_length=64)
    counts_as: Literal["up", "down", "unknown", "excused", "observed"]
    reason: _Text
    finding: int | None = Field(default=None, ge=0, le=MAX_ID, description="the finding that is the reason")
    by: _Name = None


class DecisionRequest(BaseModel):
    """`why`: an explanation; `by`: on whose behalf the account acts."""

    why: str | None = Field(default=None, max_length=MAX_FINDING_TEXT)
    by: _Name = None


async def make_finding(
    context: Context, request: Request, said: FindingRequest, photo: Photo | None = None
) -> FindingDocument:
    """A finding of an auditor, with a photo as its evidence. Raises a Problem (422)."""
    new = NewFinding(
        kind=FindingKind.FINDING,
        text=said.text,
        station=said.station,
        incident=said.incident,
        from_at=None if said.begin is None else parse_stored_time("from", said.begin),
        until_at=None if said.until is None else parse_stored_time("until", said.until),
    )
    return await _make(context, request, new, said.by, photo)


async def make_dispute(
    context: Context, request: Request, said: DisputeRequest, photo: Photo | None = None
) -> FindingDocument:
    """A dispute of a time by a person of the station, with a photo as its evidence. Raises a Problem (422)."""
    new = NewFinding(
        kind=FindingKind.DISPUTE,
        text=said.text,
        station=said.station,
        from_at=parse_stored_time("from", said.begin),
        until_at=parse_stored_time("until", said.until),
    )
    return await _make(context, request, new, said.by, photo)


async def _make(
    context: Context, request: Request, new: NewFinding, by: str | None, photo: Photo | None
) -> FindingDocument:
    author = author_of(request, by)

    async def make(connection: Connection) -> AuditFinding:
        made = await finding_store.make_finding(connection, new, author, await load_now(connection))
        if photo is not None:
            await put_finding_photo(connection, made.id, author, photo)
        return made

    return finding_document(await settle(context, make, 422))


async def answer_finding(context: Context, request: Request, number: int, said: AnswerRequest) -> FindingDocument:
    """Answer a finding. Raises a Problem (404; 409 when it has an answer, is closed or is of the same account)."""
    author = author_of(request, said.by)

    async def answer(connection: Connection) -> AuditFinding | None:
        return await finding_store.answer_finding(connection, number, said.text, author, await load_now(connection))

    return require_finding(number, await settle(context, answer))


async def close_finding(context: Context, request: Request, number: int, said: AnswerRequest) -> FindingDocument:
    """Close a finding. Raises a Problem (404; 409 when it is closed, or another account has to close it)."""
    author = author_of(request, said.by)
    is_auditor = context.actor is not None and context.actor.may(Permission.MAKE_FINDING)

    async def close(connection: Connection) -> AuditFinding | None:
        now = await load_now(connection)
        return await finding_store.close_finding(connection, number, said.text, author, now, is_auditor=is_auditor)

    return require_finding(number, await settle(context, close))


async def propose_correction(context: Context, request: Request, said: ProposalRequest) -> CorrectionDocument:
    """Propose a correction. Raises a Problem (422)."""
    author = author_of(request, said.by)
    new = NewCorrection(
        station=said.station,
        from_at=parse_stored_time("from", said.begin),
        until_at=parse_stored_time("until", said.until),
        counts_as=CountsAs(said.counts_as),
        reason=said.reason,
        finding=said.finding,
    )

    async def propose(connection: Connection) -> Correction:
        return await finding_store.propose_correction(connection, new, author, await load_now(connection))

    return correction_document(await settle(context, propose, 422))


async def approve_correction(
    context: Context, request: Request, number: int, said: DecisionRequest
) -> CorrectionDocument:
    """Approve a correction. Raises a Problem (404; 409 when it is decided, or proposed by the same account, which the
    ledger then records)."""
    try:
        return await _decide(context, request, number, CorrectionStatus.APPROVED, said)
    except Problem as exc:
        if isinstance(exc.__cause__, NotYoursError):
            author = author_of(request, said.by)
            # The scope of an account with areas does not show whether the ledger has the entry already.
            async with with_own(context).database.transaction() as connection:
                await finding_store.record_own_approval(connection, number, author, await load_now(connection))
        raise


async def refuse_correction(
    context: Context, request: Request, number: int, said: DecisionRequest
) -> CorrectionDocument:
    """Refuse a correction. Raises a Problem (404; 409 when it is decided)."""
    return await _decide(context, request, number, CorrectionStatus.REFUSED, said)


async def _decide(
    context: Context, request: Request, number: int, decision: CorrectionStatus, said: DecisionRequest
) -> CorrectionDocument:
    author = author_of(request, said.by)

    async def decide(connection: Connection) -> Correction | None:
        now = await load_now(connection)
        return await finding_store.decide_correction(connection, number, decision, said.why, author, now)

    return require_correction(number, await settle(context, decide))
