"""The connection of a simulated terminal as the terminal sees it, and the outages that it records. Pure."""

from math import inf
from random import Random

from agents.pacing import keepalive, reconnect_delay
from agents.presence import Moment, PresenceTracker, Span
from agents.simulator.machine.actions import Connect, Drop, LinkState
from agents.simulator.machine.output import TerminalOutput
from contract import codec
from contract.clocks import MonotonicSeconds


class SimLink:
    """Connects and falls; each outage becomes a presence record. `now` is simulated seconds.

    `is_cut`: no connection can be made. `next_connect` is when the terminal tries again.
    """

    def __init__(self, output: TerminalOutput, random: Random) -> None:
        self._output, self._random = output, random
        self._presence: PresenceTracker | None = None
        self._connect_at = 0.0
        self.state = LinkState.DOWN
        self.is_cut = False

    @property
    def next_connect(self) -> float:
        """When to connect while the link is down; inf while it is cut."""
        return inf if self.is_cut else self._connect_at

    def power_on(self, now: float, usable: bool, *, ago: float, within: float | None) -> None:
        """The device started `ago` seconds before `now`; it connects within `within` seconds or by the usual jitter."""
        self.state = LinkState.DOWN
        began = self._output.device.moment(now - ago)
        self._presence = PresenceTracker(Moment(began.at, MonotonicSeconds(0.0)), usable)
        self.connect_later(now, within=within)

    def power_off(self, now: float, usable: bool, why: str, *, goodbye: bool = False) -> None:
        """The device ends; an agent has on disk what it recorded of an outage until then."""
        if self._presence is not None:
            _, current = self._presence.running(self._output.device.moment(now), usable)
            self._record(now, current)
        self.drop(now, usable, why, goodbye=goodbye)
        self._presence = None

    def connect_later(self, now: float, *, within: float | None = None) -> None:
        """Connect after a full-jitter time, or at a random moment `within` so many seconds."""
        spread = reconnect_delay(self._output.profile.every, self._random.random())
        self._connect_at = now + (spread if within is None else self._random.random() * within)

    def connect(self, now: float) -> None:
        """Ask the shell for a connection."""
        messages, profile = self._output.messages, self._output.profile
        messages.counters.conn += 1
        self.state = LinkState.CONNECTING
        self._output.actions.add(Connect(codec.encode(messages.last_will(now)), keepalive(profile.every)))

    def connected(self, now: float) -> None:
        """The broker accepted the connection: the outage is over."""
        self.state = LinkState.UP
        self._output.linked(now, up=True)
        if self._presence is not None:
            self._record(now, self._presence.back(self._output.device.moment(now)))

    def heard(self, now: float) -> None:
        """Anything came from the broker."""
        if self.state is LinkState.UP and self._presence is not None:
            self._presence.heard(self._output.device.moment(now))

    def drop(self, now: float, usable: bool, why: str, *, goodbye: bool = False) -> None:
        """End the connection, if there is one."""
        if self.state is not LinkState.DOWN:
            self._output.actions.add(Drop(goodbye))
            self.fall(now, usable, why)

    def fall(self, now: float, usable: bool, why: str) -> None:
        """The connection is over."""
        if self.state is LinkState.UP:
            self._output.linked(now, up=False, why=why)
        self._output.outbox.connection_lost()
        self._output.actions.connection_lost()
        self.state = LinkState.DOWN
        if self._presence is not None:
            self._presence.lost(self._output.device.moment(now), usable)

    def _record(self, now: float, span: Span | None) -> None:
        if span is not None and span.seconds >= 1:
            self._output.record(now, span.record(self._output.messages.counters.next_record()))
