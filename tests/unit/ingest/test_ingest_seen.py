"""Seen ids against a plain set."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.seen_ids import MAX_RANGES, SeenIds

IDS = st.lists(st.one_of(st.integers(0, 40), st.integers(0, 2**63 - 2)), max_size=60)


@given(IDS)
def test_it_is_a_set(ids: list[int]) -> None:
    seen, model = SeenIds(), set[int]()
    for number in ids:
        assert (number in seen) == (number in model)
        assert seen.add([number]) == ([] if number in model else [number])
        model.add(number)
        assert number in seen
    assert all(number + 1 in seen for number in model if number + 1 in model)


@given(IDS)
def test_fresh_ids_come_once_and_in_order(ids: list[int]) -> None:
    assert SeenIds().add(ids) == list(dict.fromkeys(ids))


@given(IDS)
def test_order_does_not_matter_and_ranges_never_touch(ids: list[int]) -> None:
    seen, sorted_ = SeenIds(), SeenIds()
    seen.add(ids)
    sorted_.add(sorted(ids))
    assert str(seen) == str(sorted_)
    gaps = sum(1 for number in set(ids) if number - 1 not in set(ids))
    assert seen.ranges == gaps


@given(IDS)
def test_text_goes_there_and_back(ids: list[int]) -> None:
    seen = SeenIds()
    seen.add(ids)
    again = SeenIds(str(seen))
    assert str(again) == str(seen)
    assert again.add(ids) == []


@pytest.mark.parametrize(
    ("ids", "text"),
    [
        pytest.param([], "{}", id="nothing"),
        pytest.param([1, 2, 3], "{[1,4)}", id="the usual run"),
        pytest.param([3, 1, 2], "{[1,4)}", id="newest first"),
        pytest.param([1, 3], "{[1,2),[3,4)}", id="a gap"),
        pytest.param([0, 2**63 - 2], "{[0,1),[9223372036854775806,9223372036854775807)}", id="the ends of int8"),
    ],
)
def test_text_is_postgresqls(ids: list[int], text: str) -> None:
    seen = SeenIds()
    seen.add(ids)
    assert str(seen) == text


def test_only_so_many_pieces_are_kept_and_the_oldest_gaps_close() -> None:
    seen = SeenIds()
    assert len(seen.add(range(0, 2 * (MAX_RANGES + 10), 2))) == MAX_RANGES + 10
    assert seen.ranges == MAX_RANGES
    assert seen.add([1, 19]) == [], "the oldest gaps are closed"
    assert seen.add([21]) == [21], "the newer ones are open"
