"""Every scenario, on simulated time; and the timetables themselves."""

from pathlib import Path

import pytest

from agents.simulator.timetable import BrokenLineError
from tests.instrument import script
from tests.instrument.play import Player

FILES = sorted(script.FOLDER.glob("*.txt"))
HEAD = "# a title\nevery 2s\nfleet 3 area=632122\n"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_scenario(file: Path) -> None:
    assert Player(script.load(file)).play() == []


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("30s expect 6321220002 offline", "1 of 1 are not"),
        ("30s expect all online", "1 of 3 are not: {'6321220001': 'offline'}"),
        ("30s expect no station_offline", "1: [('station_offline:6321220001'"),
        ("30s expect 2 station_offline so far", "1: "),
        ("30s expect one pipeline_blind", "0: []"),
        ("30s expect no pages", "1: ['station_offline:6321220001 opened']"),
    ],
)
def test_what_is_not_as_expected_is_said(line: str, says: str) -> None:
    (failure,) = Player(script.read(f"{HEAD}20s kill 6321220001\n{line}\n", "a")).play()
    assert says in failure


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("30s expect all sunny", "is no expectation: write `WHO VERDICT`"),
        ("30s expect many station_offline", "is no expectation"),
        ("30s expect one station_offline near all", "allowed are `at WHO`"),
        ("30s freeze bridge until=3s", "'until=3s' is no option: allowed are for=…"),
        ("30s freeze api", "'freeze' is no deed"),
        ("30s fly all", "'fly' is no deed"),
        ("30 kill all", "'30' is no time"),
        ("30s kill", "a line is TIME DEED WHOM"),
        ("fleet many area=632122", "a fleet is `fleet COUNT area=CODE"),
        ("fleet 3", "a fleet is `fleet COUNT area=CODE"),
        ("fleet 3 area=632122 colour=red", "'colour=red' is no option"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(line: str, says: str) -> None:
    with pytest.raises(BrokenLineError) as caught:
        script.read(f"{HEAD}{line}\n", "a")
    assert str(caught.value).startswith("a, line 4: ")
    assert says in str(caught.value)


def test_a_scenario_has_somebody_in_it() -> None:
    with pytest.raises(BrokenLineError, match="a scenario has a line"):
        script.read("# nobody\n10s expect no station_offline\n", "a")


def test_every_scenario_says_what_it_proves() -> None:
    assert all(script.load(file).title != file.stem for file in FILES)
