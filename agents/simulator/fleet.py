"""The running fleet: many terminals over real MQTT connections, on timers of the event loop."""

import asyncio
import os
import signal
import ssl
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from math import inf
from random import Random
from typing import Final

import msgspec

from agents.config import Broker
from agents.simulator import journal, packets
from agents.simulator.connection import Connection, open_connection
from agents.simulator.machine.actions import Connect, Drop, Note, Publish, TerminalProfile
from agents.simulator.machine.terminal import SimTerminal
from agents.simulator.thief import Thief
from agents.simulator.timetable import BRIDGE, OF_BRIDGE, TimedDeed
from contract.errors import reason_of
from contract.topics import START_BYTES, Topic, client_id, terminal_name

MOST_CONNECTING: Final = 200
"""TCP connections that are being made at once."""
GOODBYE_SECONDS: Final = 1.0
_HOUR: Final = 3_600_000
_2099: Final = 4_070_908_800_000


class FleetCounts(msgspec.Struct):
    """What the fleet has done so far."""

    connected: int = 0
    connects: int = 0
    beats: int = 0
    made: int = 0
    acked: int = 0
    garbage: int = 0


Write = Callable[[journal.Entry], None]


class Fleet:
    """Terminals with these profiles on one broker. `write` takes the entries of the journal. `bridge`: the process that
    a timetable may stop for a while."""

    def __init__(
        self,
        profiles: Sequence[TerminalProfile],
        broker: Broker,
        *,
        write: Write,
        seed: int = 0,
        ca: str | None = None,
        bridge: int | None = None,
    ) -> None:
        self._bridge = bridge
        self.broker, self.write = broker, write
        self.tls = ssl.create_default_context(cafile=ca) if broker.tls else None
        self.counts = FleetCounts()
        self.gate = asyncio.Semaphore(MOST_CONNECTING)
        self._mono, self.epoch = time.monotonic(), time.time_ns() // 1_000_000
        self._random = Random(seed)
        self._seed = seed
        # A fleet with the same seed may have run before: the server must take this one for newer, not for a duplicate.
        runs = self.epoch // 1000
        self.members = [FleetMember(self, one, self._draws(), runs=runs) for one in profiles]
        self._clones: dict[int, FleetMember] = {}
        self._thieves: dict[int, Thief] = {}
        self._ending: set[asyncio.Task[None]] = set()

    def _draws(self) -> Random:
        return Random(self._random.getrandbits(64))

    @property
    def now(self) -> float:
        """Seconds since the fleet was made."""
        return time.monotonic() - self._mono

    def start(self, *, within: float | None = None) -> None:
        """Power on all terminals; they connect within `within` seconds, or by the contract's jitter."""
        stations = len({member.profile.station for member in self.members})
        began = journal.FleetBegan(at=self.epoch, seed=self._seed, stations=stations, terminals=len(self.members))
        self.write(began)
        for member in self.members:
            member.terminal.start(self.now, within=within)
            member.wake()

    async def run_timetable(self, deeds: Sequence[TimedDeed]) -> None:
        """Do the deeds at their times."""
        for deed in deeds:
            await asyncio.sleep(max(0.0, deed.at - self.now))
            self.do_deed(deed)

    def do_deed(self, deed: TimedDeed) -> None:
        """Do a deed now, whatever its time."""
        if deed.deed in OF_BRIDGE:
            self._signal_bridge(deed.deed)
            return
        member = self.members[deed.index]
        option = "" if deed.value is None else f"{deed.value}"
        who = member.profile
        at = self.epoch + round(self.now * 1000)
        self.write(journal.DeedDone(at=at, station=who.station, terminal=who.terminal, deed=deed.deed, option=option))
        if deed.deed in ("clone", "end-clone"):
            self._clone(deed.index, begin=deed.deed == "clone")
        elif deed.deed in ("steal", "give-back"):
            self._steal(deed.index, begin=deed.deed == "steal")
        else:
            ACTS[deed.deed](member.terminal, self.now, deed.value)
        member.wake()

    def _signal_bridge(self, deed: str) -> None:
        """Stop the process of the bridge, or let it go on."""
        if self._bridge is None:
            return
        at = self.epoch + round(self.now * 1000)
        self.write(journal.DeedDone(at=at, station=BRIDGE, terminal="", deed=deed))
        # The process may have ended, or been started again, in the meantime.
        with suppress(ProcessLookupError):
            os.kill(self._bridge, signal.SIGSTOP if deed == "stall" else signal.SIGCONT)

    def do_deed_to(
        self, chosen: Callable[[TerminalProfile], bool], deed: str, value: float | str | None = None
    ) -> None:
        """Do a deed now to all terminals for which `chosen` returns true."""
        for index, member in enumerate(self.members):
            if chosen(member.profile):
                self.do_deed(TimedDeed(at=0.0, index=index, deed=deed, value=value))

    def _clone(self, index: int, *, begin: bool) -> None:
        clone = self._clones.pop(index, None)
        if clone is not None:
            clone.terminal.die(self.now)
            clone.wake()
        if begin:
            original = self.members[index]
            clone = FleetMember(self, original.profile, self._draws(), runs=original.terminal.runs, is_clone=True)
            self._clones[index] = clone
            clone.terminal.start(self.now)
            clone.wake()

    def _steal(self, index: int, *, begin: bool) -> None:
        thief = self._thieves.pop(index, None)
        if thief is not None:
            ending = asyncio.create_task(thief.stop(), name="a thief ends")
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)
        if begin:
            who = self.members[index].profile
            self._thieves[index] = Thief(self.broker, self.tls, who.station, who.terminal)

    async def stop(self) -> None:
        """All terminals say goodbye and leave; the journal gets its last entry."""
        self._signal_bridge("go-on")
        await asyncio.gather(*(thief.stop() for thief in self._thieves.values()), *self._ending)
        members = [*self.members, *self._clones.values()]
        for member in members:
            member.terminal.leave(self.now, "shutdown")
            member.wake()
        await asyncio.gather(*(member.ended() for member in members))
        self.write(journal.FleetEnded(at=self.epoch + round(self.now * 1000)))

    @property
    def waiting(self) -> int:
        """Records that no ack has named yet."""
        return sum(member.terminal.waiting for member in self.members)


