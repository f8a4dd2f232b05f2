"""Several machines under one identity: while one of them lives the terminal is never called offline, and two are named.

The oracle knows which machine sends since when, and nothing of boots and numbers.
"""

from dataclasses import dataclass, field

from hypothesis import example, given, settings
from hypothesis import strategies as st

from alerting.liveness.model import Registration
from tests.instrument.judges import restarted
from tests.simulator import Simulator, Terminal

EVERY = 4.0
SURE = 4 * EVERY
"""Seconds of sending after which a machine must have been believed."""
NAMED = 5 * EVERY

ACTIONS = st.lists(
    st.tuples(
        st.sampled_from([
            "clone", "reinstall", "restore", "reboot", "anew", "back", "still", "count", "die", "goodbye", "lose",
            "stall", "reload", "wait", "wait",
        ]),
        st.integers(0, 3),
        st.sampled_from([0.25, 1, 2, 3.75, 5, 9, 14, 30]),
    ),
    min_size=1,
    max_size=20,
)  # fmt: skip
Actions = list[tuple[str, int, float]]


@dataclass
class Machines:
    """The machines of one terminal. `since`: from when on each sends without a break and with the same rules."""

    sim: Simulator = field(default_factory=Simulator)
    since: dict[int, int] = field(default_factory=dict)
    still: set[int] = field(default_factory=set)
    changed_at: int = 0
    boots: int = 1

    def __post_init__(self) -> None:
        self.start(run=5)
        self.run(12)

    def start(self, *, run: int, n: int = 0, boot: str | None = None) -> None:
        living = [one for one in self.sim.terminals if one.alive]
        if len(living) >= 3:
            return
        self.boots += boot is None
        one = self.sim.add("a", every=EVERY, run=run, n=n, boot=boot or f"boot-{self.boots}")
        one.next_at = self.sim.now + 250 * (1 + len(self.sim.terminals) * 7 % 16)
        self.since[id(one)] = self.sim.now

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds * 4)):
            for one in self.sim.terminals:
                if id(one) in self.still:
                    one.n -= one.next_at <= self.sim.now + 250
            self.sim.run(0.25)
            self.check()

    def sure(self, seconds: float) -> list[Terminal]:
        return [one for one in self.sim.terminals if one.alive and self.sim.now - self.since[id(one)] > seconds * 1000]

    def check(self) -> None:
        if not self.sim.transitions:
            return
        offline = [one for one in self.sim.transitions[-2:] if one.after.word == "offline"]
        state = self.sim.live.state_word(0)
        if self.sure(SURE):
            assert state != "offline", offline
            assert state != "away" or self.sim.now - self.changed_at <= SURE * 1000
        fresh = [one for one in offline if one.tick_at > self.sim.now - 300]
        assert not fresh or not self.sure(EVERY), "called offline beside a machine that had sent before"
        calm = self.sim.now - self.changed_at > NAMED * 1000
        if calm and len({one.boot for one in self.sure(NAMED)}) > 1:
            assert state == "conflicting"

    def do(self, action: str, number: int) -> None:
        one = self.sim.terminals[number % len(self.sim.terminals)]
        if action != "wait":
            self.changed_at = self.sim.now
        if action in ("clone", "reinstall", "restore", "reboot"):
            self.begin(action, one)
        elif action in ("stall", "reload"):
            self.strike(action)
        elif one.alive and action != "wait":
            self.change(action, one)

    def begin(self, action: str, one: Terminal) -> None:
        """A machine more, or one that starts again from its disk or from an older one."""
        highest = max(other.run for other in self.sim.terminals)
        runs = {"clone": highest + 1, "reinstall": 1, "restore": max(0, one.run - 1), "reboot": one.run + 1}
        if action in ("restore", "reboot"):
            one.alive = False
        self.start(run=runs[action])

    def strike(self, action: str) -> None:
        if action == "stall":
            self.sim.bridge.whole = False
        else:
            self.sim.live = restarted(self.sim.live, {"a": Registration(1)})

    def change(self, action: str, one: Terminal) -> None:
        if action in ("back", "anew"):
            one.n = max(0, one.n - 40) if action == "back" else 0
        elif action in ("still", "count"):
            (self.still.add if action == "still" else self.still.discard)(id(one))
        else:
            one.alive = False
            if action == "lose":
                self.sim.send_status(one, "lost")
            elif action == "goodbye":
                self.sim.send_status(one, "away", back_by=self.sim.now + 3_600_000)
        self.since[id(one)] = self.sim.now


@given(ACTIONS)
@settings(max_examples=200, deadline=None)
@example([("clone", 0, 30), ("die", 1, 30)])
@example([("clone", 0, 30), ("goodbye", 1, 30)])
@example([("reinstall", 0, 30), ("die", 0, 30)])
@example([("back", 0, 30)])
@example([("anew", 0, 30)])
@example([("still", 0, 30)])
@example([("clone", 0, 1), ("lose", 1, 30)])
@example([("clone", 0, 14), ("anew", 0, 0.25), ("anew", 1, 30)])
@example([("still", 0, 0.25), ("clone", 0, 30), ("anew", 1, 3.75), ("goodbye", 0, 30)])
@example([("clone", 0, 14), ("anew", 0, 0.25), ("anew", 1, 9), ("die", 1, 5)])
@example([("clone", 0, 5), ("anew", 0, 14), ("anew", 1, 0.25), ("restore", 0, 30)])
@example([("clone", 0, 3.75), *[("clone", 0, 0.25)] * 5, ("anew", 0, 0.25), ("die", 2, 30)])
@example([("count", 0, 0.25), ("clone", 0, 14), ("anew", 0, 0.25), ("anew", 1, 9), ("die", 1, 5)])
def test_whoever_lives_is_never_called_dead(actions: Actions) -> None:
    machines = Machines()
    for action, number, seconds in actions:
        machines.do(action, number)
        machines.run(seconds)


@given(ACTIONS)
@settings(max_examples=100, deadline=None)
def test_when_all_have_ended_it_is_offline_or_away(actions: Actions) -> None:
    machines = Machines()
    for action, number, seconds in actions:
        machines.do(action, number)
        machines.run(seconds)
    for one in machines.sim.terminals:
        one.alive = False
    machines.run(8 * EVERY + 20)
    assert machines.sim.live.state_word(0) in ("offline", "away")
