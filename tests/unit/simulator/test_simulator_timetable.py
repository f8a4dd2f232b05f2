from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.simulator.timetable import (
    DEEDS,
    NO_TERMINAL,
    BrokenLineError,
    NamedTerminal,
    TimedDeed,
    duration,
    plan,
    read,
)

FLEET = [
    NamedTerminal(station, terminal, area)
    for station, area in (("6302220001", "630222100"), ("6302250001", "630225100"), ("6302250002", "630225102"))
    for terminal in ("001", "002")
]


def deeds(text: str) -> list[TimedDeed]:
    return plan(read(text), FLEET, Random(1))


def test_a_script_becomes_deeds_in_the_order_of_their_times() -> None:
    found = deeds("# faults\n\n1m kill 6302220001 for=30s  # both terminals\n10s cut area:630225\n")
    assert [(deed.at, deed.deed, deed.index) for deed in found] == [
        (10, "cut", 2), (10, "cut", 3), (10, "cut", 4), (10, "cut", 5),
        (60, "kill", 0), (60, "kill", 1), (90, "revive", 0), (90, "revive", 1),
    ]  # fmt: skip


def test_flapping_is_cut_and_joined_by_turns() -> None:
    found = deeds("0s flap 6302220001/002 for=20s every=8s")
    assert [(deed.at, deed.deed) for deed in found] == [(0, "cut"), (4, "join"), (8, "cut"), (12, "join")]
    assert {deed.index for deed in found} == {1}


def test_the_bridge_stands_still_again_and_again() -> None:
    found = deeds("10s stall bridge for=6s every=2m count=2\n")
    assert [(deed.at, deed.deed) for deed in found] == [(10, "stall"), (16, "go-on"), (130, "stall"), (136, "go-on")]
    assert {deed.index for deed in found} == {NO_TERMINAL}


def test_any_takes_whole_stations_and_the_same_ones_for_a_seed() -> None:
    chosen = {deed.index for deed in deeds("0s kill any:2")}
    assert len(chosen) == 4
    assert all(index ^ 1 in chosen for index in chosen)
    assert chosen == {deed.index for deed in deeds("0s kill any:2")}


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("10s kill", "a line is TIME DEED WHOM"),
        ("10s fly all", "'fly' is no deed: use one of kill"),
        ("10 kill all", "'10' is no time: write it like 90s"),
        ("1.2.3s kill all", "is no time"),
        ("10s kill a/b/c", "'a/b/c' names nobody: write STATION"),
        ("10s kill any:0", "names nobody"),
        ("10s kill all until=3s", "'until=3s' is no option of kill: it has for=…"),
        ("10s revive all for=3s", "it has none"),
        ("10s kill bridge for=3s", "kill is nothing that is done to bridge: stall and go-on are"),
        ("10s stall all for=3s", "stall is nothing that is done to all"),
        ("10s stall bridge", "stall needs for=…"),
        ("10s kill all for=0s", "it must be longer than 0s"),
        ("10s flap all for=1h every=0.0000000001s", "it must be longer than 0s"),
        (f"1{'0' * 400}s kill all", "is more than a year"),
        (f"10s flap all for={'9' * 400}h every=1s", "is more than a year"),
        (f"10s away all for={'9' * 300}h", "is more than a year"),
        ("10s flap all", "flap needs for=…"),
        ("10s slow all rate=99", "'99' is not a number from 0.1 to 10"),
        ("10s wrong all clock=1984", "use one of 1970, 2099"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(line: str, says: str) -> None:
    with pytest.raises(BrokenLineError) as caught:
        read(f"# first\n{line}\n")
    assert str(caught.value).startswith("line 2: ")
    assert says in str(caught.value)


def test_whoever_is_not_in_the_fleet_is_named() -> None:
    with pytest.raises(BrokenLineError, match="nobody of this fleet is area '64'"):
        deeds("0s kill area:64")


@given(st.integers(0, 99), st.integers(0, 59), st.integers(0, 59))
def test_a_duration_is_the_sum_of_its_parts(hours: int, minutes: int, seconds: int) -> None:
    assert duration(f"{hours}h{minutes}m{seconds}s") == hours * 3600 + minutes * 60 + seconds


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_with_its_line(text: str) -> None:
    try:
        read(text)
    except BrokenLineError as exc:
        assert str(exc).startswith("line ")


def test_what_ends_a_deed_is_a_deed() -> None:
    assert {rule.ends_with for rule in DEEDS.values() if rule.ends_with} <= set(DEEDS)
