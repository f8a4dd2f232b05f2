"""The agent of one terminal: a blocking loop around the link, the outbox and the sampler.

`run` does all of MQTT and pacing in the calling thread, about one turn a second. Work that may hang has threads of its
own: measuring, connecting, and all work with files. A turn waits a short time for files and then goes on without them.
All waiting is timed by the monotonic clock; the wall clock is only written into messages.
"""

import logging
import os
import ssl
import threading
import time
from functools import partial
from typing import Final

import msgspec

from agents.clock import AgentClock, wall_ms
from agents.commands import Orders
from agents.config import AgentConfig, broker_of, check, tls_context
from agents.files import Files
from agents.link import Arrived, Carried, Link, Lost, Subscribed, Up, Will
from agents.outbox.queue import Outbox
from agents.outbox_sender import OutboxSender
from agents.own_messages import OwnMessages
from agents.pacing import Flight, Pacer, keepalive, reconnect_delay
from agents.recorder import PresenceRecorder, Recorder
from agents.sampler import Sampler
from agents.trouble_watch import TroubleWatch
from agents.worker import HangsError, Worker
from contract import codec
from contract.errors import RemedyError
from contract.messages import Command, Config, TerminalStatus
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
_FIRST_CHECK_SECONDS: Final = 2.0


def run(config: AgentConfig, stop: threading.Event) -> None:
    """Be the agent of `config.station`/`config.terminal` until `stop` is set.

    Announces `away` (reason shutdown) at the end. The agent needs none of its files: records that a disk refuses, or
    does not write in time, are kept in memory, and the trouble is reported. Raises `RemedyError` for settings that
    cannot work and when another agent of this terminal runs on the same data directory.
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
    """One run of the agent: connects, sends heartbeats and records, and obeys what arrives."""

    def __init__(self, config: AgentConfig, stop: threading.Event, files: Files, worker: Worker) -> None:
        self._config, self._stop, self._worker = config, stop, worker
        self._broker = broker_of(config)
        self._tls = tls_context(config.ca) if self._broker.tls else None
        self._clock = AgentClock()
        boot = os.urandom(4).hex()
        # Kept over reconnects, so that a new connection ends a half-open one that the broker still holds.
        self._client_id = client_id(config.name, os.urandom(START_BYTES))
        self._every = config.every
        self._messages = OwnMessages(boot, files.run)
        self._sampler = Sampler(config)
        self._orders = Orders(accept_unsigned=config.accept_unsigned)
        self._outbox = Outbox(
            config.data / f"{config.name}.outbox",
            rows=config.outbox_rows,
            size=config.outbox_bytes,
            expected=files.had_outbox,
            worker=worker,
        )
        flight = Flight(after=config.resend_after, at_most=config.resend_at_most)
        self._sender = OutboxSender(self._outbox, Pacer(flight, rate=config.backlog_rate))
        self._recorder = Recorder(boot, self._clock, self._outbox, self._sender)
        self._presence = PresenceRecorder(self._clock, self._recorder, config.usable)
        self._troubles = TroubleWatch(self._recorder, files, self._outbox, self._sampler)
        self._link: Link | None = None
        self._is_up = self._may_send_data = False
        self._sent_usable: bool | None = None
        self._logged_failure: str | None = None
        self._next_heartbeat = 0.0
        self._connect_at: float = self._clock.start

    def live(self) -> None:
        """Run until stopped, then announce the end."""
        _log.info("agent %s, run %d, boot %s", self._config.name, self._messages.run, self._messages.boot)
        self._sampler.supervise()
        self._sampler.checked.wait(_FIRST_CHECK_SECONDS)
        while not self._stop.is_set():
            self._turn(time.monotonic())
        self._worker.be_patient(GOODBYE_SECONDS)
        self._say_goodbye()

    def close(self) -> None:
        """End the sampler and the connection, and close the outbox."""
        self._worker.be_patient(GOODBYE_SECONDS)
        self._sampler.stop()
        if self._link:
            self._link.abandon()
        self._outbox.close()

    def _turn(self, now: float) -> None:
        self._worker.be_patient(PATIENCE)
        self._record(now)
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
            self._presence.link_heard()

    def _record(self, now: float) -> None:
        """Write into the outbox what was measured and what happened since the last turn."""
        self._troubles.check_files()
        self._troubles.check_sampler()
        while self._sampler.taken:
            self._recorder.append_sample(self._sampler.taken.popleft(), self._link.rtt_ms if self._link else None)
        self._troubles.check_outbox(now, is_up=self._is_up)
        self._presence.update(now, self._sampler.usable, every=self._every)

    # The link

    def _wait_or_connect(self, now: float) -> None:
        if now < self._connect_at:
            self._stop.wait(min(TURN, self._connect_at - now))
            return
        self._messages.begin_connection()
        try:
            self._link = Link(
                broker=self._broker,
                tls=self._current_tls(),
                topic=self._status_topic,
                client_id=self._client_id,
                keepalive=keepalive(self._every),
                will=Will(str(self._status_topic), codec.encode(self._messages.last_will(self._clock.now()))),
            )
            self._link.open()
        except (OSError, ValueError, RuntimeError) as exc:  # RuntimeError: no room for another thread
            self._lose(str(exc))

    @property
    def _status_topic(self) -> Topic:
        return Topic(self._config.station, self._config.terminal, "status")

    def _current_tls(self) -> ssl.SSLContext | None:
        """The certificates as they are now, or as they were when they could be read."""
        if self._tls is not None:
            try:
                self._tls = self._worker.do(partial(tls_context, self._config.ca))
            except (HangsError, RemedyError) as exc:
                _log.warning("the CA certificate is used as it was read before: %s", exc)
        return self._tls

    def _handle(self, event: Up | Subscribed | Carried | Arrived | Lost) -> None:
        match event:
            case Up():
                self._greet()
            case Subscribed():
                self._may_send_data = True
            case Carried():
                self._sender.carried(event.mid, event.size, event.seconds)
            case Arrived():
                self._obey(event)
            case Lost():
                self._lose(event.why)

    def _greet(self) -> None:
        """The link is up: the heartbeat first, then everything else."""
        _log.info("connected to %s:%d", self._broker.host, self._broker.port)
        self._is_up, self._logged_failure = True, None
        self._beat(time.monotonic())
        self._publish_status("online")
        if self._link:
            self._link.subscribe("ack", "command", "config")
        self._presence.link_back()
        self._sender.connected(time.monotonic())

    def _lose(self, why: str) -> None:
        if why != self._logged_failure:
            _log.warning("no connection to %s:%d: %s", self._broker.host, self._broker.port, why)
            self._logged_failure = why
        if self._link:
            self._link.abandon()
        if not (self._link and self._link.was_tried):
            self._messages.undo_connection()
        self._sender.connection_lost()
        self._link = None
        self._is_up = self._may_send_data = False
        now = time.monotonic()
        self._presence.link_lost(now, self._sampler.usable, every=self._every)
        self._connect_at = now + reconnect_delay(self._every, _draw())

    def _time_left(self, now: float) -> float:
        if not self._is_up:
            return 0.2
        due = min(self._next_heartbeat, now + TURN)
        look = self._sender.next_look(now) if self._may_send_data else None
        return max(0.0, (due if look is None else min(due, look)) - now)

    # What is sent

    def _send_due(self, now: float) -> None:
        if now >= self._next_heartbeat or self._sampler.usable != self._sent_usable:
            self._beat(now)
        look = self._sender.next_look(now) if self._may_send_data else None
        if look is not None and now >= look:
            self._send_data(now)

    def _publish(self, channel: str, message: msgspec.Struct, *, qos: int = 0, retain: bool = False) -> tuple[int, int]:
        """Publish; the MQTT message id and the size in bytes."""
        payload = codec.encode(message)
        mid = self._link.publish(channel, payload, qos=qos, retain=retain) if self._link else 0
        return mid, len(payload)

    def _beat(self, now: float) -> None:
        self._sent_usable = self._sampler.usable
        self._publish(
            "heartbeat", self._messages.heartbeat(self._clock.now(), every=self._every, usable=self._sent_usable)
        )
        self._next_heartbeat = now + self._every

    def _publish_status(self, state: TerminalStatus, reason: str | None = None) -> int:
        return self._publish("status", self._messages.status(self._clock.now(), state, reason), qos=1, retain=True)[0]

    def _send_data(self, now: float) -> None:
        records = self._sender.choose(now, every=self._every)
        if records:
            rows = list(records)
            data = self._messages.data(self._clock.now(), rows[0].box, records.values())
            mid, size = self._publish("data", data, qos=1)
            self._sender.sent(rows, mid, size, now)

    def _say_goodbye(self) -> None:
        """Announce that the silence is intended; the outage that lasts until now waits for the next start."""
        self._presence.link_back()
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
            self._sender.acknowledge(codec.decode_ack(event.payload))
        elif event.channel == "config":
            self._reconfigure(codec.decode_config(event.payload))
        elif event.channel == "command" and not event.retain:
            self._carry_out(codec.decode_command(event.payload))

    def _reconfigure(self, config: Config) -> None:
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

    def _carry_out(self, command: Command) -> None:
        reply, work = self._orders.answer(command, wall_ms())
        if work == "report_now":
            self._sampler.measure_now()
            self._beat(time.monotonic())
        self._publish("reply", reply, qos=1)


def _draw() -> float:
    """A number in [0, 1), without the memory that `random` takes."""
    return int.from_bytes(os.urandom(4)) / 2**32