class FleetMember:
    """A terminal and its connection: carries out what the terminal decides."""

    def __init__(
        self, fleet: Fleet, profile: TerminalProfile, random: Random, *, runs: int = 0, is_clone: bool = False
    ) -> None:
        self.fleet, self.profile = fleet, profile
        self.terminal = SimTerminal(profile, epoch=fleet.epoch, random=random, runs=runs, clone=is_clone)
        self._connection: Connection | None = None
        self._leaving: Connection | None = None
        self._listener: _MemberListener | None = None
        self._making: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._is_waking = False
        self._started, self._start = -1, b""

    def wake(self) -> None:
        """Let the terminal decide what is due, carry it out, and set the timer for the next decision."""
        if self._is_waking:
            return
        self._is_waking = True
        try:
            self.terminal.step(self.fleet.now)
            while actions := self.terminal.take_actions():
                for action in actions:
                    self._carry_out(action)
        finally:
            self._is_waking = False
        self._sleep()

    def _sleep(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self.terminal.next_due()
        if due < inf:
            wait = max(0.001, due - self.fleet.now)
            self._timer = asyncio.get_running_loop().call_later(wait, self.wake)

    def _carry_out(self, action: Connect | Publish | Drop | Note) -> None:
        if isinstance(action, Publish):
            if self._connection is not None:
                packet = packets.publish(action.topic, action.payload, mid=action.mid, retain=action.retain)
                self._connection.write(packet)
                self._note(action.entry)
        elif isinstance(action, Note):
            self._note(action.entry)
        elif isinstance(action, Connect):
            self._connect(action)
        else:
            self._drop(goodbye=action.goodbye)

    def _note(self, entry: journal.Entry | None) -> None:
        if entry is None:
            return
        counts = self.fleet.counts
        match entry:
            case journal.HeartbeatSent():
                counts.beats += 1
            case journal.RecordMade():
                counts.made += 1
            case journal.RecordsAcked():
                counts.acked += sum(last - first + 1 for first, last in entry.ids)
            case journal.GarbageSent():
                counts.garbage += 1
            case journal.LinkChanged():
                counts.connected += 1 if entry.up else -1
                counts.connects += entry.up
            case _:
                pass
        self.fleet.write(entry)

    def _connect(self, action: Connect) -> None:
        self._drop(goodbye=False)
        who, broker = self.profile, self.fleet.broker
        hello = packets.connect(
            self._client_id(),
            keepalive=action.keepalive,
            will=(str(Topic(who.station, who.terminal, "status")), action.will),
            # With a password alone the user is the id of the station, as for the agent.
            user=broker.user or (who.station if broker.password else None),
            password=broker.password,
        )
        self._listener = _MemberListener(self)
        self._connection = Connection(self._listener, hello, action.keepalive)
        making = self._make(self._connection, self._listener)
        self._making = asyncio.create_task(making, name=f"connect {who.station}-{who.terminal}")

    def _client_id(self) -> str:
        """A new one at each start of the terminal, as the agent does it."""
        if self._started != self.terminal.runs:
            self._started, self._start = self.terminal.runs, os.urandom(START_BYTES)
        return client_id(terminal_name(self.profile.station, self.profile.terminal), self._start)

    async def _make(self, connection: Connection, listener: "_MemberListener") -> None:
        try:
            async with self.fleet.gate:
                await open_connection(self.fleet.broker, connection, self.fleet.tls)
        except OSError as exc:
            listener.on_lost(reason_of(exc))

    def _drop(self, *, goodbye: bool) -> None:
        if self._listener is not None:
            self._listener.member = None
        if self._connection is not None:
            if goodbye:
                self._leaving = self._connection
                self._connection.say_goodbye()
            else:
                self._connection.abandon()
        if self._making is not None and not self._making.done():
            self._making.cancel()
        self._connection = self._listener = self._making = None

    async def ended(self) -> None:
        """Wait until no connection is being made and the goodbye is sent."""
        if self._making is not None:
            self._making.cancel()
            await asyncio.gather(self._making, return_exceptions=True)
        if self._leaving is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE_SECONDS):
                    await self._leaving.closed.wait()

    def subscribe(self) -> None:
        """Subscribe to the channels to this terminal."""
        if self._connection is not None:
            who = self.profile
            topics = [str(Topic(who.station, who.terminal, name)) for name in ("ack", "command", "config")]
            self._connection.write(packets.subscribe(65_535, *topics))

    def forget_connection(self) -> None:
        """The connection is over by itself."""
        self._connection = self._listener = None


