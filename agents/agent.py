"""The agent of one terminal: a blocking loop around the link, the outbox and the sampler.

`run` does all of MQTT and pacing in the calling thread, about one turn a second; what may hang has threads of its
own: measuring, connecting, and all work with files. A turn waits for files for a moment, and goes on without them.
Everything is timed by the monotonic clock; the wall clock is only told, never believed.
"""

import logging
import os
import ssl
import threading
import time
from collections.abc import Collection
from functools import partial
from typing import Any, Final

import msgspec

from agents.commands import Orders
from agents.config import AgentConfig, broker_of, check, tls_context
from agents.files import Files
from agents.link import Arrived, Carried, Link, Lost, Subscribed, Up, Will
from agents.outbox.queue import Outbox
from agents.pacing import WINDOW, Flight, LinkBudget, Pacer, Row, keepalive, reconnect_delay
from agents.presence import Moment, Presence, Span
from agents.sampler import Sample, Sampler
from agents.worker import HangsError, Worker
from contract import codec
from contract.clocks import MonotonicSeconds, WallMs
from contract.errors import RemedyError
from contract.messages import MAX_RECORDS, Data, Event, Heartbeat, Record, Status, TerminalStatus
from contract.refusal import RefusedError
from contract.topics import START_BYTES, Topic, client_id

__all__ = ["AgentConfig", "run"]

_log = logging.getLogger(__name__)

TURN: Final = 1.0
"""Seconds a turn of the loop lasts at most: how soon a new record or a stop is noticed."""
GOODBYE_SECONDS: Final = 2.0
PATIENCE: Final = 0.5
"""Seconds each half of a turn waits for the disk at most: heartbeats are late by no more than both."""
START_PATIENCE: Final = 5.0
"""The same before the first heartbeat, which should have the run counter."""
_DROP_REPORT_EVERY: Final = 3600.0
_DAMAGE_REPORT_EVERY: Final = 60.0
_PUBACK_PATIENCE: Final = 60.0
_FIRST_CHECK_SECONDS: Final = 2.0
_READ_AGAIN: Final = 10.0


def run(config: AgentConfig, stop: threading.Event) -> None:
    """Be the agent of `config.station`/`config.terminal` until `stop` is set.

    Announces `away` (reason shutdown) on leaving. No file of its own is a condition: what a disk refuses, or does not
    do in time, is kept in memory, and named. Raises `RemedyError` for settings that cannot work and when another agent
    of this terminal runs on the same data directory.
    """
    check(config)
    worker = Worker("files")
    worker.be_patient(START_PATIENCE)
    files = Files(config, worker)
    try:
        agent = Agent(config, stop, files, worker)
        try:
            agent.live()
        finally:
            agent.close()
    finally:
        files.close()


