"""A simulated terminal keeps the contract whatever is done to it, and by itself gives no cause for an alarm."""

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.simulator import journal
from agents.simulator.fleet import ACTS, OF_BRIDGE
from agents.simulator.machine.actions import Action, Connect, Drop, Note, Publish, TerminalProfile
from agents.simulator.machine.garbage import GARBAGE, LARGE, garbage
from agents.simulator.machine.terminal import SimTerminal
from agents.simulator.timetable import DEEDS as DEEDS_OF_TIMETABLES
from contract import codec
from contract.messages import Ack, Data, Heartbeat, Presence, Status
from contract.refusal import RefusedError
from contract.topics import parse_topic

EPOCH = 1_800_000_000_000
PROFILE = TerminalProfile(station="6302220001", every=2.0, sample=10.0)


class Bench:
    """A terminal, a broker that takes everything, and a clock that a test moves."""

    def __init__(self, seed: int = 1, profile: TerminalProfile = PROFILE) -> None:
        self.terminal = SimTerminal(profile, epoch=EPOCH, random=Random(seed))
        self.now = 0.0
        self.acks = True
        self.done: list[tuple[float, Action]] = []

    def run(self, until: float) -> None:
        """Step at every time that the terminal asks for."""
        self._settle()
        while (due := self.terminal.next_due()) <= until:
            self.now = max(self.now, due)
            self.terminal.step(self.now)
            self._settle()
        self.now = until

    def _settle(self) -> None:
        while actions := self.terminal.take_actions():
            for action in actions:
                self.done.append((self.now, action))
                self._answer(action)

    def _answer(self, action: Action) -> None:
        if isinstance(action, Connect):
            self.terminal.on_up(self.now)
        elif isinstance(action, Publish) and action.mid:
            self.terminal.on_puback(self.now, action.mid)
            if self.acks and isinstance(action.entry, journal.RecordsSent):
                self._ack(codec.decode_data(action.payload))

    def _ack(self, data: Data) -> None:
        ids = codec.ranges([codec.decode_record(raw).id for raw in data.records])
        payload = codec.encode(Ack(v=1, box=data.box, ids=ids))
        self.terminal.on_message(self.now, "milepost/v1/6302220001/001/ack", payload)

    def published(self, channel: str) -> list[tuple[float, Publish]]:
        return [
            (at, one)
            for at, one in self.done
            if isinstance(one, Publish) and one.topic.endswith(channel) and not _is_garbage(one)
        ]

    def heartbeats(self) -> list[tuple[float, Heartbeat]]:
        return [(at, codec.decode_heartbeat(one.payload)) for at, one in self.published("/heartbeat")]

    def statuses(self) -> list[Status]:
        return [codec.decode_status(one.payload) for _, one in self.published("/status")]

    def records(self) -> list[object]:
        data = [codec.decode_data(one.payload) for _, one in self.published("/data")]
        return [codec.decode_record(raw) for one in data for raw in one.records]


def started(seed: int = 1) -> Bench:
    bench = Bench(seed)
    bench.terminal.start(0.0)
    return bench


def test_it_beats_as_often_as_it_promises_and_counts() -> None:
    bench = started()
    bench.run(60)
    times = [at for at, _ in bench.heartbeats()]
    assert times[0] <= 2.0
    assert all(abs(b - a - 2.0) < 1e-6 for a, b in pairwise(times))
    numbers = [*(beat.n for _, beat in bench.heartbeats()), *(status.n for status in bench.statuses())]
    assert sorted(n for n in numbers if n is not None) == list(range(1, len(numbers) + 1))
    assert {(beat.run, beat.conn) for _, beat in bench.heartbeats()} == {(1, 1)}


def test_a_heartbeat_is_the_first_word_on_a_connection() -> None:
    bench = started()
    bench.run(1.99)
    first = next(one for _, one in bench.done if isinstance(one, Publish))
    assert first.topic.endswith("/heartbeat")


def test_every_record_is_sent_until_it_is_acknowledged() -> None:
    bench = started()
    bench.acks = False
    bench.run(50)
    made = {
        one.entry.id for _, one in bench.done if isinstance(one, Note) and isinstance(one.entry, journal.RecordMade)
    }
    assert bench.terminal.waiting == len(made)
    bench.acks = True
    bench.run(400)
    assert bench.terminal.waiting == 0


def test_a_kill_keeps_the_outbox_and_begins_a_new_run() -> None:
    bench = started()
    bench.acks = False
    bench.run(20)
    waiting = bench.terminal.waiting
    bench.terminal.die(20.0)
    bench.run(40)
    assert not [at for at, _ in bench.heartbeats() if at > 20]
    assert any(isinstance(one, Drop) and not one.goodbye for _, one in bench.done)
    assert bench.terminal.waiting >= waiting
    bench.terminal.start(40.0)
    bench.run(60)
    boots = {(beat.boot, beat.run) for _, beat in bench.heartbeats()}
    assert len(boots) == 2
    assert {run for _, run in boots} == {1, 2}


