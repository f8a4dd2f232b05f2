"""The agent's connections to its broker, one after the other."""

import logging
import os
import ssl
import threading
from functools import partial
from typing import Final

import msgspec

from agents.clock import AgentClock
from agents.config import AgentConfig, broker_of, tls_context
from agents.mqtt.link import Event, Link, Will
from agents.own_messages import OwnMessages
from agents.pacing import keepalive, reconnect_delay
from agents.worker import HangsError, Worker
from contract import codec
from contract.errors import RemedyError
from contract.topics import START_BYTES, Topic, client_id

_log = logging.getLogger(__name__)

_CHANNELS: Final = ("ack", "command", "config")


class Uplink:
    """Makes a connection, publishes through it, and makes another when it is lost.

    `is_up`: the broker accepted the connection. `is_open`: there is a connection, perhaps still in the making.
    `connect_at` is the monotonic second of the next attempt.
    """

    def __init__(self, config: AgentConfig, messages: OwnMessages, clock: AgentClock, worker: Worker) -> None:
        self._config, self._messages = config, messages
        self._clock, self._worker = clock, worker
        self._broker = broker_of(config)
        self._tls = tls_context(config.ca) if self._broker.tls else None
        # Kept over reconnects, so that a new connection ends a half-open one that the broker still holds.
        self._client_id = client_id(config.name, os.urandom(START_BYTES))
        self._link: Link | None = None
        self._logged_failure: str | None = None
        self.connect_at: float = clock.start
        self.is_up = False

    @property
    def is_open(self) -> bool:
        """Whether there is a connection, up or in the making."""
        return self._link is not None

    @property
    def rtt_ms(self) -> float | None:
        """The latency of the link, when it is known."""
        return self._link.rtt_ms if self._link else None

    def connect(self, every: float) -> None:
        """Begin to connect; `every`: seconds between two heartbeats. Raises OSError, ValueError or RuntimeError."""
        self._messages.begin_connection()
        topic = Topic(self._config.station, self._config.terminal, "status")
        self._link = Link(
            broker=self._broker,
            tls=self._current_tls(),
            topic=topic,
            client_id=self._client_id,
            keepalive=keepalive(every),
            will=Will(str(topic), codec.encode(self._messages.last_will(self._clock.now()))),
        )
        self._link.open()

    def _current_tls(self) -> ssl.SSLContext | None:
        """The certificates as they are now, or as they were when they could be read."""
        if self._tls is not None:
            try:
                self._tls = self._worker.do(partial(tls_context, self._config.ca))
            except (HangsError, RemedyError) as exc:
                _log.warning("the CA certificate is used as it was read before: %s", exc)
        return self._tls

    def step(self, timeout: float, stop: threading.Event) -> list[Event]:
        """Let the connection work for at most `timeout` seconds; what happened to it."""
        return self._link.step(timeout, stop) if self._link else []

    def take_heard(self) -> bool:
        """Whether anything came from the broker since the last call, on a connection that is up."""
        if self._link and self._link.heard and self.is_up:
            self._link.heard = False
            return True
        return False

    def note_up(self) -> None:
        """The broker accepted the connection."""
        _log.info("connected to %s:%d", self._broker.host, self._broker.port)
        self.is_up, self._logged_failure = True, None

    def subscribe(self) -> None:
        """Ask the broker for what it has for this terminal."""
        if self._link:
            self._link.subscribe(*_CHANNELS)

    def publish(self, channel: str, message: msgspec.Struct, *, qos: int = 0, retain: bool = False) -> tuple[int, int]:
        """Publish a message; its MQTT message id and its size in bytes."""
        payload = codec.encode(message)
        mid = self._link.publish(channel, payload, qos=qos, retain=retain) if self._link else 0
        return mid, len(payload)

    def say_goodbye(self, mid: int, seconds: float) -> None:
        """Wait until the broker confirmed message `mid`, then disconnect."""
        if self._link and not self._link.say_goodbye(mid, seconds):
            _log.warning("the broker did not confirm the goodbye")

    def lose(self, why: str) -> None:
        """The connection is over, or could not be begun."""
        if why != self._logged_failure:
            _log.warning("no connection to %s:%d: %s", self._broker.host, self._broker.port, why)
            self._logged_failure = why
        self.abandon()
        if not (self._link and self._link.was_tried):
            self._messages.undo_connection()
        self._link, self.is_up = None, False

    def connect_later(self, now: float, every: float) -> None:
        """Make the next attempt after a full-jitter time."""
        self.connect_at = now + reconnect_delay(every, _draw())

    def abandon(self) -> None:
        """Drop the connection without a goodbye."""
        if self._link:
            self._link.abandon()


def _draw() -> float:
    """A number in [0, 1), without the memory that `random` takes."""
    return int.from_bytes(os.urandom(4)) / 2**32
