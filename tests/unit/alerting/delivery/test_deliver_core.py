"""When a delivery is tried again, and how a target is named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.delivery.retry import (
    FIRST_RETRY,
    LONGEST_RETRY,
    GiveUp,
    Retry,
    after_failure,
    retry_delay,
    target_of,
)

DAY = 86400.0


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_delays_are_bounded_and_never_zero(attempts: int, roll: float) -> None:
    assert FIRST_RETRY / 2 <= retry_delay(attempts, roll) <= LONGEST_RETRY


@given(st.integers(1, 30), st.floats(0, 1, exclude_max=True))
def test_delays_grow(attempts: int, roll: float) -> None:
    assert retry_delay(attempts, roll) <= retry_delay(attempts + 1, roll)


@pytest.mark.parametrize(
    ("name", "status", "attempts", "age", "expected"),
    [
        ("the gateway restarts", 503, 1, 10, Retry(1.0)),
        ("nobody answers", None, 5, 10, Retry(16.0)),
        ("a token that may be renewed", 401, 50, 10, Retry(300.0)),
        ("a refusal may be a hiccup", 400, 2, 10, Retry(2.0)),
        ("refused three times is refused", 400, 3, 10, GiveUp.REFUSED),
        ("a day has passed", 503, 200, DAY + 1, GiveUp.TOO_OLD),
    ],
)
def test_after_a_failure(name: str, status: int | None, attempts: int, age: float, expected: object) -> None:
    assert after_failure(status=status, attempts=attempts, age=age, give_up=DAY, roll=0) == expected, name


def test_a_target_that_wants_silence_gets_it_and_one_that_refuses_is_given_up() -> None:
    common = {"status": None, "age": 10.0, "give_up": DAY, "roll": 0.0}
    assert after_failure(attempts=1, wait=600.0, **common) == Retry(600.0)
    assert after_failure(attempts=2, refused=True, **common) == Retry(2.0)
    assert after_failure(attempts=3, refused=True, **common) == GiveUp.REFUSED


def test_a_target_is_named_without_its_secret() -> None:
    url = "json://user:hunter2@example.org/token"
    assert target_of(url) == target_of(url)
    assert target_of(url) != target_of(url + "x")
    assert len(target_of(url)) == len("apprise-") + 12
    assert "hunter2" not in target_of(url)
