"""Station incidents and what people may do to an incident."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.incidents_core import (
    Action,
    Book,
    Change,
    Incident,
    Refusal,
    StandingOffline,
    StationFacts,
    Status,
    follow_registry,
    follow_stations,
    refusal,
    station_key,
)

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
IN_SERVICE = {"A": StationFacts("commissioned", "632122000000"), "B": StationFacts("commissioned")}
KEY = station_key("A")


def change(
    before: str, after: str, seconds: float = 0, station: str = "A", reason: str = "missed_heartbeats"
) -> Change:
    return Change(station=station, before=before, after=after, at=NOW + timedelta(seconds=seconds), reason=reason)


def outcome(book: Book) -> list[tuple[str, str]]:
    return [(decision.action.value, decision.reason) for decision in book.decisions]


FELL = change("online", "offline")
OPENED = ("opened", "missed_heartbeats")
STILL = change("offline", "offline", 9)
RETURNED = change("offline", "online", 9)


@pytest.mark.parametrize(
    ("name", "changes", "facts", "expected"),
    [
        ("a station falls", [FELL], IN_SERVICE, [OPENED]),
        (
            "and returns",
            [FELL, RETURNED],
            IN_SERVICE,
            [OPENED, ("closed", "online")],
        ),
        (
            "it says where it is after all",
            [FELL, change("offline", "away", 9)],
            IN_SERVICE,
            [OPENED, ("closed", "away")],
        ),
        (
            "usable changes while offline",
            [FELL, change("offline", "offline", 9)],
            IN_SERVICE,
            [OPENED, ("ignored", "already_open")],
        ),
        (
            "offline goes on after a person resolved it",
            [change("offline", "offline", 9)],
            IN_SERVICE,
            [("ignored", "already_offline")],
        ),
        ("a first heartbeat", [change("never_seen", "online")], IN_SERVICE, [("ignored", "not_open")]),
        ("nobody registered it", [FELL], {}, [("ignored", "not_registered")]),
        ("it is being built", [FELL], {"A": StationFacts("planned")}, [("ignored", "not_commissioned")]),
        ("it is closed for good", [FELL], {"A": StationFacts("retired")}, [("ignored", "not_commissioned")]),
    ],
)
def test_station_transitions(
    name: str, changes: list[Change], facts: dict[str, StationFacts], expected: list[tuple[str, str]]
) -> None:
    book = Book()
    follow_stations(book, changes, facts, NOW)
    assert outcome(book) == expected, name


def test_an_incident_begins_when_the_first_missed_heartbeat_was_due() -> None:
    book = Book()
    follow_stations(book, [change("online", "offline", -120)], IN_SERVICE, NOW)
    opened = book.open_of(KEY)
    assert opened is not None
    assert (opened.began_at, opened.opened_at, opened.area) == (NOW - timedelta(seconds=120), NOW, "632122000000")
    assert book.notifications() == [(opened.id, "opened")]


def test_what_was_over_when_it_was_found_is_told_once() -> None:
    book = Book()
    follow_stations(book, [FELL, RETURNED], IN_SERVICE, NOW)
    assert [phase for _, phase in book.notifications()] == ["passed"]


def test_an_acknowledged_incident_closes_too() -> None:
    stored = Incident(
        id=7, kind="station_offline", key=KEY, status="acknowledged", began_at=NOW, opened_at=NOW, station="A"
    )
    book = Book([stored])
    follow_stations(book, [change("offline", "online", 60)], IN_SERVICE, NOW + timedelta(seconds=61))
    (closed,) = book.changed
    assert (closed.status, closed.ended_at) == ("closed", NOW + timedelta(seconds=60))
    assert book.notifications() == [(7, "closed")]


@pytest.mark.parametrize("lifecycle", ["suspended", "retired", "planned", None])
def test_leaving_service_closes(lifecycle: str | None) -> None:
    book = Book()
    follow_stations(book, [FELL], IN_SERVICE, NOW)
    follow_registry(book, no_longer={"A": lifecycle}, standing=[], now=NOW)
    assert outcome(book)[-1] == ("closed", lifecycle or "deleted")


def test_a_station_commissioned_while_offline_does_not_escape() -> None:
    book = Book()
    standing = [StandingOffline("A", None, NOW - timedelta(days=3))]
    follow_registry(book, no_longer={}, standing=standing, now=NOW)
    follow_registry(book, no_longer={}, standing=standing, now=NOW)
    assert outcome(book) == [("opened", "commissioned_offline")]


def test_two_open_incidents_of_a_key_are_impossible() -> None:
    book = Book()
    follow_stations(book, [FELL], IN_SERVICE, NOW)
    opened = book.open_of(KEY)
    assert opened is not None
    with pytest.raises(ValueError, match="open already"):
        book.open(opened, "again")


STATES = st.sampled_from(["online", "away", "offline", "never_seen"])


@given(st.lists(st.tuples(st.sampled_from(["A", "B"]), STATES), max_size=40), st.lists(st.integers(1, 5), max_size=20))
def test_opening_and_closing_alternate_however_the_stream_is_cut(steps: list[tuple[str, str]], cuts: list[int]) -> None:
    """The final state is open exactly when the station is offline, and batches change nothing."""
    state = {"A": "never_seen", "B": "never_seen"}
    changes = []
    for second, (station, after) in enumerate(steps):
        changes.append(change(state[station], after, second, station))
        state[station] = after
    whole, parts = Book(), Book()
    follow_stations(whole, changes, IN_SERVICE, NOW)
    rest = changes
    for cut in [*cuts, len(changes)]:
        follow_stations(parts, rest[:cut], IN_SERVICE, NOW)
        rest = rest[cut:]
    follow_stations(parts, rest, IN_SERVICE, NOW)
    assert parts.decisions == whole.decisions
    for station, last in state.items():
        key = station_key(station)
        actions = [d.action for d in whole.decisions if d.key == key and d.action is not Action.IGNORED]
        assert actions == [Action.OPENED, Action.CLOSED] * (len(actions) // 2) + [Action.OPENED] * (len(actions) % 2)
        assert (whole.open_of(key) is not None) == (last == "offline")


@pytest.mark.parametrize(
    ("action", "status", "text", "expected"),
    [
        ("acknowledged", "open", None, None),
        ("acknowledged", "acknowledged", None, Refusal.ALREADY_ACKNOWLEDGED),
        ("acknowledged", "closed", None, Refusal.CLOSED),
        ("assigned", "open", "扎西", None),
        ("assigned", "open", "  ", Refusal.EMPTY),
        ("assigned", "closed", "扎西", Refusal.CLOSED),
        ("note", "closed", "the fuse was blown", None),
        ("note", "open", None, Refusal.EMPTY),
        ("note", "open", "x" * 4001, Refusal.TOO_LONG),
        ("resolved", "acknowledged", None, None),
        ("resolved", "closed", None, Refusal.CLOSED),
        ("resolved", None, None, Refusal.NOT_FOUND),
    ],
)
def test_what_people_may_do(action: str, status: Status | None, text: str | None, expected: Refusal | None) -> None:
    assert refusal(action, status, text) is expected
