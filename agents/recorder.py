"""Records of what the agent measures and of what happens to it, written into the outbox."""

import logging
from typing import Any

import msgspec

from agents.clock import AgentClock
from agents.outbox.queue import Outbox
from agents.outbox_sender import OutboxSender
from agents.presence import PresenceTracker, Span
from agents.sampler import Sample
from contract import codec
from contract.messages import Event, Record

_log = logging.getLogger(__name__)


class Recorder:
    """Numbers the records of this start and appends them to the outbox. `boot` is the name of their box."""

    def __init__(self, boot: str, clock: AgentClock, outbox: Outbox, sender: OutboxSender) -> None:
        self._boot, self._clock = boot, clock
        self._outbox, self._sender = outbox, sender
        self._id = 0

    def next_id(self) -> int:
        """The number of a new record."""
        self._id += 1
        return self._id

    def append(self, record: Record, *, held: bool = False) -> None:
        """Write a record, or write it again under its number. A `held` record is not sent yet."""
        dropped = self._outbox.append(self._boot, record.id, codec.encode(record), held=held)
        self._sender.forget_records(dropped)

    def append_event(self, name: str, detail: object) -> None:
        """Write an event record of the present moment."""
        now = self._clock.now()
        self.append(Event(id=self.next_id(), at=now.at, up=now.up, name=name, detail=detail))

    def append_sample(self, sample: Sample, rtt_ms: float | None) -> None:
        """Write a measurement; `rtt_ms` is the latency of the link, which only the link can measure."""
        values = dict(sample.values)
        if sample.kind == "health" and rtt_ms is not None:
            values["rtt_ms"] = round(rtt_ms, 1)
        label: dict[str, Any] = {"kind": sample.kind, "id": self.next_id(), "at": sample.at}
        if sample.mono >= self._clock.start:  # other programs may have counted before this start
            label["up"] = self._clock.up_of(sample.mono)
        try:
            record = msgspec.convert(label | values, Record)
        except msgspec.ValidationError as exc:
            _log.warning("a %s record does not keep the contract and is left out: %s", sample.kind, exc)
            return
        self.append(record)


class PresenceRecorder:
    """Writes the outages of the link as presence records, one record for each span."""

    def __init__(self, clock: AgentClock, recorder: Recorder, usable: bool | None) -> None:
        self._clock, self._recorder = clock, recorder
        self._presence = PresenceTracker(clock.now(), usable)
        self._record_id: int | None = None
        self._next_write = 0.0

    def link_heard(self) -> None:
        """The broker answered, so the link was whole until now."""
        self._presence.heard(self._clock.now())

    def link_lost(self, now: float, usable: bool | None, *, every: float) -> None:
        """The link is down; `now` is a monotonic second, `every` the seconds between two writings of the span."""
        if not self._presence.is_down:
            self._presence.lost(self._clock.now(), usable)
            self._next_write = now + every

    def link_back(self) -> None:
        """The link is up again, or the agent ends: write the span of the outage."""
        self._finish(self._presence.back(self._clock.now()))

    def update(self, now: float, usable: bool | None, *, every: float) -> None:
        """While the link is down: write the span from time to time, and begin another one when `usable` changes."""
        if not self._presence.is_down:
            return
        ended, current = self._presence.running(self._clock.now(), usable)
        if ended:
            self._finish(ended)
        if current and now >= self._next_write:
            self._next_write = now + every
            if current.seconds >= 1:
                self._write(current, held=True)

    def _finish(self, span: Span | None) -> None:
        if span:
            self._write(span, held=False)
        self._record_id = None

    def _write(self, span: Span, *, held: bool) -> None:
        if self._record_id is None:
            self._record_id = self._recorder.next_id()
        self._recorder.append(span.record(self._record_id), held=held)
