"""Tokens of links: short, signed, and of one link only."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from access.links.token import LENGTH, LinkClaim, is_genuine, link_token, number_in

KEY = bytes(range(32))
CLAIM = LinkClaim(number=7, incident=12, contact="c-wang", expires_at=datetime(2026, 12, 5, tzinfo=UTC))


def test_a_token_is_short_and_names_its_link() -> None:
    token = link_token(KEY, CLAIM)
    assert len(token) == LENGTH == 16
    assert number_in(token) == 7
    assert is_genuine(KEY, CLAIM, token)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(msgspec.structs.replace(CLAIM, number=8), id="another link"),
        pytest.param(msgspec.structs.replace(CLAIM, incident=13), id="another incident"),
        pytest.param(msgspec.structs.replace(CLAIM, contact="c-li"), id="another contact"),
        pytest.param(
            msgspec.structs.replace(CLAIM, expires_at=CLAIM.expires_at + timedelta(seconds=1)), id="made to last longer"
        ),
    ],
)
def test_a_token_is_of_one_link_only(other: LinkClaim) -> None:
    assert not is_genuine(KEY, other, link_token(KEY, CLAIM))


def test_another_key_makes_another_token() -> None:
    assert not is_genuine(bytes(32), CLAIM, link_token(KEY, CLAIM))


@pytest.mark.parametrize("text", ["", "12", "x" * 15, "x" * 17, "!" * 16, "密" * 16, "AAAA AAAAAAAAAAA", "=" * 16])
def test_what_cannot_be_a_token_names_no_link(text: str) -> None:
    assert number_in(text) is None


@given(number=st.integers(0, 2**32 - 1), at=st.integers(0, LENGTH - 1), other=st.sampled_from("AZaz09-_"))
def test_a_changed_character_is_noticed(number: int, at: int, other: str) -> None:
    claim = msgspec.structs.replace(CLAIM, number=number)
    token = link_token(KEY, claim)
    changed = token[:at] + other + token[at + 1 :]
    assert number_in(token) == number
    assert is_genuine(KEY, claim, changed) == (changed == token)
