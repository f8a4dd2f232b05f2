"""The judge's core on simulated time: never a false offline, never a missed one, dated to the second."""

import random

import msgspec
import pytest

from alerting.liveness.boot_order import FORGOTTEN, UNHEARD
from alerting.liveness.model import LivenessSettings, Registration
from alerting.liveness.partition import PartitionLiveness
from alerting.liveness.stored_rows import _StoredMemory
from broker.ticks.census import Census
from contract.log import HeartbeatEntry
from contract.messages import Heartbeat
from tests.instrument.judges import restarted
from tests.simulator import STEP, Bridge, Simulator, Terminal

TICK = STEP / 1000


def test_a_silent_terminal_is_offline_at_its_deadline_and_dated_back() -> None:
    sim = Simulator()
    terminal = sim.add("a", every=2)
    sim.run(20)
    last = sim.die(terminal)
    sim.run(5.5)
    assert sim.state("a") == "online"
    sim.run(1)
    (online, offline) = sim.of("a")
    assert offline.after.word == "offline"
    assert offline.at == last + 2000
    assert offline.deadline_at == last + 6000
    assert 0 <= offline.tick_at - (last + 6000) <= STEP
    assert offline.reason == "missed_heartbeats"
    assert offline.seen_at == last
    assert online.at < last


def test_every_heartbeat_carries_its_own_promise() -> None:
    sim = Simulator()
    terminal = sim.add("a", every=2)
    sim.run(10)
    terminal.every = 60
    sim.beat(terminal)
    terminal.alive = False
    sim.run(179)
    assert sim.state("a") == "online"
    sim.run(2)
    assert sim.state("a") == "offline"


def test_it_comes_back_with_the_next_heartbeat() -> None:
    sim = Simulator()
    terminal = sim.add("a")
    sim.run(10)
    sim.die(terminal)
    sim.run(20)
    sim.revive(terminal)
    sim.run(1)
    assert [t.after.word for t in sim.of("a")] == ["online", "offline", "online"]


def test_a_station_is_online_while_its_quorum_is() -> None:
    sim = Simulator()
    first, second = sim.add("a", id="001"), sim.add("a", id="002")
    sim.run(10)
    sim.die(first)
    sim.run(20)
    assert sim.state("a") == "online"
    last = sim.die(second)
    sim.run(20)
    assert sim.of("a")[-1].at == last + 2000


def test_quorum_is_lost_when_the_terminal_that_lasted_longest_ended() -> None:
    """The slow terminal ended first but is found last; the station ended with the quick one."""
    sim = Simulator()
    slow, quick = sim.add("a", id="001", every=60), sim.add("a", id="002", every=2)
    sim.run(130)
    sim.die(slow)
    sim.run(70)
    last = sim.die(quick)
    sim.run(200)
    assert sim.of("a")[-1].at == last + 2000


def test_a_terminal_that_does_not_count_keeps_no_station_online() -> None:
    sim = Simulator()
    counting, _ = sim.add("a", id="001"), sim.add("a", id="002")
    sim.run(5)
    sim.live.register("a", Registration(1, frozenset({"002"})), sim.now)
    sim.die(counting)
    sim.run(10)
    assert sim.state("a") == "offline"


def test_usable_is_while_one_online_terminal_says_so() -> None:
    sim = Simulator()
    one, two = sim.add("a", id="001", usable=False), sim.add("a", id="002", usable=True)
    sim.run(5)
    row = sim.live.stations.index["a"]
    assert sim.live.stations.usable[row] == 1
    two.usable = False
    sim.run(5)
    assert sim.live.stations.usable[row] == 0
    one.usable = None
    sim.die(two)
    sim.run(10)
    assert sim.live.stations.usable[row] == -1


# -- our outage is never theirs --------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [6, 20, 600])
def test_a_stalled_bridge_turns_nobody_offline(seconds: int) -> None:
    sim = Simulator()
    sim.add_many(5, every=2)
    sim.run(20)
    began = sim.now
    sim.bridge.running = False
    sim.run(seconds)
    sim.bridge.running = True
    sim.run(60)
    assert sim.offline() == []
    ((shard, from_, to, reason),) = sim.gaps
    assert (shard, reason) == ("main", "too_long")
    assert abs(from_ - began) <= STEP
    assert abs(to - (began + seconds * 1000)) <= STEP


def test_a_restarted_bridge_turns_nobody_offline_and_says_so() -> None:
    sim = Simulator()
    sim.add_many(5)
    sim.run(20)
    sim.bridge.running = False
    sim.run(3)
    sim.restart_bridge()
    sim.run(60)
    assert sim.offline() == []
    assert [reason for *_, reason in sim.gaps] == ["bridge_restarted"]


def test_a_stall_of_less_than_the_longest_interval_counts() -> None:
    sim = Simulator()
    sim.add_many(5)
    sim.run(20)
    sim.bridge.running = False
    sim.run(4)
    sim.bridge.running = True
    sim.run(20)
    assert sim.gaps == []
    assert sim.offline() == []


