"""Publishes the bridge's pulses and reads those that come back: its own, and those of bridges with the same name."""

import asyncio
import logging
import secrets
import time
from typing import Final

from broker.metrics import Counters
from broker.mqtt.link import MqttLink
from broker.ticks.namesakes import Namesakes, Start
from broker.ticks.pulse import Pulse
from contract.errors import RemedyError
from contract.topics import pulse_topic
from store.tasks import wait_at_most

log = logging.getLogger(__name__)

SILENT_PULSES: Final = 4
"""Pulses in a row after which nothing at all came: the connection is dead, whatever TCP reports."""


class SupersededError(RemedyError):
    """A newer bridge with the same name lives."""

    def __init__(self, bridge: str) -> None:
        super().__init__(
            f"another bridge with the name {bridge!r} was started later and lives, so this one stops: "
            "give each bridge a MILEPOST_BRIDGE of its own"
        )


class PulseLoop:
    """Keeps one pulse in flight through the MQTT broker while there is a connection.

    `topic` is where pulses go; `heard` is to be set at each message of any topic. `superseded` fails with
    SupersededError when a newer bridge of this name lives.
    """

    def __init__(self, bridge: str, counters: Counters) -> None:
        self._bridge = bridge
        self._counters = counters
        self._mark = Start(int(time.time() * 1000), secrets.token_hex(12))
        self._pulse = Pulse(str(self._mark))
        self._namesakes = Namesakes(self._mark)
        self._silent_pulses = 0
        self._wake = asyncio.Event()
        self.topic = pulse_topic(bridge)
        self.heard = False
        self.superseded: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.superseded.add_done_callback(lambda ended: ended.cancelled() or ended.exception())

    def came_back(self, payload: bytes, now: float) -> bool:
        """Take in a message on `topic`; whether it is the pulse in flight, so that a tick is to be written."""
        if self._pulse.returned(payload, now):
            self._wake.set()
            return True
        if (other := self._namesakes.note_pulse(payload, now)) is not None:
            self._meet(other)
        return False

    def connected(self) -> None:
        """There is a new connection: publish a pulse at once."""
        self._silent_pulses = 0
        self._pulse.unsent(time.monotonic())
        self._wake.set()

    def disconnected(self) -> None:
        """The connection is gone, and the pulse in flight with it."""
        self._pulse.unsent(time.monotonic())

    def _meet(self, other: Start) -> None:
        """Two bridges of one name: the judges would take their ticks for one bridge that starts again and again."""
        self._counters.namesakes += 1
        log.error(
            "two bridges have one name: the older stops; give each a MILEPOST_BRIDGE of its own",
            extra={"bridge": self._bridge, "this_began": self._mark.began, "other_began": other.began},
        )
        if other > self._mark and not self.superseded.done():
            self.superseded.set_exception(SupersededError(self._bridge))

    async def run(self, link: MqttLink) -> None:
        """Publish pulses until cancelled."""
        while True:
            self._wake.clear()
            if not link.connected:
                await self._wake.wait()
                continue
            now = time.monotonic()
            payload = self._pulse.next(now)
            if payload is not None:
                self._drop_dead_connection(link)
                if not link.publish(self.topic, payload, 0):
                    self._pulse.unsent(now + 0.1)
            await wait_at_most(self._wake, self._pulse.wait(time.monotonic()))

    def _drop_dead_connection(self, link: MqttLink) -> None:
        # Counted in pulses, not seconds: a process that was stopped for a while did not listen either.
        self._silent_pulses = 0 if self.heard or self._counters.paused else self._silent_pulses + 1
        self.heard = False
        if self._silent_pulses > SILENT_PULSES:
            self._silent_pulses = 0
            log.warning("nothing comes from the MQTT broker, not even our pulses: connecting again")
            link.drop()
