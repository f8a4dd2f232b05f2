"""A shard counted as a whole, held against counting it anew each time."""

from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from broker.ticks.census import FORGOTTEN_AFTER, Census, Counts
from contract.messages import MOST_TERMINALS, Heartbeat, Status


def beat(n: int, *, every: float = 2, boot: str = "boot-1", conn: int = 1) -> Heartbeat:
    return Heartbeat(v=1, boot=boot, run=1, conn=conn, n=n, at=0, every=every)


def status(state: Literal["online", "away", "lost"], n: int) -> Status:
    return Status(v=1, boot="boot-1", run=1, conn=1, n=n, state=state, at=0)


def fleet(census: Census, size: int, n: int, now: int) -> None:
    for number in range(size):
        census.note_heartbeat(f"station-{number}", "001", beat(n), now)


def test_who_keeps_the_promise_and_who_broke_it() -> None:
    census = Census()
    fleet(census, 100, 1, 1_000)
    assert census.count(2_900) == Counts(kept=100)
    fleet(census, 15, 2, 3_000)
    assert (census.count(3_200).kept, census.count(3_200).missed) == (15, 85)


def test_who_fell_long_ago_no_longer_counts() -> None:
    census = Census()
    fleet(census, 10, 1, 0)
    gone = int((FORGOTTEN_AFTER * 2 + 60) * 1000)
    assert census.count(gone - 100).missed == 10
    assert census.count(gone).missed == 0
    census.note_heartbeat("station-0", "001", beat(2), gone + 1_000)
    assert census.count(gone + 1_000).kept == 1


def test_who_said_goodbye_breaks_no_promise() -> None:
    census = Census()
    fleet(census, 3, 1, 0)
    census.note_status("station-1", "001", status("away", 2))
    census.note_status("nobody", "001", status("away", 2))
    census.note_status("station-2", "001", status("online", 2))
    assert census.count(5_000).missed == 2


def test_doubles_and_old_ones_change_nothing() -> None:
    census = Census()
    census.note_heartbeat("a", "001", beat(5), 0)
    for late in (beat(5), beat(3)):
        census.note_heartbeat("a", "001", late, 900)
    assert census.count(2_300).missed == 1


def test_who_was_set_back_or_does_not_count_keeps_the_promise() -> None:
    census = Census()
    for turn, n in enumerate((5, 5, 5, 1, 2, 3, 3)):
        census.note_heartbeat("a", "001", beat(n), 2_000 * turn)
        now = census.count(2_000 * turn + 100)
        assert (now.kept, now.missed, now.losses) == (1, 0, False), turn
    assert census.count(15_000).missed == 1


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
            census.note_status(str(who), terminal, status("away", n))
            heard.pop((who, terminal), None)
        elif what == "beats":
            census.note_heartbeat(str(who), terminal, beat(n, every=every), now)
            heard[who, terminal] = (now, every)
            stretch.add(who)
        if step > 5_000 or what == "breaks":
            stretch.clear()
        slot = now // 100
        within = {w for (w, _), (at, e) in heard.items() if int(at + e * 1000) // 100 + 1 > slot}
        lately = {w for (w, _), (at, e) in heard.items() if int(at + (10 * e + 60) * 1000) // 100 > slot}
        counts = census.count(now, whole=what != "breaks")
        assert counts.kept == len(within & stretch)
        assert counts.missed == len(lately - within)
        stretch &= {who for who, _ in heard}


def test_a_station_keeps_its_promise_if_one_of_its_terminals_does() -> None:
    census = Census()
    census.note_heartbeat("a", "001", beat(1, every=60), 0)
    census.note_heartbeat("a", "002", beat(1), 0)
    census.note_heartbeat("b", "002", beat(1), 0)
    assert [(c.kept, c.missed) for c in (census.count(1_000), census.count(3_000))] == [(2, 0), (1, 1)]
    census.note_status("a", "001", status("away", 2))
    assert (census.count(3_100).kept, census.count(3_100).missed) == (0, 2)


def test_only_who_was_heard_since_an_interval_that_does_not_count_kept_the_promise_in_it() -> None:
    census = Census()
    for second, whole in enumerate([True, True, False, True, True, True]):
        if second in (1, 2, 3):
            census.note_heartbeat(f"s{second}", "001", beat(1, every=60), second * 1_000 - 10)
        counts = census.count(second * 1_000, whole=whole)
        assert (counts.kept, counts.missed) == ([0, 1, 0, 1, 1, 1][second], 0)
    assert census.count(10_001).kept == 0, "too long after the last"


def test_invented_terminals_of_a_station_take_no_more_room() -> None:
    census = Census()
    for number in range(10 * MOST_TERMINALS):
        census.note_heartbeat("a", f"{number}", beat(1, every=60), number)
    home = census._stations["a"]
    names, one = [], home.first
    while one is not None:
        names.append(one.name)
        one = one.next
    assert len(names) == MOST_TERMINALS and f"{10 * MOST_TERMINALS - 1}" in names
    assert census.count(400).kept == 1


def test_memory_is_bounded_by_those_who_send() -> None:
    census = Census()
    for number in range(20_000):
        census.note_heartbeat(f"s{number}", "001", beat(1), number * 100)
    assert len(census._stations) < 3_000


def test_no_more_stations_are_counted_than_memory_is_for() -> None:
    census = Census(most=10)
    for number in range(50):
        census.note_heartbeat(f"s{number}", "001", beat(1), 0)
    for number in range(50):
        census.note_heartbeat(f"s{number}", "001", beat(2), 100)
    assert census.count(200).kept == 10
