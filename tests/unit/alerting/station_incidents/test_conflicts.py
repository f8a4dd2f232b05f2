"""Identity conflicts: those that the judges find, and terminals that send under one boot."""

import msgspec
import pytest

from alerting.incidents.book import Book
from alerting.station_incidents.identity_rules import (
    Sender,
    follow_judges,
    follow_service,
    follow_shared_boots,
    sending_as_one,
)
from alerting.stations.model import StationChange
from alerting.stations.table import Field
from tests.unit.alerting.field_kit import at, change, facts

NOW = at("10:00")


def field(lifecycle: str = "commissioned") -> Field:
    made = Field(NOW)
    for station in ("A", "B"):
        made.restore_station(facts(station, calendar=None, lifecycle=lifecycle))
    return made


def sender(station: str, n: int, *, boot: str = "b7f3c1e2", run: int = 3, terminal: str = "001") -> Sender:
    return Sender(station=station, terminal=terminal, boot=boot, run=run, n=n)


def of_terminal(before: str, after: str, clock: str) -> StationChange:
    return change("A", before, after, at(clock), terminal="002")


@pytest.mark.parametrize(
    ("name", "senders", "together"),
    [
        ("a copy of a running system goes on beside it", [sender("A", 500), sender("B", 503)], [["A", "B"]]),
        ("two of 700,000 boots are the same by chance", [sender("A", 500), sender("B", 812)], []),
        ("another run of another device", [sender("A", 500), sender("B", 500, run=4)], []),
        ("one agent sends as two terminals", [sender("A", 9), sender("A", 9, terminal="002")], [["A", "A"]]),
        ("a pair and a stranger", [sender("A", 5), sender("B", 6), sender("C", 900)], [["A", "B"]]),
    ],
)
def test_terminals_that_send_as_one(name: str, senders: list[Sender], together: list[list[str]]) -> None:
    assert [[one.station for one in group] for group in sending_as_one(senders)] == together, name


def test_two_boots_of_one_terminal_are_an_incident_until_one_is_silent() -> None:
    book, judged = Book(), [of_terminal("online", "conflicting", "09:50")]
    follow_judges(book, judged, field(), NOW)
    opened = book.open_of("identity_conflict:A:002")
    assert opened is not None
    assert (opened.began_at, opened.detail) == (at("09:50"), {"terminal": "002", "reason": "two_boots"})
    follow_judges(book, [of_terminal("conflicting", "online", "09:55")], field(), NOW)
    (closed,) = book.opened
    assert (closed.status, closed.ended_at) == ("closed", at("09:55"))


def test_numbers_that_do_not_rise_are_told_apart_from_two_boots() -> None:
    book = Book()
    judged = msgspec.structs.replace(of_terminal("offline", "conflicting", "09:50"), reason="numbers")
    follow_judges(book, [judged], field(), NOW)
    follow_judges(book, [of_terminal("conflicting", "online", "09:55")], field(), NOW)
    (closed,) = book.opened
    assert closed.detail == {"terminal": "002", "reason": "numbers"}
    assert (closed.status, closed.ended_at) == ("closed", at("09:55"))


@pytest.mark.parametrize(("why", "reason"), [("heartbeat", "online"), ("other_unheard", "other_unheard")])
def test_the_end_of_a_conflict_says_whether_the_other_device_is_known_to_be_silent(why: str, reason: str) -> None:
    book = Book()
    follow_judges(book, [of_terminal("online", "conflicting", "09:50")], field(), NOW)
    ended = msgspec.structs.replace(of_terminal("conflicting", "online", "09:55"), reason=why)
    follow_judges(book, [ended], field(), NOW)
    assert book.decisions[-1].reason == reason


def test_one_boot_of_two_terminals_is_an_incident_of_each_while_both_are_heard() -> None:
    book, shared = Book(), sending_as_one([sender("A", 500), sender("B", 503)])
    follow_shared_boots(book, shared, field(), NOW)
    follow_shared_boots(book, shared, field(), NOW)
    assert {one.key: one.detail["with"] for one in book.opened} == {
        "identity_conflict:A:001": ["B/001"],
        "identity_conflict:B:001": ["A/001"],
    }
    follow_shared_boots(book, [], field(), NOW)
    assert {one.status for one in book.opened} == {"closed"}


def test_what_the_judges_see_is_not_over_because_nobody_shares_a_boot() -> None:
    book = Book()
    follow_judges(book, [of_terminal("online", "conflicting", "09:50")], field(), NOW)
    follow_shared_boots(book, [], field(), NOW)
    assert book.open_of("identity_conflict:A:002") is not None


def test_stations_out_of_service_have_none() -> None:
    book = Book()
    follow_judges(book, [of_terminal("online", "conflicting", "09:50")], field("planned"), NOW)
    assert book.opened == []
    follow_judges(book, [of_terminal("online", "conflicting", "09:50")], field(), NOW)
    follow_service(book, {"A"}, NOW)
    assert book.open_of("identity_conflict:A:002") is None
