"""The bridge stops reading beyond a bound and reads again below half of both."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.back_pressure import BackPressure

PRESSURE = BackPressure(max_bytes=1000, max_messages=10)


@pytest.mark.parametrize(
    ("waiting_bytes", "waiting_messages", "pauses"),
    [
        pytest.param(0, 0, False, id="nothing waits"),
        pytest.param(1000, 10, False, id="at both bounds"),
        pytest.param(1001, 1, True, id="too many bytes"),
        pytest.param(1, 11, True, id="too many messages"),
    ],
)
def test_reading_stops_beyond_a_bound(waiting_bytes: int, waiting_messages: int, pauses: bool) -> None:
    assert PRESSURE.must_pause(waiting_bytes, waiting_messages) is pauses


@pytest.mark.parametrize(
    ("waiting_bytes", "waiting_messages", "resumes"),
    [
        pytest.param(0, 0, True, id="nothing waits"),
        pytest.param(499, 4, True, id="below half of both"),
        pytest.param(500, 4, False, id="half of the bytes"),
        pytest.param(499, 5, False, id="half of the messages"),
        pytest.param(1000, 0, False, id="at a bound"),
    ],
)
def test_reading_goes_on_below_half_of_both_bounds(waiting_bytes: int, waiting_messages: int, resumes: bool) -> None:
    assert PRESSURE.may_resume(waiting_bytes, waiting_messages) is resumes


@given(waiting_bytes=st.integers(0, 3000), waiting_messages=st.integers(0, 30))
def test_no_amount_both_stops_and_resumes(waiting_bytes: int, waiting_messages: int) -> None:
    """Else reading would stop and go on at each message."""
    pauses = PRESSURE.must_pause(waiting_bytes, waiting_messages)
    assert not (pauses and PRESSURE.may_resume(waiting_bytes, waiting_messages))
