"""The pulse and its ticks, as a timetable."""

import pytest

from broker.progress import Progress
from broker.ticks.census import Counts
from broker.ticks.pulse import Pulse, Ticker


def test_one_pulse_flies_and_the_next_follows_a_quarter_second_after_it_is_back() -> None:
    pulse = Pulse("s")
    first = pulse.next(10.0)
    assert first is not None
    assert pulse.next(10.1) is None, "one is in flight"
    assert pulse.returned(first, 10.2)
    assert pulse.next(10.4) is None, "too soon"
    assert pulse.wait(10.4) == 10.45 - 10.4
    assert pulse.next(10.45) is not None


def test_a_lost_pulse_is_tried_again_and_the_stale_one_makes_no_tick() -> None:
    pulse = Pulse("s")
    lost = pulse.next(0.0)
    assert lost is not None and pulse.next(4.9) is None
    again = pulse.next(5.0)
    assert again is not None and again != lost
    assert not pulse.returned(lost, 5.1)
    assert pulse.returned(again, 5.2)


def test_a_pulse_comes_back_once() -> None:
    pulse = Pulse("s")
    first = pulse.next(0.0) or b""
    assert pulse.returned(first, 0.1)
    assert not pulse.returned(first, 0.2)


def test_another_start_of_the_bridge_is_not_believed() -> None:
    before, now = Pulse("before"), Pulse("now")
    old = before.next(0.0) or b""
    assert now.next(0.0) is not None
    assert not now.returned(old, 0.1)


def test_after_a_lost_connection_there_is_nothing_to_wait_for() -> None:
    pulse = Pulse("s")
    gone = pulse.next(0.0) or b""
    pulse.unsent(1.0)
    assert not pulse.returned(gone, 1.1)
    assert pulse.wait(1.1) == 0 and pulse.next(1.1) is not None


def ticks(*events: str) -> list[bool]:
    ticker = Ticker(shard="main", bridge="b", start="s")
    result = []
    for event in events:
        if event == "tick":
            result.append(ticker.tick(at=1, mono=1, counts=Counts()).whole)
        else:
            ticker.spoil()
    return result


def test_only_what_happened_since_the_last_tick_spoils_a_tick() -> None:
    assert ticks("tick", "tick", "spoil", "spoil", "tick", "tick") == [False, True, False, True]


def test_the_first_tick_of_a_start_is_not_whole() -> None:
    assert ticks("tick") == [False]


def test_ticks_are_numbered_without_gaps_and_carry_their_times() -> None:
    ticker = Ticker(shard="main", bridge="b", start="s")
    made = [ticker.tick(at=1000 + n, mono=n, counts=Counts()) for n in range(3)]
    assert [(t.seq, t.at, t.mono) for t in made] == [(0, 1000, 0), (1, 1001, 1), (2, 1002, 2)]
    assert {(t.shard, t.bridge, t.start) for t in made} == {("main", "b", "s")}


@pytest.mark.parametrize(
    ("looks", "verdicts"),
    [
        pytest.param([(0, 5, 9), (10, 5, 9), (11, 5, 9)], [False, False, True], id="something waits and nothing moves"),
        pytest.param([(0, 5, 9), (10, 6, 9), (20, 6, 9)], [False, False, False], id="it moves slowly"),
        pytest.param([(0, 5, 0), (50, 5, 0), (60, 5, 9)], [False, False, False], id="nothing was waiting"),
        pytest.param(
            [(0, 5, 9), (9, None, 9), (12, 5, 9), (20, 5, 9)], [False, False, False, True], id="Kafka was away"
        ),
    ],
)
def test_a_producer_is_stuck_when_kafka_answers_and_nothing_moves(
    looks: list[tuple[float, int | None, int]], verdicts: list[bool]
) -> None:
    progress, said = Progress(10), []
    for now, safe, waiting in looks:
        if safe is None:
            progress.excuse(now)
        said.append(progress.is_stalled(now, safe or 5, waiting))
    assert said == verdicts
