"""Where copies of checkpoints go, and when."""

import pytest

from audit.ledger.copies import DAILY, CopyKind, CopyPlace, is_copy_due, parse_places
from contract.errors import RemedyError

PLACES = """
# the office of audits
https://audit.example.org/hook?token=secret
/mnt/usb stick/checkpoint
mailto:audit@Example.org
"""


def test_places() -> None:
    web, file, mail = parse_places(PLACES, "copies")
    assert mail == CopyPlace(kind=CopyKind.MAIL, address="audit@example.org")
    assert mail.shown == "mailto:…@example.org" and mail.every == DAILY
    assert web == CopyPlace(kind=CopyKind.WEB, address="https://audit.example.org/hook?token=secret")
    assert file == CopyPlace(kind=CopyKind.FILE, address="/mnt/usb stick/checkpoint")
    assert [place.shown for place in (web, file)] == ["https://audit.example.org", "/mnt/usb stick/checkpoint"]


@pytest.mark.parametrize("line", ["checkpoint", "./checkpoint", "ftp://example.org/x", "https://a.org b", "a@b.c"])
def test_what_is_no_place(line: str) -> None:
    with pytest.raises(RemedyError, match="copies, line 2: write a whole path") as caught:
        parse_places(f"/a\n{line}", "copies")
    assert caught.value.said.zh != caught.value.said.en


def test_a_mailbox_that_cannot_be_used_is_not_shown_as_written() -> None:
    with pytest.raises(RemedyError, match="copies, line 1: ") as caught:
        parse_places("mailto:secret@", "copies")
    assert "secret" not in str(caught.value) and caught.value.said.zh != caught.value.said.en


@pytest.mark.parametrize(("now", "due"), [(86_399.0, False), (86_400.0, True)])
def test_a_mail_is_due_each_day(now: float, *, due: bool) -> None:
    for copied in (9, 10):
        assert is_copy_due(10, now, copied=copied, tried_at=0.0, every=DAILY) is due


@pytest.mark.parametrize(("failed", "wait"), [(1, 60), (2, 120), (5, 960), (6, 1800), (99, 1800)])
def test_a_mail_that_failed_is_sent_again_within_the_hour(failed: int, wait: int) -> None:
    for now, due in ((wait - 1.0, False), (wait, True)):
        assert is_copy_due(10, now, copied=None, tried_at=0.0, failed=failed, every=DAILY) is due
        assert is_copy_due(10, now, copied=10, tried_at=0.0, failed=failed, every=DAILY) is due
    assert is_copy_due(10, 60.0, copied=None, tried_at=0.0, failed=failed), "a file or an address each minute"


@pytest.mark.parametrize(
    ("now", "copied", "tried_at", "due"),
    [
        pytest.param(0.0, None, None, True, id="the first"),
        pytest.param(59.0, 9, 0.0, False, id="it grew, soon after"),
        pytest.param(60.0, 9, 0.0, True, id="it grew"),
        pytest.param(3599.0, 10, 0.0, False, id="it did not grow"),
        pytest.param(3600.0, 10, 0.0, True, id="it did not grow for an hour"),
        pytest.param(60.0, None, 0.0, True, id="the first failed"),
    ],
)
def test_when_a_copy_of_ten_leaves_is_due(now: float, copied: int | None, tried_at: float | None, *, due: bool) -> None:
    assert is_copy_due(10, now, copied=copied, tried_at=tried_at) is due
