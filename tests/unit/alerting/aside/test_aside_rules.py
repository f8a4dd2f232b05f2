"""When data that is set aside is an incident."""

from datetime import UTC, datetime, timedelta

import pytest

from alerting.aside.rules import KEY, AsideSettings, follow_aside
from alerting.incidents.book import Book

NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)
AFTER = AsideSettings(after=300)

# (seconds since the oldest thing was set aside, whether the incident went on, whether it goes on)
CASES: dict[str, tuple[float | None, bool, bool]] = {
    "nothing is set aside": (None, False, False),
    "a part rests and tries again": (299.9, False, False),
    "for as long as it may be": (300, False, True),
    "it still is": (3600, True, True),
    "everything is processed again": (None, True, False),
    "another thing is set aside": (2, True, True),
    "the clock of the database went back": (-5, False, False),
}


def aside_for(book: Book, seconds: float | None) -> bool:
    since = None if seconds is None else NOW - timedelta(seconds=seconds)
    return follow_aside(book, since, NOW, AFTER)


@pytest.mark.parametrize("case", CASES)
def test_data_set_aside(case: str) -> None:
    seconds, went_on, goes_on = CASES[case]
    book = Book()
    if went_on:
        assert aside_for(book, 3600)
    assert aside_for(book, seconds) is goes_on
    assert (book.open_of(KEY) is not None) is goes_on


def test_it_began_when_the_first_thing_was_set_aside_and_there_is_one_incident() -> None:
    book = Book()
    assert aside_for(book, 7200) and aside_for(book, 7201)
    (incident,) = book.opened
    assert NOW - incident.began_at == timedelta(hours=2)


def test_a_shelved_one_opens_by_its_time_and_not_at_once() -> None:
    book = Book()
    assert aside_for(book, 3600)
    (incident,) = book.opened
    book.shelve(incident, until=NOW + timedelta(hours=1), now=NOW, reason="admin")
    assert aside_for(book, 3601)
    (shelved,) = book.opened
    assert shelved.is_shelved
