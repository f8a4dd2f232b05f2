"""What people are told of a station: the rules, and who wins when several apply."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from alerting.stations.expected import CalendarNow, ClosureNow, Cover
from alerting.stations.verdict import Clock, Clocks, Hours, Verdict, doubt, judge, verdict_of

NOW = datetime(2026, 11, 1, 8, tzinfo=UTC)
SINCE = NOW - timedelta(hours=3)


def clock(
    *, tick: float = 0.3, judged: float = 0.2, blind: float | None = None, partition: int = 0, shard: str = "main"
) -> Clock:
    """A clock whose times lie so many seconds before NOW."""
    return Clock(
        partition=partition,
        shard=shard,
        clock=1000.0,
        tick_at=NOW - timedelta(seconds=tick),
        judged_at=NOW - timedelta(seconds=judged),
        blind_since=None if blind is None else NOW - timedelta(seconds=blind),
    )


CASES = {
    "the judge's word on a sound clock": ("commissioned", "online", clock(), "online", "judged"),
    "away is said as judged": ("commissioned", "away", clock(), "away", "judged"),
    "offline is said as judged": ("commissioned", "offline", clock(), "offline", "judged"),
    "no row: never heard": ("commissioned", None, clock(), "never_seen", "never_heard"),
    "never heard wins over a dead clock": ("commissioned", "never_seen", clock(tick=9e4), "never_seen", "never_heard"),
    "never heard wins over no clock": ("commissioned", None, None, "never_seen", "never_heard"),
    "a clock of exactly 10 s still counts": ("commissioned", "offline", clock(tick=10), "offline", "judged"),
    "a judge that stopped": ("commissioned", "online", clock(tick=10.5, judged=10.2), "unknown", "clock_stale"),
    "a judge that lags": ("commissioned", "offline", clock(tick=11, judged=0.1), "unknown", "clock_stale"),
    "a blink of the pipeline is nothing": ("commissioned", "online", clock(blind=5), "online", "judged"),
    "a blind pipeline": ("commissioned", "offline", clock(blind=5.1), "unknown", "clock_blind"),
    "no clock at all": ("commissioned", "online", None, "unknown", "clock_missing"),
    "a planned one is not in service": ("planned", "online", clock(), "suspended", "lifecycle"),
    "a suspended one": ("suspended", "offline", clock(), "suspended", "lifecycle"),
    "a retired one, even on a dead clock": ("retired", None, None, "suspended", "lifecycle"),
    "a state this version does not know": ("commissioned", "dreaming", clock(), "unknown", "state_unknown"),
}


SHUT = Hours(open=False, changed_at=NOW - timedelta(hours=1))
EXCUSED = Hours(changed_at=NOW - timedelta(hours=5), excused_since=NOW - timedelta(hours=2))
BOTH = Hours(open=False, changed_at=NOW - timedelta(hours=1), excused_since=NOW - timedelta(hours=2))

EXPECTED = {
    "closed at 17:30 and switched off before": ("offline", SHUT, "closed", "outside_hours", 1),
    "a terminal left on after closing": ("online", SHUT, "online", "judged", 3),
    "away outside hours is closed": ("away", SHUT, "closed", "outside_hours", 1),
    "an approved closure within hours": ("offline", EXCUSED, "excused", "closure", 2),
    "open in spite of a closure": ("online", EXCUSED, "online", "judged", 3),
    "a closure excuses nothing while it is closed anyway": ("offline", BOTH, "closed", "outside_hours", 1),
    "closed for longer than is known": ("offline", Hours(open=False), "closed", "outside_hours", None),
    "fell after it closed": ("offline", Hours(open=False, changed_at=NOW - timedelta(hours=9)), "closed", None, 3),
    "opened within a closure": (
        "offline",
        Hours(changed_at=NOW - timedelta(hours=1), excused_since=NOW - timedelta(days=9)),
        "excused",
        "closure",
        1,
    ),
    "offline since it was last online, closed or not": ("offline", Hours(changed_at=NOW), "offline", "judged", 3),
    "unusable after closing is said all the same: it is heard": (("online", False), SHUT, "unusable", "judged", 3),
    "unusable within a closure": (("online", False), EXCUSED, "unusable", "judged", 3),
    "nothing expected of what was never heard": (None, SHUT, "never_seen", "never_heard", None),
}


@pytest.mark.parametrize("case", EXPECTED)
def test_hours_and_closures(case: str) -> None:
    said, hours, verdict, why, hours_ago = EXPECTED[case]
    state, usable = said if isinstance(said, tuple) else (said, None)
    found = judge(
        lifecycle="commissioned", state=state, usable=usable, since=SINCE, clock=clock(), now=NOW, hours=hours
    )
    assert found.verdict == verdict
    assert found.since == (None if hours_ago is None else NOW - timedelta(hours=hours_ago))
    assert found.why == why or why is None
    blind = judge(lifecycle="commissioned", state=state, usable=usable, since=SINCE, clock=None, now=NOW, hours=hours)
    assert blind.verdict == ("unknown" if state else "never_seen"), "whoever cannot see says so first"


@pytest.mark.parametrize(("lifecycle", "state"), list(itertools.product(("commissioned", "retired"), (*Verdict, None))))
@pytest.mark.parametrize(
    ("usable", "is_open", "excused"), list(itertools.product((True, False, None), (True, False), (True, False)))
)
def test_counts_are_made_of_the_same_verdicts(
    lifecycle: str, state: str | None, usable: bool | None, is_open: bool, excused: bool
) -> None:
    hours = Hours(open=is_open, excused_since=SINCE if excused else None)
    judged = judge(lifecycle=lifecycle, state=state, usable=usable, since=SINCE, clock=clock(), now=NOW, hours=hours)
    counted = verdict_of(lifecycle=lifecycle, state=state, usable=usable, open=is_open, excused=excused)
    assert counted == judged.verdict


USABLE = {
    "every terminal that says anything says no": ("commissioned", "online", False, clock(), "unusable"),
    "one says yes": ("commissioned", "online", True, clock(), "online"),
    "none says anything": ("commissioned", "online", None, clock(), "online"),
    "what it said before it fell is not what it is": ("commissioned", "offline", False, clock(), "offline"),
    "nor before it went away": ("commissioned", "away", False, clock(), "away"),
    "nobody knows now": ("commissioned", "online", False, clock(tick=11), "unknown"),
    "nobody expects service of it": ("suspended", "online", False, clock(), "suspended"),
}


@pytest.mark.parametrize("case", USABLE)
def test_online_and_not_usable_is_no_service(case: str) -> None:
    lifecycle, state, usable, its_clock, verdict = USABLE[case]
    found = judge(lifecycle=lifecycle, state=state, usable=usable, since=SINCE, clock=its_clock, now=NOW)
    assert found.verdict == verdict
    assert found.since == (NOW - timedelta(seconds=11) if verdict == "unknown" else found.since)


@pytest.mark.parametrize("case", CASES)
def test_verdict(case: str) -> None:
    lifecycle, state, its_clock, verdict, why = CASES[case]
    found = judge(lifecycle=lifecycle, state=state, usable=None, since=SINCE, clock=its_clock, now=NOW)
    assert (found.verdict, found.why) == (verdict, why)


def test_a_live_verdict_holds_since_the_judge_says() -> None:
    found = judge(lifecycle="commissioned", state="offline", usable=None, since=SINCE, clock=clock(), now=NOW)
    assert found.since == SINCE


def test_unknown_holds_since_the_clock_was_last_good() -> None:
    found = judge(
        lifecycle="commissioned", state="online", usable=None, since=SINCE, clock=clock(tick=60, judged=59), now=NOW
    )
    assert found.since == NOW - timedelta(seconds=60)


def test_of_two_doubts_the_older_one_is_named() -> None:
    assert doubt(clock(tick=60, judged=59, blind=90), NOW) == ("clock_blind", NOW - timedelta(seconds=90))


def test_a_stale_shard_takes_nothing_from_a_station_heard_through_another() -> None:
    clocks = Clocks([clock(shard="old", tick=600, judged=600), clock(shard="new")], NOW)
    assert clocks.clock_of(0, "new") == clock(shard="new")
    assert judge(
        lifecycle="commissioned", state="online", usable=None, since=SINCE, clock=clocks.clock_of(0, "new"), now=NOW
    ).verdict == (Verdict.ONLINE)


def test_where_the_shard_is_not_known_every_clock_must_be_good() -> None:
    clocks = Clocks([clock(shard="old", tick=600, judged=600), clock(shard="new")], NOW)
    assert clocks.clock_of(0, None) == clock(shard="old", tick=600, judged=600)
    assert clocks.clock_of(7, "new") is None
    assert clocks.clock_of(None, "new") is None


def test_partitions_are_sorted_into_wholly_and_partly_sound() -> None:
    clocks = Clocks(
        [
            clock(partition=0, shard="a"),
            clock(partition=0, shard="b"),
            clock(partition=1, shard="a"),
            clock(partition=1, shard="b", blind=60),
            clock(partition=2, shard="a", tick=60),
        ],
        NOW,
    )
    assert clocks.sound == [0]
    assert clocks.partly_sound == [clock(partition=1, shard="a")]


def closure(number: int, hours: float, *, approved: bool = True, **scope: str) -> ClosureNow:
    return ClosureNow(id=number, from_at=NOW - timedelta(hours=hours), approved=approved, **scope)


def test_a_station_is_covered_by_its_calendar_its_areas_and_its_programmes() -> None:
    cover = Cover(
        [CalendarNow(calendar=1, open=False, changed_at=NOW), CalendarNow(calendar=2, open=True)],
        [
            closure(1, 1, station="s"),
            closure(2, 2, area="63"),
            closure(3, 3, programme="p"),
            closure(4, 9, approved=False, station="s"),
            closure(5, 9, approved=False, station="t"),
        ],
    )
    assert cover.hours("s", [], [], None) == Hours(excused_since=NOW - timedelta(hours=1)), "unapproved excuses nothing"
    assert cover.hours("t", [], [], 1) == Hours(open=False, changed_at=NOW)
    assert cover.hours("t", ["6", "63"], ["p"], 2).excused_since == NOW - timedelta(hours=3), "the one that began first"
    assert cover.hours("u", ["6"], ["q"], 99) == Hours(), "a calendar that is not known is open"
    assert [found.id for found in cover.closures("s", ["63"], [])] == [2, 1, 4], "what is approved first"
    assert cover.arguments == ([1], ["s"], ["63"], ["p"])