def test_a_cut_link_is_told_of_as_presence_and_costs_no_heartbeats() -> None:
    bench = started()
    bench.run(20)
    bench.terminal.on_heard(20.0)
    bench.terminal.cut(20.0)
    bench.run(80)
    assert not [at for at, _ in bench.heartbeats() if at > 20]
    bench.terminal.join(80.0)
    bench.run(100)
    spans = [one for one in bench.records() if isinstance(one, Presence)]
    outage = max(spans, key=lambda one: (one.until or 0) - one.at)
    assert abs(outage.at - EPOCH - 20_000) < 1000
    assert outage.until is not None
    assert 80_000 <= outage.until - EPOCH <= 82_000
    assert {beat.conn for _, beat in bench.heartbeats()} == {1, 2}


def test_away_says_when_it_will_be_back_and_says_goodbye() -> None:
    bench = started()
    bench.run(20)
    bench.terminal.leave(20.0, "closing", 30.0)
    bench.run(30)
    (away,) = [status for status in bench.statuses() if status.state == "away"]
    assert away.back_by is not None
    assert away.back_by - away.at == 30_000
    assert isinstance(bench.done[-1][1], Drop | Note)
    assert any(isinstance(one, Drop) and one.goodbye for _, one in bench.done)


@pytest.mark.parametrize("beats", [1, 2, 3, 4])
def test_a_goodbye_is_not_held_back(beats: int) -> None:
    bench = started()
    bench.run(20)
    bench.terminal.faults.reorders = True
    end = 20.0 + 2 * beats
    bench.run(end)
    bench.terminal.leave(end, "shutdown")
    bench.run(end)
    assert "away" in [status.state for status in bench.statuses()]


def test_a_slow_clock_slows_its_heartbeats_and_what_it_tells_of_time() -> None:
    bench = started()
    bench.run(20)
    bench.terminal.device.run_at(0.5, 20.0)
    bench.run(60)
    late = [(at, beat) for at, beat in bench.heartbeats() if at > 26]
    assert all(abs(b[0] - a[0] - 4.0) < 1e-6 for a, b in pairwise(late))
    at, beat = late[-1]
    assert abs((beat.up or 0) - (20 + (at - 20) / 2)) < 0.1
    assert abs(beat.at - EPOCH - (20 + (at - 20) / 2) * 1000) < 100


def test_reordering_and_duplicating_change_the_order_and_the_number_and_nothing_else() -> None:
    bench = started()
    bench.run(20)
    bench.terminal.faults.reorders = True
    bench.run(40)
    numbers = [beat.n for at, beat in bench.heartbeats() if at > 20]
    assert numbers != sorted(numbers)
    bench.terminal.faults.reorders = False
    bench.terminal.faults.duplicates = True
    bench.run(60)
    numbers = [beat.n for at, beat in bench.heartbeats() if at > 44]
    assert len(numbers) == 2 * len(set(numbers))


def test_a_backlog_has_all_its_records_in_the_past() -> None:
    bench = started()
    bench.terminal.remember(5.0, days=0.01)
    bench.run(200)
    samples = [record for record in bench.records() if getattr(record, "cpu", None) is not None]
    old = [record for record in samples if record.at < EPOCH + 5000]  # type: ignore[attr-defined]
    assert len({record.id for record in old}) >= 86  # type: ignore[attr-defined]
    assert bench.terminal.waiting == 0


def test_the_same_seed_gives_the_same_life() -> None:
    one, two, other = started(7), started(7), started(8)
    for bench in (one, two, other):
        bench.run(30)
    assert one.done == two.done
    assert one.done != other.done


DEEDS = st.sampled_from(["die", "start", "cut", "join", "leave", "lost", "spoil", "slow", "remember"])


@given(st.lists(st.tuples(DEEDS, st.floats(0.1, 15)), max_size=25), st.integers(0, 2**32))
def test_whatever_is_done_to_it_its_numbers_rise_and_its_messages_keep_the_contract(
    deeds: list[tuple[str, float]], seed: int
) -> None:
    bench = started(seed)
    terminal = bench.terminal
    acts = {
        "die": lambda: terminal.die(bench.now),
        "start": lambda: terminal.start(bench.now),
        "cut": lambda: terminal.cut(bench.now),
        "join": lambda: terminal.join(bench.now),
        "leave": lambda: terminal.leave(bench.now, "closing"),
        "lost": lambda: terminal.on_lost(bench.now, "test"),
        "spoil": lambda: terminal.spoil(bench.now, 1),
        "slow": lambda: terminal.device.run_at(0.5, bench.now),
        "remember": lambda: terminal.remember(bench.now, 0.001),
    }
    for deed, wait in deeds:
        acts[deed]()
        bench.run(bench.now + wait)
    sent = [one for _, one in bench.done if isinstance(one, Publish) and not _is_garbage(one)]
    orders = [order for order in map(_order, sent) if order is not None]
    assert orders == sorted(set(orders))


