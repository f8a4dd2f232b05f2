"""One pipeline_blind incident per outage, whichever evidence comes in whichever order."""

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.incidents.book import Action, Book, Incident
from alerting.pipeline.blind_incidents import (
    HUNG,
    DatabaseOutage,
    OutageMeter,
    PipelineGap,
    Trouble,
    View,
    Watchdog,
    WatchedClock,
    follow_pipeline,
    pipeline_key,
)
from alerting.pipeline.restarts import Announced, refusal
from tests.shelving import closed_by_hand

START = datetime(2026, 11, 23, 8, tzinfo=UTC)
KEY = pipeline_key("main")


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def clock(partition: int = 0, tick: float = 0, judged: float | None = None, blind: float | None = None) -> WatchedClock:
    return WatchedClock(
        partition=partition,
        shard="main",
        tick_at=at(tick),
        judged_at=at(tick if judged is None else judged),
        blind_since=None if blind is None else at(blind),
    )


def gap(began: float, ended: float, partition: int | None = 0, cause: str = "gap") -> PipelineGap:
    return PipelineGap(shard="main", partition=partition, began_at=at(began), ended_at=at(ended), cause=cause)


def trouble(since: float, partition: int = 0, cause: str = "judge_silent") -> View:
    return View(shards=("main",), troubles=(Trouble(shard="main", partition=partition, since=at(since), cause=cause),))


def well(reached: float) -> View:
    return View(shards=("main",), well={"main": at(reached)})


def incidents(book: Book) -> list[Incident]:
    return sorted(book.all_of(KEY), key=lambda incident: incident.began_at)


def causes(view: View) -> list[str]:
    return [found.cause for found in view.troubles]


# ---- the watchdog


def test_a_clock_that_stands_still_is_accused_after_ten_seconds_of_watching() -> None:
    dog = Watchdog()
    assert causes(dog.look([clock(tick=0)], now=at(0), mono=100)) == []
    assert causes(dog.look([clock(tick=0)], now=at(9.9), mono=109.9)) == []
    view = dog.look([clock(tick=0)], now=at(10.1), mono=110.1)
    assert [(t.cause, t.since) for t in view.troubles] == [("judge_silent", at(0))]


def test_a_judge_restarted_within_nine_seconds_is_nobodys_trouble() -> None:
    dog = Watchdog()
    dog.look([clock(tick=0)], now=at(0), mono=0)
    dog.look([clock(tick=0)], now=at(9), mono=9)
    assert causes(dog.look([clock(tick=9)], now=at(9.5), mono=9.5)) == []


def test_a_step_of_the_wall_clock_accuses_nobody() -> None:
    dog = Watchdog()
    for second in range(5):
        dog.look([clock(tick=second)], now=at(second), mono=second)
    assert causes(dog.look([clock(tick=4)], now=at(3605), mono=5)) == []
    assert causes(dog.look([clock(tick=3606)], now=at(3606), mono=6)) == []


def test_a_pause_of_this_process_accuses_nobody() -> None:
    dog = Watchdog()
    dog.look([clock(tick=0)], now=at(0), mono=0)
    assert causes(dog.look([clock(tick=59.5)], now=at(60), mono=60)) == []


def test_a_judge_far_behind_is_accused_although_it_works() -> None:
    dog = Watchdog()
    for second in range(10):
        assert causes(dog.look([clock(tick=second, judged=60 + second)], now=at(60 + second), mono=second)) == []
    view = dog.look([clock(tick=11, judged=71)], now=at(71), mono=11)
    assert causes(view) == ["behind"]
    assert view.well == {}


def test_a_clock_blind_for_over_five_seconds_is_trouble_and_a_shorter_one_is_not_well() -> None:
    dog = Watchdog()
    dog.look([clock(tick=0)], now=at(0), mono=0)
    view = dog.look([clock(tick=5, blind=0)], now=at(5), mono=5)
    assert (causes(view), view.well) == ([], {})
    assert causes(dog.look([clock(tick=5.3, blind=0)], now=at(5.3), mono=5.3)) == ["blind"]


def test_a_shard_is_well_only_when_every_clock_was_seen_to_move() -> None:
    dog = Watchdog()
    assert dog.look([clock(0, 0), clock(1, 0)], now=at(0), mono=0).well == {}
    assert dog.look([clock(0, 1), clock(1, 0)], now=at(1), mono=1).well == {}
    assert dog.look([clock(0, 1), clock(1, 2)], now=at(2), mono=2).well == {"main": at(1)}