def test_after_what_did_not_count_every_terminal_has_its_floor() -> None:
    sim = Simulator()
    terminal = sim.add("a", every=2)
    sim.run(20)
    sim.die(terminal)
    sim.run(5)
    sim.bridge.whole = False
    sim.run(TICK)
    uncounted = sim.now
    sim.run(13)
    assert sim.state("a") == "unproven"
    sim.run(1.5)
    offline = sim.of("a")[-1]
    assert offline.after.word == "offline"
    assert offline.tick_at - uncounted == pytest.approx((2 * 2 + 10) * 1000, abs=STEP)


def test_who_really_died_during_the_outage_is_found_after_it() -> None:
    sim = Simulator()
    dead, *_ = sim.add_many(5, every=2)
    sim.run(20)
    sim.bridge.running = False
    sim.run(10)
    dead.alive = False
    sim.run(10)
    sim.bridge.running = True
    sim.run(2 * 2 + 10 + 1)
    assert sim.offline() == [dead.station]


def test_a_lost_tick_does_not_count() -> None:
    sim = Simulator()
    sim.add("a")
    sim.run(20)
    sim.bridge.seq += 1
    sim.run(2)
    assert [reason for *_, reason in sim.gaps] == ["tick_lost"]


def test_doubled_ticks_change_nothing() -> None:
    sim = Simulator()
    sim.add("a")
    sim.run(20)
    clock = sim.live.shards.clocks()["main"].clock
    for _, entry in sim.log[-5:]:
        sim.live.apply("a", entry)
    assert sim.live.shards.clocks()["main"].clock == clock


def test_no_gap_at_the_first_start_of_an_empty_database() -> None:
    sim = Simulator()
    sim.add("a")
    sim.run(5)
    assert sim.gaps == []
    assert sim.live.shards.clocks()["main"].state.blind_since is None


def test_a_lost_bridge_among_two_costs_nothing() -> None:
    sim = Simulator()
    second = type(sim.bridge)(name="bridge-2", start="other-1")
    sim.bridges.append(second)
    dead, *_ = sim.add_many(5)
    sim.run(20)
    sim.bridge.running = False
    dead.alive = False
    sim.run(20)
    assert sim.gaps == []
    assert sim.offline() == [dead.station]


def test_heartbeats_missing_within_a_connection_are_our_loss() -> None:
    sim, terminals, _ = small_shard(20, 0, seconds=SETTLED)
    for terminal in terminals:
        terminal.linked = False
    sim.run(2)
    for terminal in terminals:
        terminal.linked = True
    sim.run(30)
    assert [reason for *_, reason in sim.gaps] == ["messages_lost"]
    assert sim.offline() == []


# Seconds until a bridge takes what stations lose for a sign.
SETTLED = 620


def small_shard(
    here: int, elsewhere: int, *, seconds: float = 20, **options: object
) -> tuple[Simulator, list[Terminal], list[Terminal]]:
    """A partition with few of a shard's terminals, whose bridge counts them all."""
    sim = Simulator()
    sim.bridge.census = Census()
    own = sim.add_many(here, every=2, **options)
    others = [sim.add(f"other-{number}", every=2, here=False, **options) for number in range(elsewhere)]
    sim.run(seconds)
    return sim, own, others


def test_what_a_small_shard_loses_is_noticed_where_nothing_was_lost_yet() -> None:
    sim, own, others = small_shard(3, 60, seconds=SETTLED)
    for terminal in others[:10]:
        terminal.n += 1
    own[0].linked = False
    sim.run(9)
    assert sim.offline() == [], "its heartbeats may be lost like those of the others"
    own[0].linked, own[0].conn = True, 2
    sim.run(60)
    assert [reason for *_, reason in sim.gaps] == ["messages_lost"]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("size", "every", "share"), [(24, 5.0, 0.4), (24, 60.0, 0.4), (24, 60.0, 0.7), (60, 60.0, 0.2), (100, 60.0, 0.1)]
)
def test_a_small_shard_that_loses_heartbeats_turns_nobody_offline(
    size: int, every: float, share: float, seed: int
) -> None:
    """Three heartbeats of one terminal are soon lost in a row: that must be seen before."""
    sim, chance = Simulator(), random.Random(seed)
    sim.bridge.census = Census()
    for terminal in sim.add_many(size, every=every):
        terminal.next_at = sim.now + chance.randrange(round(every * 1000))
    sim.run(SETTLED + 3 * every)
    sim.drop = lambda _: chance.random() < share
    sim.run(8 * every)
    sim.drop = None
    sim.run(5 * every)
    assert sim.offline() == []
    assert sim.gaps, "the losses were seen"


