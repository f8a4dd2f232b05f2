"""The exact bytes of ledger entries: RFC 8785, and what has no such form."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.ledger import MOST_BODY, UnfitEntryError, canonical, ms_of
from store.ledger_kinds import WrittenText, hashed, text_hash

SAFE = 2**53 - 1
TEXTS = st.text(max_size=8)
# Python reads a larger whole number of JSON as an integer with digits that the double does not have.
SCALARS = st.none() | st.booleans() | st.integers(-SAFE, SAFE) | TEXTS | st.floats(-SAFE, SAFE)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=8
)
BODIES = st.dictionaries(TEXTS, VALUES, max_size=4)


@given(BODIES)
def test_a_body_comes_back_from_its_bytes(body: dict[str, Any]) -> None:
    """Numbers are compared as JSON sees them: 1.0 and 1 are one number."""
    assert json.loads(canonical(body)) == body


@given(BODIES)
def test_equal_bodies_have_equal_bytes(body: dict[str, Any]) -> None:
    turned = dict(reversed(list(body.items())))
    assert canonical(turned) == canonical(body) == canonical(json.loads(canonical(body)))


@pytest.mark.parametrize(
    ("body", "text"),
    [
        pytest.param({}, b"{}", id="nothing"),
        pytest.param({"b": 1, "a": [True, None]}, b'{"a":[true,null],"b":1}', id="keys are sorted"),
        pytest.param({"name": "开\n"}, '{"name":"开\\n"}'.encode(), id="UTF-8, control characters escaped"),
        pytest.param({"\U0001f600": 1, "\ufb33": 2}, '{"\U0001f600":1,"\ufb33":2}'.encode(), id="keys by UTF-16"),
        pytest.param({"n": SAFE}, b'{"n":9007199254740991}', id="the largest integer"),
        pytest.param({"n": 1e21}, b'{"n":1e+21}', id="a number as ECMAScript writes it"),
    ],
)
def test_the_bytes(body: dict[str, Any], text: bytes) -> None:
    assert canonical(body) == text


@pytest.mark.parametrize(
    ("body", "why"),
    [
        pytest.param({"n": SAFE + 1}, "integers below 2\\^53 only, so write this one as text", id="large"),
        pytest.param({"n": -SAFE - 1}, "integers below 2\\^53 only", id="very negative"),
        pytest.param({"n": float("nan")}, "has no canonical form", id="not a number"),
        pytest.param({"at": datetime(2026, 1, 1, tzinfo=UTC)}, "has no canonical form", id="a time"),
        pytest.param({"key": b"x"}, "has no canonical form", id="bytes"),
        pytest.param({"t": "\ud800"}, "has no canonical form", id="half a surrogate pair"),
        pytest.param({1: "x"}, "has no canonical form", id="a key that is no text"),
        pytest.param({"t": "x" * MOST_BODY}, f"of at most {MOST_BODY}", id="too large"),
    ],
)
def test_what_has_no_bytes(body: dict[str, Any], why: str) -> None:
    with pytest.raises(UnfitEntryError, match=why):
        canonical(body)


def test_a_text_is_proven_by_its_hash() -> None:
    assert text_hash(b"", "换了电源") == "c871c9785a42092c4fb611478890b8d1403b7ff8be2e4f20d588072fbb7611ee"
    assert text_hash("换了".encode(), "电源") == text_hash(b"", "换了电源")
    assert hashed(text="换了电源", remark=None) == {"text_sha256": WrittenText("换了电源")}


def test_a_time_is_the_ms_that_it_has_reached() -> None:
    begin = datetime(2026, 11, 27, tzinfo=UTC)
    assert ms_of(begin + timedelta(microseconds=1999)) == round(begin.timestamp()) * 1000 + 1
    assert ms_of(datetime(1969, 12, 31, 23, 59, 59, 999_500, tzinfo=UTC)) == -1
