"""A shard counted as a whole, held against counting it anew each time."""

from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from broker.census import ENOUGH, FORGOTTEN_AFTER, MOST_TERMINALS, Census, Counts
from contract.messages import Heartbeat, Status


def beat(n: int, *, every: float = 2, boot: str = "boot-1", conn: int = 1) -> Heartbeat:
    return Heartbeat(v=1, boot=boot, run=1, conn=conn, n=n, at=0, every=every)


def status(state: Literal["online", "away", "lost"], n: int) -> Status:
    return Status(v=1, boot="boot-1", run=1, conn=1, n=n, state=state, at=0)


def fleet(census: Census, size: int, n: int, now: int) -> None:
    for number in range(size):
        census.heartbeat(f"station-{number}", "001", beat(n), now)


def test_who_keeps_the_promise_and_who_broke_it() -> None:
    census = Census()
    fleet(census, 100, 1, 1_000)
    assert census.count(2_900) == Counts(present=100, kept=100, heard=100)
    fleet(census, 15, 2, 3_000)
    assert (census.count(3_200).present, census.count(3_200).missed) == (15, 85)


def test_who_fell_long_ago_no_longer_counts() -> None:
    census = Census()
    fleet(census, 10, 1, 0)
    gone = int((FORGOTTEN_AFTER * 2 + 60) * 1000)
    assert census.count(gone - 100).missed == 10
    assert census.count(gone).missed == 0
    census.heartbeat("station-0", "001", beat(2), gone + 1_000)
    assert census.count(gone + 1_000).present == 1


def test_who_said_goodbye_breaks_no_promise() -> None:
    census = Census()
    fleet(census, 3, 1, 0)
    census.status("station-1", "001", status("away", 2))
    census.status("nobody", "001", status("away", 2))
    census.status("station-2", "001", status("online", 2))
    assert census.count(5_000).missed == 2


def test_a_missing_number_is_a_loss_within_one_connection_only() -> None:
    census = Census()
    for who, last in {"whole": beat(2), "torn": beat(3), "again": beat(9, conn=2), "new": beat(9, boot="b")}.items():
        census.heartbeat(who, "001", beat(1), 0)
        census.heartbeat(who, "001", last, 500)
    assert census.count(600) == Counts(present=4, kept=4, heard=4, lost=1)


def test_losses_are_counted_in_windows() -> None:
    census = Census(window=10)
    for second in range(10):
        census.heartbeat("a", "001", beat(1 + 4 * second), 1_000 * second)
        counts = census.count(1_000 * second)
    assert counts == Counts(present=1, kept=1, heard=1, lost=1)
    assert census.count(10_000).lost == 1
    census.heartbeat("a", "001", beat(38), 10_500)
    assert census.count(11_000).lost == 1, "the last window was worse"
    for second in range(12, 22):
        census.heartbeat("a", "001", beat(27 + second), 1_000 * second)
        census.count(1_000 * second)
    assert census.count(21_500) == Counts(present=1, kept=1, heard=1, lost=0)


def test_a_window_of_a_small_shard_hears_everybody() -> None:
    """Of 24 terminals that beat once a minute four are heard in ten seconds."""
    census = Census(window=10)
    for n, at in ((1, 0), (3, 60_000)):
        for number in range(24):
            census.heartbeat(f"s{number}", "001", beat(n, every=60), at + 2_500 * number)
            counts = census.count(at + 2_500 * number)
    assert counts == Counts(present=24, kept=24, heard=23, lost=23)


def test_a_window_of_many_lasts_as_long_as_it_is_meant_to() -> None:
    census, numbers, lost = Census(window=10), {0: 1, 5: 3, 12: 4}, []
    for second in range(22):
        if second in numbers:
            for number in range(ENOUGH):
                census.heartbeat(f"s{number}", "001", beat(numbers[second], every=60), second * 1_000)
        lost.append(census.count(second * 1_000).lost)
    assert lost == [0] * 5 + [ENOUGH] * 16 + [0]


def test_statuses_are_numbered_with_heartbeats() -> None:
    census = Census()
    census.heartbeat("a", "001", beat(1), 0)
    census.status("a", "001", status("online", 2))
    census.status("a", "001", status("lost", 1))
    census.heartbeat("a", "001", beat(3), 500)
    assert census.count(600).lost == 0


def test_what_comes_out_of_order_is_not_lost() -> None:
    census = Census()
    for n in (1, 3, 2, 5, 4, 5, 2):
        census.heartbeat("swapped", "001", beat(n), 0)
    for who, numbers in {"torn": (1, 4, 2), "torn and swapped": (1, 4, 6, 5)}.items():
        for n in numbers:
            census.heartbeat(who, "001", beat(n), 0)
    for n, conn in ((1, 1), (3, 1), (5, 2), (8, 2), (2, 2)):
        census.heartbeat("torn after a new connection", "001", beat(n, conn=conn), 0)
    assert census.count(100) == Counts(present=4, kept=4, heard=4, lost=3)


