"""Who may do what with findings and corrections, and when."""

from datetime import UTC, datetime, timedelta

import pytest

from audit.findings.rules import (
    AuditFinding,
    Correction,
    CountsAs,
    FindingKind,
    NotYoursError,
    require_answerable,
    require_closable,
    require_decidable,
    require_sound_times,
    require_text,
)
from contract.errors import RemedyError

NOW = datetime(2026, 11, 28, 4, tzinfo=UTC)
HOUR = timedelta(hours=1)


def finding(kind: str = "finding", *, answered: bool = False, closed: bool = False) -> AuditFinding:
    return AuditFinding(
        id=7,
        kind=FindingKind(kind),
        station="s",
        incident=None,
        from_at=NOW - HOUR,
        until_at=NOW,
        text="t",
        made_by="maker",
        made_remark=None,
        made_at=NOW,
        answered_by="supervisor" if answered else None,
        answered_at=NOW if answered else None,
        closed_at=NOW if closed else None,
    )


def correction(decision: str | None = None) -> Correction:
    return Correction(
        id=9,
        station="s",
        finding=None,
        from_at=NOW - HOUR,
        until_at=NOW,
        counts_as=CountsAs.UP,
        reason="r",
        proposed_by="one",
        proposed_remark=None,
        proposed_at=NOW,
        decision=decision,
    )


def refusal(check: object) -> str:
    try:
        check()  # type: ignore[operator]
    except RemedyError as exc:
        assert exc.said.zh != exc.said.en, "in both languages"
        return type(exc).__name__
    return ""


@pytest.mark.parametrize(
    ("case", "about", "account", "refused"),
    [
        ("another person answers", finding(), "supervisor", ""),
        ("nobody answers himself", finding(), "maker", "NotYoursError"),
        ("a dispute is answered in the same way", finding("dispute"), "maker", "NotYoursError"),
        ("an answer stands", finding(answered=True), "other", "RemedyError"),
        ("what is closed has no answer", finding(closed=True), "supervisor", "RemedyError"),
    ],
)
def test_who_answers(case: str, about: AuditFinding, account: str, refused: str) -> None:
    assert refusal(lambda: require_answerable(about, account)) == refused, case


@pytest.mark.parametrize(
    ("case", "about", "account", "is_auditor", "refused"),
    [
        ("another auditor closes", finding(answered=True), "auditor", True, ""),
        ("an auditor closes one without an answer", finding(), "auditor", True, ""),
        ("whoever made a dispute closes it", finding("dispute", answered=True), "maker", False, ""),
        ("who answered does not close", finding(answered=True), "supervisor", False, "NotYoursError"),
        ("not even as an administrator", finding(answered=True), "supervisor", True, "NotYoursError"),
        ("a third person does not close", finding(answered=True), "other", False, "NotYoursError"),
        ("it closes once", finding(closed=True), "auditor", True, "RemedyError"),
    ],
)
def test_who_closes(case: str, about: AuditFinding, account: str, is_auditor: bool, refused: str) -> None:
    assert refusal(lambda: require_closable(about, account, is_auditor=is_auditor)) == refused, case


@pytest.mark.parametrize(
    ("case", "about", "account", "approves", "refused"),
    [
        ("a second person approves", correction(), "two", True, ""),
        ("nobody approves his own", correction(), "one", True, "NotYoursError"),
        ("the proposer may take it back", correction(), "one", False, ""),
        ("a second person refuses", correction(), "two", False, ""),
        ("an approval stands", correction("approved"), "two", False, "RemedyError"),
        ("a refusal stands", correction("refused"), "two", True, "RemedyError"),
    ],
)
def test_two_persons(case: str, about: Correction, account: str, approves: bool, refused: str) -> None:
    assert refusal(lambda: require_decidable(about, account, approves=approves)) == refused, case


@pytest.mark.parametrize(
    ("case", "begin", "end", "sound"),
    [
        ("an hour of the past", NOW - HOUR, NOW, True),
        ("the end before the beginning", NOW, NOW - HOUR, False),
        ("nothing", NOW - HOUR, NOW - HOUR, False),
        ("not over", NOW - HOUR, NOW + HOUR, False),
        ("a year that is a mistake", datetime(1026, 1, 1, tzinfo=UTC), NOW, False),
    ],
)
def test_times(case: str, begin: datetime, end: datetime, sound: bool) -> None:
    assert (refusal(lambda: require_sound_times(begin, end, NOW)) == "") is sound, case


def test_texts() -> None:
    assert require_text(" 停电 ") == "停电"
    for text in ("", "  ", "x" * 4001):
        assert refusal(lambda text=text: require_text(text)) == "RemedyError"
    assert issubclass(NotYoursError, RemedyError)
