"""What is closed while its fault goes on opens again; and what a change of its station means to an incident."""

from datetime import datetime, timedelta

import msgspec
import pytest

from alerting.incidents.book import Book, Incident
from alerting.station_incidents.shelving import concerned, follow_stations, reopen_due
from alerting.stations.snapshot import PassTime
from alerting.stations.table import Field
from tests.shelving import closed_by_hand
from tests.unit.alerting.field_kit import CALENDARS, at, closure, facts, judged

GRACE = timedelta(minutes=15)


def incident(kind: str = "station_offline", number: int = 1, **more: object) -> Incident:
    known = {"station": "A", "area": "632122000000", "began_at": at("09:10"), "opened_at": at("09:12")}
    return Incident(id=number, kind=kind, key=f"{kind}:A", status="open", **(known | more))  # type: ignore[arg-type]


def field(time: datetime) -> Field:
    found = Field(time, CALENDARS)
    found.restore_station(facts(), judged("offline", at("09:10")))
    return found


def moment(now: datetime, *untrusted: tuple[int, str]) -> PassTime:
    return PassTime(now=now, known=now, untrusted=frozenset(untrusted))


DUE = [
    ("its time has not come", "10:00", "10:01", (), "closed", "10:01"),
    ("its time has come and its station should be open", "10:01", "10:01", (), "open", None),
    ("its station is closed for the day", "20:00", "20:00", (), "closed", "09:15"),
    ("nothing is known of its station now", "10:01", "10:01", ((0, "main"),), "closed", "10:02"),
]


@pytest.mark.parametrize(("name", "now", "due", "untrusted", "status", "again"), DUE, ids=[case[0] for case in DUE])
def test_what_was_closed_by_hand_opens_again(
    name: str, now: str, due: str, untrusted: tuple[tuple[int, str], ...], status: str, again: str | None
) -> None:
    closed = msgspec.structs.replace(closed_by_hand(incident(), at("09:30")), reopen_at=at(due))
    book = Book([closed])
    reopen_due(book, [closed], field(at(now)), moment(at(now), *untrusted), GRACE)
    found = book.get(1)
    assert found is not None
    assert found.status == status, name
    assert found.reopen_at == (None if again is None else at(again, 1 if again == "09:15" else 0))
    assert book.notifications() == ([(1, "reopened")] if status == "open" else [])


def test_one_that_opens_again_says_no_more_who_closed_it_and_is_a_new_round() -> None:
    book = Book([closed_by_hand(incident(), at("09:30"), after=timedelta(minutes=1))])
    reopen_due(book, book.going_on(), field(at("10:00")), moment(at("10:00")), GRACE)
    (found,) = book.going_on()
    assert (found.detail, book.round_of(1)) == ({"reopened": 1}, 1)


def test_what_the_rules_closed_in_this_pass_stays_closed() -> None:
    closed = closed_by_hand(incident(), at("09:30"), after=timedelta(minutes=1))
    book = Book([closed])
    book.close(closed, ended_at=at("09:59"), now=at("10:00"), reason="online")
    reopen_due(book, [closed], field(at("10:00")), moment(at("10:00")), GRACE)
    assert book.going_on() == []
    assert book.notifications() == [(1, "closed")], "that it is over is told when it is"
    found = book.get(1)
    assert found is not None and (found.closed_at, found.ended_at) == (at("09:30"), at("09:59"))


def test_a_quiet_one_or_a_child_tells_nobody() -> None:
    for silent in ({"parent": 7}, {"detail": {"quiet": True}}):
        book = Book([closed_by_hand(incident(**silent), at("09:30"), after=timedelta(minutes=1))])
        reopen_due(book, book.going_on(), field(at("10:00")), moment(at("10:00")), GRACE)
        assert [one.status for one in book.going_on()] == ["open"]
        assert book.notifications() == []


def test_what_was_only_listed_and_is_to_page_now_opens_at_once() -> None:
    listed = closed_by_hand(incident("blind_spot", detail={"quiet": True, "stage": "last_one"}), at("09:30"))
    book = Book([listed])
    book.update(msgspec.structs.replace(listed, detail=listed.detail | {"quiet": False, "stage": "dark_area"}), "dark")
    assert [one.status for one in book.going_on()] == ["open"]


def test_an_incident_goes_with_its_station() -> None:
    found = field(at("10:00"))
    found.register(facts(area="632123000000"))
    (changed,) = found.take_changes()
    shelved = closed_by_hand(incident("health", 2), at("09:30"))
    of_area = incident("flapping", 3, area="elsewhere")
    book = Book([incident(), shelved, of_area])
    follow_stations(book, concerned([(changed.before, changed.after)]), found, moment(at("10:00")), GRACE)
    assert {one.kind: one.area for one in book.going_on()} == {
        "station_offline": "632123000000",
        "health": "632123000000",
        "flapping": "elsewhere",
    }
    assert book.notifications() == []


def test_an_approved_closure_sets_aside_what_is_open_and_its_end_opens_it_again() -> None:
    found = field(at("10:00"))
    excused = closure(1, at("10:00"), at("11:00"), station="A", approved_by="b", approved_at=at("09:00"))
    found.schedule.set_closures([excused])
    pairs = [(changed.before, changed.after) for changed in found.take_changes()]
    kinds = ("station_offline", "overdue_return", "never_seen", "flapping", "health", "identity_conflict", "new_kind")
    book = Book(incident(kind, number) for number, kind in enumerate(kinds, 1))
    follow_stations(book, concerned(pairs), found, moment(at("10:00")), GRACE)
    assert [one.kind for one in book.going_on() if one.is_open] == ["identity_conflict"]
    assert {one.reopen_at for one in book.going_on()} == {None, at("11:15")}
    assert book.notifications() == [], "nobody is told that it is over"
    later = Book(book.going_on())
    found.schedule.advance(at("11:15"))
    reopen_due(later, later.going_on(), found, moment(at("11:15")), GRACE)
    assert all(one.is_open for one in later.going_on())


def test_a_closure_that_is_declared_and_not_approved_excuses_nothing() -> None:
    found = field(at("10:00"))
    found.schedule.set_closures([closure(1, at("10:00"), at("11:00"), station="A")])
    pairs = [(changed.before, changed.after) for changed in found.take_changes()]
    book = Book([incident()])
    follow_stations(book, concerned(pairs), found, moment(at("10:00")), GRACE)
    assert [one.status for one in book.going_on()] == ["open"]


def test_a_closure_that_is_withdrawn_excuses_no_more() -> None:
    found = field(at("10:00"))
    excused = closure(1, at("10:00"), at("16:00"), station="A", approved_by="b", approved_at=at("09:00"))
    found.schedule.set_closures([excused])
    pairs = [(changed.before, changed.after) for changed in found.take_changes()]
    book = Book([incident(), closed_by_hand(incident("health", 2), at("09:30"))])
    follow_stations(book, concerned(pairs), found, moment(at("10:00")), GRACE)
    found.schedule.set_closures([])
    pairs = [(changed.before, changed.after) for changed in found.take_changes()]
    book = Book(book.going_on())
    follow_stations(book, concerned(pairs), found, moment(at("10:05")), GRACE)
    assert [one.reopen_at for one in book.going_on()] == [at("10:20"), at("13:30")], "what a person closed stays so"
