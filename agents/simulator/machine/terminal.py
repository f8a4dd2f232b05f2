"""A simulated terminal: what it does next at a given time. Pure: the same arithmetic as the agent's.

Times `now` are seconds since the simulation began; the device's own clock may run slow, or stand in another decade.
`take_actions()` returns what the terminal decided, for the shell to carry out and to write into the journal.
"""

from math import inf
from random import Random
from typing import Final

import msgspec

from agents.simulator.machine.actions import Action, LinkState, TerminalProfile
from agents.simulator.machine.link import SimLink
from agents.simulator.machine.messages import SimCounters
from agents.simulator.machine.outbox import MOST_RECORDS
from agents.simulator.machine.output import TerminalOutput
from contract.messages import Inventory

_DAY: Final = 86_400.0


class SimTerminal:
    """One terminal's whole life; `epoch` is the wall time (ms) at which `now` is 0.

    `usable` is what its heartbeats say, `faults` what it does wrong, `beats` counts its heartbeats.
    """

    def __init__(
        self, profile: TerminalProfile, *, epoch: int, random: Random, runs: int = 0, clone: bool = False
    ) -> None:
        self._output = TerminalOutput(profile, epoch=epoch, runs=runs, clone=clone)
        self._messages = self._output.messages
        self._outbox = self._output.outbox
        self._link = SimLink(self._output, random)
        self._random = random
        self.profile, self.device, self.faults = profile, self._output.device, self._output.faults
        self.alive = False
        self.usable = True
        self.beats = 0
        self._next_heartbeat = self._next_sample = 0.0
        # The counters as they were at the first connection.
        self._snapshot: SimCounters | None = None

    def __repr__(self) -> str:
        return f"SimTerminal({self.profile.station}/{self.profile.terminal})"

    @property
    def link(self) -> LinkState:
        """The connection as the terminal sees it."""
        return self._link.state

    @property
    def waiting(self) -> int:
        """Records that no ack has named yet."""
        return len(self._outbox)

    @property
    def runs(self) -> int:
        """The run counter."""
        return self._messages.counters.run

    @runs.setter
    def runs(self, runs: int) -> None:
        """Set the run counter."""
        self._messages.counters.run = runs

    def take_actions(self) -> list[Action]:
        """What was decided since the last call."""
        return self._output.actions.take()

    def next_due(self) -> float:
        """When `step` should be called again if nothing else happens; inf for never."""
        if not self.alive:
            return inf
        if self.link is LinkState.DOWN:
            return min(self._next_sample, self._link.next_connect)
        if self.link is LinkState.CONNECTING:
            return self._next_sample
        return min(self._next_sample, self._next_heartbeat, self._outbox.next_due())

    def step(self, now: float) -> None:
        """Do what is due."""
        if not self.alive:
            return
        if now >= self._next_sample:
            self._next_sample = now + self.device.real(self.profile.sample)
            self._measure(now)
        if self.link is LinkState.DOWN and now >= self._link.next_connect:
            self._link.connect(now)
        elif self.link is LinkState.UP:
            self._send_due(now)

    # -- its life ----------------------------------------------------------------------------------------------

    def start(self, now: float, *, within: float | None = None, ago: float = 0.0) -> None:
        """Power on; connect within `within` seconds (the contract's jitter). It may have run since `ago` seconds."""
        if self.alive:
            return
        self.alive = True
        self._messages.begin_boot(f"{self._random.getrandbits(32) ^ self.runs + 1 & 0xFFFFFFFF:08x}")
        self.device.boot(now, ago=ago)
        self._link.power_on(now, self.usable, ago=ago, within=within)
        self._next_sample = now + self._random.random() * self.device.real(self.profile.sample)
        number, at, up = self._messages.counters.next_record(), self.device.wall(now), self._messages.up(now)
        self._output.record(now, Inventory(id=number, at=at, up=up, os="simulated", agent="sim"))

    def die(self, now: float) -> None:
        """The power is gone: the connection ends without a goodbye; the outbox is on disk and stays."""
        if not self.alive:
            return
        self._link.power_off(now, self.usable, "killed")
        self.alive = False

    def leave(self, now: float, reason: str, back_in: float | None = None) -> None:
        """Announce `away` and end, as a person does who closes the room for `back_in` seconds."""
        if not self.alive:
            return
        if self.link is LinkState.UP:
            # No message can follow a goodbye, so none is held back for it.
            self.faults.reorders = False
            self._output.status(now, "away", reason, back_in)
        self._link.power_off(now, self.usable, "away", goodbye=True)
        self.alive = False

    def cut(self, now: float) -> None:
        """The link is gone, the terminal runs on."""
        self._link.is_cut = True
        self._link.drop(now, self.usable, "cut")

    def join(self, now: float) -> None:
        """The link is back; the terminal connects after the usual jitter."""
        if self._link.is_cut:
            self._link.is_cut = False
            self._link.connect_later(now)

    def remember(self, now: float, days: float) -> None:
        """Make it a terminal that comes back with the records of `days` without a link: power on, on that past."""
        self.die(now)
        self.start(now, ago=days * _DAY)
        moments = int(days * _DAY / self.profile.sample)
        for number in range(min(moments, MOST_RECORDS)):
            self._measure(now - days * _DAY + number * self.profile.sample)

    def set_back(self, now: float) -> None:
        """The machine is set back to a snapshot of its first connection, and goes on from there."""
        self.start(now)
        if self._snapshot is None:
            return
        self._link.drop(now, self.usable, "set back")
        self._messages.counters = msgspec.structs.replace(self._snapshot)
        self._link.connect_later(now)

    def lose_runs(self, now: float, count: int) -> None:
        """It starts from an older copy of its disk, on which the run counter is lower."""
        self.die(now)
        self.runs = max(0, self.runs - count)
        self.start(now)

    def renumber(self) -> None:
        """The numbers of its heartbeats begin anew."""
        self._messages.counters.n = 0

    def invent(self, count: int) -> None:
        """Send heartbeats of `count` terminals that do not exist, too."""
        self.faults.invents = count

    def spoil(self, now: float, count: int) -> None:
        """Send `count` messages that break the contract."""
        for _ in range(count if self.link is LinkState.UP else 0):
            self._output.garbage(now, self._random)

    # -- what the connection reports ---------------------------------------------------------------------------

    def on_up(self, now: float) -> None:
        """The broker accepted the connection: heartbeat first, then the newest records."""
        if self.link is not LinkState.CONNECTING:
            return
        self._snapshot = self._snapshot or msgspec.structs.replace(self._messages.counters)
        self._link.connected(now)
        self._outbox.connected(now)
        self._beat(now)
        self._output.status(now, "online")
        self._send_due(now)

    def on_heard(self, now: float) -> None:
        """Anything came from the broker."""
        self._link.heard(now)

    def on_puback(self, now: float, mid: int) -> None:
        """The broker confirmed message `mid`."""
        self._outbox.carried(mid, now)

    def on_message(self, now: float, topic: str, payload: bytes) -> None:
        """An ack deletes what it names; a simulated terminal ignores commands and settings."""
        if topic.endswith("/ack"):
            self._output.acknowledged(now, payload)

    def on_lost(self, now: float, why: str) -> None:
        """The connection is over; another comes after a full-jitter time."""
        if self.link is not LinkState.DOWN:
            self._link.fall(now, self.usable, why)
            self._link.connect_later(now)

    # -- what is sent and recorded ----------------------------------------------------------------------

    def _send_due(self, now: float) -> None:
        if now >= self._next_heartbeat:
            self._beat(now)
        if self._outbox.is_due(now):
            self._output.data(now)

    def _beat(self, now: float) -> None:
        self.beats += 1
        self._output.heartbeat(now, usable=self.usable, users=self._random.randrange(4))
        self._next_heartbeat = now + self.device.real(self.profile.every)

    def _measure(self, now: float) -> None:
        """A health record, and as often a usage record."""
        self._output.record(now, self._messages.health(now, self._random))
        self._output.record(now, self._messages.usage(now, self._random))
