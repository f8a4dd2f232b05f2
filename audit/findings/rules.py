"""The rules of findings, disputes and corrections. Pure.

| step | who | when |
|---|---|---|
| finding | an auditor | about a time of a station, or an incident of a station |
| dispute | a person of the station | about a time of the station |
| answer | a supervisor, not the account that made it | once, while it is open |
| close | an auditor, or the account that made it; never the account that answered | while it is open |
| correction | a supervisor proposes it | about a time that is over |
| approve | another account | while it waits |
| refuse | an account with the permission to correct; the proposer withdraws a correction in this way | while it waits |
"""

from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from contract.bounds import OutOfBoundsError, require_time
from contract.errors import RemedyError
from contract.glossary import WORDS
from contract.said import Said

MAX_FINDING_TEXT: Final = 4000
"""Maximum number of characters of a finding, an answer and a reason."""


class FindingKind(StrEnum):
    """Whether an auditor (finding) or a person of the station (dispute) reports a fault; the values are stored."""

    FINDING = "finding"
    DISPUTE = "dispute"


class FindingStatus(StrEnum):
    """The status of a finding."""

    OPEN = "open"
    ANSWERED = "answered"
    CLOSED = "closed"


class CountsAs(StrEnum):
    """As what a corrected time counts; the values are stored."""

    UP = "up"
    DOWN = "down"
    UNKNOWN = "unknown"
    EXCUSED = "excused"
    OBSERVED = "observed"


class CorrectionStatus(StrEnum):
    """The status of a correction."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REFUSED = "refused"


class NewFinding(msgspec.Struct, frozen=True, kw_only=True):
    """A new finding or dispute. With an incident, the station and the times may be left out: then they are those of the
    incident."""

    kind: FindingKind
    text: str
    station: str | None = None
    incident: int | None = None
    from_at: datetime | None = None
    until_at: datetime | None = None


class AuditFinding(msgspec.Struct, frozen=True, kw_only=True):
    """A stored finding or dispute."""

    id: int
    kind: FindingKind
    station: str
    incident: int | None
    from_at: datetime
    until_at: datetime
    text: str
    made_by: str
    made_remark: str | None
    made_at: datetime
    answer: str | None = None
    answered_by: str | None = None
    answered_remark: str | None = None
    answered_at: datetime | None = None
    closed_why: str | None = None
    closed_by: str | None = None
    closed_remark: str | None = None
    closed_at: datetime | None = None

    @property
    def status(self) -> FindingStatus:
        """How far it is."""
        if self.closed_at is not None:
            return FindingStatus.CLOSED
        return FindingStatus.OPEN if self.answered_at is None else FindingStatus.ANSWERED


class NewCorrection(msgspec.Struct, frozen=True, kw_only=True):
    """A new correction: a time of a station, and as what this time should count."""

    station: str
    from_at: datetime
    until_at: datetime
    counts_as: CountsAs
    reason: str
    finding: int | None = None


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """A stored correction."""

    id: int
    station: str
    finding: int | None
    from_at: datetime
    until_at: datetime
    counts_as: CountsAs
    reason: str
    proposed_by: str
    proposed_remark: str | None
    proposed_at: datetime
    decision: str | None = None
    decided_by: str | None = None
    decided_remark: str | None = None
    decided_at: datetime | None = None
    decided_why: str | None = None

    @property
    def status(self) -> CorrectionStatus:
        """How far it is."""
        return CorrectionStatus.PROPOSED if self.decision is None else CorrectionStatus(self.decision)


class NotYoursError(RemedyError):
    """Another account must do this."""


def require_sound_times(begin: datetime, end: datetime, now: datetime) -> None:
    """Raise RemedyError for times that are not an interval in the past."""
    for name, at in (("from", begin), ("until", end)):
        try:
            require_time(at)
        except OutOfBoundsError as exc:
            raise RemedyError(f"{name}: {exc}", exc.said.zh) from exc
    if end <= begin:
        raise RemedyError(
            "the end must be after the beginning: correct the times", "结束时间须晚于开始时间：请改正时间"
        )
    if end > now:
        raise RemedyError(
            "the time must be over: name an end that is not later than now",
            "所指时段须已结束：结束时间不得晚于当前时间",
        )


def require_text(text: str) -> str:
    """The text without blanks around it. Raises RemedyError for a text that is empty or too long."""
    found = text.strip()
    if not found or len(found) > MAX_FINDING_TEXT:
        raise RemedyError(
            f"a text is required: write up to {MAX_FINDING_TEXT} characters",
            f"请填写内容，最多 {MAX_FINDING_TEXT} 字",
        )
    return found


def require_answerable(finding: AuditFinding, account: str) -> None:
    """Raise RemedyError for a finding that is answered or closed, or that this account made."""
    name = _named(finding)
    if finding.status is FindingStatus.CLOSED:
        raise _closed(finding)
    if finding.status is FindingStatus.ANSWERED:
        raise RemedyError(
            f"{name.en} has an answer already: its author or an auditor closes it; make another finding or dispute if "
            "needed",
            f"{name.zh}已有答复：由提出方予以办结，或另行提出",
        )
    if finding.made_by == account:
        raise NotYoursError(
            f"your account made {name.en}, so another person must answer it", f"{name.zh}由您的账户提出，须由另一人答复"
        )


def require_closable(finding: AuditFinding, account: str, *, is_auditor: bool) -> None:
    """Raise RemedyError for a finding that is closed, or that this account may not close. `is_auditor`: the account may
    make findings."""
    name = _named(finding)
    if finding.status is FindingStatus.CLOSED:
        raise _closed(finding)
    if finding.answered_by == account:
        raise NotYoursError(
            f"your account answered {name.en}, so another person must close it",
            f"{name.zh}由您的账户答复，须由另一人办结",
        )
    if not is_auditor and finding.made_by != account:
        raise NotYoursError(
            f"only an auditor or the person who made {name.en} may close it: ask one of them",
            f"{name.zh}须由审计人员或提出人办结：请与其联系",
        )


def require_decidable(correction: Correction, account: str, *, approves: bool) -> None:
    """Raise RemedyError for a correction that is decided, or if an account approves its own correction."""
    if correction.status is not CorrectionStatus.PROPOSED:
        word = WORDS["correction_status"][correction.status]
        raise RemedyError(
            f"correction {correction.id} is decided ({word.en}): propose another correction if the decision is wrong",
            f"更正 {correction.id} 已有结论（{word.zh}）：如有错误，请另行提出更正",
        )
    if approves and correction.proposed_by == account:
        raise NotYoursError(
            f"your account proposed correction {correction.id}, so another person must approve it: ask a colleague "
            "with the permission to approve, or an administrator for a further account",
            f"更正 {correction.id} 由您的账户提出，须由另一人批准：请让有批准权限的同事用自己的账户批准，"
            "没有这样的同事时，请管理员新建账户",
        )


def _named(finding: AuditFinding) -> Said:
    word = WORDS["finding"][finding.kind]
    return Said(f"{word.en} {finding.id}", f"{word.zh} {finding.id} ")


def _closed(finding: AuditFinding) -> RemedyError:
    name = _named(finding)
    return RemedyError(f"{name.en} is closed: make another finding or dispute", f"{name.zh}已办结：请另行提出")
