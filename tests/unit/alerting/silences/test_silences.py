"""Which silence covers an incident, and until when."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.silences.model import Silence
from alerting.silences.rules import Silences, silenced_until
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