@pytest.mark.parametrize("liars", [2, 4])
def test_a_few_that_cannot_count_do_not_hide_a_death(liars: int) -> None:
    """Four of sixty are more than a twentieth; they blind the shard while that is new, and then no more."""
    sim, _, _ = small_shard(60, 0, seconds=SETTLED)
    for _ in range(60):
        for terminal in sim.terminals[:liars]:
            terminal.n += 1
        sim.run(2)
    sim.gaps.clear()
    sim.terminals[-1].alive = False
    for _ in range(30):
        for terminal in sim.terminals[:liars]:
            terminal.n += 1
        sim.run(2)
    assert sim.offline() == [sim.terminals[-1].station]
    assert sim.gaps == [] and sim.live.shards.clocks()["main"].state.blind_since is None
    assert len(sim.live.shards.clocks()["main"].state.named) == liars


def test_terminals_without_a_connection_number_blind_nobody() -> None:
    """On a line that breaks their numbers go on while messages are missing, and nothing says that it broke."""
    sim, _, _ = small_shard(60, 0, seconds=SETTLED, conn=None)
    for _ in range(40):
        for terminal in sim.terminals[:20]:
            terminal.n += 3
        sim.run(3)
    assert sim.gaps == [] and sim.live.shards.clocks()["main"].state.blind_since is None


@pytest.mark.parametrize("count", [2, 250])
def test_invented_terminals_of_one_station_blind_nobody(count: int) -> None:
    sim, _, _ = small_shard(24, 0, seconds=SETTLED)
    invented = [sim.add("station-000", id=f"x{number}", every=2) for number in range(count)]
    for _ in range(30):
        for terminal in invented:
            terminal.n += 1
        sim.run(2)
    assert sim.gaps == [] and sim.live.shards.clocks()["main"].state.blind_since is None


def test_losses_that_go_on_are_one_gap() -> None:
    sim, _, _ = small_shard(10, 50, seconds=SETTLED)
    for second in range(60):
        for number, terminal in enumerate(sim.terminals):
            terminal.n += (number + second) % 5 == 0
        sim.run(1)
    sim.run(60)
    assert [reason for *_, reason in sim.gaps] == ["messages_lost"]


@pytest.mark.parametrize(("both", "gaps"), [(True, ["messages_lost"]), (False, [])])
def test_what_one_bridge_of_two_does_not_get_comes_through_the_other(both: bool, gaps: list[str]) -> None:
    sim, _, _ = small_shard(30, 0, seconds=20)
    sim.bridges.append(Bridge(name="bridge-2", start="other-1", born=sim.now, census=Census()))
    sim.run(SETTLED)
    if both:
        for terminal in sim.terminals:
            terminal.n += 1
    else:
        census = sim.bridge.census
        assert census is not None
        for terminal in sim.terminals:  # the first bridge alone misses what comes now
            sim.bridges, (mine, *others) = sim.bridges[1:], sim.bridges
            sim.beat(terminal)
            sim.bridges = [mine, *others]
    sim.run(60)
    assert [reason for *_, reason in sim.gaps] == gaps


def test_a_shard_that_dies_for_good_leaves_its_terminals_to_the_other() -> None:
    sim = Simulator()
    sim.bridges.append(Bridge(name="bridge-b", shard="b", start="b-1"))
    moving, lost, other = (
        sim.add(name, every=2, shard=shard) for name, shard in (("m", "b"), ("l", "b"), ("o", "main"))
    )
    sim.run(20)
    sim.bridges[1].running = False
    sim.run(8)
    moving.shard, moving.conn = "main", 2
    sim.run(120)
    assert sim.offline() == []
    moving.alive = False
    sim.run(30)
    assert sim.offline() == ["m"], "judged by the clock of the shard that it came through"
    assert sim.state("l") == "online", "nobody knows: its clock stands still"
    other.alive = False
    sim.run(30)
    assert sim.offline() == ["m", "o"]
    lost.shard, lost.conn = "main", 2
    sim.run(30)
    assert [t.after.word for t in sim.of("l")] == ["online"]


def test_the_shard_of_a_station_is_that_of_its_newest_sign() -> None:
    sim = Simulator()
    sim.bridges.append(Bridge(name="bridge-b", shard="b", start="b-1"))
    one, other = sim.add("a", id="001"), sim.add("a", id="002", shard="b", every=60)
    sim.run(10)

    def shard() -> str:
        live = sim.live
        return live.shards.by_number[live.stations.shard[live.stations.index["a"]]].name

    assert shard() == "main"
    sim.beat(other)
    assert shard() == "b"
    sim.run(3)
    assert shard() == "main"
    one.shard = "b"
    sim.run(3)
    assert shard() == "b"


