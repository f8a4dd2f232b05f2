"""Gaps that recur: no living terminal is called dead for heartbeats that fell into them, no dead one reads online."""

import random
from collections.abc import Callable, Iterator

import pytest

from alerting.liveness.silence import Stretches, gap_since, is_proven, missed, next_proof, proven_before
from tests.simulator import STEP, Simulator, Terminal

S, K = 10.0, 3.0
TICK = STEP / 1000


# -- what silence proves ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stretches", "since", "every", "proven"),
    [
        pytest.param(Stretches([], 0.0, 29.9), 0.0, 10, False, id="not twice every and S yet"),
        pytest.param(Stretches([], 0.0, 30.0), 0.0, 10, True, id="twice every and S in the present stretch"),
        pytest.param(Stretches([(0, 61)], 61.0, 62.0), 1.0, 10, True, id="six of the stretch of the heartbeat"),
        pytest.param(Stretches([(0, 60.9)], 60.9, 62.0), 1.0, 10, False, id="five and nine tenths of it"),
        pytest.param(Stretches([(0, 60), (60, 80)], 80.0, 81.0), 1.0, 10, True, id="five and one after S"),
        pytest.param(Stretches([(0, 60), (60, 79)], 79.0, 81.0), 1.0, 10, False, id="five and less than one after S"),
        pytest.param(Stretches([(0, 56)] * 50, 56.0, 60.0), 56.0, 10, False, id="what was before the silence"),
        pytest.param(Stretches([(0, 51)], 51.0, 72.0), 1.0, 10, True, id="five before and one now"),
        pytest.param(Stretches([(0, 51)], 51.0, 72.0, False), 1.0, 10, False, id="fewer than half keep theirs now"),
    ],
)
def test_stretches_together_prove_twice_k(stretches: Stretches, since: float, every: float, proven: bool) -> None:
    assert is_proven(stretches, since, every, floor=S, k=K) is proven


def test_a_gap_at_the_very_moment_of_the_heartbeat_came_since() -> None:
    assert gap_since(Stretches([], 5.0, 6.0), 5.0)
    assert not gap_since(Stretches([], 5.0, 6.0), 5.1)
    assert not gap_since(Stretches([], -1.0, 6.0), 0.0)


@pytest.mark.parametrize("seed", range(200))
def test_the_next_look_is_never_too_early_and_never_leaves_out_the_first_proof(seed: int) -> None:
    """However the gaps go on: a look at `next_proof` only, and again at what that look says, finds the same moment
    as a look at each tick."""
    chance = random.Random(seed)
    every, since = chance.choice([1.0, 5.0, 20.0, 60.0]), chance.uniform(0, 10)
    past: list[tuple[float, float]] = []
    began, now, due = -1.0, since, since + K * every
    first_at = found_at = None
    gap_at = now + chance.uniform(1, 4 * every + 30)
    while first_at is None or found_at is None:
        assert now < 10_000
        now += 0.25
        if now >= gap_at:
            past.append((max(began, 0.0), now))
            began, gap_at = now, now + chance.uniform(1, 4 * every + 30)
        stretches = Stretches(past, began, now)
        proven = not gap_since(stretches, since) or is_proven(stretches, since, every, floor=S, k=K)
        if first_at is None and proven and now >= since + K * every:
            first_at = now
        if now >= due and found_at is None:
            if proven:
                found_at = now
            due = next_proof(stretches, since, every, floor=S, k=K)
    assert found_at == first_at


def test_no_promise_is_missed_in_less_than_nothing() -> None:
    assert missed(-5, 1) == 0
    assert proven_before(Stretches([(0, 5)], 5.0, 6.0), 0.5, 60, floor=S) == 0


# -- shards with gaps ------------------------------------------------------------------------------------------


class Gappy:
    """A shard whose bridge loses its connection for `length` seconds again and again: what is sent then is lost, and
    the first tick after it is not whole."""

    def __init__(self) -> None:
        self.sim = Simulator()
        self.unproven: set[str] = set()

    def gap(self, length: float) -> None:
        self.sim.bridge.running = False
        self.sim.run(length)
        self.sim.bridge.running, self.sim.bridge.whole = True, False

    def run(self, seconds: float, gaps: Callable[[], Iterator[tuple[float, float]]]) -> None:
        """`gaps` yields (time between two gaps, length)."""
        end = self.sim.now + seconds * 1000
        for between, length in gaps():
            if self.sim.now >= end:
                return
            self.sim.run(between)
            self._look()
            self.gap(length)
            self._look()

    def _look(self) -> None:
        self.unproven |= {t.station for t in self.sim.terminals if t.here and self.sim.state(t.station) == "unproven"}


def steady(between: float, length: float) -> Callable[[], Iterator[tuple[float, float]]]:
    def gaps() -> Iterator[tuple[float, float]]:
        while True:
            yield between, length

    return gaps


def shard(count: int, **options: object) -> tuple[Gappy, list[Terminal]]:
    gappy = Gappy()
    terminals = gappy.sim.add_many(count, **options)
    gappy.sim.run(60)
    return gappy, terminals


