"""What a pass changes in the shares of counties: which child joins, ends, returns, moves or leaves."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from alerting.incidents.book import Book, Incident
from alerting.incidents.shares import ChildState, reopened_parents, share_changes

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
NO_CHILD, OVER, DOWN = ChildState


def child(**given: object) -> Incident:
    fields = {
        "kind": "station_offline",
        "key": "station_offline:A",
        "status": "open",
        "station": "A",
        "area": "632122000000",
        "parent": 1,
    }
    return Incident(id=7, began_at=NOW, opened_at=NOW, **(fields | given))  # type: ignore[arg-type]


CLOSED = {"status": "closed", "closed_at": NOW}
SHELVED = CLOSED | {"reopen_at": NOW}


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        pytest.param(None, child(), [(1, NO_CHILD, DOWN)], id="opens as a child"),
        pytest.param(None, child(parent=None), [], id="opens alone"),
        pytest.param(None, child(**CLOSED), [(1, NO_CHILD, OVER)], id="opens and ends in one pass"),
        pytest.param(child(parent=None), child(), [(1, NO_CHILD, DOWN)], id="joins"),
        pytest.param(child(), child(**CLOSED), [(1, DOWN, OVER)], id="ends"),
        pytest.param(child(), child(**SHELVED), [], id="is closed by a person while the fault goes on"),
        pytest.param(child(**SHELVED), child(**CLOSED), [(1, DOWN, OVER)], id="the fault of a shelved one ends"),
        pytest.param(child(), child(parent=None), [(1, DOWN, NO_CHILD)], id="stays down alone"),
        pytest.param(
            child(), child(parent=2), [(1, DOWN, NO_CHILD), (2, NO_CHILD, DOWN)], id="a larger cause takes it"
        ),
        pytest.param(child(), child(detail={"n": 1}), [], id="only its detail changes"),
        pytest.param(None, child(area=None), [], id="a station of no area is in no county"),
    ],
)
def test_what_changes(
    before: Incident | None, now: Incident, expected: list[tuple[int, ChildState, ChildState]]
) -> None:
    found = share_changes([(before, now)])
    assert [(change.parent, change.before, change.after) for change in found] == expected


def test_a_child_that_moves_leaves_one_county_and_joins_the_other() -> None:
    moved = msgspec.structs.replace(child(), area="632123000000")
    left, joined = share_changes([(child(), moved)])
    assert (left.area, left.before, left.after) == ("632122000000", DOWN, NO_CHILD)
    assert (joined.area, joined.before, joined.after) == ("632123000000", NO_CHILD, DOWN)


@pytest.mark.parametrize(
    ("incident", "thing"),
    [
        (child(), "A"),
        (child(kind="overdue_return", key="overdue_return:A"), "A"),
        (child(kind="health", key="health:disk:A/001"), "health:disk:A/001"),
        (child(kind="blind_spot", key="blind_spot:area_dark:6321", station=None), "blind_spot:area_dark:6321"),
    ],
)
def test_what_is_counted_once(incident: Incident, thing: str) -> None:
    """Stations whatever their kind of incident, terminals of a health rule, areas."""
    (change,) = share_changes([(None, incident)])
    assert change.thing == thing


def test_shares_are_acknowledged_no_longer_when_their_incident_opens_again() -> None:
    shelved = child(parent=None, station=None, kind="area_outage", key="area_outage:area:63", **SHELVED)
    book = Book([shelved])
    assert reopened_parents(book.pairs) == []
    book.reopen(shelved, "still_wrong")
    assert reopened_parents(book.pairs) == [7]


def test_the_pairs_of_a_book_are_what_it_stores() -> None:
    book = Book([child()])
    assert book.pairs == []
    new = book.open(child(key="station_offline:B", station="B"), "missed_heartbeats")
    closed = book.close(child(), ended_at=NOW + timedelta(seconds=5), now=NOW, reason="online")
    assert book.pairs == [(child(), closed), (None, new)]