class Agent:
    """One run of the agent."""

    def __init__(self, config: AgentConfig, stop: threading.Event, files: Files, worker: Worker) -> None:
        self._config, self._stop = config, stop
        self._files, self._worker = files, worker
        self._broker = broker_of(config)
        self._tls = tls_context(config.ca) if self._broker.tls else None
        self._start = time.monotonic()
        self._boot = os.urandom(4).hex()
        # Kept over reconnects: so a new connection ends the half-open one that the broker still holds.
        self._client_id = client_id(config.name, os.urandom(START_BYTES))
        self._run = files.run
        self._every = config.every
        self._conn = self._n = self._id = 0
        self._outbox = Outbox(
            config.data / f"{config.name}.outbox",
            rows=config.outbox_rows,
            size=config.outbox_bytes,
            expected=files.had_outbox,
            worker=worker,
        )
        self._sampler = Sampler(config)
        self._orders = Orders(accept_unsigned=config.accept_unsigned)
        self._budget = LinkBudget()
        flight = Flight(after=config.resend_after, at_most=config.resend_at_most)
        self._pacer = Pacer(flight, rate=config.backlog_rate)
        self._presence = Presence(self._now(), config.usable)
        self._presence_id: int | None = None
        self._link: Link | None = None
        self._is_up = self._may_send_data = False
        self._told_usable: bool | None = None
        self._told_hang = False
        self._told_trouble: str | None = None
        self._told_failure: str | None = None
        self._told_reports: str | None = None
        self._next_heartbeat = self._next_presence = self._next_look = 0.0
        self._next_drop_report = self._next_damage_report = 0.0
        self._connect_at = self._start
        self._pending: tuple[int, int, float] | None = None

    def live(self) -> None:
        """Run until stopped, then say goodbye."""
        _log.info("agent %s, run %d, boot %s", self._config.name, self._run, self._boot)
        self._sampler.supervise()
        self._sampler.checked.wait(_FIRST_CHECK_SECONDS)
        while not self._stop.is_set():
            self._turn(time.monotonic())
        self._worker.be_patient(GOODBYE_SECONDS)
        self._say_goodbye()

    def close(self) -> None:
        self._worker.be_patient(GOODBYE_SECONDS)
        self._sampler.stop()
        if self._link:
            self._link.abandon()
        self._outbox.close()

    def _turn(self, now: float) -> None:
        self._worker.be_patient(PATIENCE)
        self._follow_files()
        self._watch_sampler()
        while self._sampler.taken:
            self._keep_sample(self._sampler.taken.popleft())
        self._report_outbox(now)
        self._follow_presence(now)
        if self._link is None:
            self._wait_or_connect(now)
            return
        if self._is_up:
            self._send_due(now)
        events = self._link.step(self._time_left(time.monotonic()), self._stop)
        self._worker.be_patient(PATIENCE)
        for event in events:
            self._handle(event)
        if self._link and self._link.heard and self._is_up:
            self._link.heard = False
            self._presence.heard(self._now())

    # The link

    def _wait_or_connect(self, now: float) -> None:
        if now < self._connect_at:
            self._stop.wait(min(TURN, self._connect_at - now))
            return
        self._conn += 1
        try:
            self._link = Link(
                broker=self._broker,
                tls=self._trusted(),
                topic=Topic(self._config.station, self._config.terminal, "status"),
                client_id=self._client_id,
                keepalive=keepalive(self._every),
                will=self._will(),
            )
            self._link.open()
        except (OSError, ValueError, RuntimeError) as exc:  # RuntimeError: no room for another thread
            self._lose(str(exc))

    def _trusted(self) -> ssl.SSLContext | None:
        """The certificates as they are now, or as they were when they could be read."""
        if self._tls is not None:
            try:
                self._tls = self._worker.do(partial(tls_context, self._config.ca))
            except (HangsError, RemedyError) as exc:
                _log.warning("the CA certificate is used as it was read before: %s", exc)
        return self._tls

    def _will(self) -> Will:
        topic = Topic(self._config.station, self._config.terminal, "status")
        return Will(str(topic), codec.encode(self._status("lost", counted=False)))

    def _handle(self, event: Up | Subscribed | Carried | Arrived | Lost) -> None:
        match event:
            case Up():
                self._greet()
            case Subscribed():
                self._may_send_data = True
            case Carried():
                self._note_carried(event)
            case Arrived():
                self._obey(event)
            case Lost():
                self._lose(event.why)

    def _greet(self) -> None:
        """The link is up: the heartbeat first, then everything else."""
        _log.info("connected to %s:%d", self._broker.host, self._broker.port)
        self._is_up, self._told_failure = True, None
        self._beat(time.monotonic())
        self._publish_status("online")
        if self._link:
            self._link.subscribe("ack", "command", "config")
        self._finish_presence(self._presence.back(self._now()))
        self._pacer.connected(time.monotonic())
        self._next_look = 0.0

    def _lose(self, why: str) -> None:
        if why != self._told_failure:
            _log.warning("no connection to %s:%d: %s", self._broker.host, self._broker.port, why)
            self._told_failure = why
        if self._link:
            self._link.abandon()
        if not (self._link and self._link.was_tried):
            self._conn -= 1  # nobody has seen it
        if self._pending:
            self._budget.failed(self._pending[1])
        self._link, self._pending = None, None
        self._is_up = self._may_send_data = False
        now = time.monotonic()
        if not self._presence.is_down:
            self._presence.lost(self._now(), self._sampler.usable)
            self._next_presence = now + self._every
        self._connect_at = now + reconnect_delay(self._every, _draw())

    def _time_left(self, now: float) -> float:
        if not self._is_up:
            return 0.2
        due = min(self._next_heartbeat, now + TURN)
        if self._may_send_data and len(self._outbox) and self._is_carried(now):
            due = min(due, self._next_look)
        return max(0.0, due - now)

    def _send_due(self, now: float) -> None:
        if now >= self._next_heartbeat or self._sampler.usable != self._told_usable:
            self._beat(now)
        if self._may_send_data and now >= self._next_look and len(self._outbox) and self._is_carried(now):
            self._send_data(now)

    def _is_carried(self, now: float) -> bool:
        """One data message at a time: more would pile up before the heartbeats."""
        return self._pending is None or now > self._pending[2] + _PUBACK_PATIENCE

    def _note_carried(self, event: Carried) -> None:
        self._budget.carried(event.size, event.seconds)
        if self._pending and self._pending[0] == event.mid:
            self._pending, self._next_look = None, 0.0

    # What is sent

    def _publish(self, channel: str, message: msgspec.Struct, *, qos: int = 0, retain: bool = False) -> tuple[int, int]:
        payload = codec.encode(message)
        mid = self._link.publish(channel, payload, qos=qos, retain=retain) if self._link else 0
        return mid, len(payload)

    def _beat(self, now: float) -> None:
        self._told_usable = self._sampler.usable
        self._n += 1
        heartbeat = Heartbeat(
            v=1,
            boot=self._boot,
            run=self._run,
            conn=self._conn,
            n=self._n,
            at=_wall(),
            up=self._up(),
            every=self._every,
            usable=self._told_usable,
        )
        self._publish("heartbeat", heartbeat)
        self._next_heartbeat = now + self._every

    def _publish_status(self, state: TerminalStatus, reason: str | None = None) -> int:
        return self._publish("status", self._status(state, reason), qos=1, retain=True)[0]

    def _status(self, state: TerminalStatus, reason: str | None = None, *, counted: bool = True) -> Status:
        if counted:
            self._n += 1
        return Status(
            v=1,
            boot=self._boot,
            run=self._run,
            conn=self._conn,
            n=self._n if counted else None,
            state=state,
            at=_wall(),
            reason=reason,
        )

    def _send_data(self, now: float) -> None:
        rows = self._outbox.newest(WINDOW + MAX_RECORDS)
        chosen = self._pacer.choose(rows, now, room=self._budget.bytes(self._every))
        if not chosen:
            self._next_look = self._pacer.look_again(now)
            return
        bodies = self._outbox.read(chosen)
        kept = sorted(bodies)
        self._leave_out(chosen, bodies, now)
        if not kept:
            return
        mid, size = self._publish("data", self._data(kept, [bodies[row] for row in kept]), qos=1)
        self._pacer.sent(kept, now)
        self._pending = (mid, size, now)

    def _leave_out(self, chosen: list[Row], bodies: Collection[Row], now: float) -> None:
        """What is damaged is out of the way; what the disk does not give out is asked for again, ever more rarely."""
        spoilt = set(self._outbox.spoilt)
        self._outbox.spoilt.clear()
        self._pacer.flight.forget(spoilt)
        if self._outbox.hangs:
            self._next_look = now + TURN
            return
        self._pacer.flight.sent((row.key for row in chosen if row not in bodies and row.key not in spoilt), now)
        if not bodies and not spoilt:
            self._next_look = now + _READ_AGAIN

    def _data(self, rows: list[Row], bodies: list[bytes]) -> Data:
        records = [msgspec.Raw(body) for body in bodies]
        return Data(v=1, boot=self._boot, run=self._run, at=_wall(), up=self._up(), box=rows[0].box, records=records)

    def _say_goodbye(self) -> None:
        """Tell that the silence is meant; what the terminal lived through without a link waits for the next start."""
        self._finish_presence(self._presence.back(self._now()))
        if self._link and self._is_up:
            mid = self._publish_status("away", "shutdown")
            if not self._link.say_goodbye(mid, GOODBYE_SECONDS):
                _log.warning("the broker did not confirm the goodbye")

    # What arrives

    def _obey(self, event: Arrived) -> None:
        try:
            self._obey_decoded(event)
        except RefusedError as exc:
            _log.warning("a message on %s is ignored: %s", event.channel, exc)

    def _obey_decoded(self, event: Arrived) -> None:
        if event.channel == "ack":
            ack = codec.decode_ack(event.payload)
            self._forget(self._pacer.flight.named(ack.box, ack.ids))
        elif event.channel == "config":
            self._reconfigure(codec.decode_config(event.payload))
        elif event.channel == "command" and not event.retain:
            self._carry_out(codec.decode_command(event.payload))

    def _forget(self, keys: list[tuple[str, int]]) -> None:
        if keys:
            self._outbox.delete(keys)
            self._pacer.flight.forget(keys)
            self._next_look = 0.0

    def _reconfigure(self, config: Any) -> None:
        if not self._orders.accepts_config(config):
            return
        now = time.monotonic()
        if config.every is not None:
            self._every = self._sampler.every = config.every
            # What the last heartbeat promised still holds.
            self._next_heartbeat = min(self._next_heartbeat, now + self._every)
        if config.sample is not None:
            self._sampler.set_sample(config.sample)
        _log.info("settings revision %d: every %g s", config.rev, self._every)

    def _carry_out(self, command: Any) -> None:
        reply, work = self._orders.answer(command, _wall())
        if work == "report_now":
            self._sampler.measure_now()
            self._beat(time.monotonic())
        self._publish("reply", reply, qos=1)

    # What is recorded

    def _follow_files(self) -> None:
        self._outbox.mend()
        self._files.follow(outbox=self._outbox.is_on_disk)
        while self._files.troubles:
            self._name_trouble(*self._files.troubles.popleft())

    def _name_trouble(self, file: str, error: str) -> None:
        _log.error("%s: %s", file, error)
        self._event("file_trouble", {"file": file, "error": _plain(error)})

    def _watch_sampler(self) -> None:
        self._sampler.supervise()
        if self._sampler.hangs != self._told_hang:
            self._told_hang = self._sampler.hangs
            if self._told_hang:
                _log.error("measuring hangs: a disk or a service check does not answer")
                self._event("sampler_hangs", {"remedy": "a disk or a service check does not answer"})
        trouble = self._sampler.trouble
        if trouble is not None and trouble != self._told_reports:
            self._told_reports = trouble
            self._name_trouble("reports", trouble)

    def _keep_sample(self, sample: Sample) -> None:
        values = dict(sample.values)
        if sample.kind == "health" and self._link and self._link.rtt_ms is not None:
            values["rtt_ms"] = round(self._link.rtt_ms, 1)
        label: dict[str, Any] = {"kind": sample.kind, "id": self._next_id(), "at": sample.at}
        if sample.mono >= self._start:  # what others counted may be from before this start
            label["up"] = round(sample.mono - self._start, 3)
        try:
            record = msgspec.convert(label | values, Record)
        except msgspec.ValidationError as exc:
            _log.warning("a %s record does not keep the contract and is left out: %s", sample.kind, exc)
            return
        self._append(record)

    def _event(self, name: str, detail: object) -> None:
        self._append(Event(id=self._next_id(), at=_wall(), up=self._up(), name=name, detail=detail))

    def _append(self, record: Record, *, held: bool = False) -> None:
        victims = self._outbox.append(self._boot, record.id, codec.encode(record), held=held)
        self._pacer.flight.forget(victims)
        self._next_look = 0.0

    def _report_outbox(self, now: float) -> None:
        """Records that were dropped, a disk that refuses: events, so that somebody hears of it."""
        trouble = self._outbox.trouble
        if trouble != self._told_trouble:
            self._told_trouble = trouble
            if trouble:
                self._event("outbox_trouble", {"error": _plain(trouble)})
        while self._outbox.findings:
            self._event(*self._outbox.findings.popleft())
        if self._outbox.damaged and now >= self._next_damage_report:
            self._next_damage_report = now + _DAMAGE_REPORT_EVERY
            damaged = self._outbox.damaged
            self._outbox.damage_reported()
            self._event("outbox_damaged", {"records": damaged, "remedy": "they are set aside; check the disk"})
        dropped = self._outbox.dropped
        if dropped and self._is_up and now >= self._next_drop_report:
            self._next_drop_report = now + _DROP_REPORT_EVERY
            self._outbox.reported()
            self._event("outbox_dropped", {"records": dropped})

    def _follow_presence(self, now: float) -> None:
        """While the link is down: on disk from time to time, and anew when `usable` changes."""
        if not self._presence.is_down:
            return
        ended, current = self._presence.running(self._now(), self._sampler.usable)
        if ended:
            self._finish_presence(ended)
        if current and now >= self._next_presence:
            self._next_presence = now + self._every
            if current.seconds >= 1:
                self._write_presence(current, held=True)

    def _finish_presence(self, span: Span | None) -> None:
        if span:
            self._write_presence(span, held=False)
        self._presence_id = None

    def _write_presence(self, span: Span, *, held: bool) -> None:
        if self._presence_id is None:
            self._presence_id = self._next_id()
        self._append(span.record(self._presence_id), held=held)

    # Clocks and counters

    def _next_id(self) -> int:
        self._id += 1
        return self._id

    def _up(self) -> MonotonicSeconds:
        return MonotonicSeconds(round(time.monotonic() - self._start, 3))

    def _now(self) -> Moment:
        return Moment(_wall(), self._up())


def _plain(text: str) -> str:
    """What an event takes of an error's text."""
    return "".join(character if character.isprintable() else "?" for character in text[:200])


def _draw() -> float:
    """A number in [0, 1), without the memory that `random` takes."""
    return int.from_bytes(os.urandom(4)) / 2**32


def _wall() -> WallMs:
    """Milliseconds since the epoch by the device's clock, for the record only."""
    return WallMs(time.time_ns() // 1_000_000)
