"""When the agent sends, and how much."""

from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.pacing import (
    ENVELOPE,
    FIRST_BUDGET,
    LEAST_BUDGET,
    WINDOW,
    Flight,
    LinkBudget,
    OutboxRow,
    Pacer,
    compose,
    keepalive,
    reconnect_delay,
)
from contract.messages import MAX_DATA_BYTES, MAX_RECORDS


def rows(count: int, *, box: str = "box", size: int = 100, first: int = 1) -> list[OutboxRow]:
    """Newest first, as the outbox gives them."""
    return [OutboxRow(number, box, number, size) for number in range(first + count - 1, first - 1, -1)]


@pytest.mark.parametrize(
    ("every", "draw", "expected"),
    [(60, 0.0, 0.0), (60, 0.5, 30.0), (3600, 0.999, 59.94), (5, 0.999, 4.995)],
    ids=["at once", "half of a minute", "a minute at most", "never longer than a heartbeat"],
)
def test_reconnects_wait_a_full_jitter_time(every: float, draw: float, expected: float) -> None:
    assert reconnect_delay(every, draw) == pytest.approx(expected)


@pytest.mark.parametrize(("every", "expected"), [(60, 60), (3600, 60), (20, 20), (7.5, 8), (1, 5)])
def test_keepalive_notices_a_dead_link_within_a_heartbeat(every: float, expected: int) -> None:
    assert keepalive(every) == expected


@pytest.mark.parametrize(
    ("size", "seconds", "every", "expected"),
    [
        (2000, 4.0, 60, 15_000),
        (128_000, 0.01, 60, MAX_DATA_BYTES),
        (200, 30.0, 60, LEAST_BUDGET),
        (2000, 4.0, 10, 2500),
        (2000, 0.0, 60, MAX_DATA_BYTES),
    ],
    ids=["half of every", "the contract's limit", "a record must pass", "a short every", "no time at all"],
)
def test_a_message_weighs_what_the_link_carried_lately(size: int, seconds: float, every: float, expected: int) -> None:
    budget = LinkBudget()
    budget.carried(size, seconds)
    assert budget.bytes(every) == expected


def test_an_unknown_link_gets_little() -> None:
    assert LinkBudget().bytes(60) == FIRST_BUDGET


def test_a_message_is_through_before_the_keepalive_ends_however_rare_heartbeats_are() -> None:
    budget = LinkBudget()
    budget.carried(1000, 1.0)
    assert budget.bytes(3600) == budget.bytes(60) == 30_000


def test_a_link_that_breaks_under_a_message_gets_half_until_it_has_carried_that() -> None:
    budget = LinkBudget()
    budget.carried(300, 0.01)
    assert budget.bytes(60) == MAX_DATA_BYTES
    budget.failed(100_000)
    budget.failed(50_000)
    budget.carried(300, 0.01)
    assert budget.bytes(60) == 25_000, "a small one proves nothing"
    budget.carried(25_000, 5.0)
    assert budget.bytes(60) == 50_000
    for _ in range(10):
        budget.failed(10)
    assert budget.bytes(60) == LEAST_BUDGET


def test_unacked_records_go_again_after_60_s_backing_off_to_10_min() -> None:
    flight, key, now, waits = Flight(), ("box", 1), 0.0, []
    for _ in range(7):
        flight.sent([key], now)
        waits.append(flight.next_due() - now)
        assert not flight.may_send(key, flight.next_due() - 0.001)
        now = flight.next_due()
        assert flight.may_send(key, now)
    assert waits == [60, 120, 240, 480, 600, 600, 600]


def test_an_acked_record_starts_anew_for_nobody() -> None:
    flight = Flight()
    flight.sent([("box", 1), ("box", 2)], 0)
    flight.forget_keys([("box", 1)])
    assert len(flight) == 1
    assert flight.next_due() == 60


def test_a_new_connection_sends_at_once_but_keeps_the_patience() -> None:
    flight = Flight()
    flight.sent([("box", 1)], 0)
    flight.lapse(10)
    assert flight.may_send(("box", 1), 10)
    flight.sent([("box", 1)], 10)
    assert flight.next_due() == 130