def test_an_offline_is_dated_on_the_pipelines_clock() -> None:
    """The heartbeat was due only after the platform could see again."""
    sim = Simulator()
    terminal = sim.add("a", every=60)
    sim.run(70)
    last = sim.die(terminal)
    sim.run(10)
    blind_from = sim.now
    sim.bridge.running = False
    sim.run(300)
    sim.bridge.running = True
    sim.run(400)
    offline = sim.of("a")[-1]
    assert offline.at == pytest.approx(last + 60_000 + (300_000 + STEP), abs=STEP)
    assert offline.at > blind_from + 300_000


@pytest.mark.parametrize("step", [3_600_000, -3_600_000], ids=["an hour ahead", "an hour back"])
def test_a_step_of_the_servers_clock_moves_no_deadline(step: int) -> None:
    sim = Simulator()
    terminal = sim.add("a", every=10)
    sim.run(30)
    last = sim.die(terminal)
    sim.run(15)
    sim.skew = step
    sim.run(14)
    assert sim.state("a") == "online"
    sim.run(2)
    offline = sim.of("a")[-1]
    assert offline.at == last + 10_000
    assert offline.deadline_at == pytest.approx(last + 30_000 + step, abs=STEP)
    assert sim.gaps == []


# -- order -----------------------------------------------------------------------------------------------------


def test_a_late_heartbeat_brings_nobody_back() -> None:
    sim = Simulator()
    terminal = sim.add("a")
    sim.run(20)
    sim.die(terminal)
    sim.run(20)
    sim.send_heartbeat(terminal, n=terminal.n - 3)
    sim.send_heartbeat(terminal)
    sim.run(1)
    assert sim.state("a") == "offline"


def test_a_heartbeat_of_an_older_boot_is_ignored() -> None:
    sim = Simulator()
    terminal = sim.add("a")
    sim.run(10)
    old = (terminal.boot, terminal.run, terminal.n)
    sim.revive(terminal)
    sim.run(10)
    sim.die(terminal)
    sim.run(10)
    terminal.boot, terminal.run, terminal.n = old
    sim.send_heartbeat(terminal)
    sim.run(1)
    assert sim.state("a") == "offline"


def test_a_reinstalled_terminal_is_believed_after_its_second_heartbeat() -> None:
    sim = Simulator()
    terminal = sim.add("a", run=12)
    sim.run(10)
    sim.die(terminal)
    sim.run(20)
    terminal.boot, terminal.run, terminal.n, terminal.conn = "fresh", 1, 0, 1
    sim.beat(terminal)
    sim.run(TICK)
    assert sim.state("a") == "offline"
    sim.beat(terminal)
    assert sim.state("a") == "online"


def test_two_machines_with_one_identity_are_a_conflict() -> None:
    sim = Simulator()
    sim.add("a")
    sim.run(10)
    sim.add("a", boot="clone")
    sim.run(20)
    words = [t.after.word for t in sim.transitions if t.terminal == "001"]
    assert words == ["online", "conflicting"]
    assert sim.state("a") == "online"


def test_a_conflict_ends_when_one_of_them_falls_silent() -> None:
    sim = Simulator()
    original = sim.add("a")
    sim.run(10)
    sim.add("a", boot="clone")
    sim.run(20)
    original.alive = False
    sim.run(20)
    words = [t.after.word for t in sim.transitions if t.terminal == "001"]
    assert words == ["online", "conflicting", "online"]


def words(sim: Simulator) -> list[tuple[str, str]]:
    """What the terminal became, and why."""
    return [(t.after.word, t.reason) for t in sim.transitions if t.terminal == "001"]


@pytest.mark.parametrize("end", ["dies", "says goodbye", "loses its connection"])
@pytest.mark.parametrize("run", [2, 1, 0], ids=["newer run", "same run", "lower run"])
def test_when_a_clone_ends_the_original_that_never_stopped_is_online(end: str, run: int) -> None:
    sim = Simulator()
    sim.add("a", every=5, run=1)
    sim.run(30)
    clone = sim.add("a", every=5, run=run, boot="clone")
    sim.run(60)
    assert words(sim) == [("online", "heartbeat"), ("conflicting", "identity_conflict")]
    clone.alive = False
    if end != "dies":
        sim.send_status(clone, "away" if end == "says goodbye" else "lost", back_by=sim.now + 3_600_000)
    sim.run(120)
    assert words(sim)[2:] == [("online", "other_boot")]
    assert sim.state("a") == "online"


def test_a_clone_that_was_heard_once_costs_the_original_nothing() -> None:
    sim = Simulator()
    sim.add("a", every=60)
    sim.run(70)
    clone = sim.add("a", every=60, run=2, boot="clone")
    sim.beat(clone)
    clone.alive = False
    sim.send_status(clone, "lost")
    sim.run(600)
    assert sim.offline() == []
    assert sim.live.terminals.boot[0] == "boot-1"


