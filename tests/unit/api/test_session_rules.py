"""How long a browser stays signed in, and where it goes then."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.http.session_rules import (
    IDLE,
    LONGEST,
    NOTED_EVERY,
    WALL_COOKIE,
    WALL_IDLE,
    Session,
    cookie_seconds,
    ends_at,
    is_over,
    is_to_note,
    own_path,
)

BEGAN = 1_700_000_000.0


def session(*, wall: bool = False, used: float = 0.0) -> Session:
    return Session(key=b"k", account="admin", wall=wall, created=BEGAN, used=BEGAN + used)


@pytest.mark.parametrize(
    ("wall", "used", "lasts"),
    [
        pytest.param(False, 0.0, IDLE, id="never used"),
        pytest.param(False, IDLE, 2 * IDLE, id="use extends it"),
        pytest.param(False, LONGEST - 1, LONGEST, id="but not for ever"),
        pytest.param(True, 0.0, WALL_IDLE, id="a wall"),
        pytest.param(True, 100 * LONGEST, 100 * LONGEST + WALL_IDLE, id="a wall has no last day"),
    ],
)
def test_when_it_ends(wall: bool, used: float, lasts: float) -> None:
    one = session(wall=wall, used=used)
    assert ends_at(one) == BEGAN + lasts
    assert not is_over(one, BEGAN + lasts - 1)
    assert is_over(one, BEGAN + lasts)


@given(st.lists(st.floats(0, 2 * IDLE), max_size=60), st.booleans())
def test_use_never_shortens_and_a_person_never_exceeds_the_longest(pauses: list[float], wall: bool) -> None:
    one, now = session(wall=wall), BEGAN
    for pause in pauses:
        now += pause
        if is_over(one, now):
            break
        used = Session(key=one.key, account=one.account, wall=wall, created=one.created, used=now)
        assert ends_at(used) >= ends_at(one)
        one = used
    assert wall or ends_at(one) <= BEGAN + LONGEST


def test_a_use_is_written_down_at_intervals() -> None:
    assert not is_to_note(session(), BEGAN + NOTED_EVERY - 1)
    assert is_to_note(session(), BEGAN + NOTED_EVERY)
    assert not is_to_note(session(), BEGAN - 1), "a clock that went back"


def test_the_browser_keeps_the_cookie_for_as_long_as_it_can_be_good() -> None:
    assert cookie_seconds(session(), BEGAN) == LONGEST
    assert cookie_seconds(session(wall=True), BEGAN + 9 * LONGEST) == WALL_COOKIE


PATHS = {
    "/": "/",
    "/incidents/7": "/incidents/7",
    "/stations?area=63&verdict=offline": "/stations?area=63&verdict=offline",
    "": "/",
    "incidents": "/",
    "//evil.test": "/",
    "///evil.test": "/",
    "/\\evil.test": "/",
    "\\\\evil.test": "/",
    "https://evil.test": "/",
    "javascript:alert(1)": "/",
    "/\t/evil.test": "/",
    "/a\r\nSet-Cookie: x": "/",
    "/signin": "/",
    "/signout": "/",
}


@pytest.mark.parametrize(("asked", "goes_to"), PATHS.items())
def test_it_goes_on_to_paths_of_this_server_only(asked: str, goes_to: str) -> None:
    assert own_path(asked) == goes_to
