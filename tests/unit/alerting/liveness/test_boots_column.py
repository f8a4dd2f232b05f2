"""Columns of boots and of stations: what is put in comes out, singly or many at once."""

from hypothesis import given
from hypothesis import strategies as st

from alerting.liveness.columns import Boots, LiveState, Stations

NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=12)


@given(st.lists(NAMES, min_size=1), st.lists(st.tuples(st.integers(0, 99), NAMES)))
def test_a_column_gives_back_what_was_put_in(boots: list[str], changes: list[tuple[int, str]]) -> None:
    column = Boots()
    for boot in boots:
        column.append(boot)
    for row, boot in changes:
        if row < len(boots):
            column[row] = boots[row] = boot
    assert [column[row] for row in range(len(boots))] == boots
    for row, boot in enumerate(boots):
        assert column.holds(row, boot)
        assert not column.holds(row, boot + "x")
        assert not column.holds(row, boot[:-1])


def test_no_boot_yet() -> None:
    column = Boots()
    column.append("")
    assert column[0] == ""
    assert not column.holds(0, "b7f3c1e2")
    assert not column.holds(0, "a-boot-that-is-long")


@given(st.lists(NAMES | st.just("")), st.lists(NAMES | st.just("")))
def test_many_boots_at_once_are_as_one_by_one(first: list[str], more: list[str]) -> None:
    column = Boots()
    for boot in first:
        column.append(boot)
    column.extend(more)
    assert [column[row] for row in range(len(first + more))] == first + more


@given(st.lists(st.lists(st.sampled_from("abcdefg"))))
def test_each_station_has_one_row_whether_added_alone_or_with_others(chunks: list[list[str]]) -> None:
    alone, together = Stations(), Stations()
    for chunk in chunks:
        expected = [alone.index[name] if name in alone.index else alone.add_station(name) for name in chunk]
        assert together.rows(chunk) == expected
    assert together.ids == alone.ids
    assert together.index == alone.index
    columns = (together.state, together.since, together.usable, together.quorum, together.first, together.shard)
    fresh = (LiveState.NEVER_SEEN, 0, -1, 0, -1, -1)
    assert [column.tolist() for column in columns] == [[value] * len(together.ids) for value in fresh]
