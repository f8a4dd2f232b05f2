"""How API tokens are written and how long they are good."""

from datetime import UTC, datetime, timedelta

import pytest

from access.tokens import LONGEST, USUAL, expiry, key_of, new_token
from contract.errors import RemedyError

NOW = datetime(2026, 11, 27, tzinfo=UTC)


def test_a_token_has_its_id_and_the_key_of_its_text() -> None:
    made = [new_token() for _ in range(100)]
    assert len({one.text for one in made}) == len({one.id for one in made}) == 100
    for one in made:
        assert one.text.split("_", 2)[:2] == ["mp", one.id]
        assert one.key == key_of(one.text)
        assert len(one.key) == 32


def test_how_long_it_is_good() -> None:
    assert expiry(NOW, None) == NOW + USUAL
    assert expiry(NOW, 1) == NOW + timedelta(days=1)
    assert expiry(NOW, LONGEST.days) == NOW + LONGEST


@pytest.mark.parametrize("days", [0, -1, 401, 10_000])
def test_a_span_that_is_refused(days: int) -> None:
    with pytest.raises(RemedyError, match="1 to 400 days"):
        expiry(NOW, days)
