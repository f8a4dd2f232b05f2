"""What people are told of a station: the rules, and who wins when several apply."""

from datetime import UTC, datetime, timedelta

import pytest

from alerting.verdict import Clock, Clocks, Verdict, doubt, judge

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


@pytest.mark.parametrize("case", CASES)
def test_verdict(case: str) -> None:
    lifecycle, state, its_clock, verdict, why = CASES[case]
    found = judge(lifecycle=lifecycle, state=state, since=SINCE, clock=its_clock, now=NOW)
    assert (found.verdict, found.why) == (verdict, why)


def test_a_live_verdict_holds_since_the_judge_says() -> None:
    found = judge(lifecycle="commissioned", state="offline", since=SINCE, clock=clock(), now=NOW)
    assert found.since == SINCE


def test_unknown_holds_since_the_clock_was_last_good() -> None:
    found = judge(lifecycle="commissioned", state="online", since=SINCE, clock=clock(tick=60, judged=59), now=NOW)
    assert found.since == NOW - timedelta(seconds=60)


def test_of_two_doubts_the_older_one_is_named() -> None:
    assert doubt(clock(tick=60, judged=59, blind=90), NOW) == ("clock_blind", NOW - timedelta(seconds=90))


def test_a_stale_shard_takes_nothing_from_a_station_heard_through_another() -> None:
    clocks = Clocks([clock(shard="old", tick=600, judged=600), clock(shard="new")], NOW)
    assert clocks.of(0, "new") == clock(shard="new")
    assert judge(lifecycle="commissioned", state="online", since=SINCE, clock=clocks.of(0, "new"), now=NOW).verdict == (
        Verdict.ONLINE
    )


def test_where_the_shard_is_not_known_every_clock_must_be_good() -> None:
    clocks = Clocks([clock(shard="old", tick=600, judged=600), clock(shard="new")], NOW)
    assert clocks.of(0, None) == clock(shard="old", tick=600, judged=600)
    assert clocks.of(7, "new") is None
    assert clocks.of(None, "new") is None


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
