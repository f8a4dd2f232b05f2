"""Which silence covers an incident, until when, and what becomes of a page then."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.silences.model import Silence
from alerting.silences.rules import ASK_AGAIN, Silences, fate_of_page, silenced_by, silenced_until
from registry.routes.routing import RouteSubject

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)


def hour(n: float) -> datetime:
    return BEGIN + timedelta(hours=n)


def silence(begin: float = 8, end: float = 18, *, number: int = 1, **more: Any) -> Silence:
    made = {"id": number, "from_at": hour(begin), "until_at": hour(end), "reason": "switch replaced", "made_by": "li"}
    return Silence(**{**made, **more})


def subject(**more: Any) -> RouteSubject:
    known = {"kind": "station_offline", "severity": "critical", "station": "S1", "path": ("63", "6321", "632122")}
    return RouteSubject(**{**known, **more})


# (what the silence is for, the subject, whether it is covered)
COVERED: list[tuple[str, dict[str, Any], dict[str, Any], bool]] = [
    ("its station", {"station": "S1"}, {}, True),
    ("another station", {"station": "S2"}, {}, False),
    ("its own area", {"area": "632122"}, {}, True),
    ("an area above it", {"area": "63"}, {}, True),
    ("an area beside it", {"area": "6322"}, {}, False),
    ("an area whose code only begins alike", {"area": "6"}, {}, False),
    ("an area below that of a wider incident", {"area": "632122"}, {"station": None, "path": ("63", "6321")}, False),
    ("a station, and the incident is wider", {"station": "S1"}, {"station": None}, False),
    ("the area of a wider incident", {"area": "6321"}, {"station": None, "path": ("63", "6321")}, True),
    ("everything", {}, {}, True),
    ("everything, and the incident is of no area", {}, {"station": None, "path": ()}, True),
    ("an area, and the incident is of no area", {"area": "63"}, {"station": None, "path": ()}, False),
    ("its kind among others", {"area": "63", "kinds": frozenset({"health", "station_offline"})}, {}, True),
    ("other kinds", {"area": "63", "kinds": frozenset({"health"})}, {}, False),
]


@pytest.mark.parametrize(("name", "made", "place", "covered"), COVERED, ids=[case[0] for case in COVERED])
def test_what_a_silence_covers(name: str, made: dict[str, Any], place: dict[str, Any], covered: bool) -> None:
    silences = Silences([silence(**made)])
    assert silenced_until(silences, subject(**place), hour(9)) == (hour(18) if covered else None)
    assert bool(silenced_by(silences, subject(**place), hour(9))) == covered


# (what there is, the moment, until when the subject is silenced)
ENDS: list[tuple[str, list[Silence], float, float | None]] = [
    ("none", [], 9, None),
    ("before it begins", [silence()], 7.9, None),
    ("at its first moment", [silence()], 8, 18),
    ("at its end", [silence()], 18, None),
    ("one within the other", [silence(), silence(9, 10, number=2)], 9, 18),
    ("the other overlaps it", [silence(8, 10), silence(9, 12, number=2)], 8, 12),
    ("the other begins when it ends", [silence(8, 10), silence(10, 12, number=2)], 9, 12),
    ("a chain, made in any order", [silence(10, 12, number=3), silence(8, 9), silence(9, 10, number=2)], 8, 12),
    ("a moment between them", [silence(8, 10), silence(10.1, 12, number=2)], 9, 10),
    ("the next covers another kind", [silence(8, 10), silence(10, 12, number=2, kinds=frozenset({"health"}))], 9, 10),
    ("of a station and of its area", [silence(8, 10, station="S1"), silence(9, 12, number=2, area="63")], 8, 12),
    ("ended early", [silence(ended_at=hour(11))], 9, 11),
    ("ended early, before now", [silence(ended_at=hour(9))], 9, None),
    ("ended before it began", [silence(ended_at=hour(7))], 9, None),
    ("ended when it was over anyway", [silence(ended_at=hour(20))], 9, 18),
    ("ended early, and another goes on", [silence(ended_at=hour(9)), silence(9, 12, number=2)], 8, 12),
]


@pytest.mark.parametrize(("name", "made", "at", "until"), ENDS, ids=[case[0] for case in ENDS])
def test_until_when(name: str, made: list[Silence], at: float, until: float | None) -> None:
    expected = None if until is None else hour(until)
    assert silenced_until(Silences(made), subject(), hour(at)) == expected


def spans() -> st.SearchStrategy[Silence]:
    return st.builds(
        lambda begin, length, ended: silence(
            begin, begin + length, ended_at=None if ended is None else hour(begin + ended)
        ),
        st.integers(0, 20),
        st.integers(1, 6),
        st.none() | st.integers(-2, 8),
    )


@given(st.lists(spans(), max_size=8), st.integers(0, 30))
def test_the_end_is_the_first_moment_that_no_silence_covers(made: list[Silence], at: int) -> None:
    until = silenced_until(Silences(made), subject(), hour(at))
    first = next(n for n in range(at, 40) if not any(one.holds(hour(n)) for one in made))
    assert until == (None if first == at else hour(first))


IN = {"until": hour(18)}
AFTER = {"until": None}

# (what happened, the phase, what is known, the fate, why)
FATES: list[tuple[str, str, dict[str, Any], str, str]] = [
    ("no silence", "opened", AFTER, "send", "not_silenced"),
    ("it began in the silence", "opened", IN, "hold", "silenced"),
    ("it began in the silence and goes on after it", "opened", AFTER, "send", "not_silenced"),
    ("it came back in the silence", "reopened", {**IN, "told": True}, "hold", "silenced"),
    ("a step is due in the silence", "escalated", {**IN, "told": True}, "hold", "silenced"),
    ("a step for somebody else is due in the silence", "escalated", IN, "hold", "silenced"),
    ("a reminder is due in the silence", "reminder", {**IN, "told": True}, "hold", "silenced"),
    ("it ended in the silence, nobody was told", "opened", {**IN, "over": True}, "hold", "silenced"),
    ("after the silence it is past", "opened", {**AFTER, "over": True}, "passed", "over"),
    ("its recovery comes, nobody was told", "resolved", {**IN, "over": True}, "hold", "silenced"),
    ("the same after the silence", "resolved", {**AFTER, "over": True}, "passed", "over"),
    (
        "the route tells no past",
        "opened",
        {**AFTER, "over": True, "tell_past": False},
        "drop",
        "route_tells_no_past",
    ),
    (
        "the route tells no past, still silenced",
        "resolved",
        {**IN, "over": True, "tell_past": False},
        "drop",
        "route_tells_no_past",
    ),
    ("recovery for whoever was told", "resolved", {**AFTER, "over": True, "told": True}, "send", "told_before"),
    ("the same in a silence", "resolved", {**IN, "over": True, "told": True}, "send", "told_before"),
    ("closed by a person, in a silence", "closed", {**IN, "over": True, "told": True}, "send", "told_before"),
    (
        "recovery, and the route tells no past",
        "resolved",
        {**IN, "over": True, "told": True, "tell_past": False},
        "send",
        "told_before",
    ),
    ("a step is due and it is over", "escalated", {**AFTER, "over": True, "told": True}, "drop", "over"),
]


@pytest.mark.parametrize(("name", "phase", "known", "fate", "why"), FATES, ids=[case[0] for case in FATES])
def test_what_becomes_of_a_page(name: str, phase: str, known: dict[str, Any], fate: str, why: str) -> None:
    became = fate_of_page(phase, now=hour(9), **{"told": False, "over": False, "tell_past": True, **known})
    assert (became.fate, became.why) == (fate, why)
    assert (became.until is not None) == (fate == "hold")


def test_a_held_page_is_looked_at_again_soon_because_a_silence_can_be_ended_early() -> None:
    late = fate_of_page("opened", now=hour(9), until=hour(18), told=False, over=False, tell_past=True)
    assert late.until == hour(9) + ASK_AGAIN
    soon = fate_of_page("opened", now=hour(9), until=hour(9.001), told=False, over=False, tell_past=True)
    assert soon.until == hour(9.001)


@given(
    st.sampled_from(["opened", "escalated", "reminder", "reopened", "resolved", "closed"]),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
def test_nothing_but_a_recovery_for_the_told_is_sent_in_a_silence(
    phase: str, told: bool, over: bool, tell_past: bool
) -> None:
    became = fate_of_page(phase, now=hour(9), until=hour(18), told=told, over=over, tell_past=tell_past)
    assert (became.fate == "send") == (told and phase in {"resolved", "closed"})
    assert became.fate != "passed"


@given(st.sampled_from(["opened", "reopened", "escalated"]), st.booleans(), st.booleans())
def test_what_still_goes_on_is_never_dropped(phase: str, told: bool, tell_past: bool) -> None:
    for until in (None, hour(18)):
        became = fate_of_page(phase, now=hour(9), until=until, told=told, over=False, tell_past=tell_past)
        assert became.fate == ("send" if until is None else "hold")
