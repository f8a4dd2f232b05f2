"""When the seal of the ledger is late."""

from datetime import UTC, datetime, timedelta

import pytest

from alerting.incidents.book import Book
from alerting.seals.rules import KEY, SealSettings, follow_seal

NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)

# (seconds for which the oldest row waits, whether the incident went on, whether it goes on)
CASES: dict[str, tuple[float | None, bool, bool]] = {
    "nothing waits": (None, False, False),
    "a row waits as long as it may": (60, False, False),
    "a row waits too long": (60.001, False, True),
    "it still waits": (3600, True, True),
    "everything is sealed": (None, True, False),
    "what waits now came later": (2, True, False),
    "the clock of the database went back": (-5, False, False),
}


@pytest.mark.parametrize("case", CASES)
def test_a_late_seal(case: str) -> None:
    waits, went_on, goes_on = CASES[case]
    book = Book()
    if went_on:
        follow_seal(book, NOW - timedelta(hours=1), NOW, SealSettings())
    since = None if waits is None else NOW - timedelta(seconds=waits)
    assert follow_seal(book, since, NOW, SealSettings()) is goes_on
    assert (book.open_of(KEY) is not None) is goes_on
