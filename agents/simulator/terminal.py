"""A simulated terminal: what it does next at a time that it is told. Pure: same arithmetic as the agent's.

Times `now` are seconds since the simulation began; the device's own clock may run slow, or stand in another decade.
What it decides lies in `take()`, for the shell to carry out and to write into the journal.
"""

from enum import Enum
from itertools import islice
from math import inf
from random import Random
from typing import Final, TypedDict

import msgspec

from agents.pacing import WINDOW, Flight, LinkBudget, Pacer, Row, keepalive, reconnect_delay
from agents.presence import Moment, Presence, Span
from agents.simulator import journal
from agents.simulator.garbage import garbage
from contract import codec
from contract.clocks import MonotonicSeconds, WallMs
from contract.messages import (
    MAX_RECORDS,
    Data,
    Event,
    Health,
    Heartbeat,
    Inventory,
    Record,
    Status,
    TerminalStatus,
    Usage,
)
from contract.messages import Presence as PresenceRecord
from contract.refusal import RefusedError
from contract.topics import Topic

PUBACK_PATIENCE: Final = 60.0
MOST_RECORDS: Final = 20_000
"""Records in an outbox; when it is full the oldest goes first."""
_DAY: Final = 86_400.0


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """Who a terminal is. `area` is the code of its area, `every` and `sample` are seconds."""

    station: str
    terminal: str = "001"
    area: str = ""
    every: float = 60.0
    sample: float = 300.0


class Connect(msgspec.Struct, frozen=True):
    """Make a connection with this Last Will; an older one is dropped."""

    will: bytes
    keepalive: int


class Publish(msgspec.Struct, frozen=True, kw_only=True):
    """Write a message; QoS 1 when it has a message id. `entry` is its line in the journal."""

    topic: str
    payload: bytes
    mid: int = 0
    retain: bool = False
    entry: journal.Entry | None = None


class Drop(msgspec.Struct, frozen=True):
    """End the connection; with a goodbye the Last Will does not fire."""

    goodbye: bool = False


class Note(msgspec.Struct, frozen=True):
    """A line for the journal."""

    entry: journal.Entry


Action = Connect | Publish | Drop | Note


class Link(Enum):
    """What the terminal thinks of its connection."""

    DOWN = "down"
    CONNECTING = "connecting"
    UP = "up"


class _Who(TypedDict):
    at: int
    station: str
    terminal: str
    clone: bool


class Device:
    """The device's clocks: a monotonic one that may be slow, and a wall clock that may be wrong."""

    def __init__(self, epoch: int) -> None:
        self._epoch = epoch
        self.rate = 1.0
        self.offset = 0
        self._began = self._since = 0.0
        self._up = 0.0

    def boot(self, now: float, *, ago: float = 0.0) -> None:
        """A start, `ago` seconds before `now`."""
        self._up, self._since, self._began = ago, now, now - ago

    def run_at(self, rate: float, now: float) -> None:
        self._up, self._since, self.rate = self.up(now), now, rate

    def up(self, now: float) -> MonotonicSeconds:
        return MonotonicSeconds(round(self._up + (now - self._since) * self.rate, 3))

    def wall(self, now: float) -> WallMs:
        """What its wall clock shows, ms."""
        lag = (now - self._began) - self.up(now)
        return WallMs(self.true(now) + self.offset - round(lag * 1000))

    def true(self, now: float) -> int:
        """What a right clock shows, ms."""
        return self._epoch + round(now * 1000)

    def moment(self, now: float) -> Moment:
        return Moment(self.wall(now), self.up(now))


