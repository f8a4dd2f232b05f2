"""Facts as bodies of ledger entries: exactly RFC 8785, bounded, and none is lost."""

from typing import Any

import msgspec
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from registry.fact_entries import MOST_FACTS, WrittenFact, canonical_json, fact_bodies
from store.ledger import MOST_BODY

texts = st.text(max_size=6) | st.text('aZ0"\\/\b\n\x7f\x85é\ue000\uffee𐀀😀', max_size=4)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=8,
)


@given(st.dictionaries(texts, values, max_size=5))
def test_it_is_rfc_8785(value: dict[str, Any]) -> None:
    assert canonical_json(value) == rfc8785.dumps(value)


facts = st.builds(
    WrittenFact,
    id=st.integers(1, 2**53 - 1),
    kind=st.sampled_from(["station", "terminal"]),
    subject=texts,
    effective_us=st.integers(-(2**51), 2**51),
    whole=st.booleans(),
    fields=st.none() | st.dictionaries(texts, values, max_size=4),
)


@given(st.lists(facts, max_size=5))
def test_a_body_is_rfc_8785_and_has_every_fact(written: list[WrittenFact]) -> None:
    bodies = list(fact_bodies(written))
    read = [msgspec.json.decode(body) for body in bodies]
    assert [rfc8785.dumps(body) for body in read] == bodies
    assert msgspec.convert([fact for body in read for fact in body["facts"]], list[WrittenFact]) == written


def fact(number: int, fields: dict[str, Any]) -> WrittenFact:
    return WrittenFact(id=number, kind="country_override", subject="", effective_us=0, fields=fields)


@pytest.mark.parametrize(
    ("written", "entries"),
    [
        pytest.param([fact(n, {"area": "1"}) for n in range(2 * MOST_FACTS + 1)], 3, id="many small facts"),
        pytest.param([fact(n, {"1": {"rules": "x" * 2000}}) for n in range(60)], 3, id="facts with long rules"),
        pytest.param(
            [fact(1, {str(n): {"rules": "中" * 2000} for n in range(100)})], 12, id="a fact too large for an entry"
        ),
        pytest.param([], 0, id="no facts"),
    ],
)
def test_no_entry_is_too_large(written: list[WrittenFact], entries: int) -> None:
    bodies = list(fact_bodies(written))
    assert len(bodies) == entries
    assert max(map(len, bodies), default=0) < MOST_BODY
    told: dict[int, dict[str, Any]] = {}
    for body in bodies:
        for one in msgspec.json.decode(body)["facts"]:
            told.setdefault(one["id"], {}).update(one["fields"])
    assert told == {one.id: one.fields for one in written}
