"""A simulator of the log: terminals that beat, a bridge that ticks, and everything that can go wrong between them.

Time is virtual. Each step of 250 ms the terminals that are due send, then the bridge ticks. What reached the log
is kept, so that it can be judged again in any other way.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from alerting.liveness.model import LivenessSettings, Registration, Transition
from alerting.liveness.partition import PartitionLiveness
from broker.ticks.census import Census
from contract.log import HeartbeatEntry, LiveEntry, StatusEntry, Tick
from contract.messages import Heartbeat, Status

EPOCH = 1_800_000_000_000
STEP = 250


@dataclass
class Terminal:
    """A terminal: sends every `every` seconds while `alive`; its messages reach the log while `linked`."""

    station: str
    every: float = 2.0
    id: str = "001"
    boot: str = "boot-1"
    run: int = 1
    conn: int | None = 1
    n: int = 0
    usable: bool | None = True
    alive: bool = True
    linked: bool = True
    shard: str = "main"
    next_at: int = 0
    # Whether its messages fall into this partition; the bridge counts it in any case.
    here: bool = True


@dataclass
class Bridge:
    """One life of a bridge. While not `running` nothing reaches the log, and no tick is written."""

    name: str = "bridge-1"
    shard: str = "main"
    start: str = "start-1"
    born: int = EPOCH
    seq: int = 0
    running: bool = True
    whole: bool = True
    # Counts the shard, if this is a bridge that does.
    census: Census | None = None


@dataclass
class Simulator:
    settings: LivenessSettings = field(default_factory=LivenessSettings)
    register: bool = True
    now: int = EPOCH
    # How far the server's wall clock is off, ms; intervals are measured without it.
    skew: int = 0
    # Which heartbeats are lost on their way.
    drop: Callable[[Terminal], bool] | None = None

    def __post_init__(self) -> None:
        self.live = PartitionLiveness(self.settings)
        self.log: list[tuple[str, LiveEntry]] = []
        self.transitions: list[Transition] = []
        self.gaps: list[tuple[str, int, int, str]] = []
        self.terminals: list[Terminal] = []
        self.bridges: list[Bridge] = [Bridge()]

    # -- building ----------------------------------------------------------------------------------------------

    def add(self, station: str, **options: object) -> Terminal:
        terminal = Terminal(station, **options)  # type: ignore[arg-type]
        terminal.next_at = self.now + len(self.terminals) * 37 % round(terminal.every * 1000)
        self.terminals.append(terminal)
        return terminal

    def add_many(self, count: int, **options: object) -> list[Terminal]:
        return [self.add(f"station-{number:03d}", **options) for number in range(count)]

    @property
    def bridge(self) -> Bridge:
        return self.bridges[0]

    def restart_bridge(self) -> None:
        """A new life of the first bridge: it begins now, at sequence 0."""
        number = int(self.bridge.start.rpartition("-")[2]) + 1
        self.bridges[0] = Bridge(self.bridge.name, self.bridge.shard, f"start-{number}", self.now)

    # -- what happens ------------------------------------------------------------------------------------------

    def run(self, seconds: float) -> None:
        """Let time go by."""
        for _ in range(round(seconds * 1000 / STEP)):
            self.now += STEP
            for terminal in self.terminals:
                while terminal.next_at <= self.now:
                    if terminal.alive:
                        self.beat(terminal)
                    terminal.next_at += round(terminal.every * 1000)
            for bridge in self.bridges:
                if bridge.running:
                    self.tick(bridge)

    def beat(self, terminal: Terminal) -> None:
        terminal.n += 1
        if self.drop is None or not self.drop(terminal):
            self.send_heartbeat(terminal)

    def send_heartbeat(self, terminal: Terminal, *, retain: bool = False, n: int | None = None) -> None:
        body = Heartbeat(
            v=1,
            boot=terminal.boot,
            run=terminal.run,
            conn=terminal.conn,
            n=terminal.n if n is None else n,
            at=self.now,
            every=terminal.every,
            usable=terminal.usable,
        )
        for bridge in self.bridges:
            if terminal.linked and bridge.running and bridge.shard == terminal.shard:
                entry = HeartbeatEntry(
                    terminal=terminal.id,
                    shard=bridge.shard,
                    start=bridge.start,
                    received=self.now + self.skew,
                    mono=self.now - bridge.born,
                    retain=retain,
                    body=body,
                )
                if bridge.census is not None and not retain:
                    bridge.census.note_heartbeat(terminal.station, terminal.id, body, entry.mono)
                if terminal.here:
                    self.append(terminal.station, entry)

    def send_status(self, terminal: Terminal, state: str, *, retain: bool = False, **fields: object) -> None:
        """A status as the terminal would send it now; `fields` override what the message says."""
        if state != "lost":
            terminal.n += 1
        message = {"boot": terminal.boot, "run": terminal.run, "conn": terminal.conn, "n": terminal.n, "at": self.now}
        body = Status(v=1, state=state, **(message | fields))  # type: ignore[arg-type]
        for bridge in self.bridges:
            if terminal.linked and bridge.running and bridge.shard == terminal.shard:
                entry = StatusEntry(
                    terminal=terminal.id,
                    shard=bridge.shard,
                    start=bridge.start,
                    received=self.now + self.skew,
                    mono=self.now - bridge.born,
                    retain=retain,
                    body=body,
                )
                self.append(terminal.station, entry)

    def die(self, terminal: Terminal, *, will: bool = False) -> int:
        """The terminal's power fails; returns its last heartbeat's wall time as the log knows it."""
        terminal.alive = False
        if will:
            self.send_status(terminal, "lost")
        return max(
            entry.received
            for station, entry in self.log
            if station == terminal.station and isinstance(entry, HeartbeatEntry) and entry.terminal == terminal.id
        )

    def revive(self, terminal: Terminal) -> None:
        terminal.alive = True
        terminal.run += 1
        terminal.boot = f"boot-{terminal.run}"
        terminal.n = 0
        terminal.next_at = self.now + 100

    def tick(self, bridge: Bridge) -> None:
        bridge.seq += 1
        counts = None if bridge.census is None else bridge.census.count(self.now - bridge.born, whole=bridge.whole)
        tick = Tick(
            shard=bridge.shard,
            bridge=bridge.name,
            start=bridge.start,
            seq=bridge.seq,
            at=self.now + self.skew,
            mono=self.now - bridge.born,
            whole=bridge.whole,
            **({} if counts is None else msgspec.structs.asdict(counts)),
        )
        bridge.whole = True
        self.append("", tick)

    def append(self, station: str, entry: LiveEntry) -> None:
        self.log.append((station, entry))
        self.live.apply(station, entry)
        self.settle()

    def settle(self) -> None:
        """What the shell does after each batch: meet strangers, take what was decided."""
        if self.register and self.live.roster.strangers:
            strangers = self.live.roster.take_strangers()
            for station in strangers:
                self.live.register(station, Registration(1), self.now)
        transitions, gaps = self.live.take_decided()
        self.transitions += transitions
        self.gaps += [(g.shard, g.gap.began_at, g.gap.ended_at, g.gap.reason) for g in gaps]

    # -- what is asked -----------------------------------------------------------------------------------------

    def of(self, station: str) -> list[Transition]:
        """The station's own transitions."""
        return [t for t in self.transitions if t.station == station and t.terminal is None and t.before != t.after]

    def state(self, station: str) -> str:
        return self.live.station_word(self.live.stations.index[station])

    def offline(self) -> list[str]:
        return sorted({t.station for t in self.transitions if t.after.word == "offline"})
