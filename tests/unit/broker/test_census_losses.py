"""Which missing numbers are our loss, and which stations number wrongly."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.ticks.census import MOST_NAMED, Census
from broker.ticks.losses import ENOUGH, LossSettings
from contract.messages import Heartbeat, Status

# One station that misses a number is enough, from the first moment on.
EACH = LossSettings(settled=0, least=1, share=0, all_least=1_000)
SETTLED_MS = 600_000


def beat(n: int, *, every: float = 2, boot: str = "b", run: int = 1, conn: int | None = 1) -> Heartbeat:
    return Heartbeat(v=1, boot=boot, run=run, conn=conn, n=n, at=0, every=every)


@pytest.mark.parametrize(
    ("beats", "loses"),
    [
        pytest.param([beat(1), beat(2)], False, id="each number is there"),
        pytest.param([beat(1), beat(3)], True, id="a number is missing"),
        pytest.param([beat(1), beat(9, conn=2)], False, id="another connection may have lost it"),
        pytest.param([beat(1), beat(9, boot="c")], False, id="another boot counts anew"),
        pytest.param([beat(1), beat(9, run=2)], False, id="another run counts anew"),
        pytest.param([beat(1, conn=None), beat(9, conn=None)], False, id="who names no connection says nothing"),
        pytest.param([beat(1), beat(9, conn=None), beat(20)], False, id="nor who does so now and then"),
        pytest.param([beat(1, conn=0), beat(9, conn=0)], True, id="zero is a connection"),
        pytest.param([beat(n) for n in (1, 3, 2, 5, 4, 5, 2)], False, id="swapped on the way"),
        pytest.param([beat(n) for n in (1, 4, 2)], True, id="two missing, one came late"),
        pytest.param([beat(n) for n in (1, 4, 6, 5)], True, id="something else is missing still"),
        pytest.param(
            [beat(1), beat(3), beat(5, conn=2), beat(8, conn=2), beat(2, conn=2)], True, id="of another connection"
        ),
    ],
)
def test_a_missing_number_is_a_loss_within_one_connection_only(beats: list[Heartbeat], loses: bool) -> None:
    census = Census(EACH)
    for body in beats:
        census.note_heartbeat("a", "001", body, 0)
    assert census.count(100).losses is loses


def test_what_one_terminal_lost_does_not_come_late_with_anothers_number() -> None:
    census = Census(EACH)
    for terminal, n in (("001", 1), ("002", 1), ("001", 3), ("002", 3), ("001", 2)):
        census.note_heartbeat("a", terminal, beat(n), 0)
    assert census.count(100).losses
    census.note_heartbeat("a", "002", beat(2), 200)
    assert not census.count(300).losses


def test_statuses_are_numbered_with_heartbeats() -> None:
    census = Census(EACH)
    census.note_heartbeat("a", "001", beat(1), 0)
    for state, n in (("online", 2), ("lost", 1)):
        census.note_status("a", "001", Status(v=1, boot="b", run=1, conn=1, n=n, state=state, at=0))  # type: ignore[arg-type]
    census.note_heartbeat("a", "001", beat(3), 500)
    assert not census.count(600).losses


def test_losses_last_until_a_window_without_is_over() -> None:
    census, seen = Census(EACH), []
    for second in range(35):
        census.note_heartbeat("a", "001", beat(second + (second > 4)), 1_000 * second)
        seen.append(census.count(1_000 * second).losses)
    assert seen == [False] * 5 + [True] * 16 + [False] * 14, "what goes on shall not seem over as counting begins anew"


def test_a_window_of_a_small_shard_hears_everybody() -> None:
    """Of 24 stations that beat once a minute four are heard in ten seconds, and five losses never seen."""
    census, seen = Census(LossSettings(settled=0)), []
    for n, at in ((1, 0), (2, 60_000), (4, 120_000)):
        for number in range(24):
            lost = n == 4 and number % 12 == 1
            census.note_heartbeat(f"s{number}", "001", beat(n if lost or n < 4 else 3, every=60), at + 2_500 * number)
            seen.append(census.count(at + 2_500 * number).losses)
    assert seen == [False] * 61 + [True] * 11


def test_a_window_of_many_lasts_as_long_as_it_is_meant_to() -> None:
    census, numbers, seen = Census(LossSettings(settled=0)), {0: 1, 5: 3, 12: 4}, []
    for second in range(22):
        if second in numbers:
            for number in range(ENOUGH):
                census.note_heartbeat(f"s{number}", "001", beat(numbers[second], every=60), second * 1_000)
        seen.append(census.count(second * 1_000).losses)
    assert seen == [False] * 5 + [True] * 16 + [False]


def test_what_is_missing_over_a_gap_of_ours_is_no_loss() -> None:
    """The ticks say of the gap themselves that it does not count."""
    census = Census(EACH)
    for who in ("reconnected", "thawed"):
        census.note_heartbeat(who, "001", beat(1), 0)
    census.count(100)
    census.excuse()
    census.note_heartbeat("reconnected", "001", beat(9), 4_000)
    assert not census.count(4_100).losses
    census.note_heartbeat("thawed", "001", beat(99), 30_000)
    assert not census.count(30_100).losses
    census.note_heartbeat("thawed", "001", beat(120), 31_000)
    assert not census.count(31_100).losses, "heard before the gap was known"
    census.note_heartbeat("thawed", "001", beat(140), 32_000)
    assert census.count(32_100).losses


class Fleet:
    """Stations that beat every two seconds before a census, from long ago."""

    def __init__(self, size: int, settings: LossSettings | None = None, *, every: int = 2) -> None:
        self.census = Census(settings)
        self.numbers = {f"s{number:03d}": 0 for number in range(size)}
        self.every = every
        self.now = 0
        self.lost_ms = 0
        self.named: tuple[str, ...] = ()
        self.run(SETTLED_MS // 1000 + 20)

    def run(self, seconds: int, skip: dict[str, int] | None = None, share: float = 0.0, seed: int = 1) -> None:
        """`skip`: every how manyth number a station leaves out; `share` of the heartbeats are lost."""
        chance, skip = Random(seed), skip or {}
        for _ in range(seconds):
            self.now += 1_000
            for place, station in enumerate(self.numbers):
                if (self.now // 1_000 + place) % self.every == 0:
                    self._beat(station, skip.get(station, 0), share and chance.random() < share)
            counts = self.census.count(self.now)
            self.lost_ms += 1_000 * counts.losses
            self.named = self.named if counts.named is None else counts.named

    def _beat(self, station: str, skip: int, lost: bool) -> None:
        self.numbers[station] += 1
        if skip and self.numbers[station] % skip == 0:
            self.numbers[station] += 1
        if not lost:
            self.census.note_heartbeat(station, "001", beat(self.numbers[station], every=self.every), self.now)


@pytest.mark.parametrize("wrong", [1, 3, 4, 8])
def test_a_few_that_number_wrongly_blind_a_shard_once_at_most(wrong: int) -> None:
    fleet = Fleet(60)
    fleet.run(900, {f"s{number:03d}": 2 for number in range(wrong)})
    assert fleet.lost_ms <= 20_000, "the window in which they began, and the one after it"
    assert fleet.named == tuple(f"s{number:03d}" for number in range(wrong))
    assert fleet.census.count(fleet.now).losses is False


def test_who_numbers_as_it_should_again_is_named_no_more() -> None:
    fleet = Fleet(60)
    fleet.run(200, {"s007": 2})
    assert fleet.named == ("s007",)
    fleet.run(290)
    assert fleet.named == ("s007",), "29 windows without a loss"
    fleet.run(40)
    assert fleet.named == ()


def test_many_that_lose_are_a_loss_of_ours_whoever_lost_before() -> None:
    fleet = Fleet(60)
    fleet.run(600, {f"s{number:03d}": 2 for number in range(20)})
    assert fleet.lost_ms > 500_000 and fleet.named == ()


@pytest.mark.parametrize("share", [0.1, 0.2, 0.3, 0.5, 0.8])
def test_a_loss_of_all_goes_on_counting_as_ours_and_names_nobody(share: float) -> None:
    fleet = Fleet(200)
    fleet.run(20, share=share)
    fleet.lost_ms = 0
    fleet.run(600, share=share)
    assert fleet.lost_ms > 500_000
    assert fleet.named == ()


def test_invented_terminals_of_one_station_are_one_station() -> None:
    fleet = Fleet(24)
    for second in range(300):
        fleet.now += 1_000
        for terminal in range(10):
            fleet.census.note_heartbeat("s000", f"x{terminal}", beat(3 * second + terminal, boot="x"), fleet.now)
        fleet.run(0)
        assert not fleet.census.count(fleet.now).losses


def test_who_was_not_there_for_ten_minutes_says_nothing() -> None:
    fleet = Fleet(24)
    for n in range(200):
        fleet.now += 2_000
        for number in range(30):
            fleet.census.note_heartbeat(
                f"new{number}", "001", beat(1 + 2 * (n // 3) if n % 3 else 1 + 2 * n), fleet.now
            )
        assert not fleet.census.count(fleet.now).losses


def test_a_tick_names_few_of_many() -> None:
    fleet = Fleet(600, LossSettings(named_times=1))
    fleet.run(200, {f"s{number:03d}": 2 for number in range(60)})
    assert fleet.named == tuple(f"s{number:03d}" for number in range(MOST_NAMED))
    assert len(fleet.census.named) == 60


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(1, 3), st.integers(0, 12_000)), max_size=80))
def test_what_is_weighed_is_what_is_remembered(events: list[tuple[int, int, int]]) -> None:
    """The sums over all stations, which are kept step by step, are those counted anew."""
    census, now = Census(LossSettings(settled=0, named_least=2, named_of=8, named_until=2, clean=2)), 0
    numbers = dict.fromkeys(range(5), 0)
    for who, step, pause in events:
        now, numbers[who] = now + pause, numbers[who] + step
        census.note_heartbeat(str(who), "001", beat(numbers[who]), now)
        if step == 3 and pause % 7 == 0:
            census.note_status(str(who), "001", Status(v=1, boot="b", run=1, state="away", at=0))
        census.count(now)
        lines = [line for line in census._stations.values() if not line.named]
        assert census._losses._windows == sum(line.windows for line in lines)
        assert census._losses._losses == sum(line.history.bit_count() for line in lines)