class _MemberListener:
    """Passes the events of one connection to its member, until the member has dropped the connection."""

    def __init__(self, member: FleetMember) -> None:
        self.member: FleetMember | None = member

    def on_up(self) -> None:
        if self.member is not None:
            # First, so that the ack for the first records is not missed.
            self.member.subscribe()
            self.member.terminal.on_up(self.member.fleet.now)
            self.member.wake()

    def on_heard(self) -> None:
        if self.member is not None:
            self.member.terminal.on_heard(self.member.fleet.now)

    def on_puback(self, mid: int) -> None:
        if self.member is not None:
            self.member.terminal.on_puback(self.member.fleet.now, mid)
            self.member.wake()

    def on_message(self, message: packets.Message) -> None:
        if self.member is not None:
            self.member.terminal.on_message(self.member.fleet.now, message.topic, message.payload)
            self.member.wake()

    def on_lost(self, why: str) -> None:
        member, self.member = self.member, None
        if member is not None:
            member.forget_connection()
            member.terminal.on_lost(member.fleet.now, why)
            member.wake()


_Act = Callable[[SimTerminal, float, float | str | None], None]


def _set_clock(terminal: SimTerminal, now: float, clock: float | str | None) -> None:
    device = terminal.device
    offsets = {"1970": -device.true(now), "2099": _2099 - device.true(now), "+1h": _HOUR, "-1h": -_HOUR}
    device.offset = offsets.get(str(clock), 0)


def _number(value: float | str | None, default: float) -> float:
    return value if isinstance(value, float) else default


def _until_back(terminal: SimTerminal, value: float | str | None) -> float | None:
    """Seconds until the promised return, including the jitter of the connection."""
    return value + 2 * min(60.0, terminal.profile.every) if isinstance(value, float) else None


def _fault(name: str, value: bool) -> _Act:
    def act(terminal: SimTerminal, now: float, option: float | str | None) -> None:
        setattr(terminal.faults, name, value)

    return act


def _usable(value: bool) -> _Act:
    def act(terminal: SimTerminal, now: float, option: float | str | None) -> None:
        terminal.usable = value

    return act


ACTS: Final[dict[str, _Act]] = {
    "kill": lambda terminal, now, _: terminal.die(now),
    "revive": lambda terminal, now, _: terminal.start(now),
    "cut": lambda terminal, now, _: terminal.cut(now),
    "join": lambda terminal, now, _: terminal.join(now),
    "away": lambda terminal, now, value: terminal.leave(now, "closing", _until_back(terminal, value)),
    "slow": lambda terminal, now, value: terminal.device.run_at(_number(value, 1.0), now),
    "keep-time": lambda terminal, now, _: terminal.device.run_at(1.0, now),
    "wrong": _set_clock,
    "set-right": lambda terminal, now, _: _set_clock(terminal, now, None),
    "duplicate": _fault("duplicates", True),
    "once": _fault("duplicates", False),
    "reorder": _fault("reorders", True),
    "in-order": _fault("reorders", False),
    "garbage": lambda terminal, now, value: terminal.spoil(now, int(_number(value, 1.0))),
    "backlog": lambda terminal, now, value: terminal.remember(now, _number(value, 3.0)),
    "unusable": _usable(False),
    "snapshot": lambda terminal, now, _: terminal.set_back(now),
    "old-disk": lambda terminal, now, value: terminal.lose_runs(now, int(_number(value, 10.0))),
    "renumber": lambda terminal, now, _: terminal.renumber(),
    "skip": _fault("skips", True),
    "in-turn": _fault("skips", False),
    "no-conn": _fault("anonymous", True),
    "with-conn": _fault("anonymous", False),
    "invent": lambda terminal, _, value: terminal.invent(int(_number(value, 2.0))),
    "honest": lambda terminal, _, __: terminal.invent(0),
    "stuck": _fault("stuck", True),
    "unstuck": _fault("stuck", False),
    "broken": _usable(False),
    "mended": _usable(True),
}
"""How each deed is done to a terminal at `now`, with its one option."""