def test_the_database_is_measured_over_failed_calls() -> None:
    meter = OutageMeter()
    meter.call(0)
    meter.answered(9.9)
    assert meter.outage is None
    meter.call(10)
    meter.call(15)  # the first one failed
    meter.answered(21)
    assert meter.outage == DatabaseOutage(10, 21)


# ---- the incident

WATCHED: list[tuple[list[PipelineGap], View]] = [([], trouble(0)), ([], well(21))]
PASSED: tuple[list[PipelineGap], View] = ([gap(0, 7)], well(8))


@pytest.mark.parametrize(
    ("name", "passes", "expected"),
    [
        ("a short gap is none", [([gap(0, 5)], well(6))], []),
        ("a gap that is over", [([gap(0, 7)], well(8))], [(0, 7)]),
        ("a gap of all partitions", [([gap(0, 7, p) for p in range(24)], well(8))], [(0, 7)]),
        ("partitions one by one", [([gap(p / 100, 7 + p / 100, p)], well(8)) for p in range(24)], [(0, 7)]),
        (
            "watchdog, then the gap, then well",
            [([], trouble(0)), ([gap(-1, 20)], trouble(0)), ([], well(21))],
            [(-1, 21)],
        ),
        ("the gap comes after the end", [([], trouble(0)), ([], well(21)), ([gap(-1, 20)], well(22))], [(-1, 21)]),
        (
            "a hung database and a silent judge",
            [([gap(0, 20, None, HUNG)], trouble(-0.3)), ([], well(22))],
            [(-0.3, 22)],
        ),
        ("a hung database alone", [([gap(0, 20, None, HUNG)], well(20.5))], [(0, 20)]),
        ("two outages, read at once", [([gap(0, 7), gap(30, 40)], well(60))], [(0, 7), (30, 40)]),
        (
            "two outages, the second at once",
            [([], trouble(0)), ([], well(21)), ([], trouble(21.2)), ([gap(21.2, 40)], well(41))],
            [(0, 21), (21.2, 41)],
        ),
        (
            "another partition tells late of an older one",
            [([gap(0, 7, 0)], well(8)), ([], trouble(30)), ([gap(0, 7, 1)], trouble(30))],
            [(0, 7), (30, None)],
        ),
        ("an older one unknown till now", [([], trouble(30)), ([gap(0, 7, 1)], trouble(30))], [(0, 7), (30, None)]),
        ("a bridge that never comes back", [([], trouble(0))] * 50, [(0, None)]),
        (
            "a short gap inside counts to it",
            [([], trouble(0)), ([gap(-2, 1, 3)], trouble(0)), ([], well(20))],
            [(-2, 20)],
        ),
    ],
)
def test_outages(
    name: str, passes: list[tuple[list[PipelineGap], View]], expected: list[tuple[float, float | None]]
) -> None:
    book = Book()
    for number, (gaps, view) in enumerate(passes):
        follow_pipeline(book, gaps=gaps, view=view, now=at(100 + number))
    found = [(i.began_at, i.ended_at) for i in incidents(book)]
    assert found == [(at(a), None if b is None else at(b)) for a, b in expected], name


def test_detail_names_causes_and_partitions_and_a_repeated_pass_changes_nothing() -> None:
    book = Book()
    for _ in range(3):
        follow_pipeline(book, gaps=[gap(-1, 20, 5), gap(0, 9, None, HUNG)], view=trouble(0, 3), now=at(30))
    (incident,) = incidents(book)
    assert incident.detail["causes"] == ["database_hung", "gap", "judge_silent"]
    assert incident.detail["partitions"] == [3, 5]
    assert [d.action for d in book.decisions].count(Action.OPENED) == 1
    assert len(book.decisions) <= 3


def test_nothing_is_closed_while_gaps_are_still_to_be_read() -> None:
    book = Book()
    follow_pipeline(book, gaps=[gap(0, 7)], view=well(8), now=at(9), complete=False)
    assert book.open_of(KEY) is not None


