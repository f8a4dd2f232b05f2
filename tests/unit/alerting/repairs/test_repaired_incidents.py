"""An incident that a person calls repaired: the end of its fault closes it only when that is verified."""

from datetime import UTC, datetime, timedelta

from alerting.incidents.book import Book, Incident
from alerting.incidents.repaired import end_of_fault
from alerting.repairs.effects import apply_verdict
from alerting.repairs.rules import RepairOutcome
from alerting.station_incidents.rules import Closes, Opens, Want
from alerting.station_incidents.write import write_intents

NOW = datetime(2026, 11, 28, 8, tzinfo=UTC)
FELL = NOW - timedelta(hours=2)
ENDS = Closes(station="S", kind="station_offline", reason="online", at=NOW, ended_at=NOW - timedelta(seconds=30))
FALLS = Opens(
    station="S",
    area="A",
    want=Want(kind="station_offline", began_at=NOW, fault_at=NOW, reason="missed_heartbeats"),
    at=NOW,
)


def incident(**more: object) -> Incident:
    given = {"status": "acknowledged", "detail": {"fixed_at": "2026-11-28T07:55:00+00:00"}, **more}
    return Incident(
        id=5, kind="station_offline", key="station_offline:S", station="S", began_at=FELL, opened_at=FELL, **given
    )  # type: ignore[arg-type]


def said(book: Book) -> list[tuple[str, str]]:
    return [(decision.action.value, decision.reason) for decision in book.decisions]


def test_the_end_of_the_fault_does_not_close_it_yet_and_tells_nobody() -> None:
    book = Book([incident()])
    assert write_intents(book, [ENDS, ENDS], NOW) == [ENDS, ENDS], "the stages that follow know that it is over"
    (found,) = book.going_on()
    assert (found.status, end_of_fault(found)) == ("acknowledged", ENDS.ended_at)
    assert (said(book), book.notifications()) == ([("updated", "verifying")], [])


def test_what_held_closes_as_of_the_end_of_the_fault() -> None:
    book = Book([incident()])
    write_intents(book, [ENDS], NOW)
    apply_verdict(book, book.going_on()[0], RepairOutcome.HELD, NOW + timedelta(minutes=10))
    found = book.get(5)
    assert found is not None
    assert (found.status, found.ended_at, found.detail) == ("closed", ENDS.ended_at, {})
    assert (said(book)[-1], book.notifications()) == (("closed", "repaired"), [(5, "closed")])


def test_a_fault_that_is_back_is_the_same_incident_with_its_owner() -> None:
    book = Book([incident()])
    assert write_intents(book, [ENDS, FALLS], NOW) == [ENDS, FALLS], "the stages that follow see that it fell again"
    (found,) = book.going_on()
    assert (end_of_fault(found), "back_at" in found.detail) == (None, True)
    apply_verdict(book, found, RepairOutcome.FAILED, NOW)
    (found,) = book.going_on()
    assert (found.id, found.status, found.detail, found.began_at) == (5, "acknowledged", {}, FELL)
    assert (said(book)[-1], book.notifications()) == (("updated", "not_repaired"), [])


def test_an_end_because_the_station_left_service_closes_at_once() -> None:
    book = Book([incident()])
    write_intents(book, [Closes(station="S", kind="station_offline", reason="retired", at=NOW)], NOW)
    assert book.going_on() == []


def test_what_a_person_closed_by_hand_opens_again_if_it_was_not_repaired() -> None:
    detail = {"fixed_at": "2026-11-28T07:55:00+00:00", "shelved_by": "person"}
    shelved = incident(status="closed", closed_at=NOW, reopen_at=NOW + timedelta(hours=4), detail=detail)
    book = Book([shelved])
    apply_verdict(book, shelved, RepairOutcome.FAILED, NOW)
    assert (book.going_on()[0].status, said(book)) == ("open", [("reopened", "not_repaired")])


def test_nothing_is_written_about_one_that_was_closed_already() -> None:
    closed = incident(status="closed", closed_at=NOW, ended_at=NOW, detail={})
    book = Book([closed])
    apply_verdict(book, closed, RepairOutcome.HELD, NOW)
    assert (book.changed, said(book)) == ([], [])


def test_a_repair_that_a_closure_excuses_is_not_called_a_failure() -> None:
    excused = incident(status="closed", closed_at=NOW, reopen_at=NOW + timedelta(hours=4))
    book = Book([excused])
    apply_verdict(book, excused, RepairOutcome.OVERTAKEN, NOW)
    assert (book.notifications(), said(book)) == ([], [("updated", "not_verified")])