class Terminal:
    """One terminal's whole life; `epoch` is the wall time (ms) at which `now` is 0."""

    def __init__(self, profile: Profile, *, epoch: int, random: Random, runs: int = 0, clone: bool = False) -> None:
        self.profile = profile
        self.device = Device(epoch)
        self.is_clone = clone
        self.alive = self.is_cut = False
        self.link = Link.DOWN
        self.usable = True
        self.duplicates = self.reorders = False
        #: Its heartbeats' numbers do not rise.
        self.stuck = False
        # Leaves out every second number; does not name its connection; how many terminals it invents.
        self.skips = self.anonymous = False
        self.invents = 0
        self.runs = runs
        self.beats = 0
        self._random = random
        self._boot, self._conn, self._n, self._id, self._mid = "", 0, 0, 0, 0
        self._outbox: dict[tuple[str, int], tuple[Row, bytes]] = {}
        self._seq = 0
        self._flight = Flight()
        self._pacer = Pacer(self._flight, rate=20.0)
        self._budget = LinkBudget()
        self._presence: Presence | None = None
        self._pending: tuple[int, int, float] | None = None
        self._connect_at = self._next_heartbeat = self._next_sample = self._next_look = 0.0
        self._held: Publish | None = None
        self._out: list[Action] = []
        self._sessions = 0
        # Boot, run, connects, number and record id as they were when it first had a connection.
        self._snapshot: tuple[str, int, int, int, int] | None = None

    def __repr__(self) -> str:
        return f"Terminal({self.profile.station}/{self.profile.terminal})"

    @property
    def waiting(self) -> int:
        """Records that no ack has named yet."""
        return len(self._outbox)

    def take(self) -> list[Action]:
        """What was decided since the last time."""
        taken, self._out = self._out, []
        return taken

    def next_due(self) -> float:
        """When `step` should be called again if nothing else happens; inf for never."""
        if not self.alive:
            return inf
        if self.link is Link.DOWN:
            return min(self._next_sample, inf if self.is_cut else self._connect_at)
        if self.link is Link.CONNECTING:
            return self._next_sample
        look = self._pending[2] + PUBACK_PATIENCE if self._pending else self._next_look
        return min(self._next_sample, self._next_heartbeat, look if self._outbox else inf)

    def step(self, now: float) -> None:
        """Do what is due."""
        if not self.alive:
            return
        if now >= self._next_sample:
            self._sample(now)
        if self.link is Link.DOWN and not self.is_cut and now >= self._connect_at:
            self._connect(now)
        elif self.link is Link.UP:
            self._send_due(now)

    # -- its life ----------------------------------------------------------------------------------------------

    def start(self, now: float, *, within: float | None = None, ago: float = 0.0) -> None:
        """Power on; connect within `within` seconds (the contract's jitter). It may have run since `ago` seconds."""
        if self.alive:
            return
        self.alive, self.link = True, Link.DOWN
        self.runs += 1
        self._boot = f"{self._random.getrandbits(32) ^ self.runs & 0xFFFFFFFF:08x}"
        self._conn = self._n = self._id = 0
        self.device.boot(now, ago=ago)
        began = self.device.moment(now - ago)
        self._presence = Presence(Moment(began.at, MonotonicSeconds(0.0)), self.usable)
        spread = reconnect_delay(self.profile.every, self._random.random())
        self._connect_at = now + (spread if within is None else self._random.random() * within)
        self._next_sample = now + self._random.random() * self._real(self.profile.sample)
        self._make(
            now, Inventory(id=self._next_id(), at=self._wall(now), up=self._up(now), os="simulated", agent="sim")
        )

    def die(self, now: float) -> None:
        """The power is gone: the connection ends without a word; the outbox is on disk and stays."""
        if not self.alive:
            return
        self._note_presence(now)
        self._unlink(now, "killed")
        self.alive = False
        self._presence = None

    def leave(self, now: float, reason: str, back_in: float | None = None) -> None:
        """Announce `away` and end, as somebody does who closes the room for `back_in` seconds."""
        if not self.alive:
            return
        if self.link is Link.UP:
            # Nothing can come after a goodbye, so nothing is held back for it.
            self.reorders = False
            self._status(now, "away", reason, back_in)
        self._note_presence(now)
        self._unlink(now, "away", goodbye=True)
        self.alive = False
        self._presence = None

    def cut(self, now: float) -> None:
        """The link is gone, the terminal runs on."""
        self.is_cut = True
        self._unlink(now, "cut")

    def join(self, now: float) -> None:
        """The link is back; it is found again after the usual jitter."""
        if self.is_cut:
            self.is_cut = False
            self._connect_at = now + reconnect_delay(self.profile.every, self._random.random())

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
        self._unlink(now, "set back")
        self._boot, self.runs, self._conn, self._n, self._id = self._snapshot
        self._connect_at = now + reconnect_delay(self.profile.every, self._random.random())

    def lose_runs(self, now: float, count: int) -> None:
        """It starts from an older copy of its disk, on which the run counter is lower."""
        self.die(now)
        self.runs = max(0, self.runs - count)
        self.start(now)

    def renumber(self) -> None:
        """The numbers of its heartbeats begin anew."""
        self._n = 0

    def spoil(self, now: float, count: int) -> None:
        """Send `count` messages that break the contract."""
        for _ in range(count if self.link is Link.UP else 0):
            channel, payload = garbage(self._random)
            topic = self._topic(channel)
            entry = journal.Garbage(topic=topic, size=len(payload), **self._who(now))
            self._emit(Publish(topic=topic, payload=payload, mid=self._next_mid(), entry=entry))

    # -- what the connection says ------------------------------------------------------------------------------

    def on_up(self, now: float) -> None:
        """The broker took us in: heartbeat first, then the newest records."""
        if self.link is not Link.CONNECTING:
            return
        self.link, self._pending = Link.UP, None
        self._snapshot = self._snapshot or (self._boot, self.runs, self._conn, self._n, self._id)
        self._out.append(Note(journal.Linked(up=True, **self._who(now))))
        self._end_presence(now)
        self._pacer.connected(now)
        self._next_look = now
        self._beat(now)
        self._status(now, "online")
        self._send_due(now)

    def on_heard(self, now: float) -> None:
        """Anything came from the broker."""
        if self.link is Link.UP and self._presence is not None:
            self._presence.heard(self.device.moment(now))

    def on_puback(self, now: float, mid: int) -> None:
        if self._pending is not None and self._pending[0] == mid:
            self._budget.carried(self._pending[1], now - self._pending[2])
            self._pending, self._next_look = None, now

    def on_message(self, now: float, topic: str, payload: bytes) -> None:
        """An ack deletes what it names; commands and settings are not a simulated terminal's business."""
        if not topic.endswith("/ack"):
            return
        try:
            ack = codec.decode_ack(payload)
        except RefusedError:
            return
        keys = self._flight.named(ack.box, ack.ids)
        self._flight.forget(keys)
        known = [key for key in keys if self._outbox.pop(key, None) is not None]
        if known:
            ids = codec.ranges([number for _, number in known])
            self._out.append(Note(journal.Acked(box=ack.box, ids=ids, **self._who(now))))
            self._next_look = now

    def on_lost(self, now: float, why: str) -> None:
        """The connection is over; another comes after a full-jitter time."""
        if self.link is Link.DOWN:
            return
        self._fall(now, why)
        self._connect_at = now + reconnect_delay(self.profile.every, self._random.random())

    # -- the link ----------------------------------------------------------------------------------------------

    def _connect(self, now: float) -> None:
        self._conn += 1
        self.link = Link.CONNECTING
        will = self._status_of(now, "lost", counted=False)
        self._out.append(Connect(codec.encode(will), keepalive(self.profile.every)))

    def _unlink(self, now: float, why: str, *, goodbye: bool = False) -> None:
        if self.link is not Link.DOWN:
            self._out.append(Drop(goodbye))
            self._fall(now, why)

    def _fall(self, now: float, why: str) -> None:
        if self.link is Link.UP:
            self._out.append(Note(journal.Linked(up=False, why=why, **self._who(now))))
        if self._pending is not None:
            self._budget.failed(self._pending[1])
        self.link, self._pending, self._held = Link.DOWN, None, None
        if self._presence is not None:
            self._presence.lost(self.device.moment(now), self.usable)

    def _send_due(self, now: float) -> None:
        if now >= self._next_heartbeat:
            self._beat(now)
        if self._pending is not None and now - self._pending[2] >= PUBACK_PATIENCE:
            self._pending = None
        if self._pending is None and self._outbox and now >= self._next_look:
            self._send_data(now)

    # -- what is sent ------------------------------------------------------------------------------------------

    def _beat(self, now: float) -> None:
        self._n += 0 if self.stuck else 1 + self.skips
        self.beats += 1
        heartbeat = Heartbeat(
            v=1, boot=self._boot, run=self.runs, conn=self._said_conn, n=self._n, at=self._wall(now), up=self._up(now),
            every=self.profile.every, usable=self.usable, users=self._random.randrange(4),
        )  # fmt: skip
        entry = journal.Beat(
            boot=self._boot, run=self.runs, n=self._n, every=self.profile.every, usable=self.usable, **self._who(now)
        )
        self._emit(Publish(topic=self._topic("heartbeat"), payload=codec.encode(heartbeat), entry=entry))
        self._beat_invented(heartbeat)
        self._next_heartbeat = now + self._real(self.profile.every)

    @property
    def _said_conn(self) -> int | None:
        return None if self.anonymous else self._conn

    def invent(self, count: int) -> None:
        """Send heartbeats of so many terminals that are not there, too."""
        self.invents = count

    def _beat_invented(self, heartbeat: Heartbeat) -> None:
        """With the station's own account, and with numbers left out; the journal knows of terminals that are there."""
        for number in range(self.invents):
            name = f"x{number}"
            topic = str(Topic(self.profile.station, name, "heartbeat"))
            body = msgspec.structs.replace(heartbeat, boot=f"{heartbeat.boot[:8]}-{name}", n=2 * heartbeat.n)
            self._emit(Publish(topic=topic, payload=codec.encode(body)))

    def _status(
        self, now: float, state: TerminalStatus, reason: str | None = None, back_in: float | None = None
    ) -> None:
        status = self._status_of(now, state, reason, back_in)
        back_at = None if back_in is None else self.device.true(now) + round(back_in * 1000)
        entry = journal.Told(state=state, back_at=back_at, **self._who(now))
        payload = codec.encode(status)
        self._emit(
            Publish(topic=self._topic("status"), payload=payload, mid=self._next_mid(), retain=True, entry=entry)
        )

    def _status_of(
        self,
        now: float,
        state: TerminalStatus,
        reason: str | None = None,
        back_in: float | None = None,
        *,
        counted: bool = True,
    ) -> Status:
        self._n += counted and not self.stuck
        at = self._wall(now)
        return Status(
            v=1, boot=self._boot, run=self.runs, conn=self._said_conn, n=self._n if counted else None, state=state,
            at=at, reason=reason, back_by=None if back_in is None else WallMs(at + round(back_in * 1000)),
        )  # fmt: skip

    def _send_data(self, now: float) -> None:
        rows = [row for row, _ in islice(reversed(self._outbox.values()), WINDOW + MAX_RECORDS)]
        chosen = self._pacer.choose(rows, now, room=self._budget.bytes(self.profile.every))
        if not chosen:
            self._next_look = self._pacer.look_again(now)
            return
        data = self._data(sorted(chosen), now)
        payload, mid = codec.encode(data), self._next_mid()
        entry = journal.Sent(box=data.box, ids=codec.ranges([row.id for row in chosen]), **self._who(now))
        self._emit(Publish(topic=self._topic("data"), payload=payload, mid=mid, entry=entry))
        self._pacer.sent(chosen, now)
        self._pending = (mid, len(payload), now)

    def _data(self, rows: list[Row], now: float) -> Data:
        records = [msgspec.Raw(self._outbox[row.key][1]) for row in rows]
        at, up = self._wall(now), self._up(now)
        return Data(v=1, boot=self._boot, run=self.runs, at=at, up=up, box=rows[0].box, records=records)

    def _emit(self, action: Publish) -> None:
        """Hand a message out; what mischief is on may send it twice, or after the next one."""
        if self.reorders and self._held is None:
            self._held = action
            return
        self._out.append(action)
        if self._held is not None:
            held, self._held = self._held, None
            self._out.append(held)
        if self.duplicates:
            self._out.append(action)

    # -- what is recorded --------------------------------------------------------------------------------------

    def _sample(self, now: float) -> None:
        self._next_sample = now + self._real(self.profile.sample)
        self._measure(now)

    def _measure(self, now: float) -> None:
        """A health record, and as often a usage record: what a small machine would say."""
        draw, at, up = self._random.random, self._wall(now), self._up(now)
        health = Health(
            id=self._next_id(), at=at, up=up, cpu=round(draw() * 0.6, 3), mem=round(0.3 + draw() * 0.3, 3),
            disk=round(0.4 + draw() * 0.05, 3), temp=round(40 + draw() * 15, 1), rtt_ms=round(20 + draw() * 60, 1),
            rx=int(up * 900), tx=int(up * 120), wifi=True,
        )  # fmt: skip
        self._make(now, health)
        sessions = self._random.randrange(4)
        self._sessions += sessions
        ended = WallMs(at + round(self.profile.sample * 1000))
        minutes = round(sessions * draw() * 20, 1)
        self._make(now, Usage(id=self._next_id(), at=at, up=up, until=ended, sessions=sessions, minutes=minutes))

    def event(self, now: float, name: str) -> None:
        self._make(now, Event(id=self._next_id(), at=self._wall(now), up=self._up(now), name=name))

    def _make(self, now: float, record: Record) -> None:
        body, key = codec.encode(record), (self._boot, record.id)
        self._seq += 1
        if len(self._outbox) >= MOST_RECORDS:
            oldest = next(iter(self._outbox))
            del self._outbox[oldest]
            self._flight.forget([oldest])
        self._outbox[key] = (Row(self._seq, self._boot, record.id, len(body)), body)
        kind = type(record).__struct_config__.tag
        self._out.append(Note(journal.Made(box=self._boot, id=record.id, kind=str(kind), **self._who(now))))
        self._next_look = min(self._next_look, now)

    def _end_presence(self, now: float) -> None:
        if self._presence is not None:
            self._write_presence(now, self._presence.back(self.device.moment(now)))

    def _note_presence(self, now: float) -> None:
        """What an agent has on disk when it ends without a link."""
        if self._presence is not None:
            _, current = self._presence.running(self.device.moment(now), self.usable)
            self._write_presence(now, current)

    def _write_presence(self, now: float, span: Span | None) -> None:
        if span is not None and span.seconds >= 1:
            record: PresenceRecord = span.record(self._next_id())
            self._make(now, record)

    # -- clocks and counters -----------------------------------------------------------------------------------

    def _real(self, seconds: float) -> float:
        """How long the device takes for what it believes to be `seconds`."""
        return seconds / self.device.rate

    def _wall(self, now: float) -> WallMs:
        return self.device.wall(now)

    def _up(self, now: float) -> MonotonicSeconds:
        return MonotonicSeconds(max(0.0, self.device.up(now)))

    def _next_id(self) -> int:
        self._id += 1
        return self._id

    def _next_mid(self) -> int:
        self._mid = self._mid % 65_535 + 1
        return self._mid

    def _topic(self, channel: str) -> str:
        return str(Topic(self.profile.station, self.profile.terminal, channel))

    def _who(self, now: float) -> _Who:
        return {
            "at": self.device.true(now),
            "station": self.profile.station,
            "terminal": self.profile.terminal,
            "clone": self.is_clone,
        }