def test_what_a_person_resolved_stays_resolved_until_it_was_over() -> None:
    book = Book()
    follow_pipeline(book, gaps=[], view=trouble(0), now=at(11))
    opened = book.open_of(KEY)
    assert opened is not None
    book = Book([closed_by_hand(msgspec.structs.replace(opened, id=1), at(15))])
    follow_pipeline(book, gaps=[], view=trouble(0), now=at(16))
    assert len(incidents(book)) == 1
    assert book.notifications() == []
    follow_pipeline(book, gaps=[], view=well(20), now=at(21))
    assert book.notifications() == [(1, "closed")], "that it is over is told when it is"
    follow_pipeline(book, gaps=[], view=trouble(21), now=at(35))
    assert len(incidents(book)) == 2
    follow_pipeline(book, gaps=[gap(19, 40)], view=trouble(21), now=at(36))
    reopened = book.open_of(KEY)
    assert reopened is not None
    assert reopened.began_at == at(19), "of two that overlap, a gap belongs to the open one"


# ---- gaps that recur


def passes(
    gaps: list[tuple[float, float]], until: float, step: float = 5.0, announced: Sequence[Announced] = ()
) -> Book:
    """A pass each few seconds; the clocks are well but in the gaps; gaps are read when they are over."""
    book, now, seen = Book(), 0.0, 0
    while now < until:
        now += step
        over = [one for one in gaps if one[1] <= now]
        recent = {"main": [(at(began), at(ended)) for began, ended in over]}
        blind = any(began < now < ended for began, ended in gaps)
        follow_pipeline(
            book, gaps=[gap(*one) for one in over[seen:]], view=View(shards=("main",)) if blind else well(now),
            now=at(now), recent=recent, announced=announced,
        )  # fmt: skip
        seen = len(over)
    return book


SHORT = [(120.0 * n, 120.0 * n + 2) for n in range(1, 15)]
RECURRING = [
    ("one long gap", [(10, 200)], 900, [None]),
    ("three short ones", SHORT[:3], 900, []),
    ("two that take a tenth", [(10, 45), (100, 140)], 400, [None, "unstable"]),
    ("four of a second", [(30.0 * n, 30.0 * n + 1) for n in range(1, 5)], 300, ["unstable"]),
    ("a break every two minutes", SHORT, 1700, ["unstable"]),
    ("four in an hour", [(900.0 * n, 900.0 * n + 2) for n in range(1, 5)], 3700, []),
]


@pytest.mark.parametrize(("name", "gaps", "until", "reasons"), RECURRING, ids=[case[0] for case in RECURRING])
def test_gaps_that_recur_are_one_incident(
    name: str, gaps: list[tuple[float, float]], until: float, reasons: list[str | None]
) -> None:
    book = passes(gaps, until)
    assert [incident.detail.get("reason") for incident in incidents(book)] == reasons, name


def test_it_is_over_after_ten_quiet_minutes_and_told_once() -> None:
    book = passes(SHORT[:6], 725 + 590)
    (unstable,) = incidents(book)
    assert unstable.is_open
    book = passes(SHORT[:6], 725 + 620)
    (unstable,) = incidents(book)
    assert (unstable.is_open, unstable.ended_at, unstable.began_at) == (False, at(722), at(120))
    assert [d.action for d in book.decisions if d.action in (Action.OPENED, Action.CLOSED)] == [
        Action.OPENED,
        Action.CLOSED,
    ]


def test_gaps_of_all_partitions_at_once_are_one() -> None:
    recent = {"main": [(at(10 + n / 30), at(14 + n / 30)) for n in range(24)]}
    book = Book()
    follow_pipeline(book, gaps=[], view=well(20), now=at(20), recent=recent)
    assert incidents(book) == []


def test_what_is_only_known_of_a_gap_waits_for_its_end() -> None:
    book = Book()
    follow_pipeline(book, gaps=[gap(0, 60)], view=View(shards=("main",)), now=at(61))
    (found,) = incidents(book)
    assert book.held == {found.id: at(71)}
    blind = Book()
    follow_pipeline(blind, gaps=[], view=trouble(0, cause="blind"), now=at(8))
    assert blind.held == {}, "what goes on is told at once"


# ---- announced restarts

FIVE_MINUTES = Announced(from_at=at(0), until_at=at(300), actor="li", reason="kernel")
RESTARTS = [
    ("within it", [(5, 250)], [True]),
    ("it began a moment before", [(-4, 250)], [True]),
    ("it took longer", [(5, 330)], [False]),
    ("it was blind before already", [(-60, 250)], [False]),
    ("afterwards", [(310, 340)], [False]),
    ("several within it are no instability", [(5, 60), (70, 130), (150, 200), (220, 280)], [True] * 4),
]