def spread_shard(count: int, every: float) -> tuple[Gappy, list[Terminal]]:
    """Whose terminals send at different times."""
    gappy = Gappy()
    for number, terminal in enumerate(gappy.sim.add_many(count, every=every)):
        terminal.next_at = gappy.sim.now + round(number * every * 1000 / count)
    gappy.sim.run(60)
    return gappy, gappy.sim.terminals[:]


@pytest.mark.parametrize("every", [5.0, 20.0, 60.0])
def test_a_living_terminal_whose_beats_all_fall_into_gaps_is_never_called_dead(every: float) -> None:
    gappy, _ = spread_shard(20, every)
    locked = gappy.sim.add("locked", every=every)
    gappy.sim.run(2 * every)
    assert gappy.sim.state("locked") == "online"
    while not 1000 < locked.next_at - gappy.sim.now < 3000:
        gappy.sim.run(TICK)
    gappy.run(40 * every, lambda: _locked(every))
    assert gappy.sim.offline() == []
    assert "locked" in gappy.unproven, "it is not shown as online for ever either"


def _locked(every: float) -> Iterator[tuple[float, float]]:
    yield 0, 4
    while True:
        yield every - 4, 4


@pytest.mark.parametrize("every", [5.0, 60.0])
def test_a_dead_terminal_beside_it_does_not_read_online(every: float) -> None:
    gappy, terminals = spread_shard(20, every)
    gappy.sim.run(2 * every)
    terminals[0].alive = False
    gappy.run(40 * every, lambda: _locked(every))
    assert gappy.sim.state(terminals[0].station) in ("unproven", "offline")
    assert gappy.sim.offline() in ([], [terminals[0].station])


def test_a_gap_every_two_minutes_hides_no_dead_terminal_and_accuses_no_living_one() -> None:
    gappy, terminals = shard(20, every=60.0)
    gappy.sim.run(120)
    terminals[3].alive = False
    began = gappy.sim.now
    gappy.run(1200, steady(116, 4))
    assert gappy.sim.offline() == [terminals[3].station]
    unproven, offline = gappy.sim.of(terminals[3].station)[-2:]
    assert (unproven.after.word, offline.after.word) == ("unproven", "offline")
    assert unproven.at - began <= 61_000, "unknown from the first missed heartbeat"
    assert offline.at - began <= 8 * 120_000
    assert offline.at == offline.deadline_at, "and offline since it was proven"


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("between", [10.0, 20.0, 50.0])
@pytest.mark.parametrize("every", [5.0, 60.0])
def test_broker_restarts_with_full_jitter_call_nobody_dead(every: float, between: float, seed: int) -> None:
    chance = random.Random(seed)
    gappy, terminals = shard(30, every=every)
    gappy.sim.run(2 * every)
    dead = terminals[0]
    dead.alive = False

    def restarts() -> Iterator[tuple[float, float]]:
        while True:
            for terminal in terminals[1:]:
                terminal.conn += 1
                # Connects again at a random moment within `every`, and sends a heartbeat at once.
                terminal.next_at = gappy.sim.now + round(chance.uniform(0, min(60, every)) * 1000)
            yield between, 1.0

    gappy.run(20 * between, restarts)
    assert set(gappy.sim.offline()) <= {dead.station}
    assert gappy.sim.state(dead.station) in ("unproven", "offline")
    gappy.sim.run(2 * every + S + 1)
    assert gappy.sim.offline() == [dead.station]


def test_slow_and_fast_terminals_in_one_shard() -> None:
    gappy, fast = shard(10, every=5.0)
    slow = [gappy.sim.add(f"slow-{number}", every=3600.0) for number in range(3)]
    gappy.sim.run(10)
    for terminal in slow:
        gappy.sim.beat(terminal)
    fast[0].alive = slow[0].alive = False
    gappy.run(4 * 3600, steady(116, 4))
    assert gappy.sim.offline() == [fast[0].station], "the fast are judged within a stretch"
    assert gappy.sim.state(slow[0].station) == "unproven", "no stretch is long enough to prove anything of it"
    assert [gappy.sim.state(terminal.station) for terminal in slow[1:]] == ["online", "online"]
    gappy.sim.run(2 * 3600 + S + 1)
    assert gappy.sim.offline() == sorted([fast[0].station, slow[0].station])


def test_a_third_of_a_shard_that_dies_under_gaps_is_found() -> None:
    gappy, terminals = shard(30, every=10.0)
    for terminal in terminals[::3]:
        terminal.alive = False
    gappy.run(300, steady(56, 4))
    assert gappy.sim.offline() == sorted(terminal.station for terminal in terminals[::3])


