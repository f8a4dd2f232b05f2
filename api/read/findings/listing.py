"""Findings, disputes and corrections: filtered lists and single items."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from api.http.paging import MAX_ID, AfterCorrection, AfterFinding, Page
from api.http.problems import not_found
from api.read.found import FoundPage
from api.read.schemas import Document
from audit.findings import store as finding_store
from audit.findings.rules import AuditFinding, Correction
from store.pool import Connection

FindingState = Literal["open", "answered", "closed"]
CorrectionState = Literal["proposed", "approved", "refused"]
_Account = Annotated[str | None, Field(description="the account")]
_Remark = Annotated[str | None, Field(description="on whose behalf the account acted, as the client said")]


class FindingDocument(Document):
    """A finding of an auditor, or a dispute of a person of the station, about a time of a station, with its answer."""

    model_config = ConfigDict(title="Finding")

    id: int
    kind: Literal["finding", "dispute"]
    status: FindingState
    station: str
    incident: int | None
    begin: datetime = Field(serialization_alias="from")
    until: datetime
    text: str
    made_by: str = Field(description="the account")
    made_remark: _Remark = None
    made_at: datetime
    answer: str | None
    answered_by: _Account
    answered_remark: _Remark = None
    answered_at: datetime | None
    closed_why: str | None
    closed_by: _Account
    closed_remark: _Remark = None
    closed_at: datetime | None


class CorrectionDocument(Document):
    """A time of a station that counts otherwise than observed, after a second account has approved the correction."""

    model_config = ConfigDict(title="Correction")

    id: int
    status: CorrectionState
    station: str
    finding: int | None
    begin: datetime = Field(serialization_alias="from")
    until: datetime
    counts_as: Literal["up", "down", "unknown", "excused", "observed"]
    reason: str
    proposed_by: str = Field(description="the account")
    proposed_remark: _Remark = None
    proposed_at: datetime
    decided_by: _Account
    decided_remark: _Remark = None
    decided_at: datetime | None
    decided_why: str | None


async def list_findings(
    connection: Connection,
    page: Page,
    *,
    station: str | None = None,
    incident: int | None = None,
    status: str | None = None,
    begin: datetime | None = None,
    end: datetime | None = None,
) -> FoundPage[FindingDocument]:
    """Findings and disputes, the newest first, whose time overlaps the time from `begin` to `end`. Raises a Problem for
    an invalid cursor."""
    after = page.after(AfterFinding, AfterFinding(MAX_ID)).id
    query = finding_store.QUERIES.list_findings
    rows = await connection.fetch(query, after, station, incident, status, page.limit + 1, begin, end)
    shown, following = page.cut(rows, lambda row: AfterFinding(row["id"]))
    return FoundPage(
        rows=shown,
        next=following,
        document=lambda row: finding_document(finding_store.finding_of(row)),
        things=len(shown),
    )


async def list_corrections(
    connection: Connection,
    page: Page,
    *,
    station: str | None = None,
    finding: int | None = None,
    status: str | None = None,
) -> FoundPage[CorrectionDocument]:
    """Corrections, the newest first. Raises a Problem for an invalid cursor."""
    after = page.after(AfterCorrection, AfterCorrection(MAX_ID)).id
    query = finding_store.QUERIES.list_corrections
    rows = await connection.fetch(query, after, station, finding, status, page.limit + 1)
    shown, following = page.cut(rows, lambda row: AfterCorrection(row["id"]))
    return FoundPage(
        rows=shown,
        next=following,
        document=lambda row: correction_document(finding_store.correction_of(row)),
        things=len(shown),
    )


async def load_finding(connection: Connection, number: int) -> FindingDocument:
    """One finding or dispute. Raises a Problem (404)."""
    return require_finding(number, await finding_store.load_finding(connection, number))


async def load_correction(connection: Connection, number: int) -> CorrectionDocument:
    """One correction. Raises a Problem (404)."""
    return require_correction(number, await finding_store.load_correction(connection, number))


def require_finding(number: int, finding: AuditFinding | None) -> FindingDocument:
    """The document of a finding that was looked up by its number. Raises a Problem (404) when there is none."""
    if finding is None:
        raise not_found("finding", number)
    return finding_document(finding)


def require_correction(number: int, correction: Correction | None) -> CorrectionDocument:
    """The document of a correction that was looked up by its number. Raises a Problem (404) when there is none."""
    if correction is None:
        raise not_found("correction", number)
    return correction_document(correction)


def finding_document(finding: AuditFinding) -> FindingDocument:
    """A finding as the API and the pages show it."""
    names = set(FindingDocument.model_fields) - {"begin", "until", "status", "kind"}
    return FindingDocument(
        begin=finding.from_at,
        until=finding.until_at,
        status=finding.status.value,
        kind=finding.kind.value,
        **{name: getattr(finding, name) for name in names},
    )


def correction_document(correction: Correction) -> CorrectionDocument:
    """A correction as the API and the pages show it."""
    names = set(CorrectionDocument.model_fields) - {"begin", "until", "status", "counts_as"}
    return CorrectionDocument(
        begin=correction.from_at,
        until=correction.until_at,
        status=correction.status.value,
        counts_as=correction.counts_as.value,
        **{name: getattr(correction, name) for name in names},
    )
