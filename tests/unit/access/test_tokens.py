"""How API tokens are written and how long they are good."""

from datetime import UTC, datetime, timedelta

import pytest

from access.tokens import LONGEST, USUAL, expiry, id_of, key_of, new_token
from contract.errors import RemedyError

NOW = datetime(2026, 11, 27, tzinfo=UTC)


def test_a_token_says_which_one_it_is_and_its_key_does_not_say_what_it_is() -> None:
    made = [new_token() for _ in range(100)]
    assert len({one.text for one in made}) == len({one.id for one in made}) == 100
    for one in made:
        assert id_of(one.text) == one.id
        assert one.key == key_of(one.text)
        assert len(one.key) == 32


@pytest.mark.parametrize(
    "text", ["", "mp_", "mp_abc_def", "x" * 60, "mp_0123456789_" + "a" * 80, "mp_0123456789_" + "é" * 43]
)
def test_what_is_no_token(text: str) -> None:
    assert id_of(text) is None


def test_how_long_it_is_good() -> None:
    assert expiry(NOW, None) == NOW + USUAL
    assert expiry(NOW, 1) == NOW + timedelta(days=1)
    assert expiry(NOW, LONGEST.days) == NOW + LONGEST


@pytest.mark.parametrize("days", [0, -1, 401, 10_000])
def test_a_span_that_is_refused(days: int) -> None:
    with pytest.raises(RemedyError, match="1 to 400 days"):
        expiry(NOW, days)
