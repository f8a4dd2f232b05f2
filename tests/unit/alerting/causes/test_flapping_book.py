"""A flapping station's incident, and its falls under it."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from alerting.causes.evidence import Fallen
from alerting.causes.flapping import Flapping, FlappingSettings, Turn
from alerting.causes.flapping_write import (
    falls_by_flapping,
    flapping_key,
    note_changes,
    note_use,
    opened_of_no_use,
    shelter,
    shelter_use,
    write_turns,
)
from alerting.causes.steps import Alone, Joined, Released, Returned, Step
from alerting.causes.write import fall_of
from alerting.incidents.book import Book, Incident
from alerting.station_incidents.rules import Opens, Want
from alerting.station_incidents.write import write_intents
from alerting.stations.snapshot import Standing
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
    fallen = fall_of(offline(began_at, detail=detail), ())
    assert (fallen.began, fallen.until) == (minute(expected[0]), minute(expected[1])), name


def standing(**facts: object) -> Standing:
    return msgspec.structs.replace(Standing(station="S", state="online", usable=True), **facts)


NO_USE = {"usable": False, "unusable_since": minute(5)}
USES: list[tuple[str, dict[str, object], dict[str, object], list[float]]] = [
    ("it becomes of no use", {}, NO_USE, [5]),
    ("it can be used again", NO_USE, {}, [9]),
    ("it takes its word back", NO_USE, {"usable": None}, [9]),
    ("it says yes, and then nothing", {}, {"usable": None}, []),
    ("it falls: that is told of its incident", NO_USE, {"state": "offline", "usable": None}, []),
    ("it is closed", {"open": False}, {**NO_USE, "open": False}, []),
    ("a closure was declared", {"silenced": True}, {**NO_USE, "silenced": True}, []),
    ("it is not in service", {"lifecycle": "suspended"}, {**NO_USE, "lifecycle": "suspended"}, []),
]


@pytest.mark.parametrize(("name", "before", "after", "expected"), USES, ids=[case[0] for case in USES])
def test_changes_of_use_are_restless_too(
    name: str, before: dict[str, object], after: dict[str, object], expected: list[float]
) -> None:
    flapping = Flapping(FlappingSettings())
    touched = note_use(flapping, [(standing(**before), standing(**after)), (None, standing(**after))], minute(9))
    assert flapping.changes_of("S") == [minute(number) for number in expected], name
    assert touched == ({"S"} if expected else set())


def test_what_is_of_no_use_while_it_flaps_pages_nobody_until_it_stays_so() -> None:
    flapping, book = restless(), Book()
    write_turns(book, [turned(True, 40)], {"S": None}, NOW)
    want = Want(kind="unusable", began_at=minute(41), fault_at=minute(41), reason="said_unusable")
    opened = opened_of_no_use(
        write_intents(book, [Opens(station="S", area=None, want=want, at=minute(46))], minute(46))
    )
    assert opened == {"S"}
    shelter_use(book, flapping, opened, NOW)
    flaps = book.open_of(flapping_key("S"))
    child = book.open_of("unusable:S")
    assert flaps is not None
    assert child is not None
    assert child.parent == flaps.id
    assert [phase for number, phase in book.notifications() if number == child.id] == []

    later = Book([msgspec.structs.replace(flaps, id=1), msgspec.structs.replace(child, id=2, parent=1)])
    flapping.advance(minute(200))
    write_turns(later, [turned(False, 100)], {"S": None}, NOW)
    shelter_use(later, flapping, {"S"}, NOW)
    assert sorted(later.notifications()) == [(1, "closed"), (2, "opened")]
