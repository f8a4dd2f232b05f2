"""A shard counted as a whole, held against counting it anew each time."""

from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from broker.census import ENOUGH, FORGOTTEN_AFTER, Census, Counts
from contract.messages import Heartbeat, Status


def beat(n: int, *, every: float = 2, boot: str = "boot-1", conn: int = 1) -> Heartbeat:
    return Heartbeat(v=1, boot=boot, run=1, conn=conn, n=n, at=0, every=every)


def status(state: Literal["online", "away", "lost"], n: int) -> Status:
    return Status(v=1, boot="boot-1", run=1, conn=1, n=n, state=state, at=0)


def fleet(census: Census, size: int, n: int, now: int) -> None:
    for number in range(size):
        census.heartbeat(f"station-{number}/001", beat(n), now)


def test_who_keeps_the_promise_and_who_broke_it() -> None:
    census = Census()
    fleet(census, 100, 1, 1_000)
    assert census.count(2_900) == Counts(present=100, overdue=0, heard=100)
    fleet(census, 15, 2, 3_000)
    assert (census.count(3_200).present, census.count(3_200).overdue) == (15, 85)


def test_who_fell_long_ago_no_longer_counts() -> None:
    census = Census()
    fleet(census, 10, 1, 0)
    gone = int((FORGOTTEN_AFTER * 2 + 60) * 1000)
    assert census.count(gone - 100).overdue == 10
    assert census.count(gone).overdue == 0
    census.heartbeat("station-0/001", beat(2), gone + 1_000)
    assert census.count(gone + 1_000).present == 1


def test_who_said_goodbye_breaks_no_promise() -> None:
    census = Census()
    fleet(census, 3, 1, 0)
    census.status("station-1/001", status("away", 2))
    census.status("nobody/001", status("away", 2))
    census.status("station-2/001", status("online", 2))
    assert census.count(5_000).overdue == 2


def test_a_missing_number_is_a_loss_within_one_connection_only() -> None:
    census = Census()
    for who, last in {"whole": beat(2), "torn": beat(3), "again": beat(9, conn=2), "new": beat(9, boot="b")}.items():
        census.heartbeat(who, beat(1), 0)
        census.heartbeat(who, last, 500)
    assert census.count(600) == Counts(present=4, heard=4, lost=1)


def test_losses_are_counted_in_windows() -> None:
    census = Census(window=10)
    for second in range(10):
        census.heartbeat("a", beat(1 + 4 * second), 1_000 * second)
        counts = census.count(1_000 * second)
    assert counts == Counts(present=1, heard=1, lost=1)
    assert census.count(10_000).lost == 1
    census.heartbeat("a", beat(38), 10_500)
    assert census.count(11_000).lost == 1, "the last window was worse"
    for second in range(12, 22):
        census.heartbeat("a", beat(27 + second), 1_000 * second)
        census.count(1_000 * second)
    assert census.count(21_500) == Counts(present=1, heard=1, lost=0)


def test_a_window_of_a_small_shard_hears_everybody() -> None:
    """Of 24 terminals that beat once a minute four are heard in ten seconds."""
    census = Census(window=10)
    for n, at in ((1, 0), (3, 60_000)):
        for number in range(24):
            census.heartbeat(f"s{number}", beat(n, every=60), at + 2_500 * number)
            counts = census.count(at + 2_500 * number)
    assert counts == Counts(present=24, heard=23, lost=23)


def test_a_window_of_many_lasts_as_long_as_it_is_meant_to() -> None:
    census, numbers, lost = Census(window=10), {0: 1, 5: 3, 12: 4}, []
    for second in range(22):
        if second in numbers:
            for number in range(ENOUGH):
                census.heartbeat(f"s{number}", beat(numbers[second], every=60), second * 1_000)
        lost.append(census.count(second * 1_000).lost)
    assert lost == [0] * 5 + [ENOUGH] * 16 + [0]


def test_statuses_are_numbered_with_heartbeats() -> None:
    census = Census()
    census.heartbeat("a", beat(1), 0)
    census.status("a", status("online", 2))
    census.status("a", status("lost", 1))
    census.heartbeat("a", beat(3), 500)
    assert census.count(600).lost == 0


def test_what_comes_out_of_order_is_not_lost() -> None:
    census = Census()
    for n in (1, 3, 2, 5, 4, 5, 2):
        census.heartbeat("swapped", beat(n), 0)
    for who, numbers in {"torn": (1, 4, 2), "torn and swapped": (1, 4, 6, 5)}.items():
        for n in numbers:
            census.heartbeat(who, beat(n), 0)
    for n, conn in ((1, 1), (3, 1), (5, 2), (8, 2), (2, 2)):
        census.heartbeat("torn after a new connection", beat(n, conn=conn), 0)
    assert census.count(100) == Counts(present=4, heard=4, lost=3)


def test_what_is_missing_over_a_gap_of_ours_is_no_loss() -> None:
    """The ticks say of the gap themselves that it does not count."""
    census = Census()
    for who in ("reconnected", "thawed"):
        census.heartbeat(who, beat(1), 0)
    census.count(100)
    census.excuse()
    census.heartbeat("reconnected", beat(9), 4_000)
    assert census.count(4_100).lost == 0
    census.heartbeat("thawed", beat(99), 30_000)
    assert census.count(30_100).lost == 0
    census.heartbeat("thawed", beat(120), 31_000)
    assert census.count(31_100).lost == 0, "heard before the gap was known"
    census.heartbeat("thawed", beat(140), 32_000)
    assert census.count(32_100).lost == 1


def test_doubles_and_old_ones_change_nothing() -> None:
    census = Census()
    census.heartbeat("a", beat(5), 0)
    for late in (beat(5), beat(3)):
        census.heartbeat("a", late, 1_900)
    assert census.count(2_300).overdue == 1


EVENTS = st.lists(
    st.tuples(st.integers(0, 40_000), st.integers(0, 4), st.sampled_from([1.0, 2.0, 7.5, 60.0]), st.booleans()),
    max_size=60,
)


@given(EVENTS)
def test_it_counts_as_if_counted_anew(events: list[tuple[int, int, float, bool]]) -> None:
    """Time goes in steps; each step somebody beats, or says goodbye."""
    census, now, n = Census(), 0, 0
    heard: dict[int, tuple[int, float]] = {}
    for step, who, every, leaves in events:
        now, n = now + step, n + 1
        if leaves:
            census.status(str(who), status("away", n))
            heard.pop(who, None)
        else:
            census.heartbeat(str(who), beat(n, every=every), now)
            heard[who] = (now, every)
        slot = now // 100
        kept = {w for w, (at, e) in heard.items() if int(at + e * 1000) // 100 + 1 > slot}
        fell = {w for w, (at, e) in heard.items() if w not in kept and int(at + (10 * e + 60) * 1000) // 100 > slot}
        counts = census.count(now)
        assert (counts.present, counts.overdue) == (len(kept), len(fell))


def test_memory_is_bounded_by_those_who_send() -> None:
    census = Census()
    for number in range(20_000):
        census.heartbeat(f"s{number}", beat(1), number * 100)
    assert len(census._terminals) < 3_000