def test_an_older_boot_advances_by_half_its_interval() -> None:
    """A heartbeat that was on its way when the terminal started again is no second machine."""
    sim = Simulator()
    old = sim.add("a", every=60)
    sim.run(70)
    new = sim.add("a", every=60, run=2, boot="new")
    sim.beat(new)
    old.alive = False
    for seconds in (1, 20, 40, 20):
        sim.run(seconds)
        sim.beat(old)
    assert words(sim) == [("online", "heartbeat")], "one advance, at 61 s"
    sim.run(40)
    sim.beat(old)
    assert words(sim)[1:] == [("conflicting", "identity_conflict")]


def test_the_rival_dies_and_the_conflict_is_over() -> None:
    sim = Simulator()
    original = sim.add("a", every=5)
    sim.run(30)
    sim.add("a", every=5, run=2, boot="clone")
    sim.run(30)
    original.alive = False
    sim.run(30)
    assert words(sim)[1:] == [("conflicting", "identity_conflict"), ("online", "heartbeat")]
    assert sim.live.terminals.boot[0] == "clone"


def test_the_goodbye_of_a_rival_is_not_the_terminals() -> None:
    sim = Simulator()
    original = sim.add("a", every=5)
    sim.run(30)
    sim.add("a", every=5, run=2, boot="clone")
    sim.run(30)
    original.alive = False
    sim.send_status(original, "away")
    sim.run(10)
    assert words(sim)[1:] == [("conflicting", "identity_conflict"), ("online", "heartbeat")]


def test_who_is_away_and_sends_is_online() -> None:
    """The boot that said goodbye was a clone's; the original is an older one, and was not a rival yet."""
    sim = Simulator()
    sim.add("a", every=5)
    sim.run(30)
    clone = sim.add("a", every=5, run=2, boot="clone")
    sim.beat(clone)
    clone.alive = False
    sim.send_status(clone, "away", back_by=sim.now + 3_600_000)
    assert sim.state("a") == "away"
    sim.run(12)
    assert sim.state("a") == "online"


def test_the_promise_of_a_rival_is_held_while_time_does_not_count() -> None:
    sim = Simulator()
    original = sim.add("a", every=5)
    sim.run(30)
    clone = sim.add("a", every=5, run=2, boot="clone")
    sim.run(30)
    clone.alive = False
    sim.bridge.running = False
    sim.run(300)
    sim.bridge.running = True
    sim.run(60)
    assert sim.offline() == []
    last = sim.die(original)
    sim.run(30)
    assert sim.of("a")[-1].at == last + 5000


def two_machines(current: str, other: str) -> tuple[Simulator, Terminal, Terminal]:
    """Two machines with one identity; the first began later, and is the current one. Each is heard through a shard."""
    sim = Simulator()
    sim.bridges.append(Bridge(name="bridge-b", shard="b", start="b-1"))
    original = sim.add("a", every=5, shard=other)
    sim.run(30)
    clone = sim.add("a", every=5, run=2, boot="clone", shard=current)
    sim.run(30)
    assert words(sim) == [("online", "heartbeat"), ("conflicting", "identity_conflict")]
    sim.bridges[1].running = False
    return sim, clone, original


def shard_of(sim: Simulator) -> str:
    return sim.live.shards.by_number[sim.live.stations.shard[0]].name


def test_a_conflict_with_a_machine_whose_shard_died_is_over_in_time() -> None:
    sim, _, original = two_machines("main", "b")
    original.alive = False
    sim.run(UNHEARD - 60)
    assert len(words(sim)) == 2, "it may be on its way back"
    sim.run(120)
    assert words(sim)[2:] == [("online", "other_unheard")]
    assert sim.state("a") == "online"


def test_the_shard_comes_back_with_both_machines() -> None:
    sim, _, _ = two_machines("main", "b")
    sim.run(UNHEARD + 60)
    sim.bridges[1].running = True
    sim.run(30)
    assert words(sim)[2:] == [("online", "other_unheard"), ("conflicting", "identity_conflict")]


def test_a_machine_that_is_heard_takes_the_place_of_one_whose_shard_died() -> None:
    sim, _, _ = two_machines("b", "main")
    assert shard_of(sim) == "b"
    sim.run(30)
    assert shard_of(sim) == "main", "what is heard counts"
    assert len(words(sim)) == 2, "both may live"
    sim.run(UNHEARD + 60)
    assert words(sim)[2:] == [("online", "other_unheard")]
    assert sim.live.terminals.boot[0] == "boot-1"


