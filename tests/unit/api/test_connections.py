"""Which connection goes when there are too many, and which when it says nothing."""

from hypothesis import given
from hypothesis import strategies as st

from api.http.connections import PATIENCE, Connections


def test_an_idle_connection_makes_room_the_longest_idle_first() -> None:
    book: Connections[str] = Connections(3)
    assert [book.open(name, "a", at) for at, name in enumerate("xyz")] == [None, None, None]
    book.note_busy("x")
    assert book.open("new", "a", 9.0) == "y"


def test_the_address_that_holds_most_loses_first() -> None:
    book: Connections[str] = Connections(4)
    book.open("theirs, the oldest of all", "far", 0.0)
    for number in range(3):
        book.open(f"one of many {number}", "near", 1.0 + number)
    assert book.open("another", "elsewhere", 5.0) == "one of many 0"


def test_who_comes_when_all_are_busy_is_sent_away() -> None:
    book: Connections[str] = Connections(2)
    for name in "xy":
        book.open(name, "a", 0.0)
        book.note_busy(name)
    assert book.open("z", "b", 1.0) == "z"


def test_only_those_that_are_idle_for_long_are_silent() -> None:
    book: Connections[str] = Connections(9)
    for name in ("never asked", "asks now", "asked a while ago", "gone"):
        book.open(name, "a", 0.0)
    book.note_busy("asks now")
    book.note_idle("asked a while ago", 20.0)
    book.close("gone")
    assert book.silent(PATIENCE) == []
    assert book.silent(PATIENCE + 1) == ["never asked"]
    assert book.silent(PATIENCE + 21) == ["never asked", "asked a while ago"]


@given(
    st.lists(
        st.tuples(st.integers(0, 12), st.sampled_from(["open", "close", "busy", "idle"]), st.sampled_from("abc")),
        max_size=60,
    )
)
def test_no_more_are_open_than_may_be_and_no_busy_one_is_closed(steps: list[tuple[int, str, str]]) -> None:
    book: Connections[int] = Connections(5)
    busy: set[int] = set()
    for at, (one, step, address) in enumerate(steps):
        if step == "open" and one not in busy:
            book.close(one)
            gone = book.open(one, address, float(at))
            assert gone not in busy
            if gone is not None:
                book.close(gone)
        elif step == "close":
            book.close(one)
            busy.discard(one)
        elif step == "busy" and one in book:
            book.note_busy(one)
            busy.add(one)
        elif step == "idle":
            book.note_idle(one, float(at))
            busy.discard(one)
        assert len(book) <= 5
