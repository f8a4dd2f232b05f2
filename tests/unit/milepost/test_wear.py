"""When a log in memory is worn out."""

import pytest

from milepost.processes.wear import LEAST_AGE, OVER, Wear


def looks(wear: Wear, *, hours: float, share: float) -> list[float]:
    """The seconds at which it says so, asked each five seconds by a broker that uses `share` of a core."""
    return [now for now in map(float, range(0, int(hours * 3600), 5)) if wear.worn(now, now * share)]


@pytest.mark.parametrize(
    ("share", "says"),
    [
        pytest.param(0.01, False, id="at rest"),
        pytest.param(0.19, False, id="just cheap enough"),
        pytest.param(0.25, True, id="dear"),
    ],
)
def test_a_log_is_worn_out_by_what_it_costs(share: float, says: bool) -> None:
    assert bool(looks(Wear(0.0), hours=3, share=share)) is says


def test_a_new_log_is_given_an_hour_and_asked_about_once_in_ten_minutes() -> None:
    assert looks(Wear(0.0), hours=1.5, share=0.9)[:2] == [LEAST_AGE, LEAST_AGE + OVER]


def test_a_broker_that_was_started_anew_has_a_new_log() -> None:
    wear = Wear(0.0)
    assert not wear.worn(LEAST_AGE - 5, 3000.0)
    assert not wear.worn(LEAST_AGE, 1.0)
    assert not wear.worn(LEAST_AGE + OVER, 500.0)