@pytest.mark.parametrize(("name", "gaps", "quiet"), RESTARTS, ids=[case[0] for case in RESTARTS])
def test_what_an_announced_restart_explains_pages_nobody(
    name: str, gaps: list[tuple[float, float]], quiet: list[bool]
) -> None:
    book = passes(gaps, 400, announced=[FIVE_MINUTES])
    assert [not incident.pages for incident in incidents(book)] == quiet, name
    assert len(book.notifications()) == quiet.count(False)


def test_a_restart_that_takes_longer_than_announced_pages_then() -> None:
    book = Book()
    follow_pipeline(book, gaps=[], view=trouble(5), now=at(100), announced=[FIVE_MINUTES])
    assert book.notifications() == []
    (found,) = incidents(book)
    assert (found.detail["announced_by"], found.detail["announced_reason"]) == ("li", "kernel")
    book = Book([msgspec.structs.replace(found, id=1)])
    follow_pipeline(book, gaps=[], view=trouble(5), now=at(299), announced=[FIVE_MINUTES])
    assert book.notifications() == []
    follow_pipeline(book, gaps=[], view=trouble(5), now=at(301), announced=[FIVE_MINUTES])
    assert book.notifications() == [(1, "opened")]


REFUSALS = [
    ("the first", None, 5, "kernel", True),
    ("ten minutes", None, 10, "kernel", True),
    ("longer", None, 10.1, "kernel", False),
    ("no time", None, 0, "kernel", False),
    ("no reason", None, 5, "  ", False),
    ("while one goes on", -60, 5, "kernel", False),
    ("right after one", -301, 5, "kernel", False),
    ("ten minutes after one", -901, 5, "kernel", True),
]


@pytest.mark.parametrize(("name", "began", "minutes", "reason", "may"), REFUSALS, ids=[case[0] for case in REFUSALS])
def test_nobody_can_announce_restarts_for_ever(
    name: str, began: float | None, minutes: float, reason: str, may: bool
) -> None:
    last = None if began is None else Announced(from_at=at(began), until_at=at(began + 300), actor="li", reason="r")
    assert (refusal(last, at(0), timedelta(minutes=minutes), reason) is None) is may, name


PARTITIONS = 24


class Story(msgspec.Struct):
    """Outages far enough apart, and for each when (passes after its begin) each partition tells of it."""

    lengths: list[float]
    watched: list[bool]
    delays: list[list[int]]


@st.composite
def stories(draw: st.DrawFn) -> Story:
    count = draw(st.integers(1, 3))
    return Story(
        lengths=[draw(st.floats(6, 60)) for _ in range(count)],
        watched=[draw(st.booleans()) for _ in range(count)],
        delays=[draw(st.lists(st.integers(0, 30), min_size=PARTITIONS, max_size=PARTITIONS)) for _ in range(count)],
    )


@given(stories(), st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_exactly_one_incident_per_outage(story: Story, random: object) -> None:
    """Gap rows of 24 partitions and watchdog passes in any interleaving; rows may come long after the end."""
    book, late, began = Book(), [], 0.0
    for length, watched, delays in zip(story.lengths, story.watched, story.delays, strict=True):
        ended = began + length
        rows = [(delay, gap(began + p / 100, ended - p / 100, p)) for p, delay in enumerate(delays)]
        for number in range(10):
            due = [row for delay, row in rows if delay == number]
            going_on = number < 5 and watched and length > 10
            view = trouble(began + number / 100, number) if going_on else View(shards=("main",))
            follow_pipeline(book, gaps=due, view=view, now=at(began + length))
        now = ended + 1
        follow_pipeline(book, gaps=[], view=well(now), now=at(now))
        late += [row for delay, row in rows if delay >= 10]
        began = now + 30
    random.shuffle(late)  # type: ignore[attr-defined]
    for row in late:
        follow_pipeline(book, gaps=[row], view=well(began), now=at(began))
    found = incidents(book)
    assert len(found) == len(story.lengths)
    assert all(not incident.is_open for incident in found)
    for incident, until in itertools.pairwise(found):
        assert incident.ended_at is not None
        assert incident.ended_at < until.began_at
