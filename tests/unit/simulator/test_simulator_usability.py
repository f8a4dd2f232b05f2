"""A station that says nobody can use it: the checker finds where Milepost says something else, and nothing else."""

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agents.simulator.checker import check
from agents.simulator.journal import Entry, HeartbeatSent, LinkChanged
from agents.simulator.lives import history
from agents.simulator.seen import ExpectedRules, ReportedStation, VerdictSpan
from agents.simulator.spans import Span

STATION, EPOCH, EVERY = "6302220001", 1_800_000_000_000, 2.0


def ms(seconds: float) -> int:
    return EPOCH + round(seconds * 1000)


def beat(at: float, usable: bool | None, terminal: str = "001", *, clone: bool = False) -> HeartbeatSent:
    return HeartbeatSent(
        at=ms(at), station=STATION, terminal=terminal, clone=clone, boot="b", run=1, n=0, every=EVERY, usable=usable
    )


def beats(*spans: tuple[float, float, bool | None], terminal: str = "001") -> list[Entry]:
    """Heartbeats from begin to end (seconds) of each span, with what they say."""
    return [
        beat(begin + number * EVERY, usable, terminal)
        for begin, end, usable in spans
        for number in range(int((end - begin) / EVERY) + 1)
    ]


def span(begin: float, end: float) -> Span:
    return ms(begin), ms(end)


def found(entries: list[Entry], *timeline: tuple[float, float, str], grace: float = 300.0, **seen: object) -> list[str]:
    intervals = [VerdictSpan(begin=ms(begin), end=ms(end), verdict=verdict) for begin, end, verdict in timeline]
    what = ReportedStation(timeline=intervals, health=[], **seen)  # type: ignore[arg-type]
    journal = history(sorted(entries, key=lambda entry: entry.at))
    return [one.kind for one in check(journal, {STATION: what}, ExpectedRules(grace=grace))]


BROKEN = beats((0, 100, True), (102, 500, False), (502, 600, True))
RIGHT = ((0, 102, "online"), (102, 502, "unusable"), (502, 600, "online"))
TOLD = {"unusable": [span(102, 502)]}


def test_what_is_said_and_told_is_right() -> None:
    assert found(BROKEN, *RIGHT, **TOLD) == []


def test_online_while_nobody_can_use_it_is_found() -> None:
    assert found(BROKEN, (0, 600, "online"), **TOLD) == ["unusable_online"]
    late = ((0, 120, "online"), (120, 502, "unusable"), (502, 600, "online"))
    assert found(BROKEN, *late, **TOLD) == ["unusable_online"]


@pytest.mark.parametrize(
    ("name", "more", "expected"),
    [
        ("nobody was told", {}, ["missed_unusable"]),
        ("somebody was told of another time", {"unusable": [span(100, 101)]}, ["missed_unusable"]),
        ("it goes on", {"unusable": [span(102, 9999)]}, []),
        ("it was closed most of the time", {"openings": [span(0, 350), span(400, 600)]}, []),
        ("it was open long enough", {"openings": [span(150, 600)]}, ["missed_unusable"]),
        ("a closure was declared", {"closures": [span(300, 320)]}, []),
        ("less than the grace", {"grace": 500.0}, []),
    ],
)
def test_it_is_an_incident_after_the_grace(name: str, more: dict[str, object], expected: list[str]) -> None:
    assert found(BROKEN, *RIGHT, **more) == expected, name  # type: ignore[arg-type]


def test_what_milepost_could_not_see_it_need_not_tell() -> None:
    blind = ((0, 102, "online"), (102, 250, "unusable"), (250, 300, "unknown"), (300, 502, "unusable"))
    assert found(BROKEN, *blind) == []
    assert found(BROKEN, (0, 102, "online"), (102, 502, "unknown"), (502, 600, "online")) == []


def test_one_terminal_that_can_be_used_is_enough() -> None:
    both = [*BROKEN, *beats((0, 600, True), terminal="002")]
    assert found(both, (0, 600, "online")) == []
    assert found(both, *RIGHT) == ["false_unusable"]
    assert found(both, (0, 600, "online"), **TOLD) == []


