"""Through which shard a terminal is heard is recorded at each change, and only then."""

from alerting.liveness.model import ShardMove
from contract.clocks import WallMs
from tests.simulator import Bridge, Simulator, Terminal


def two_shards() -> tuple[Simulator, Terminal]:
    sim = Simulator()
    sim.bridges.append(Bridge(name="bridge-2", shard="south"))
    terminal = sim.add("a")
    sim.run(10)
    return sim, terminal


def moves(sim: Simulator) -> list[tuple[str, str]]:
    return [(move.before, move.after) for move in sim.live.shards.take_moves()]


def test_the_first_shard_is_that_of_the_first_transition() -> None:
    sim, _ = two_shards()
    assert moves(sim) == []
    assert {transition.shard for transition in sim.transitions} == {"main"}


def test_a_terminal_moves_without_any_transition() -> None:
    sim, terminal = two_shards()
    known = len(sim.transitions)
    terminal.shard, terminal.conn = "south", 2
    sim.run(10)
    (move,) = sim.live.shards.take_moves()
    assert move == ShardMove(station="a", terminal="001", before="main", after="south", at=move.at)
    assert WallMs(sim.now - 10_000) < move.at <= WallMs(sim.now - 7_000)
    assert len(sim.transitions) == known


def test_each_move_is_recorded_once() -> None:
    sim, terminal = two_shards()
    for shard in ("south", "main", "south"):
        terminal.shard = shard
        sim.run(20)
    assert moves(sim) == [("main", "south"), ("south", "main"), ("main", "south")]
    sim.run(20)
    assert moves(sim) == []


def test_terminals_of_one_station_on_two_shards_do_not_move() -> None:
    """The station is heard through either in turn."""
    sim, _ = two_shards()
    sim.add("a", id="002", shard="south")
    sim.run(30)
    assert moves(sim) == []


def test_a_terminal_that_comes_back_through_another_shard_moved() -> None:
    sim, terminal = two_shards()
    terminal.alive = False
    sim.run(30)
    assert sim.of("a")[-1].after.word == "offline"
    assert moves(sim) == []
    terminal.alive, terminal.shard = True, "south"
    sim.run(10)
    assert moves(sim) == [("main", "south")]


def test_a_goodbye_through_another_shard_is_a_move() -> None:
    sim, terminal = two_shards()
    terminal.alive, terminal.shard = False, "south"
    sim.send_status(terminal, "away", back_by=sim.now + 60_000)
    assert moves(sim) == [("main", "south")]
