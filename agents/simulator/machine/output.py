"""What a simulated terminal sends and records, with the journal entry of each. Pure."""

from random import Random
from typing import TypedDict

from agents.simulator import journal
from agents.simulator.machine.actions import ActionQueue, Faults, Note, Publish, TerminalProfile
from agents.simulator.machine.device import DeviceClock
from agents.simulator.machine.garbage import garbage
from agents.simulator.machine.messages import SimMessages
from agents.simulator.machine.outbox import SimOutbox
from contract import codec
from contract.messages import Record, TerminalStatus
from contract.refusal import RefusedError
from contract.topics import Topic


class _EntryOrigin(TypedDict):
    """What every journal entry of a terminal has."""

    at: int
    station: str
    terminal: str
    clone: bool


class TerminalOutput:
    """What a terminal sends and records: messages and journal entries, in the order of its decisions."""

    def __init__(self, profile: TerminalProfile, *, epoch: int, runs: int, clone: bool) -> None:
        self.profile = profile
        self.is_clone = clone
        self.device = DeviceClock(epoch)
        self.faults = Faults()
        self.messages = SimMessages(profile, self.device, self.faults, run=runs)
        self.outbox = SimOutbox()
        self.actions = ActionQueue(self.faults)
        self._mid = 0

    def heartbeat(self, now: float, *, usable: bool, users: int) -> None:
        """Send a heartbeat, and those of invented terminals, which the journal does not name."""
        beat = self.messages.heartbeat(now, usable=usable, users=users)
        entry = journal.HeartbeatSent(
            boot=beat.boot, run=beat.run, n=beat.n, every=beat.every, usable=usable, **self._subject(now)
        )
        self.actions.publish(Publish(topic=self._topic("heartbeat"), payload=codec.encode(beat), entry=entry))
        for name, invented in self.messages.invented(beat):
            topic = str(Topic(self.profile.station, name, "heartbeat"))
            self.actions.publish(Publish(topic=topic, payload=codec.encode(invented)))

    def status(
        self, now: float, state: TerminalStatus, reason: str | None = None, back_in: float | None = None
    ) -> None:
        """Send a status; `back_in`: seconds until the promised return."""
        payload = codec.encode(self.messages.status(now, state, reason, back_in))
        back_at = None if back_in is None else self.device.true(now) + round(back_in * 1000)
        entry = journal.StatusSent(state=state, back_at=back_at, **self._subject(now))
        self.actions.publish(
            Publish(topic=self._topic("status"), payload=payload, mid=self._next_mid(), retain=True, entry=entry)
        )

    def data(self, now: float) -> None:
        """Send a data message if there are records that need not wait."""
        outbox = self.outbox
        chosen = outbox.choose(now, every=self.profile.every)
        if not chosen:
            return
        rows = sorted(chosen)
        data = self.messages.data(now, rows[0].box, map(outbox.body_of, rows))
        payload, mid = codec.encode(data), self._next_mid()
        entry = journal.RecordsSent(box=data.box, ids=codec.ranges([row.id for row in chosen]), **self._subject(now))
        self.actions.publish(Publish(topic=self._topic("data"), payload=payload, mid=mid, entry=entry))
        outbox.sent(chosen, mid, len(payload), now)

    def garbage(self, now: float, random: Random) -> None:
        """Send a message that breaks the contract."""
        channel, payload = garbage(random)
        topic = self._topic(channel)
        entry = journal.GarbageSent(topic=topic, size=len(payload), **self._subject(now))
        self.actions.publish(Publish(topic=topic, payload=payload, mid=self._next_mid(), entry=entry))

    def record(self, now: float, record: Record) -> None:
        """Put a record into the outbox."""
        box = self.messages.counters.boot
        self.outbox.append(box, record.id, codec.encode(record), now)
        kind = str(type(record).__struct_config__.tag)
        self.actions.add(Note(journal.RecordMade(box=box, id=record.id, kind=kind, **self._subject(now))))

    def acknowledged(self, now: float, payload: bytes) -> None:
        """Delete the records that an `ack` message names."""
        try:
            ack = codec.decode_ack(payload)
        except RefusedError:
            return
        known = self.outbox.acknowledge(ack.box, ack.ids, now)
        if known:
            self.actions.add(Note(journal.RecordsAcked(box=ack.box, ids=codec.ranges(known), **self._subject(now))))

    def linked(self, now: float, *, up: bool, why: str = "") -> None:
        """Note that the connection is up or down."""
        self.actions.add(Note(journal.LinkChanged(up=up, why=why, **self._subject(now))))

    def _next_mid(self) -> int:
        self._mid = self._mid % 65_535 + 1
        return self._mid

    def _topic(self, channel: str) -> str:
        return str(Topic(self.profile.station, self.profile.terminal, channel))

    def _subject(self, now: float) -> _EntryOrigin:
        return {
            "at": self.device.true(now),
            "station": self.profile.station,
            "terminal": self.profile.terminal,
            "clone": self.is_clone,
        }