def test_an_unproven_terminal_that_is_heard_is_online_and_its_station_never_was_an_incident() -> None:
    gappy, terminals = shard(5, every=5.0)
    terminals[0].linked = False
    gappy.run(25, steady(8, 2))
    assert gappy.sim.state(terminals[0].station) == "unproven"
    terminals[0].linked, terminals[0].conn = True, 2
    gappy.sim.run(6)
    assert [t.after.word for t in gappy.sim.of(terminals[0].station)] == ["online", "unproven", "online"]


def beat_by_beat(
    gappy: Gappy, terminal: Terminal, beats: int, lost: Callable[[int], bool], *, still: bool = False
) -> None:
    """Let a terminal send `beats` heartbeats; those that are `lost` fall into a gap. `still`: it does not count."""
    for number in range(beats):
        terminal.n -= still
        gappy.sim.run((terminal.next_at - gappy.sim.now) / 1000 - 2)
        gappy._look()
        if lost(number):
            gappy.gap(4)
        else:
            gappy.sim.run(4)
        gappy._look()


@pytest.mark.parametrize("turn", range(3))
@pytest.mark.parametrize("each", [2, 3])
@pytest.mark.parametrize("fault", ["stands still", "set back", "reinstalled"])
def test_a_terminal_that_is_not_believed_yet_is_awaited_over_a_gap(fault: str, each: int, turn: int) -> None:
    """Of its heartbeats each second or third falls into a gap, and not all that are left are believed."""
    gappy, _ = spread_shard(5, 20.0)
    odd = gappy.sim.add("odd", every=20.0, run=7)
    gappy.sim.run(240)
    if fault == "reinstalled":
        odd.boot, odd.run, odd.n = "boot-2", 1, 0
    elif fault == "set back":
        odd.n = 2
    still = fault == "stands still"
    beat_by_beat(gappy, odd, 24, lambda number: number % each == turn % each, still=still)
    assert "odd" not in gappy.unproven
    assert [t.after.word for t in gappy.sim.of("odd")] == ["online"]


@pytest.mark.parametrize("copies", [1, 2])
def test_heartbeats_that_come_again_hold_a_dead_terminal_over_gaps_no_longer_than_a_promise(copies: int) -> None:
    gappy, _ = spread_shard(5, 20.0)
    dead = gappy.sim.add("dead", every=20.0)
    gappy.sim.run(80)
    dead.alive = False
    for _ in range(copies):
        beat_by_beat(gappy, dead, 2, lambda number: number == 1)
        gappy.sim.send_heartbeat(dead)
    beat_by_beat(gappy, dead, 4, lambda number: number % 2 == 0)
    assert gappy.sim.state("dead") == "unproven"
    beat_by_beat(gappy, dead, 4, lambda number: False)
    assert [t.after.word for t in gappy.sim.of("dead")] == ["online", "unproven", "offline"]


def test_an_overdue_return_needs_a_proof_too() -> None:
    gappy, terminals = shard(5, every=5.0)
    sim, gone = gappy.sim, terminals[0]
    gone.alive = False
    sim.send_status(gone, "away", reason="closing", back_by=sim.now + 60_000)
    sim.run(58)
    gappy.gap(4)
    sim.run(6)
    assert sim.state(gone.station) == "unproven"
    sim.run(2 * 5 + S - 6 + 1)
    assert sim.of(gone.station)[-1].after.word == "offline"


def test_a_gap_long_before_the_return_was_due_takes_nothing_from_it() -> None:
    gappy, terminals = shard(5, every=5.0)
    sim, gone = gappy.sim, terminals[0]
    gone.alive = False
    sim.send_status(gone, "away", reason="closing", back_by=sim.now + 120_000)
    sim.run(10)
    gappy.gap(4)
    sim.run(117)
    assert [t.reason for t in sim.of(gone.station)][-1] == "away_overdue"


def test_a_station_is_unproven_while_its_terminals_leave_open_whether_it_works() -> None:
    gappy = Gappy()
    sim = gappy.sim
    one, two = sim.add("a", id="001", every=5.0), sim.add("a", id="002", every=5.0)
    sim.run(20)
    one.alive = False
    gappy.run(30, steady(6, 2))
    assert sim.state("a") == "online"
    two.alive = False
    gappy.run(24, steady(6, 2))
    assert sim.state("a") == "unproven"
    sim.run(2 * 5 + S + 1)
    assert sim.state("a") == "offline"


def test_when_fewer_than_half_keep_their_promise_short_stretches_prove_nothing() -> None:
    """The broker lets the bridge in, and hardly any terminal."""
    gappy, terminals = shard(10, every=2.0)
    gappy.gap(1)
    for terminal in terminals[:6]:
        terminal.linked = False
    original = gappy.sim.append

    def counted(station: str, entry: object) -> None:
        if hasattr(entry, "kept"):
            entry = type(entry)(**{f: getattr(entry, f) for f in entry.__struct_fields__} | {"kept": 4, "missed": 6})
        original(station, entry)  # type: ignore[arg-type]

    gappy.sim.append = counted  # type: ignore[method-assign]
    gappy.run(240, steady(12, 1))
    assert gappy.sim.offline() == []
    assert len(gappy.unproven) == 6
