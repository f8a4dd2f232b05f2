"""One order over all partitions, and how far everything is known."""

from datetime import datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from alerting.pipeline.watermark import Waiting, horizon, reached, stride, watermark
from alerting.stations.model import StationChange
from alerting.stations.verdict import Clock
from tests.unit.alerting.field_kit import at

NOW = at("10:00")


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def clock(partition: int, seconds: float, shard: str = "main", blind: float | None = None) -> Clock:
    """The clock of a partition that stands `seconds` ago, blind since `blind` seconds."""
    blind_since = None if blind is None else ago(blind)
    return Clock(
        partition=partition, shard=shard, clock=0, tick_at=ago(seconds), judged_at=NOW, blind_since=blind_since
    )


def row(partition: int, seq: int, seconds: float) -> StationChange:
    return StationChange(
        station="A", before="online", after="offline", at=ago(seconds), tick_at=ago(seconds), reason="",
        partition=partition, seq=seq,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "clocks", "known", "ripe", "untrusted"),
    [
        ("all keep up", [clock(0, 0.5), clock(1, 1.5)], 1.5, 1.5, []),
        ("one lags: what is known waits for it, news does not", [clock(0, 0.5), clock(1, 6)], 6, 0.5, []),
        ("one stands still: nobody waits for it", [clock(0, 0.5), clock(1, 30)], 0.5, 0.5, [(1, "main")]),
        ("one is blind", [clock(0, 0.5), clock(0, 0.5, "west", 8)], 0.5, 0.5, [(0, "west")]),
        ("all stand still", [clock(0, 60), clock(1, 70)], None, None, [(0, "main"), (1, "main")]),
        ("there is none yet", [], None, None, []),
    ],
)
def test_how_far_things_are_known(
    name: str, clocks: list[Clock], known: float | None, ripe: float | None, untrusted: list[tuple[int, str]]
) -> None:
    mark = watermark(clocks, NOW)
    assert mark.known == (None if known is None else ago(known)), name
    assert mark.ripe == (None if ripe is None else ago(ripe)), name
    assert mark.untrusted == frozenset(untrusted), name


def numbers(rows: list[StationChange]) -> list[tuple[int, int]]:
    return [(row.partition, row.seq) for row in rows]


def test_partitions_come_out_in_one_order_and_only_what_is_ripe() -> None:
    waiting = Waiting[StationChange]({})
    waiting.add([row(0, 1, 9), row(0, 2, 3), row(1, 1, 8), row(1, 2, 1)])
    assert numbers(waiting.ripe(ago(2), NOW)) == [(0, 1), (1, 1), (0, 2)]
    assert (waiting.applied, waiting.read) == ({0: 2, 1: 1}, {0: 2, 1: 2})
    assert waiting.earliest == ago(1)
    assert numbers(waiting.ripe(None, NOW)) == [(1, 2)]


def test_what_is_read_again_is_passed_over() -> None:
    waiting = Waiting[StationChange]({0: 1})
    waiting.add([row(0, 1, 9), row(0, 2, 3)])
    waiting.add([row(0, 1, 9), row(0, 2, 3), row(0, 3, 2)])
    assert numbers(waiting.ripe(None, NOW)) == [(0, 2), (0, 3)]


def test_a_partition_keeps_its_order_whatever_its_ticks_say() -> None:
    """Two shards write into it, and their bridges' clocks are not the same."""
    waiting = Waiting[StationChange]({})
    waiting.add([row(0, 1, 3), row(0, 2, 9), row(1, 1, 5)])
    assert numbers(waiting.ripe(ago(4), NOW)) == [(1, 1)]
    assert numbers(waiting.ripe(ago(2), NOW)) == [(0, 1), (0, 2)]


@given(
    ticks=st.lists(st.lists(st.integers(-3, 8), max_size=30), min_size=1, max_size=3),
    limit=st.integers(1, 6),
    trusted=st.booleans(),
)
@example(ticks=[[3, 5, 4, 4, 4]], limit=2, trusted=True)
def test_whatever_the_ticks_say_all_comes_out_when_little_is_read_at_once(
    ticks: list[list[int]], limit: int, trusted: bool
) -> None:
    """Seconds ago; below 0 the tick is of the future."""
    written = {p: [row(p, seq, seconds) for seq, seconds in enumerate(rows)] for p, rows in enumerate(ticks)}
    mark = watermark([clock(0, 0)] if trusted else [], NOW)
    waiting, known, out = Waiting[StationChange]({}), ago(300), list[StationChange]()
    for _ in range(1 + sum(map(len, ticks)) + 300 // 60):
        crowded = {p for p in written if waiting.held(p) >= limit}
        read = {p: rows[waiting.read.get(p, -1) + 1 :][:limit] for p, rows in written.items() if p not in crowded}
        waiting.add(one for rows in read.values() for one in rows)
        full = crowded | {p for p, rows in read.items() if len(rows) == limit}
        until = horizon(mark.ripe, (waiting.newest(p, NOW) for p in full))
        reach = stride(until, known=known, earliest=waiting.earliest)
        out += waiting.ripe(reach, NOW)
        known = reached(mark, known=known, reach=reach, now=NOW)
    for partition, rows in written.items():
        assert [one for one in out if one.partition == partition] == rows
    assert not trusted or known == NOW


def test_nobody_waits_for_a_clock_of_the_future() -> None:
    waiting = Waiting[StationChange]({})
    waiting.add([row(0, 1, -300), row(0, 2, 1)])
    assert numbers(waiting.ripe(ago(2), NOW)) == [(0, 1)]


@pytest.mark.parametrize(
    ("name", "ripe", "full", "expected"),
    [
        ("nothing more to be read", 1, [], 1),
        ("a partition has more: not beyond what was read of it", 1, [40, 90], 90),
        ("no clock to be trusted", None, [], None),
        ("no clock, but more to be read", None, [40], 40),
    ],
)
def test_how_far_a_pass_may_go(name: str, ripe: float | None, full: list[float], expected: float | None) -> None:
    found = horizon(None if ripe is None else ago(ripe), [ago(seconds) for seconds in full])
    assert found == (None if expected is None else ago(expected)), name


def test_what_is_late_is_caught_up_with_in_steps() -> None:
    assert stride(ago(1), known=ago(600), earliest=ago(590)) == ago(540)
    assert stride(ago(1), known=ago(600), earliest=ago(300)) == ago(300)
    assert stride(ago(1), known=ago(600), earliest=None) == ago(1)


def test_what_is_known_never_goes_back() -> None:
    mark = watermark([clock(0, 5)], NOW)
    assert reached(mark, known=ago(3), reach=ago(5), now=NOW) == ago(3)
    assert reached(mark, known=ago(9), reach=ago(7), now=NOW) == ago(7)
    assert reached(watermark([], NOW), known=ago(9), reach=None, now=NOW) == ago(9)
