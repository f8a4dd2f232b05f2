"""What a book of incidents keeps to, and what people may do to an incident."""

from datetime import UTC, datetime

import msgspec
import pytest

from alerting.incidents.book import ActionRefusal, Book, Incident, Status, refusal

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)


def incident(number: int = 0, **given: object) -> Incident:
    fields = {"kind": "station_offline", "key": "station_offline:A", "status": "open", "station": "A"}
    return Incident(id=number, began_at=NOW, opened_at=NOW, **(fields | given))  # type: ignore[arg-type]


def test_two_open_incidents_of_a_key_are_impossible() -> None:
    book = Book()
    book.open(incident(), "missed_heartbeats")
    with pytest.raises(ValueError, match="open already"):
        book.open(incident(), "again")


def test_what_is_learned_later_does_not_undo_what_was_decided() -> None:
    book = Book([incident(7)])
    book.close(incident(7), ended_at=NOW, now=NOW, reason="online")
    book.learn([incident(7), incident(8, key="station_offline:B")])
    assert [known.id for known in book.changed] == [7]
    assert book.open_of("station_offline:B") is not None
    new = book.open(incident(), "missed_heartbeats")
    assert new.id not in {7, 8}


@pytest.mark.parametrize(
    ("action", "status", "text", "expected"),
    [
        ("acknowledged", "open", None, None),
        ("acknowledged", "acknowledged", None, ActionRefusal.ALREADY_ACKNOWLEDGED),
        ("acknowledged", "closed", None, ActionRefusal.CLOSED),
        ("assigned", "open", "扎西", None),
        ("assigned", "open", "  ", ActionRefusal.EMPTY),
        ("assigned", "closed", "扎西", ActionRefusal.CLOSED),
        ("note", "closed", "the fuse was blown", None),
        ("note", "open", None, ActionRefusal.EMPTY),
        ("note", "open", "x" * 4001, ActionRefusal.TOO_LONG),
        ("resolved", "acknowledged", "the fuse", None),
        ("resolved", "open", None, None),
        ("resolved", "acknowledged", " \n", ActionRefusal.EMPTY),
        ("resolved", "open", "", ActionRefusal.EMPTY),
        ("resolved", "closed", None, ActionRefusal.CLOSED),
        ("resolved", None, None, ActionRefusal.NOT_FOUND),
    ],
)
def test_what_people_may_do(
    action: str, status: Status | None, text: str | None, expected: ActionRefusal | None
) -> None:
    assert refusal(action, status, text) is expected


def test_a_quiet_incident_is_told_when_it_is_quiet_no_longer() -> None:
    quiet = Incident(
        id=7, kind="blind_spot", key="k", status="open", began_at=NOW, opened_at=NOW, detail={"quiet": True}
    )
    book = Book()
    book.open(quiet, "last_one")
    assert book.notifications() == []
    book = Book([quiet])
    loud = book.update(msgspec.structs.replace(quiet, detail={"quiet": False}), "area_dark")
    assert book.notifications() == [(7, "opened")]
    book.close(loud, ended_at=NOW, now=NOW, reason="station_works")
    assert book.notifications() == [(7, "closed")]
    book = Book([quiet])
    book.close(quiet, ended_at=NOW, now=NOW, reason="station_works")
    assert book.notifications() == []