@pytest.mark.parametrize(("seconds", "state"), [(3 * UNHEARD, "online"), (FORGOTTEN + UNHEARD, "offline")])
def test_a_machine_behind_a_dead_shard_hides_no_death_for_ever(
    seconds: float, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may live for a day: the station rests on a clock that stands still, so it is unknown to people."""
    sim, clone, _ = two_machines("main", "b")
    monkeypatch.setattr("tests.simulator.STEP", 4000)  # a tick each four seconds, for it is a long time
    clone.every = 600.0
    sim.run(seconds)
    clone.alive = False
    sim.run(2000)
    assert (sim.state("a"), shard_of(sim)) == (state, "b" if state == "online" else "main")


def a_glimpse() -> tuple[Simulator, Terminal]:
    """A terminal of which another boot was heard once, through a shard that died then; the terminal dies later."""
    sim = Simulator()
    sim.bridges.append(Bridge(name="bridge-b", shard="b", start="b-1"))
    first = sim.add("a", every=5, run=9)
    sim.run(30)
    other = sim.add("a", every=5, run=1, boot="other", shard="b")
    sim.run(1)
    sim.bridges[1].running = False
    sim.run(100)
    first.alive = False
    return sim, other


def test_a_boot_that_is_not_believed_hides_no_death_behind_a_dead_shard() -> None:
    sim, other = a_glimpse()
    other.alive = False
    sim.run(60)
    assert words(sim)[1:] == [("unproven", "unproven")], "the other machine may live"
    sim.run(600)
    assert sim.state("a") == "unproven"


def test_a_boot_that_is_not_believed_lives_on_behind_a_shard_that_comes_back() -> None:
    sim, _ = a_glimpse()
    sim.run(60)
    sim.bridges[1].running = True
    sim.run(60)
    assert [word for word, _ in words(sim)] == ["online", "unproven", "online"]


def test_a_boot_that_is_not_believed_is_forgotten_after_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    sim, other = a_glimpse()
    other.alive = False
    monkeypatch.setattr("tests.simulator.STEP", 4000)
    sim.run(FORGOTTEN - 600)
    assert sim.state("a") == "unproven"
    sim.run(1200)
    assert [word for word, _ in words(sim)] == ["online", "unproven", "offline"]


def test_a_shard_that_stood_still_is_counted_over_a_restart_of_the_judge() -> None:
    sim, _, _ = two_machines("main", "b")
    sim.run(UNHEARD / 2)
    sim.live = restarted(sim.live, {"a": Registration(1)})
    sim.run(UNHEARD / 2 + 60)
    assert words(sim)[-1] == ("online", "other_unheard")


def test_rivals_survive_a_restart_of_the_judge() -> None:
    sim = Simulator()
    sim.add("a", every=5)
    sim.run(30)
    clone = sim.add("a", every=5, run=2, boot="clone")
    sim.run(30)
    sim.live = restarted(sim.live, {"a": Registration(1)})
    clone.alive = False
    sim.run(60)
    assert sim.offline() == []


def test_what_an_earlier_version_stored_of_boots_can_be_read() -> None:
    sim = Simulator()
    sim.add("a")
    sim.run(4)
    old = '{"boots":{"older":{"b1":[1,7]},"candidate":["b2",1,3],"rival":{"advances":1,"last":5.0}}}'
    stored = msgspec.json.decode(old, type=_StoredMemory)
    assert stored.boots is not None
    assert (stored.boots.older, stored.boots.candidate, stored.boots.rival) == ({"b1": (1, 7)}, None, None)


@pytest.mark.parametrize("fault", ["set back", "begun anew", "a lower run", "stands still"])
def test_numbers_that_do_not_rise_are_named_and_never_offline(fault: str) -> None:
    sim = Simulator()
    terminal = sim.add("a", every=5, run=3)
    sim.run(300)
    terminal.n = {"set back": 20, "begun anew": 0}.get(fault, terminal.n)
    terminal.run = 1 if fault == "a lower run" else 3
    for _ in range(20):
        terminal.n -= fault == "stands still"
        sim.run(5)
    goes_on = fault == "stands still"
    assert words(sim)[1:] == [("conflicting", "numbers")] + [("online", "heartbeat")] * (not goes_on)
    sim.die(terminal)
    sim.run(60)
    assert sim.state("a") == "offline"


def test_a_snapshot_of_an_earlier_start_is_alive() -> None:
    """Its boot was replaced long ago, and its numbers lie below those that this boot reached since."""
    sim = Simulator()
    terminal = sim.add("a", every=5)
    sim.run(200)
    snapshot = (terminal.boot, terminal.run, 10)
    sim.revive(terminal)
    sim.run(200)
    terminal.boot, terminal.run, terminal.n = snapshot
    sim.run(200)
    assert sim.offline() == []
    assert sim.live.terminals.boot[0] == snapshot[0]


def test_a_disk_that_was_restored_is_alive_and_starts_again() -> None:
    """The run counter went down; a later start must not be shut out either."""
    sim = Simulator()
    terminal = sim.add("a", every=5, run=40)
    sim.run(60)
    for run in (7, 8, 9):
        terminal.boot, terminal.run, terminal.n = f"restored-{run}", run, 0
        sim.run(60)
    assert sim.offline() == []
    assert sim.live.terminals.boot[0] == "restored-9"


def test_two_machines_with_one_boot_are_named() -> None:
    """A copy of a running system: the same boot and run, other numbers."""
    sim = Simulator()
    original = sim.add("a", every=5)
    sim.run(300)
    copy = sim.add("a", every=5, n=original.n - 30)
    copy.next_at = original.next_at + 1500
    sim.run(60)
    assert words(sim)[1:] == [("conflicting", "numbers")]
    original.alive = False
    sim.run(120)
    assert sim.offline() == []


def test_two_machines_that_alternate_beside_a_dead_one_are_alive() -> None:
    """Each is a candidate for the place, and none may put the other out of memory."""
    sim = Simulator()
    dead = sim.add("a", every=5, run=9)
    sim.run(60)
    dead.alive = False
    sim.run(60)
    for boot in ("one", "two"):
        sim.add("a", every=5, run=1, boot=boot)
    sim.run(30)
    assert sim.live.state_word(0) == "conflicting"


# -- statuses --------------------------------------------------------------------------------------------------


def test_a_last_will_shortens_the_deadline() -> None:
    sim = Simulator()
    terminal = sim.add("a", every=60)
    sim.run(70)
    last = sim.die(terminal)
    sim.run(5)
    sim.send_status(terminal, "lost")
    sim.run(last / 1000 + 70 - sim.now / 1000 + 1)
    offline = sim.of("a")[-1]
    assert (offline.after.word, offline.reason) == ("offline", "last_will")
    assert offline.deadline_at == last + 70_000
    assert offline.at == last + 60_000


def test_a_last_will_never_lengthens_it() -> None:
    sim = Simulator()
    terminal = sim.add("a", every=2)
    sim.run(10)
    last = sim.die(terminal, will=True)
    sim.run(7)
    assert sim.of("a")[-1].deadline_at == last + 6000


@pytest.mark.parametrize(
    "stale",
    [
        pytest.param({"conn": 1}, id="of the connection before, fired by a session takeover"),
        pytest.param({"run": 0}, id="of an earlier run"),
        pytest.param({"boot": "older"}, id="of another boot"),
    ],
)
def test_a_last_will_of_anything_but_the_newest_connection_says_nothing(stale: dict[str, object]) -> None:
    sim = Simulator()
    terminal = sim.add("a", every=60, conn=2)
    sim.run(70)
    sim.send_status(terminal, "lost", **stale)
    terminal.alive = False
    sim.run(90)
    assert sim.state("a") == "online"


def test_a_heartbeat_after_the_will_takes_it_back() -> None:
    sim = Simulator()
    terminal = sim.add("a", every=30)
    sim.run(40)
    sim.send_status(terminal, "lost")
    sim.run(32)
    last = sim.die(terminal)
    sim.run(100)
    assert sim.of("a")[-1].deadline_at == last + 90_000
    assert sim.of("a")[-1].reason == "missed_heartbeats"


def test_away_is_no_incident_until_it_is_overdue() -> None:
    sim = Simulator()
    terminal = sim.add("a", every=2)
    sim.run(10)
    terminal.alive = False
    sim.send_status(terminal, "away", reason="closing", back_by=sim.now + 120_000)
    sim.run(119)
    assert sim.state("a") == "away"
    sim.run(2)
    assert sim.of("a")[-1].reason == "away_overdue"


def test_away_lasts_a_day_at_the_most() -> None:
    sim = Simulator()
    terminal = sim.add("a", every=2)
    sim.run(4)
    terminal.alive = False
    sim.send_status(terminal, "away", back_by=sim.now + 10**12)
    assert sim.live.terminals.deadline[0] == pytest.approx(86_400 + 4, abs=1)


def test_a_goodbye_that_lies_in_the_broker_lengthens_nothing_of_a_terminal_that_cannot_count() -> None:
    sim = Simulator()
    terminal = sim.add("a", every=2)
    sim.run(10)
    terminal.alive = False
    for _ in range(5):
        sim.send_heartbeat(terminal)
        sim.run(2)
    assert sim.live.state_word(0) == "conflicting"
    goodbye = {"reason": "closing", "back_by": sim.now + 60_000, "at": sim.now, "n": terminal.n + 1}
    sim.send_status(terminal, "away", **goodbye)
    deadline = sim.live.terminals.deadline[0]
    sim.run(2)
    sim.send_status(terminal, "away", retain=True, **goodbye)
    assert sim.state("a") == "away"
    assert sim.live.terminals.deadline[0] == deadline


def test_status_online_brings_nobody_online() -> None:
    sim = Simulator()
    terminal = sim.add("a")
    terminal.alive = False
    sim.send_status(terminal, "online")
    sim.run(1)
    assert sim.transitions == []


@pytest.mark.parametrize("state", ["online", "lost"])
def test_a_retained_status_marks_nobody(state: str) -> None:
    sim = Simulator()
    terminal = sim.add("a", every=60)
    sim.run(70)
    before = len(sim.transitions)
    sim.send_status(terminal, state, retain=True)
    terminal.alive = False
    sim.run(100)
    assert len(sim.transitions) == before


def test_a_retained_away_is_believed_when_it_is_newer() -> None:
    sim = Simulator()
    terminal = sim.add("a")
    sim.run(10)
    terminal.alive = False
    sim.send_status(terminal, "away", retain=True, n=terminal.n - 2)
    assert sim.state("a") == "online"
    sim.send_status(terminal, "away", retain=True)
    assert sim.state("a") == "away"


def test_a_retained_away_marks_no_terminal_that_was_never_heard() -> None:
    sim = Simulator()
    terminal = sim.add("a")
    terminal.alive = False
    sim.send_status(terminal, "away", retain=True)
    sim.run(1)
    assert sim.transitions == []


def test_a_retained_heartbeat_marks_nobody() -> None:
    sim = Simulator()
    terminal = sim.add("a")
    terminal.alive = False
    sim.send_heartbeat(terminal, retain=True)
    sim.run(1)
    assert sim.transitions == []


# -- shards and registry ---------------------------------------------------------------------------------------


def test_a_terminal_that_moves_to_another_shard_is_judged_by_that_ones_clock() -> None:
    sim = Simulator()
    sim.bridges.append(type(sim.bridge)(name="bridge-b", shard="b", start="b-1"))
    terminal = sim.add("a")
    sim.run(10)
    sim.bridge.running = False
    terminal.shard, terminal.conn = "b", 2
    sim.run(30)
    assert sim.state("a") == "online"
    last = sim.die(terminal)
    sim.run(10)
    assert sim.of("a")[-1].at == last + 2000


def test_an_unregistered_station_is_not_judged_until_it_is_registered() -> None:
    sim = Simulator(register=False)
    terminal = sim.add("a")
    sim.run(10)
    assert [t for t in sim.transitions if t.terminal is None] == []
    sim.live.register("a", Registration(1), sim.now)
    sim.settle()
    (online,) = sim.of("a")
    assert online.at < sim.now - 9000
    sim.die(terminal)
    sim.run(10)
    assert sim.state("a") == "offline"


def test_raising_the_quorum_changes_the_verdict_now() -> None:
    sim = Simulator()
    sim.add("a")
    sim.run(10)
    sim.live.register("a", Registration(2), sim.now)
    sim.settle()
    assert (sim.of("a")[-1].after.word, sim.of("a")[-1].reason) == ("offline", "registry")


def test_settings_are_used() -> None:
    sim = Simulator(settings=LivenessSettings(k=5))
    terminal = sim.add("a", every=2)
    sim.run(10)
    last = sim.die(terminal)
    sim.run(12)
    assert sim.of("a")[-1].deadline_at == last + 10_000


def test_a_stranger_is_reported_once() -> None:
    live = PartitionLiveness(LivenessSettings())
    sim = Simulator(register=False)
    sim.add("a")
    sim.run(5)
    for station, entry in sim.log:
        live.apply(station, entry)
    assert live.roster.strangers == {"a": {"001"}}


def test_a_station_that_invents_terminals_has_so_many_and_no_more() -> None:
    sim = Simulator(LivenessSettings(terminals=64))
    sim.add("a", id="001")
    sim.run(10)
    beat = next(entry for _, entry in sim.log if isinstance(entry, HeartbeatEntry))
    for number in range(3_000):
        sim.live.apply("a", msgspec.structs.replace(beat, terminal=f"X{number}"))
    assert len(sim.live.roster.terminals_of("a")) == 64
    assert "001" in sim.live.roster.terminals_of("a")
    surplus = sim.live.roster.take_surplus()["a"]
    assert (surplus.terminal, surplus.messages) == ("X63", 3_000 - 63)
    assert sim.live.roster.take_surplus() == {}
    sim.run(10)
    assert sim.state("a") == "online"


def test_strangers_are_followed_up_to_a_number_and_the_registered_always() -> None:
    live = PartitionLiveness(LivenessSettings(strangers=10))
    beat = HeartbeatEntry(
        terminal="001", shard="main", start="s1", received=1, mono=1,
        body=Heartbeat(v=1, boot="b", run=1, n=1, at=1, every=60),
    )  # fmt: skip
    for round_of in range(3):
        for number in range(10 * round_of, 10 * round_of + 10):
            live.apply(f"s{number}", beat)
        live.roster.note_answer(live.roster.take_strangers(), ())
    assert len(live.stations) == 10
    live.apply("mine", beat)
    assert live.roster.take_strangers() == {"mine": {"001"}}
    live.roster.note_answer(["mine"], {"mine"})
    live.apply("mine", msgspec.structs.replace(beat, body=msgspec.structs.replace(beat.body, n=2)))
    assert live.roster.terminals_of("mine") == ["001"]
    live.register("mine", Registration(1), 1)
    assert len(live.roster.unknown) == 10
