"""Two bridges with one name, by the pulses that each hears of the other."""

import pytest

from broker.ticks.namesakes import ENOUGH, MOST, WITHIN, Namesakes, Start
from broker.ticks.pulse import Pulse

MINE, OTHER = Start(1000, "aa"), Start(2000, "bb")
Heard = list[tuple[float, bytes]]


def pulses(start: Start, *numbers: int, every: float = 1.0) -> Heard:
    return [(place * every, f"{start}-{number}".encode()) for place, number in enumerate(numbers)]


@pytest.mark.parametrize(
    ("heard", "named"),
    [
        pytest.param(pulses(OTHER, 1, 2, 3), [OTHER], id="three newer ones prove it"),
        pytest.param(pulses(OTHER, 1, 2), [], id="two may be the last of a bridge that ended"),
        pytest.param(pulses(OTHER, *range(1, 20)), [OTHER], id="named once"),
        pytest.param(pulses(OTHER, 7, 7, 7, 7), [], id="one that lay in the broker and came again"),
        pytest.param(pulses(OTHER, 3, 2, 1, 0), [], id="numbers that go down are no life"),
        pytest.param(pulses(OTHER, 1, 2, 3, every=WITHIN), [], id="too rare to be alive"),
        pytest.param(pulses(OTHER, 1, 2, 3, every=5.0), [OTHER], id="one whose own pulses are lost"),
        pytest.param(pulses(MINE, 1, 2, 3, 4), [], id="one's own that come late"),
        pytest.param([(0.0, b""), (1.0, b"x"), (2.0, b"\xff"), (3.0, b"1.aa-"), (4.0, b"9" * 99)], [], id="no pulses"),
        pytest.param(
            [*pulses(OTHER, 1, 2, 3), *pulses(Start(500, "cc"), 4, 5, 6)], [OTHER, Start(500, "cc")], id="two others"
        ),
    ],
)
def test_another_living_bridge_of_the_name_is_found(heard: Heard, named: list[Start]) -> None:
    namesakes = Namesakes(MINE)
    found = [namesakes.note_pulse(payload, now) for now, payload in heard]
    assert [one for one in found if one is not None] == named


def test_invented_starts_take_no_memory() -> None:
    namesakes = Namesakes(MINE)
    for number in range(1000):
        namesakes.note_pulse(f"{Start(number, 'dd')}-1".encode(), 0.0)
    assert len(namesakes._heard) == MOST


def test_of_two_exactly_one_is_older() -> None:
    for one, two in [(MINE, OTHER), (MINE, Start(1000, "ab"))]:
        assert (one > two) != (two > one)


def test_a_bridge_names_itself_as_its_pulses_do() -> None:
    pulse = Pulse(str(OTHER))
    namesakes, found = Namesakes(MINE), []
    for now in range(ENOUGH):
        payload = pulse.next(float(now))
        assert payload is not None
        found.append(namesakes.note_pulse(payload, now))
        assert pulse.returned(payload, now + 0.1)
    assert found == [None, None, OTHER]
