"""Corrected times: by anchors, by neighbours, or unknown, and never absurd."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.device_times import HORIZON, MAX_UP, SLACK, anchor_of, by_anchor, by_bounds, corrected_end
from ingest.boots import LAST_STEP, Boot

NOW = 1_780_000_000_000
HOUR = 3_600_000
DAY = 24 * HOUR
Y1970, Y2099 = 5_000, 4_090_000_000_000
CLOCKS = st.one_of(st.sampled_from([Y1970, Y2099, NOW - HOUR, NOW + HOUR, NOW]), st.integers(-(2**63), 2**63 - 1))


@pytest.mark.parametrize("at", [Y1970, Y2099, NOW - HOUR, NOW + HOUR], ids=["1970", "2099", "slow", "fast"])
def test_an_anchor_does_not_ask_the_devices_clock(at: int) -> None:
    boot = Boot()
    assert boot.hear(run=1, up=100.0, received=NOW)
    assert boot.time_of(at, 40.0, NOW, boot) == (NOW - 60_000, "anchor")


def test_anchors_only_fall() -> None:
    boot = Boot()
    boot.hear(1, 100.0, NOW)
    assert boot.hear(1, 101.0, NOW + 500), "half a second less on the way: the better anchor"
    assert boot.anchor == pytest.approx(NOW / 1000 - 100.5)
    assert not boot.hear(1, 102.0, NOW + 9_000), "a slow message changes nothing"
    assert boot.anchor == pytest.approx(NOW / 1000 - 100.5)


@given(st.lists(st.tuples(st.floats(0, 1e9), st.integers(NOW, NOW + DAY)), min_size=1))
def test_the_least_anchor_wins_in_any_order(heard: list[tuple[float, int]]) -> None:
    forth, back = Boot(), Boot()
    for up, received in heard:
        before = forth.anchor
        forth.hear(1, up, received)
        assert before is None or (forth.anchor is not None and forth.anchor <= before)
    for up, received in reversed(heard):
        back.hear(1, up, received)
    anchors = [found for up, received in heard if (found := anchor_of(received, up)) is not None]
    assert forth.anchor == back.anchor == min(anchors, default=None)


@pytest.mark.parametrize("up", [None, -1.0, MAX_UP + 1], ids=["none", "negative", "longer than any boot"])
def test_no_anchor_from_an_up_that_cannot_be(up: float | None) -> None:
    assert anchor_of(NOW, up) is None


def test_the_last_receipt_moves_in_steps() -> None:
    boot = Boot()
    boot.hear(1, 100.0, NOW)
    assert not boot.hear(1, 100.0, NOW + LAST_STEP - 1)
    assert boot.hear(1, 100.0, NOW + LAST_STEP)
    assert (boot.first_at, boot.last_at) == (NOW, NOW + LAST_STEP)


@pytest.mark.parametrize(
    ("up", "expected"),
    [
        pytest.param(40.0, NOW - 60_000, id="earlier in the boot"),
        pytest.param(100.0, NOW, id="now"),
        pytest.param(101.0, NOW, id="a little ahead of its own message: held at the receipt"),
        pytest.param(100.0 + SLACK / 1000 + 1, None, id="far ahead of its own message: no use"),
    ],
)
def test_by_anchor(up: float, expected: int | None) -> None:
    assert by_anchor(NOW / 1000 - 100, up, NOW) == expected


AFTER, BEFORE = NOW - 3 * DAY, NOW - DAY


@pytest.mark.parametrize(
    ("at", "after", "before", "expected"),
    [
        pytest.param(NOW - 2 * DAY, AFTER, BEFORE, (NOW - 2 * DAY, "device"), id="between its neighbours: believed"),
        pytest.param(Y1970, AFTER, BEFORE, (AFTER, "unknown"), id="1970: no earlier than the boot before"),
        pytest.param(Y2099, AFTER, BEFORE, (BEFORE, "unknown"), id="2099: no later than the boot after"),
        pytest.param(NOW - DAY + HOUR, AFTER, BEFORE, (BEFORE, "unknown"), id="an hour fast across the border"),
        pytest.param(BEFORE + SLACK, AFTER, BEFORE, (BEFORE, "device"), id="a little fast: believed, held inside"),
        pytest.param(AFTER - SLACK, AFTER, BEFORE, (AFTER, "device"), id="a little slow: believed, held inside"),
        pytest.param(NOW - 9 * DAY, None, BEFORE, (NOW - 9 * DAY, "device"), id="first boot ever heard"),
        pytest.param(Y1970, None, BEFORE, (BEFORE, "unknown"), id="1970 and nothing before: not at the horizon"),
        pytest.param(NOW + HOUR, None, None, (NOW, "unknown"), id="an hour fast, never later than its receipt"),
        pytest.param(NOW - HOUR, None, None, (NOW - HOUR, "device"), id="an hour slow cannot be told"),
        pytest.param(NOW - 5, BEFORE, AFTER, (AFTER, "unknown"), id="neighbours that contradict: the upper one"),
        pytest.param(-(2**63), None, None, (NOW, "unknown"), id="the least of 64 bits"),
    ],
)
def test_by_bounds(at: int, after: int | None, before: int | None, expected: tuple[int, str]) -> None:
    assert by_bounds(at, after, before, NOW) == expected


SOME = st.one_of(st.none(), st.integers(0, 2 * NOW))


@given(CLOCKS, SOME, SOME)
def test_no_time_is_absurd(at: int, after: int | None, before: int | None) -> None:
    time, source = by_bounds(at, after, before, NOW)
    assert NOW - HORIZON <= time <= NOW
    assert source in ("device", "unknown")
    if before is not None and before >= NOW - HORIZON:
        assert time <= before


@given(st.lists(CLOCKS, min_size=2, max_size=20), SOME, SOME)
def test_believed_times_keep_their_order(clocks: list[int], after: int | None, before: int | None) -> None:
    times = [by_bounds(at, after, before, NOW) for at in sorted(clocks)]
    believed = [time for time, source in times if source == "device"]
    assert believed == sorted(believed)


@given(st.floats(0, MAX_UP), st.lists(st.floats(0, 1e12), max_size=20), CLOCKS)
def test_times_of_a_boot_rise_with_its_monotonic_clock(up: float, ups: list[float], at: int) -> None:
    boot = Boot()
    boot.hear(1, up, NOW)
    times = [boot.time_of(at, each, NOW, boot) for each in sorted(ups)]
    assert all(NOW - HORIZON <= time <= NOW for time, _ in times)
    anchored = [time for time, source in times if source == "anchor"]
    assert anchored == sorted(anchored)


@pytest.mark.parametrize(
    ("until", "until_up", "at", "up", "expected"),
    [
        pytest.param(Y1970 + HOUR, None, Y1970, None, NOW - HOUR, id="moved as the start was"),
        pytest.param(NOW, 4600.0, Y1970, 1000.0, NOW - 2 * HOUR + 3_600_000, id="the clock was set meanwhile: by up"),
        pytest.param(None, 4600.0, Y1970, 1000.0, NOW - HOUR, id="only up"),
        pytest.param(None, None, Y1970, 1000.0, None, id="not said"),
        pytest.param(Y1970 - HOUR, None, Y1970, None, NOW - 2 * HOUR, id="ends before it began: empty"),
        pytest.param(Y2099, None, Y1970, None, NOW, id="ends in the future: at the latest possible"),
        pytest.param(Y1970 + HOUR, 5.0, Y1970, 1000.0, NOW - HOUR, id="an until_up of another boot is no use"),
    ],
)
def test_corrected_end(
    until: int | None, until_up: float | None, at: int, up: float | None, expected: int | None
) -> None:
    time = NOW - 2 * HOUR
    assert corrected_end(time=time, at=at, up=up, until=until, until_up=until_up, latest=NOW) == expected


@given(CLOCKS, st.one_of(st.none(), CLOCKS), st.one_of(st.none(), st.floats(0, 1e12)), st.floats(0, 1e12))
def test_an_end_is_never_absurd(at: int, until: int | None, until_up: float | None, up: float) -> None:
    end = corrected_end(time=NOW - HOUR, at=at, up=up, until=until, until_up=until_up, latest=NOW)
    assert end is None or NOW - HOUR <= end <= NOW
