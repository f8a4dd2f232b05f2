"""A station's history: what holds for any inputs, and the cases that auditors ask about."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.stations.verdict import verdict_of
from audit.timeline import (
    HistoryInterval,
    PresenceRun,
    StateChange,
    StationDecisions,
    UnknownInterval,
    _IntervalCounter,
    timeline,
)

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def change(seq: int, minute: float, state: str, usable: bool | None = None) -> StateChange:
    return StateChange(seq=seq, at=at(minute), state=state, usable=usable)


def gap(begin: float, end: float) -> UnknownInterval:
    return UnknownInterval(began_at=at(begin), ended_at=at(end))


def ran(begin: float, end: float, usable: bool | None = None, received: float = 500) -> PresenceRun:
    return PresenceRun(began_at=at(begin), ended_at=at(end), usable=usable, received_at=at(received))


def told(spans: Sequence[HistoryInterval]) -> list[tuple[float, float, str, bool | None, str, int]]:
    """Spans as (from, to) in minutes after noon and what they say."""
    minute = timedelta(minutes=1)
    return [
        ((s.begin - NOON) / minute, (s.end - NOON) / minute, s.verdict, s.usable, s.evidence, s.revision) for s in spans
    ]


def test_before_the_first_message_it_is_never_seen_and_the_last_interval_goes_on() -> None:
    spans = timeline([change(1, 10, "online", True)], [], [], begin=at(0), end=at(60))
    assert told(spans) == [(0, 10, "never_seen", None, "none", 1), (10, 60, "online", True, "live", 1)]


def test_what_began_before_the_window_holds_from_its_start() -> None:
    spans = timeline([change(1, -90, "online")], [], [], begin=at(0), end=at(60))
    assert told(spans) == [(0, 60, "online", None, "live", 1)]


def test_nothing_ever_heard() -> None:
    assert told(timeline([], [gap(5, 6)], [ran(1, 2)], begin=at(0), end=at(9))) == [
        (0, 9, "never_seen", None, "none", 1)
    ]


def test_a_gap_is_unknown_whatever_was_judged() -> None:
    changes = [change(1, -5, "online"), change(2, 20, "offline")]
    spans = timeline(changes, [gap(10, 30)], [ran(12, 25)], begin=at(0), end=at(60))
    assert told(spans) == [
        (0, 10, "online", None, "live", 1),
        (10, 30, "unknown", None, "none", 1),
        (30, 60, "offline", None, "live", 1),
    ]


def test_presence_stays_offline_but_counts_for_service() -> None:
    changes = [change(1, -5, "online", True), change(2, 10, "offline")]
    spans = timeline(changes, [], [ran(5, 40, True)], begin=at(0), end=at(60))
    assert told(spans) == [
        (0, 10, "online", True, "live", 1),
        (10, 40, "offline", True, "presence", 2),
        (40, 60, "offline", None, "live", 1),
    ]


def test_one_terminal_that_was_usable_makes_the_station_so() -> None:
    changes = [change(1, 0, "offline")]
    spans = timeline(changes, [], [ran(0, 20, False), ran(10, 20, True, received=600)], begin=at(0), end=at(20))
    assert told(spans) == [(0, 10, "offline", False, "presence", 2), (10, 20, "offline", True, "presence", 3)]


def test_a_back_dated_offline_takes_away_what_was_decided_earlier() -> None:
    changes = [change(1, 0, "online", False), change(2, 30, "online", True), change(3, 20, "offline")]
    spans = timeline(changes, [], [], begin=at(0), end=at(60))
    assert told(spans) == [(0, 20, "unusable", False, "live", 1), (20, 60, "offline", None, "live", 1)]


def test_not_usable_is_no_service_and_said_so() -> None:
    said = [(0, True), (10, False), (20, None), (30, False), (40, True)]
    changes = [change(n, at, "online", usable) for n, (at, usable) in enumerate(said)]
    spans = timeline(
        changes, [gap(35, 38)], [], begin=at(0), end=at(60), decided=StationDecisions(openings=((at(0), at(32)),))
    )
    assert [row[:4] for row in told(spans)] == [
        (0, 10, "online", True),
        (10, 20, "unusable", False),
        (20, 30, "online", None),
        (30, 35, "unusable", False),
        (35, 38, "unknown", None),
        (38, 40, "unusable", False),
        (40, 60, "online", True),
    ]


def test_a_change_that_changes_nothing_makes_no_new_interval() -> None:
    spans = timeline([change(1, 0, "online"), change(2, 30, "online")], [], [], begin=at(0), end=at(60))
    assert told(spans) == [(0, 60, "online", None, "live", 1)]


def test_an_empty_window_is_refused() -> None:
    with pytest.raises(ValueError, match="before"):
        timeline([], [], [], begin=at(0), end=at(0))


def test_closed_and_excused_where_nobody_expects_it_online() -> None:
    """Open from 10 to 50, closed for repair from 30 to 40; the terminal was left on until 55."""
    changes = [
        change(1, -5, "offline"),
        change(2, 20, "online", True),
        change(3, 25, "offline"),
        change(4, 45, "online"),
    ]
    changes.append(change(5, 55, "away"))
    decided = StationDecisions(openings=((at(10), at(50)),), closures=((at(30), at(40)), (at(35), at(38))))
    spans = timeline(changes, [], [ran(32, 34, False)], begin=at(0), end=at(60), decided=decided)
    assert told(spans) == [
        (0, 10, "closed", None, "live", 1),
        (10, 20, "offline", None, "live", 1),
        (20, 25, "online", True, "live", 1),
        (25, 30, "offline", None, "live", 1),
        (30, 32, "excused", None, "live", 1),
        (32, 34, "excused", False, "presence", 2),
        (34, 40, "excused", None, "live", 1),
        (40, 45, "offline", None, "live", 1),
        (45, 55, "online", None, "live", 1),
        (55, 60, "closed", None, "live", 1),
    ]


def test_a_suspended_time_stays_suspended_afterwards() -> None:
    decided = StationDecisions(lifecycles=((at(10), "planned"), (at(20), "commissioned"), (at(40), "suspended")))
    spans = timeline([change(1, 15, "online")], [gap(5, 45)], [], begin=at(0), end=at(60), decided=decided)
    assert [row[:3] for row in told(spans)] == [(0, 20, "suspended"), (20, 40, "unknown"), (40, 60, "suspended")]


def test_silence_that_gaps_leave_open_is_unknown_until_it_is_heard_or_proven() -> None:
    changes = [change(1, 0, "online"), change(2, 10, "unproven"), change(3, 20, "online")]
    changes += [change(4, 30, "unproven"), change(5, 45, "offline")]
    spans = timeline(changes, [gap(12, 13)], [ran(32, 50, True, 200)], begin=at(0), end=at(60))
    assert [(begin, end, word, evidence) for begin, end, word, _, evidence, _ in told(spans)] == [
        (0, 10, "online", "live"),
        (10, 20, "unknown", "none"),
        (20, 30, "online", "live"),
        (30, 32, "unknown", "none"),
        (32, 45, "unknown", "presence"),
        (45, 50, "offline", "presence"),
        (50, 60, "offline", "live"),
    ]


def test_never_open_is_always_closed() -> None:
    spans = timeline([change(1, 0, "offline")], [], [], begin=at(0), end=at(9), decided=StationDecisions(openings=()))
    assert [row[2] for row in told(spans)] == ["closed"]


minutes = st.integers(-60, 180)
states = st.sampled_from(["online", "away", "offline", "never_seen", "unproven"])
usables = st.sampled_from([True, False, None])
changes_lists = st.lists(st.builds(change, st.integers(1, 50), minutes, states, usables), unique_by=lambda c: c.seq)
gap_lists = st.lists(st.builds(gap, minutes, minutes), max_size=6)
ran_lists = st.lists(st.builds(ran, minutes, minutes, usables, st.integers(200, 203)), max_size=8)


pairs = st.lists(st.tuples(minutes.map(at), minutes.map(at)), max_size=4).map(tuple)
lifecycles = st.lists(
    st.tuples(minutes.map(at), st.sampled_from(["planned", "commissioned", "suspended"])),
    max_size=3,
    unique_by=lambda entry: entry[0],
).map(tuple)
decisions = st.builds(StationDecisions, openings=st.none() | pairs, closures=pairs, lifecycles=lifecycles)


@given(changes_lists, gap_lists, ran_lists, decisions, st.integers(0, 60), st.integers(1, 60), st.randoms())
def test_every_history_covers_exactly_its_window(
    changes: list[StateChange],
    gaps: list[UnknownInterval],
    presence: list[PresenceRun],
    decided: StationDecisions,
    begin: int,
    length: int,
    random: Random,
) -> None:
    window = {"begin": at(begin), "end": at(begin + length)}
    spans = timeline(changes, gaps, presence, decided=decided, **window)
    assert (spans[0].begin, spans[-1].end) == (window["begin"], window["end"])
    for one, other in pairwise(spans):
        assert one.begin < one.end == other.begin
        assert told([one])[0][2:] != told([other])[0][2:], "neighbours that say the same are one"

    doubled = [[*items, *items[:2]] for items in (changes, gaps, presence)]
    for items in doubled:
        random.shuffle(items)
    again = StationDecisions(
        openings=None if decided.openings is None else (*decided.openings[::-1], *decided.openings[:1]),
        closures=(*decided.closures[::-1], *decided.closures[:1]),
        lifecycles=decided.lifecycles[::-1],
    )
    assert timeline(*doubled, decided=again, **window) == spans, "neither order nor doubles matter"


@given(changes_lists, gap_lists, ran_lists, decisions, st.integers(0, 120))
def test_each_moment_says_what_the_rules_say(
    changes: list[StateChange],
    gaps: list[UnknownInterval],
    presence: list[PresenceRun],
    decided: StationDecisions,
    minute: int,
) -> None:
    """The same rules again, the plain slow way: for one moment, looked up in everything."""
    moment = at(minute)
    (span,) = timeline(changes, gaps, presence, begin=moment, end=moment + timedelta(seconds=1), decided=decided)
    is_open = decided.openings is None or any(b <= moment < e for b, e in decided.openings)
    excused = any(b <= moment < e for b, e in decided.closures)
    by_time = sorted(decided.lifecycles)
    lifecycle = next((word for at, word in reversed(by_time) if at <= moment), by_time[0][1] if by_time else None)
    standing = [c for c in changes if c.at <= moment and not any(d.seq > c.seq and d.at <= c.at for d in changes)]
    newest = max(standing, key=lambda c: c.at, default=None)
    running = [p for p in presence if p.began_at <= moment < p.ended_at]
    if lifecycle not in (None, "commissioned"):
        expected = ("suspended", "none")
    elif newest is None or newest.state == "never_seen":
        expected = ("never_seen", "none")
    elif any(g.began_at <= moment < g.ended_at for g in gaps):
        expected = ("unknown", "none")
    else:
        judged = verdict_of(
            lifecycle="commissioned", state=newest.state, usable=newest.usable, open=is_open, excused=excused
        )
        silent = newest.state in ("offline", "unproven")
        expected = (judged, "presence" if silent and running else "none" if judged == "unknown" else "live")
    assert (span.verdict, span.evidence) == expected


@given(changes_lists, st.integers(0, 60))
def test_the_last_interval_is_the_last_word(changes: list[StateChange], end: int) -> None:
    """Asked up to after everything, the history ends in what was decided last."""
    if not changes:
        return
    spans = timeline(changes, [], [], begin=at(-100), end=at(200 + end))
    newest = max(changes, key=lambda c: c.seq)
    unusable = newest.state == "online" and newest.usable is False
    word = "unknown" if newest.state == "unproven" else newest.state
    assert spans[-1].verdict == ("unusable" if unusable else word)


def test_presence_that_overlaps_itself_is_counted_without_going_through_all_of_it() -> None:
    """A terminal may record anything. What is asked of a moment must not hang on how much lies over it."""
    Counting.compared = 0
    many = 4_000
    runs = [(Counting(n), Counting(2 * many - n), n) for n in range(many)]
    cover: _IntervalCounter[int] = _IntervalCounter(runs)  # type: ignore[arg-type]  # times that count how often they are compared
    for moment in range(2 * many):
        cover.counts_at(Counting(moment))  # type: ignore[arg-type]
    assert Counting.compared < 100 * many


class Counting(int):
    """A time that counts comparisons."""

    compared = 0

    def __lt__(self, other: int) -> bool:
        Counting.compared += 1
        return int(self) < int(other)

    def __le__(self, other: int) -> bool:
        Counting.compared += 1
        return int(self) <= int(other)

    def __gt__(self, other: int) -> bool:
        Counting.compared += 1
        return int(self) > int(other)