def test_what_is_missing_over_a_gap_of_ours_is_no_loss() -> None:
    """The ticks say of the gap themselves that it does not count."""
    census = Census()
    for who in ("reconnected", "thawed"):
        census.heartbeat(who, "001", beat(1), 0)
    census.count(100)
    census.excuse()
    census.heartbeat("reconnected", "001", beat(9), 4_000)
    assert census.count(4_100).lost == 0
    census.heartbeat("thawed", "001", beat(99), 30_000)
    assert census.count(30_100).lost == 0
    census.heartbeat("thawed", "001", beat(120), 31_000)
    assert census.count(31_100).lost == 0, "heard before the gap was known"
    census.heartbeat("thawed", "001", beat(140), 32_000)
    assert census.count(32_100).lost == 1


def test_doubles_and_old_ones_change_nothing() -> None:
    census = Census()
    census.heartbeat("a", "001", beat(5), 0)
    for late in (beat(5), beat(3)):
        census.heartbeat("a", "001", late, 1_900)
    assert census.count(2_300).missed == 1


EVENTS = st.lists(
    st.tuples(
        st.integers(0, 40_000),
        st.integers(0, 3),
        st.sampled_from(["001", "002", "003"]),
        st.sampled_from([1.0, 2.0, 7.5, 60.0]),
        st.sampled_from(["beats", "beats", "beats", "leaves", "breaks"]),
    ),
    max_size=60,
)


@given(EVENTS)
def test_it_counts_as_if_counted_anew(events: list[tuple[int, int, str, float, str]]) -> None:
    """Time goes in steps; each step a terminal beats, or says goodbye, or an interval does not count."""
    census, now, n = Census(), 0, 0
    heard: dict[tuple[int, str], tuple[int, float]] = {}
    stretch: set[int] = set()
    for step, who, terminal, every, what in events:
        now, n = now + step, n + 1
        if what == "leaves":
            census.status(str(who), terminal, status("away", n))
            heard.pop((who, terminal), None)
        elif what == "beats":
            census.heartbeat(str(who), terminal, beat(n, every=every), now)
            heard[who, terminal] = (now, every)
            stretch.add(who)
        if step > 5_000 or what == "breaks":
            stretch.clear()
        slot = now // 100
        within = {w for (w, _), (at, e) in heard.items() if int(at + e * 1000) // 100 + 1 > slot}
        lately = {w for (w, _), (at, e) in heard.items() if int(at + (10 * e + 60) * 1000) // 100 > slot}
        counts = census.count(now, whole=what != "breaks")
        assert (counts.present, counts.kept) == (len(within), len(within & stretch))
        assert counts.missed == len(lately - within)
        stretch &= {who for who, _ in heard}


def test_a_station_keeps_its_promise_if_one_of_its_terminals_does() -> None:
    census = Census()
    census.heartbeat("a", "001", beat(1, every=60), 0)
    census.heartbeat("a", "002", beat(1), 0)
    census.heartbeat("b", "002", beat(1), 0)
    assert [(c.kept, c.missed) for c in (census.count(1_000), census.count(3_000))] == [(2, 0), (1, 1)]
    census.status("a", "001", status("away", 2))
    assert (census.count(3_100).kept, census.count(3_100).missed) == (0, 2)


def test_only_who_was_heard_since_an_interval_that_does_not_count_kept_the_promise_in_it() -> None:
    census = Census()
    for second, whole in enumerate([True, True, False, True, True, True]):
        if second in (1, 2, 3):
            census.heartbeat(f"s{second}", "001", beat(1, every=60), second * 1_000 - 10)
        counts = census.count(second * 1_000, whole=whole)
        assert (counts.kept, counts.present, counts.missed) == [
            (0, 0, 0), (1, 1, 0), (0, 2, 0), (1, 3, 0), (1, 3, 0), (1, 3, 0)
        ][second]  # fmt: skip
    assert census.count(10_001).kept == 0, "too long after the last"


def test_invented_terminals_of_a_station_take_no_more_room() -> None:
    census = Census()
    for number in range(10 * MOST_TERMINALS):
        census.heartbeat("a", f"{number}", beat(1, every=60), number)
    home = census._stations["a"]
    names, one = [], home.first
    while one is not None:
        names.append(one.name)
        one = one.next
    assert len(names) == MOST_TERMINALS and "319" in names
    assert census.count(400).present == 1


def test_memory_is_bounded_by_those_who_send() -> None:
    census = Census()
    for number in range(20_000):
        census.heartbeat(f"s{number}", "001", beat(1), number * 100)
    assert len(census._stations) < 3_000