@pytest.mark.parametrize(
    ("box", "ranges", "expected"),
    [
        ("box", [(2, 3)], [2, 3]),
        ("box", [(1, 1), (4, 4)], [1, 4]),
        ("box", [(0, 2**63 - 2)], [1, 2, 3, 4]),
        ("box", [(3, 2)], []),
        ("box", [], []),
        ("other", [(1, 4)], []),
        ("box", [(5, 9)], []),
    ],
    ids=["inside", "two ranges", "everything", "upside down", "nothing", "another box", "never sent"],
)
def test_an_ack_names_only_what_is_in_flight(box: str, ranges: list[tuple[int, int]], expected: list[int]) -> None:
    flight = Flight()
    flight.sent([("box", number) for number in (1, 2, 3, 4)], 0)
    assert [number for _, number in flight.named(box, ranges)] == expected


def test_the_window_bounds_what_is_in_flight() -> None:
    flight = Flight()
    flight.sent([("box", number) for number in range(WINDOW)], 0)
    assert not flight.may_send(("box", WINDOW), 1)
    assert flight.may_send(("box", 0), 60)
    flight.forget_keys([("box", 0)])
    assert flight.may_send(("box", WINDOW), 1)


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 3000)), max_size=700),
    st.integers(0, 300_000),
    st.sets(st.integers(0, 700)),
)
def test_a_message_keeps_every_limit(records: list[tuple[str, int]], room: int, blocked: set[int]) -> None:
    waiting = [OutboxRow(seq, box, seq, size) for seq, (box, size) in enumerate(records)][::-1]
    chosen = compose(waiting, lambda row: row.seq not in blocked, room=room)
    allowed = [row for row in waiting if row.seq not in blocked]
    assert bool(chosen) == bool(allowed)
    if not chosen:
        return
    assert chosen[0] == allowed[0]
    same_box = [row for row in allowed if row.box == chosen[0].box]
    assert chosen == same_box[: len(chosen)]
    assert len(chosen) <= MAX_RECORDS
    weight = ENVELOPE + sum(row.size + 1 for row in chosen)
    assert len(chosen) == 1 or weight <= min(room, MAX_DATA_BYTES)


def pacer(rate: float = 20) -> Pacer:
    return Pacer(Flight(), rate=rate)


def test_the_newest_go_first_and_the_old_ones_at_a_limited_rate() -> None:
    pace = pacer(rate=20)
    backlog = rows(864, size=200)
    pace.connected(0)
    first = pace.choose(backlog, 0, room=20_400)
    assert [row.seq for row in first] == list(range(864, 864 - 100, -1))
    pace.sent(first, 0)
    assert pace.choose(backlog, 4.9, room=20_400) == []
    assert pace.look_again(0) == 5.0
    second = pace.choose(backlog, 5.0, room=20_400)
    assert [row.seq for row in second] == list(range(764, 664, -1))


def test_a_fresh_record_does_not_wait_for_the_old_ones_and_takes_none_along() -> None:
    pace = pacer(rate=1)
    backlog = rows(300)
    pace.connected(0)
    pace.sent(pace.choose(backlog, 0, room=10_000), 0)
    fresh = rows(1, first=301)
    assert pace.choose(fresh + backlog, 1, room=10_000) == fresh


def test_a_record_that_waits_for_its_ack_is_not_sent_again_before_its_time() -> None:
    pace = pacer()
    one = rows(1)
    pace.connected(0)
    pace.sent(pace.choose(one, 0, room=10_000), 0)
    assert pace.choose(one, 59, room=10_000) == []
    assert pace.look_again(59) == 60
    assert pace.choose(one, 60, room=10_000) == one


def test_nothing_to_wait_for() -> None:
    assert pacer().look_again(5) == inf


@given(st.integers(1, 600), st.integers(400, 100_000), st.floats(1, 500))
@settings(deadline=None)
def test_a_backlog_goes_out_whole_newest_first_and_not_faster_than_its_rate(count: int, room: int, rate: float) -> None:
    pace, now, left, sent = pacer(rate), 0.0, rows(count), []
    pace.connected(now)
    began = 0
    while left:
        chosen = pace.choose(left, now, room=room)
        if not chosen:
            now = pace.look_again(now)
            continue
        began = began or len(chosen)
        pace.sent(chosen, now)
        # An ack that comes at once.
        pace.flight.forget_keys(row.key for row in chosen)
        gone = {row.seq for row in chosen}
        left = [row for row in left if row.seq not in gone]
        sent += [row.seq for row in chosen]
    assert sent == list(range(count, 0, -1))
    # The first message and the last cost no waiting of their own.
    assert now >= (count - 2 * max(began, 1)) / rate - 1e-6