def _is_garbage(one: Publish) -> bool:
    return isinstance(one.entry, journal.GarbageSent)


def _order(one: Publish) -> tuple[int, int, int] | None:
    """(run, n, conn) of a heartbeat or status; reading any message proves that it keeps the contract."""
    channel = parse_topic(one.topic).channel
    if channel == "data":
        for raw in codec.decode_data(one.payload).records:
            codec.decode_record(raw)
        return None
    body = (codec.decode_heartbeat if channel == "heartbeat" else codec.decode_status)(one.payload)
    assert body.n is not None
    return body.run, body.n, body.conn


def test_all_garbage_is_refused() -> None:
    for channel, payload in (*GARBAGE, ("data", LARGE)):
        try:
            topic = parse_topic(f"milepost/v1/6302220001/001/{channel}")
            decode = {"heartbeat": codec.decode_heartbeat, "status": codec.decode_status, "data": codec.decode_data}
            message = decode[topic.channel](payload)
            assert isinstance(message, Data)
            codec.decode_record(message.records[0])
        except RefusedError:
            continue
        raise AssertionError(f"{payload[:60]!r} on {channel} is fine")
    assert len({garbage(Random(seed))[1] for seed in range(200)}) == len(GARBAGE) + 1


def test_a_machine_that_is_set_back_goes_on_from_its_first_connection() -> None:
    bench = started()
    bench.run(10)
    first = bench.heartbeats()[0][1]
    bench.terminal.die(bench.now)
    bench.terminal.start(bench.now)
    bench.run(30)
    bench.terminal.set_back(bench.now)
    bench.run(60)
    last = bench.heartbeats()[-1][1]
    assert (last.boot, last.run) == (first.boot, first.run)
    assert last.n < len(bench.heartbeats())


def test_an_older_disk_has_a_lower_run() -> None:
    bench = Bench()
    bench.terminal.runs = 40
    bench.terminal.start(0.0)
    bench.run(10)
    bench.terminal.lose_runs(bench.now, 10)
    bench.run(20)
    runs = [one.run for _, one in bench.heartbeats()]
    assert (runs[0], runs[-1]) == (41, 32)
    assert len({one.boot for _, one in bench.heartbeats()}) == 2


def test_numbers_begin_anew_or_stand_still() -> None:
    bench = started()
    bench.run(20)
    bench.terminal.renumber()
    bench.run(23)
    assert bench.heartbeats()[-1][1].n <= 2
    bench.terminal.faults.stuck = True
    bench.run(40)
    assert len({one.n for at, one in bench.heartbeats() if at > 23}) == 1


def test_numbers_are_left_out_and_connections_not_named() -> None:
    bench = started()
    bench.run(20)
    bench.terminal.faults.skips = bench.terminal.faults.anonymous = True
    bench.run(40)
    late = [one for at, one in bench.heartbeats() if at > 20.5]
    assert {after.n - before.n for before, after in pairwise(late)} == {2}
    assert {one.conn for one in late} == {None}


def test_invented_terminals_send_with_the_stations_account() -> None:
    bench = started()
    bench.terminal.invent(2)
    bench.run(20)
    sent = {parse_topic(one.topic).terminal for _, one in bench.published("/heartbeat")}
    assert sent >= {"x0", "x1"}


OF_THE_FLEET = {"clone", "end-clone", "steal", "give-back"}
"""Deeds for which the fleet needs connections of its own."""


def test_every_deed_of_the_timetable_can_be_done() -> None:
    # Flapping is a timetable of cuts and joins.
    assert set(ACTS) | OF_THE_FLEET | set(OF_BRIDGE) == set(DEEDS_OF_TIMETABLES) - {"flap"}


def test_a_terminal_of_no_use_says_so_until_it_is_mended() -> None:
    bench = started()
    bench.run(10)
    ACTS["unusable"](bench.terminal, bench.now, None)
    bench.run(20)
    ACTS["mended"](bench.terminal, bench.now, None)
    bench.run(30)
    said = [(at, one.usable) for at, one in bench.heartbeats()]
    assert {usable for at, usable in said if at <= 10} == {True}
    assert {usable for at, usable in said if 10 < at <= 20} == {False}
    assert {usable for at, usable in said if at > 20} == {True}
