"""Which entries a consumer has read, which of them are committed, and what is still to be read."""

from typing import NamedTuple

from broker.positions import Positions


class Claim(NamedTuple):
    """What the database keeps of a partition."""

    next_offset: int


class Entry(NamedTuple):
    """An entry of the log."""

    offset: int


def entries(*offsets: int) -> list[Entry]:
    return [Entry(offset) for offset in offsets]


def held(**positions: int) -> Positions[Claim]:
    found = Positions[Claim]()
    for name, offset in positions.items():
        found.hold(int(name.removeprefix("p")), Claim(offset))
    return found


def test_entries_of_a_partition_that_is_not_held_are_left_out() -> None:
    assert held(p1=5).unread_of(2, entries(5, 6)) == []


def test_entries_before_the_committed_offset_are_left_out() -> None:
    assert held(p1=5).unread_of(1, entries(3, 4, 5, 6)) == entries(5, 6)


def test_entries_that_were_read_but_not_committed_are_left_out() -> None:
    positions = held(p1=5)
    positions.note_read(1, 6)
    assert positions.unread_of(1, entries(5, 6, 7)) == entries(7)


def test_a_commit_moves_the_claim_to_what_was_read() -> None:
    positions = held(p1=5, p2=8)
    positions.note_read(1, 6)
    assert positions.moves_of([1]) == {1: (Claim(5), 7)}
    positions.note_committed({1: Claim(7)})
    assert not positions.uncommitted
    assert positions.position_of(1) == 7
    assert positions.position_of(2) == 8


def test_a_partition_that_waits_is_not_held_until_it_is_loaded() -> None:
    positions = held(p1=5)
    positions.note_read(1, 6)
    positions.wait_for([1])
    assert positions.waiting == {1}
    assert not positions.held
    assert not positions.uncommitted
    positions.hold(1, Claim(5))
    assert not positions.waiting
    assert positions.unread_of(1, entries(5)) == entries(5), "it was read before, and is read again"


def test_the_total_rises_with_whatever_is_read() -> None:
    positions = held(p1=5, p2=8)
    assert positions.total() == 13
    positions.note_read(2, 9)
    assert positions.total() == 15


def test_no_partition_is_behind_by_less_than_nothing_and_only_those_held_count() -> None:
    positions = held(p1=5, p2=8)
    assert positions.behind({1: 9, 2: 7, 3: 100}) == {1: 4, 2: 0}
