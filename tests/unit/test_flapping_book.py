"""A flapping station's incident, and its falls under it."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from alerting.cause_book import fallen_of
from alerting.cause_steps import Alone, Joined, Released, Returned, Step
from alerting.evidence import Fallen
from alerting.flapping import Flapping, FlappingSettings, Turn
from alerting.flapping_book import falls_by_flapping, flapping_key, note_changes, shelter, write_turns
from alerting.incidents_core import Book, Incident
from tests.shelving import closed_by_hand

START = datetime(2026, 11, 23, 8, tzinfo=UTC)
NOW = START + timedelta(hours=2)
OFFLINE = "station_offline:S"


def minute(number: float) -> datetime:
    return START + timedelta(minutes=number)


def fall(number: float) -> Fallen:
    return Fallen("S", minute(number - 1), minute(number), (), OFFLINE)


def offline(began_at: datetime, **fields: object) -> Incident:
    known = Incident(
        id=7, kind="station_offline", key=OFFLINE, status="open", station="S", began_at=began_at, opened_at=began_at
    )
    return msgspec.structs.replace(known, **fields)


def turned(flaps: bool, at: float) -> Turn:
    return Turn("S", flaps, minute(at), minute(5), minute(at), 6, 0.31)


def restless() -> Flapping:
    flapping = Flapping(FlappingSettings())
    for number in (5, 10, 20, 25, 35, 40):
        flapping.note("S", minute(number))
    return flapping


CHANGES: list[tuple[str, list[Step], list[float]]] = [
    ("it falls and returns by itself", [Alone(fall(5), minute(7)), Returned(fall(5), minute(9), None)], [7, 9]),
    ("it falls with others at once", [Joined(fall(5), "area_outage:area:63")], []),
    ("it paged before the others fell", [Alone(fall(5), minute(7)), Joined(fall(5), "area_outage:area:63")], []),
    ("it returns with the others", [Returned(fall(5), minute(9), "area_outage:area:63")], []),
    ("it stays down when the others return", [Joined(fall(5), "x"), Released(fall(5))], []),
    ("its second fall has a common cause", [Alone(fall(5), minute(7)), Returned(fall(5), minute(9), None),
                                            Alone(fall(20), minute(22)), Joined(fall(20), "x")], [7, 9]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "plan", "expected"), CHANGES, ids=[case[0] for case in CHANGES])
@pytest.mark.parametrize("at_once", [True, False], ids=["in one pass", "a pass each"])
def test_what_counts_as_restless(name: str, plan: list[Step], expected: list[float], at_once: bool) -> None:
    flapping = Flapping(FlappingSettings())
    for steps in [plan] if at_once else [[step] for step in plan]:
        note_changes(flapping, steps)
    assert flapping.changes_of("S") == [minute(number) for number in expected], name


def test_the_fall_that_makes_it_flap_is_told_as_flapping() -> None:
    flapping, book = restless(), Book()
    new = book.open(offline(minute(40), id=0), "missed_heartbeats")
    write_turns(book, [turned(True, 40)], {"S": "63"}, NOW)
    shelter(book, flapping, [fall(40)], NOW)
    parent = book.open_of(flapping_key("S"))
    child = book.get(new.id)
    assert parent is not None
    assert child is not None
    assert (child.parent, parent.area, parent.began_at) == (parent.id, "63", minute(5))
    assert book.notifications() == [(parent.id, "opened")]


def test_a_later_fall_is_silent_and_speaks_when_it_flaps_no_more() -> None:
    flapping = restless()
    flaps = Incident(
        id=3, kind="flapping", key=flapping_key("S"), status="open", station="S", began_at=minute(5),
        opened_at=minute(40),
    )  # fmt: skip
    book = Book([flaps])
    new = book.open(offline(minute(50), id=0), "missed_heartbeats")
    plan: list[Step] = [Alone(fall(50), minute(52))]
    shelter(book, flapping, falls_by_flapping(flapping, plan), NOW)
    assert (book.get(new.id), book.notifications()) == (offline(minute(50), id=new.id, parent=3), [])

    (steady,) = flapping.advance(minute(200))[1:]
    later = Book([flaps, offline(minute(50), parent=3)])
    write_turns(later, [steady], {}, NOW)
    shelter(later, flapping, [fall(50)], NOW)
    assert sorted(later.notifications()) == [(3, "closed"), (7, "opened")]


def test_what_a_person_resolved_goes_on_to_keep_it_silent() -> None:
    flaps = Incident(
        id=3, kind="flapping", key=flapping_key("S"), status="open", station="S", began_at=minute(5),
        opened_at=minute(40),
    )  # fmt: skip
    book = Book([closed_by_hand(flaps, minute(45))])
    book.open(offline(minute(50), id=0), "missed_heartbeats")
    shelter(book, restless(), [fall(50)], NOW)
    assert book.notifications() == []


def test_a_fall_by_a_common_cause_is_not_put_under_its_flapping() -> None:
    plan: list[Step] = [Alone(fall(50), minute(52)), Joined(fall(50), "area_outage:area:63")]
    assert falls_by_flapping(restless(), plan) == []
    assert falls_by_flapping(restless(), [*plan, Released(fall(50))]) == [fall(50)]


FALLS = [
    ("it fell while open", {"seen_at": minute(1)}, minute(2), (1, 2)),
    ("what the database gives back is text", {"seen_at": minute(1).isoformat()}, minute(2), (1, 2)),
    ("it was down before it opened", {"seen_at": minute(1), "offline_since": minute(2)}, minute(60), (1, 60)),
    ("it was away before it opened", {"offline_since": minute(2)}, minute(60), (2, 60)),
    ("nobody knows when it was heard", {}, minute(2), (2, 2)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "detail", "began_at", "expected"), FALLS, ids=[case[0] for case in FALLS])
def test_between_which_moments_it_stopped(
    name: str, detail: dict[str, object], began_at: datetime, expected: tuple[float, float]
) -> None:
    fallen = fallen_of(offline(began_at, detail=detail), ())
    assert (fallen.began, fallen.until) == (minute(expected[0]), minute(expected[1])), name
