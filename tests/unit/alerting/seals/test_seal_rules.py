"""When the seal of the ledger is late."""

from datetime import UTC, datetime, timedelta

import pytest

from alerting.incidents.book import Book
from alerting.seals.rules import KEY, SealSettings, WaitingRow, follow_seal, see_waiting

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


LATE = SealSettings()


def seen_since(book: Book, waits: float, *, seen: float) -> bool:
    """A pass finds a row that waits for so many seconds, `seen` of them seen; whether the incident is open."""
    since, before = NOW - timedelta(seconds=waits), NOW - timedelta(seconds=seen)
    row = see_waiting(see_waiting(None, since, before, LATE), since, NOW, LATE)
    follow_seal(book, row, NOW, LATE)
    return book.open_of(KEY) is not None


@pytest.mark.parametrize("case", CASES)
def test_a_late_seal(case: str) -> None:
    waits, went_on, goes_on = CASES[case]
    book = Book()
    if went_on:
        assert seen_since(book, 3600, seen=3600)
    since = None if waits is None else NOW - timedelta(seconds=waits)
    row = see_waiting(see_waiting(None, since, NOW - timedelta(hours=1), LATE), since, NOW, LATE)
    assert follow_seal(book, row, NOW, LATE) is goes_on
    assert (book.open_of(KEY) is not None) is goes_on


def test_a_row_of_a_long_transaction_is_late_only_if_it_goes_on_waiting() -> None:
    assert not seen_since(Book(), 300, seen=0)
    assert not seen_since(Book(), 300, seen=9.9)
    assert seen_since(Book(), 300, seen=10)


def test_an_incident_that_goes_on_stays_open_after_a_restart() -> None:
    book = Book()
    assert seen_since(book, 3600, seen=3600)
    assert seen_since(book, 3601, seen=0), "the new process sees the row for the first time"


def test_a_sealer_that_is_too_slow_is_late_although_the_oldest_row_changes() -> None:
    row: WaitingRow | None = None
    for second in range(11):
        now = NOW + timedelta(seconds=second)
        row = see_waiting(row, now - timedelta(seconds=90), now, LATE)
    book = Book()
    assert follow_seal(book, row, NOW + timedelta(seconds=10), LATE)


def test_rows_that_are_sealed_in_time_begin_anew() -> None:
    young = see_waiting(None, NOW - timedelta(seconds=1), NOW - timedelta(seconds=30), LATE)
    assert not follow_seal(Book(), see_waiting(young, NOW - timedelta(seconds=300), NOW, LATE), NOW, LATE)
