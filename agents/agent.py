"""The agent of one terminal: a blocking loop around the link, the outbox and the sampler.

`run` does all of MQTT and pacing in the calling thread, about one turn a second. Work that may hang has threads of its
own: measuring, connecting, and all work with files. A turn waits a short time for files and then goes on without them.
All waiting is timed by the monotonic clock; the wall clock is only written into messages.
"""

import logging
import os
import threading
import time
from typing import Final

from agents.clock import AgentClock, wall_ms
from agents.commands import CommandPolicy
from agents.config import AgentConfig, check
from agents.files import Files
from agents.mqtt.link import Arrived, Carried, Event, Lost, Subscribed, Up
from agents.mqtt.uplink import Uplink
from agents.outbox.queue import Outbox
from agents.outbox_sender import OutboxSender
from agents.own_messages import OwnMessages
from agents.pacing import Flight, Pacer
from agents.recorder import PresenceRecorder, Recorder
from agents.sampler import Sampler
from agents.trouble_watch import TroubleWatch
from agents.worker import Worker
from contract import codec
from contract.messages import Command, Config, TerminalStatus
from contract.refusal import RefusedError

__all__ = ["AgentConfig", "run"]

_log = logging.getLogger(__name__)

TURN: Final = 1.0
"""Seconds a turn of the loop lasts at most: how soon a new record or a stop is noticed."""
GOODBYE_SECONDS: Final = 2.0
PATIENCE: Final = 0.5
"""Seconds that each half of a turn waits for the disk at most; a heartbeat is late by at most twice this."""
START_PATIENCE: Final = 5.0
"""Seconds to wait for the disk at the start: the first heartbeat needs the run number, which is in a file."""
_FIRST_CHECK_SECONDS: Final = 2.0


def run(config: AgentConfig, stop: threading.Event) -> None:
    """Be the agent of `config.station`/`config.terminal` until `stop` is set.

    Announces `away` (reason shutdown) at the end. The agent works without its files too: if the disk fails or is too
    slow, records stay in memory and the trouble is reported. Raises `RemedyError` for settings that
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
        self._clock = AgentClock()
        boot = os.urandom(4).hex()
        self._every = config.every
        self._messages = OwnMessages(boot, files.run)
        self._uplink = Uplink(config, self._messages, self._clock, worker)
        self._sampler = Sampler(config)
        self._commands = CommandPolicy(accept_unsigned=config.accept_unsigned)
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
        self._may_send_data = False
        self._sent_usable: bool | None = None
        self._next_heartbeat = 0.0

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
        self._uplink.abandon()
        self._outbox.close()

    def _turn(self, now: float) -> None:
        self._worker.be_patient(PATIENCE)
        self._record(now)
        if not self._uplink.is_open:
            self._wait_or_connect(now)
            return
        if self._uplink.is_up:
            self._send_due(now)
        events = self._uplink.step(self._time_left(time.monotonic()), self._stop)
        self._worker.be_patient(PATIENCE)
        for event in events:
            self._handle(event)
        if self._uplink.take_heard():
            self._presence.link_heard()

    def _record(self, now: float) -> None:
        """Write into the outbox what was measured and what happened since the last turn."""
        self._troubles.check_files()
        self._troubles.check_sampler()
        while self._sampler.taken:
            self._recorder.append_sample(self._sampler.taken.popleft(), self._uplink.rtt_ms)
        self._troubles.check_outbox(now, is_up=self._uplink.is_up)
        self._presence.update(now, self._sampler.usable, every=self._every)

    # The link

    def _wait_or_connect(self, now: float) -> None:
        if now < self._uplink.connect_at:
            self._stop.wait(min(TURN, self._uplink.connect_at - now))
            return
        try:
            self._uplink.connect(self._every)
        except (OSError, ValueError, RuntimeError) as exc:  # RuntimeError: no room for another thread
            self._lose(str(exc))

    def _handle(self, event: Event) -> None:
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
        self._uplink.note_up()
        self._beat(time.monotonic())
        self._publish_status("online")
        self._uplink.subscribe()
        self._presence.link_back()
        self._sender.connected(time.monotonic())

    def _lose(self, why: str) -> None:
        self._uplink.lose(why)
        self._sender.connection_lost()
        self._may_send_data = False
        now = time.monotonic()
        self._presence.link_lost(now, self._sampler.usable, every=self._every)
        self._uplink.connect_later(now, self._every)

    def _time_left(self, now: float) -> float:
        if not self._uplink.is_up:
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

    def _beat(self, now: float) -> None:
        self._sent_usable = self._sampler.usable
        heartbeat = self._messages.heartbeat(self._clock.now(), every=self._every, usable=self._sent_usable)
        self._uplink.publish("heartbeat", heartbeat)
        self._next_heartbeat = now + self._every

    def _publish_status(self, state: TerminalStatus, reason: str | None = None) -> int:
        return self._uplink.publish(
            "status", self._messages.status(self._clock.now(), state, reason), qos=1, retain=True
        )[0]

    def _send_data(self, now: float) -> None:
        records = self._sender.choose(now, every=self._every)
        if records:
            rows = list(records)
            data = self._messages.data(self._clock.now(), rows[0].box, records.values())
            mid, size = self._uplink.publish("data", data, qos=1)
            self._sender.sent(rows, mid, size, now)

    def _say_goodbye(self) -> None:
        """Publish `away`, so that the missing heartbeats are no fault. An outage of the uplink that lasts until now is
        stored first; the next start sends its record."""
        self._presence.link_back()
        if self._uplink.is_up:
            self._uplink.say_goodbye(self._publish_status("away", "shutdown"), GOODBYE_SECONDS)

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
        if not self._commands.accepts_config(config):
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
        reply, work = self._commands.answer(command, wall_ms())
        if work == "report_now":
            self._sampler.measure_now()
            self._beat(time.monotonic())
        self._uplink.publish("reply", reply, qos=1)
