"""Whatever happens, in whatever order: the judge agrees with an oracle that counts down, and doubles change nothing."""

from collections import Counter
from dataclasses import dataclass, field

from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec import structs

from alerting.liveness.model import LivenessSettings, Registration, Transition
from alerting.liveness.partition import PartitionLiveness
from contract.log import HeartbeatEntry, LiveEntry, Tick
from tests.simulator import Simulator

SETTINGS = LivenessSettings()
EVERY = (1, 2, 5, 10)


@dataclass
class Silence:
    """What is counted of a terminal since its last heartbeat: the length of its silence in each stretch, the first of
    which began with the heartbeat."""

    every: float
    lengths: list[float]
    sent: int
    doubted: bool = False

    def is_over(self) -> bool:
        return sum(self.lengths) >= SETTINGS.k * self.every - 1e-9

    def is_proven(self) -> bool:
        first, *others = self.lengths
        if not others or others[-1] >= 2 * self.every + SETTINGS.floor:
            return True
        usable = [first, *(length - SETTINGS.floor for length in others)]
        return sum(int(length // self.every) for length in usable if length > 0) >= 2 * SETTINGS.k


@dataclass
class Oracle:
    """Counts each terminal's silence by stretches; uncounted intervals divide these."""

    silences: dict[str, Silence] = field(default_factory=dict)
    order: dict[str, tuple[int, int]] = field(default_factory=dict)
    events: list[tuple[str, str, int]] = field(default_factory=list)
    last: Tick | None = None

    def take(self, station: str, entry: LiveEntry) -> None:
        if isinstance(entry, HeartbeatEntry):
            order = (entry.body.run, entry.body.n)
            if order > self.order.get(station, (-1, -1)):
                self.order[station] = order
                if station not in self.silences or self.silences[station].doubted:
                    self.events.append((station, "online", entry.received))
                self.silences[station] = Silence(entry.body.every, [0.0], entry.received)
        elif isinstance(entry, Tick):
            self._tick(entry)

    def _tick(self, tick: Tick) -> None:
        last, self.last = self.last, tick
        if last is None:
            return
        interval = (tick.at - last.at) / 1000
        whole = tick.start == last.start and tick.whole and interval <= 5
        for station, silence in list(self.silences.items()):
            if whole:
                silence.lengths[-1] += (tick.at - max(silence.sent, last.at)) / 1000
                self._judge(station, silence, tick.at)
            else:
                silence.lengths.append(0.0)

    def _judge(self, station: str, silence: Silence, at: int) -> None:
        if not silence.is_over():
            return
        if silence.is_proven():
            del self.silences[station]
            self.events.append((station, "offline", at))
        elif not silence.doubted:
            silence.doubted = True
            self.events.append((station, "unproven", at))


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["die", "revive", "unlink", "link", "stall", "restart", "drop", "wait"]),
        st.integers(0, 5),
        st.sampled_from([0.25, 1, 3, 4.75, 7, 20, 45]),
    ),
    min_size=1,
    max_size=25,
)


def play(actions: list[tuple[str, int, float]], settings: LivenessSettings = SETTINGS) -> Simulator:
    """Act on six terminals; a relinked terminal has a new connection, as TCP would have it."""
    sim = Simulator(settings)
    for number in range(6):
        sim.add(f"s{number}", every=EVERY[number % len(EVERY)])
    sim.run(12)
    for action, number, seconds in actions:
        terminal = sim.terminals[number]
        if action == "die":
            terminal.alive = False
        elif action == "revive" and not terminal.alive:
            sim.revive(terminal)
        elif action == "unlink":
            terminal.linked = False
        elif action == "link" and not terminal.linked:
            terminal.linked = True
            terminal.conn += 1
        elif action == "stall":
            sim.bridge.running = not sim.bridge.running
        elif action == "restart":
            sim.restart_bridge()
        elif action == "drop":
            sim.bridge.whole = False
        sim.run(seconds)
    sim.bridge.running = True
    sim.run(60)
    return sim


def events(transitions: list[Transition]) -> list[tuple[str, str, int]]:
    """What was decided of terminals, and by which tick or heartbeat."""
    return sorted(
        (t.station, t.after.word, t.at if t.after.word == "online" else t.tick_at)
        for t in transitions
        if t.terminal is not None
    )