def test_an_incident_of_what_was_always_usable_is_false() -> None:
    assert found(beats((0, 600, True)), (0, 600, "online"), **TOLD) == ["false_unusable"]


@pytest.mark.parametrize("other", [beats((0, 50, True), terminal="002"), beats((0, 600, None), terminal="002")])
def test_who_is_silent_and_who_says_nothing_does_not_help(other: list[Entry]) -> None:
    assert found([*BROKEN, *other], (0, 600, "online")) == ["unusable_online", "missed_unusable"]


def test_two_machines_with_one_identity_prove_nothing() -> None:
    assert found([*BROKEN, beat(300, True, clone=True)], (0, 600, "online")) == []


def test_what_may_have_died_with_its_link_decides_nothing() -> None:
    lost = LinkChanged(at=ms(102.2), station=STATION, terminal="001", up=False)
    entries = beats((0, 100, True), (102, 102, False), (104, 600, True))
    assert found([*entries, lost], (0, 600, "online")) == []


words = st.lists(st.tuples(st.integers(1, 20), st.sampled_from([True, False, None, "silent"])), min_size=1, max_size=8)


def _lives(plan: list[tuple[int, bool | str | None]], offset: float) -> list[tuple[float, bool | None]]:
    at, said = offset, list[tuple[float, bool | None]]()
    for length, word in plan:
        if not isinstance(word, str):
            said += [(at + number * EVERY, word) for number in range(length)]
        at += length * EVERY
    return said


def _state(said: list[tuple[float, bool | None]], at: float) -> tuple[bool, bool | None]:
    """Whether a faithful judge says at the end that a terminal was online then, and what it had said last."""
    before = [one for one in said if one[0] <= at]
    if not before:
        return False, None
    following = min((one[0] for one in said if one[0] > at), default=float("inf"))
    last, word = before[-1]
    return following - last <= 3 * EVERY or at < last + EVERY, word


def _judged(lives: list[list[tuple[float, bool | None]]], end: float) -> list[tuple[float, float, str]]:
    cuts = sorted(
        {0.0, end, *(at + more for said in lives for at, _ in said for more in (0.0, EVERY) if at + more < end)}
    )
    spans: list[tuple[float, float, str]] = []
    for begin, until in itertools.pairwise(cuts):
        online = [word for is_online, word in (_state(said, begin) for said in lives) if is_online]
        verdict = "offline" if not online else "unusable" if False in online and True not in online else "online"
        if spans and spans[-1][2] == verdict:
            spans[-1] = (spans[-1][0], until, verdict)
        else:
            spans.append((begin, until, verdict))
    return spans


@given(words, words, st.floats(0, 1.9))
@example([(1, True)] * 6 + [(3, False)], [(1, True)] * 6 + [(11, False)], 0.0)
def test_a_faithful_judge_is_never_blamed_and_one_that_calls_all_online_is(
    one: list[tuple[int, bool | str | None]], two: list[tuple[int, bool | str | None]], offset: float
) -> None:
    lives = [_lives(one, 0.0), _lives(two, offset)]
    if not all(lives):
        return
    entries = [
        beat(at, word, terminal) for said, terminal in zip(lives, ("001", "002"), strict=True) for at, word in said
    ]
    end = max(at for said in lives for at, _ in said)
    judged = _judged(lives, end)
    kinds = ("unusable_online", "missed_unusable", "false_unusable")
    no_use = [(begin, until) for begin, until, verdict in judged if verdict == "unusable"]
    told = [span(begin, until) for begin, until in no_use if until - begin >= 12.0]
    assert [kind for kind in found(entries, *judged, grace=12.0, unusable=told) if kind in kinds] == []
    lies = found(entries, (0, end, "online"), grace=12.0)
    if any(until - begin > 3 * EVERY + 2 * 3.0 + 3 * EVERY for begin, until in no_use):
        assert "unusable_online" in lies
