"""Paths, rings and lost areas of a tree."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.importing.tree import cycles, depths, paths, unrooted


@st.composite
def forests(draw: st.DrawFn) -> dict[str, str | None]:
    """A tree or several, in any order of the areas."""
    size = draw(st.integers(0, 30))
    parents: dict[str, str | None] = {}
    for number in range(size):
        above = draw(st.none() | st.integers(0, number - 1)) if number else None
        parents[f"a{number}"] = None if above is None else f"a{above}"
    return dict(draw(st.permutations(list(parents.items()))))


graphs = st.dictionaries(st.sampled_from("abcdefgh"), st.none() | st.sampled_from("abcdefghxy"))


@given(forests())
def test_a_path_is_the_parents_path_and_oneself(parents: dict[str, str | None]) -> None:
    found = paths(parents)
    assert found.keys() == parents.keys()
    for code, parent in parents.items():
        assert found[code] == ((*found[parent], code) if parent is not None else (code,))


@given(forests(), st.randoms())
def test_the_order_of_areas_does_not_matter(parents: dict[str, str | None], rng: random.Random) -> None:
    other = list(parents.items())
    rng.shuffle(other)
    assert paths(dict(other)) == paths(parents)


@given(forests())
def test_depth_is_the_length_of_the_path(parents: dict[str, str | None]) -> None:
    assert depths(parents) == {code: len(path) for code, path in paths(parents).items()}


@given(forests())
def test_a_forest_has_no_rings_and_loses_nobody(parents: dict[str, str | None]) -> None:
    assert cycles(parents) == []
    assert unrooted(parents) == {}


def _climb(code: str, parents: dict[str, str | None]) -> str | None:
    """Go up as often as there are areas: None from a root, a code that is in a ring, or a missing one."""
    above: str | None = code
    for _ in range(len(parents) + 1):
        if above is None or above not in parents:
            return above
        above = parents[above]
    return above


@given(graphs)
def test_exactly_those_who_never_arrive_are_below_a_ring(parents: dict[str, str | None]) -> None:
    in_rings = {code for ring in cycles(parents) for code in ring}
    arrived = {code for code in parents if (end := _climb(code, parents)) is None or end not in parents}
    assert not in_rings & arrived
    assert {_climb(code, parents) for code in set(parents) - arrived} <= in_rings
    for ring in cycles(parents):
        assert all(parents[below] == above for below, above in zip(ring, [*ring[1:], ring[0]], strict=True))


@given(graphs)
def test_the_missing_area_is_named(parents: dict[str, str | None]) -> None:
    while rings := cycles(parents):
        parents = {**parents, rings[0][0]: None}
    expected = {code: end for code in parents if (end := _climb(code, parents)) is not None}
    assert unrooted(parents) == expected


@pytest.mark.parametrize(
    ("parents", "rings"),
    [
        pytest.param({"a": "a"}, [["a"]], id="its own parent"),
        pytest.param({"b": "a", "a": "b"}, [["a", "b"]], id="each other's parents"),
        pytest.param({"x": "b", "b": "c", "c": "b"}, [["b", "c"]], id="who hangs below a ring is not in it"),
    ],
)
def test_rings(parents: dict[str, str | None], rings: list[list[str]]) -> None:
    assert cycles(parents) == rings