def judge(log: list[tuple[str, LiveEntry]]) -> list[Transition]:
    live = PartitionLiveness(SETTINGS)
    found: list[Transition] = []
    for station, entry in log:
        live.apply(station, entry)
        for stranger in list(live.roster.strangers):
            del live.roster.strangers[stranger]
            live.register(stranger, Registration(1), 0)
        found += live.take_decided()[0]
    return found


@given(ACTIONS)
@example([("stall", 0, 4.75), ("stall", 0, 3), ("die", 0, 0.25)])
@settings(max_examples=150, deadline=None)
def test_the_judge_agrees_with_the_oracle(actions: list[tuple[str, int, float]]) -> None:
    sim = play(actions)
    oracle = Oracle()
    for station, entry in sim.log:
        oracle.take(station, entry)
    assert events(sim.transitions) == sorted(oracle.events)


COPIES = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=40)


def place_of_copy(log: list[tuple[str, LiveEntry]], origin: int, later: float) -> int:
    """A place in the log for a double of an entry: of a heartbeat within half its `every`, for what comes later may be
    a machine that was set back; of a tick anywhere."""
    _, entry = log[origin]
    end = len(log)
    if isinstance(entry, HeartbeatEntry):
        until = entry.received + 500 * entry.body.every
        beyond = (place for place in range(origin, end) if isinstance(x := log[place][1], Tick) and x.at >= until)
        end = next(beyond, end)
    return origin + 1 + int(later * (end - origin - 1))


@given(ACTIONS, COPIES)
@example([("die", 3, 0.25), *[("restart", 0, 0.25)] * 8], [(0.125, 0.5)])
@settings(max_examples=80, deadline=None)
def test_doubles_change_nothing(actions: list[tuple[str, int, float]], copies: list[tuple[float, float]]) -> None:
    log = play(actions).log
    origins = [int(source * (len(log) - 1)) for source, _ in copies]
    places = [place_of_copy(log, origin, later) for origin, (_, later) in zip(origins, copies, strict=True)]
    doubled = list(log)
    for place, origin in sorted(zip(places, origins, strict=True), reverse=True):
        doubled.insert(place, log[origin])
    assert judge(doubled) == judge(log)


@given(ACTIONS, COPIES)
@settings(max_examples=50, deadline=None)
def test_what_comes_again_late_keeps_nobody_online_for_long(
    actions: list[tuple[str, int, float]], copies: list[tuple[float, float]]
) -> None:
    """At most two late doubles of each terminal: who is dead is offline in the end, and who is not is online."""
    log = play(actions).log
    doubled, so_far = list(log), Counter[str]()
    for source, later in copies:
        origin = log[int(source * (len(log) - 1))]
        so_far[origin[0]] += 1
        if origin[0] == "" or so_far[origin[0]] <= 2:
            place = doubled.index(origin) + 1
            doubled.insert(place + int(later * (len(doubled) - place)), origin)
    assert finally_(doubled) == finally_(log)


def finally_(log: list[tuple[str, LiveEntry]]) -> dict[str, str]:
    """The last state of each station, once late doubles have had their time."""
    # The newest one: the last in the log may be a double that came late.
    last = max((entry for _, entry in log if isinstance(entry, Tick)), key=lambda tick: (tick.at, tick.seq))
    after = [
        ("", structs.replace(last, seq=last.seq + n, at=last.at + 250 * n, mono=last.mono + 250 * n))
        for n in range(1, 160)
    ]
    return {t.station: t.after.word for t in judge([*log, *after]) if t.terminal is None}


@given(ACTIONS)
@settings(max_examples=50, deadline=None)
def test_a_history_never_runs_backwards(actions: list[tuple[str, int, float]]) -> None:
    history: dict[tuple[str, str | None], Transition] = {}
    for transition in play(actions).transitions:
        key = (transition.station, transition.terminal)
        before = history.get(key)
        if before is not None:
            assert transition.at >= before.at
            assert transition.before == before.after
        assert transition.tick_at >= transition.at
        history[key] = transition
