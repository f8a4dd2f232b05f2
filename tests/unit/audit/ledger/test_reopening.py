"""Why a log cannot go on, and what the next one says of it."""

import pytest

from audit.ledger.changeover.reopening import EndOfLog, end_of_log, reopening_body
from audit.ledger.checkpoints import Checkpoint, SignedCheckpoint, sign_checkpoint
from audit.ledger.notes import SignerKey

ROOT, OTHER = b"r" * 32, b"o" * 32
KEY = SignerKey(name="example.org/ledger", seed=b"k" * 32)


def kept(size: int = 100) -> SignedCheckpoint:
    return sign_checkpoint(Checkpoint(origin=KEY.name, size=size, root=ROOT), [KEY])


@pytest.mark.parametrize(
    ("origin", "size", "root", "key", "end"),
    [
        pytest.param(KEY.name, 100, ROOT, KEY.name, None, id="it goes on, with nothing new"),
        pytest.param(KEY.name, 170, ROOT, KEY.name, None, id="it goes on"),
        pytest.param(KEY.name, 99, None, KEY.name, EndOfLog.OLDER, id="a backup that is older"),
        pytest.param(KEY.name, 170, OTHER, KEY.name, EndOfLog.FORKED, id="another past"),
        pytest.param(KEY.name, 170, None, KEY.name, EndOfLog.FORKED, id="tiles that are gone"),
        pytest.param("another", 170, ROOT, KEY.name, EndOfLog.FORKED, id="another log"),
        pytest.param(None, 0, None, KEY.name, EndOfLog.DROPPED, id="no log"),
        pytest.param(KEY.name, 170, ROOT, None, EndOfLog.OTHER_KEY, id="a lost key"),
        pytest.param(KEY.name, 170, ROOT, "another", EndOfLog.OTHER_KEY, id="the key of another log"),
    ],
)
def test_why_a_log_ends(
    origin: str | None, size: int, root: bytes | None, key: str | None, end: EndOfLog | None
) -> None:
    assert end_of_log(kept(), origin, size, root, key) is end


@pytest.mark.parametrize(("size", "end"), [(0, EndOfLog.DROPPED), (5, EndOfLog.UNKNOWN)])
def test_without_a_checkpoint_nothing_shows_that_a_log_goes_on(size: int, end: EndOfLog) -> None:
    assert end_of_log(None, KEY.name, size, None, KEY.name) is end
    assert reopening_body(end, None, size, "a") == {"why": end.value, "restored_size": size, "second": "a"}


@pytest.mark.parametrize(("size", "missing"), [(60, 40), (100, 0), (140, 0)])
def test_the_first_entry_says_what_is_missing(size: int, missing: int) -> None:
    body = reopening_body(EndOfLog.OLDER, kept(), size, "a")
    assert (body["restored_size"], body["missing"], body["before"]) == (size, missing, kept().note.render())
