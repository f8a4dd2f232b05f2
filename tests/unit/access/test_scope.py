"""What lies in a scope, in a narrower one, and in two at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access.scope import MOST_AREAS, NOTHING, WHOLE, AreaScope, scope_of
from contract.errors import RemedyError

PATHS = {
    "63": ("63",),
    "6321": ("63", "6321"),
    "632122": ("63", "6321", "632122"),
    "632123": ("63", "6321", "632123"),
    "6322": ("63", "6322"),
    "64": ("64",),
}
SCOPES = st.one_of(
    st.just(WHOLE), st.builds(AreaScope, st.just(False), st.frozensets(st.sampled_from(sorted(PATHS)), max_size=4))
)
CASES = {
    "the whole has everything": (WHOLE, "64", True),
    "an area has what lies below it": (AreaScope(areas=frozenset({"6321"})), "632122", True),
    "and itself": (AreaScope(areas=frozenset({"6321"})), "6321", True),
    "but not what lies above": (AreaScope(areas=frozenset({"6321"})), "63", False),
    "nor beside it": (AreaScope(areas=frozenset({"632122"})), "632123", False),
    "one of several is enough": (AreaScope(areas=frozenset({"64", "632123"})), "632123", True),
    "nothing has nothing": (NOTHING, "63", False),
}


@pytest.mark.parametrize(("scope", "area", "expected"), CASES.values(), ids=CASES)
def test_what_a_scope_covers(scope: AreaScope, area: str, expected: bool) -> None:
    assert scope.covers(PATHS[area]) is expected


def test_what_lies_in_no_area_is_of_the_whole_only() -> None:
    assert WHOLE.covers(None)
    assert not AreaScope(areas=frozenset({"63"})).covers(None)


@given(SCOPES, SCOPES)
def test_the_meeting_of_two_covers_what_both_cover(one: AreaScope, other: AreaScope) -> None:
    met = one.meet(other, PATHS)
    for path in (*PATHS.values(), None):
        assert met.covers(path) == (one.covers(path) and other.covers(path))
    assert met.within(one, PATHS)
    assert met.within(other, PATHS)


@given(SCOPES, SCOPES)
def test_within_means_that_nothing_lies_outside(inner: AreaScope, outer: AreaScope) -> None:
    if inner.within(outer, PATHS):
        assert all(outer.covers(path) for path in (*PATHS.values(), None) if inner.covers(path))
    else:
        named = [PATHS[area] for area in inner.areas]
        assert inner.whole or any(not outer.covers(path) for path in named)


def test_an_unknown_area_lies_within_nothing_but_the_whole() -> None:
    unknown = AreaScope(areas=frozenset({"99"}))
    assert not unknown.within(AreaScope(areas=frozenset({"63"})), PATHS)
    assert unknown.within(WHOLE, PATHS)


def test_the_setting_of_the_database() -> None:
    assert WHOLE.setting == "*"
    assert AreaScope(areas=frozenset({"64", "6321"})).setting == "6321,64"
    assert NOTHING.setting == ""


REFUSED = {
    "both": (["63"], True, "the whole or some areas"),
    "neither": ([], False, "has no area"),
    "too many": ([str(code) for code in range(MOST_AREAS + 1)], False, "at most 200"),
}


@pytest.mark.parametrize(("areas", "whole", "why"), REFUSED.values(), ids=REFUSED)
def test_a_scope_that_cannot_be_meant(areas: list[str], whole: bool, why: str) -> None:
    with pytest.raises(RemedyError, match=why):
        scope_of(areas, whole=whole)
