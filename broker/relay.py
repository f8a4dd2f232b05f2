"""Moves each MQTT message to Kafka, and acknowledges the message to its terminal when Kafka has stored it."""

import logging
import secrets
import time
from collections.abc import Sequence

from broker.ack_queue import AckQueue
from broker.acks import PendingReceipt
from broker.back_pressure import BackPressure
from broker.clearing import RetainedClearing
from broker.config import BridgeConfig
from broker.metrics import Counters
from broker.mqtt.address import MqttAddress
from broker.mqtt.link import MqttLink
from broker.outbox import KafkaOutbox, Producer
from broker.retained import LARGE, Retained
from broker.ticks.census import Census
from broker.ticks.pulse import Ticker
from broker.ticks.pulse_loop import PulseLoop
from broker.ticks.source import TickSource
from broker.translate import MAX_TOPIC, Translation, Translator, dead_letter
from contract.clocks import MonotonicMs, WallMs
from contract.codec import encode
from contract.log import DEADLETTER, LIVE
from contract.topics import ROOT

log = logging.getLogger(__name__)


class Relay:
    """Takes messages from the MQTT link, puts them into the outbox to Kafka, and publishes acks.

    Only a restart of the bridge helps when `outbox.fatal` fails (Kafka refuses its producer) or `pulses.superseded`
    fails (a newer bridge of this name lives).
    """

    def __init__(self, config: BridgeConfig, producer: Producer, partitions: int, counters: Counters) -> None:
        self._config = config
        self._counters = counters
        self._partitions = partitions
        self._started = time.monotonic()
        start = secrets.token_hex(4)
        census = Census(config.losses)
        self._ticks = TickSource(Ticker(shard=config.shard, bridge=config.bridge, start=start), census)
        self._translator = Translator(
            shard=config.shard,
            start=start,
            partitions=partitions,
            census=census,
            terminals=config.terminals,
        )
        self._pressure = BackPressure(config.max_bytes, config.max_messages)
        self._acks = AckQueue()
        self._retained = Retained()
        self.clearing = RetainedClearing(config, counters, self._retained)
        self.pulses = PulseLoop(config.bridge, counters)
        self.outbox = KafkaOutbox(
            producer,
            counters,
            on_safe=self._acknowledge,
            on_failed=lambda _: self._ticks.spoil(),
            on_drained=self._resume_if_possible,
            idempotent=config.idempotent,
            linger=config.linger,
        )
        self.link: MqttLink | None = None

    def open_link(self) -> MqttLink:
        """The connection that feeds the relay; not running yet."""
        config = self._config
        self.link = MqttLink(
            MqttAddress.parse(config.mqtt_url),
            password=config.mqtt_password,
            name=f"milepost-{config.bridge}",
            # The bridge's own acks shall not come back, its pulses shall.
            subscriptions=[(f"{ROOT}/#", 1, True), (self.pulses.topic, 0, False)],
            on_message=self.take,
            on_up=self._up,
            on_down=self._down,
            on_room=self._publish_acks,
            on_taken_over=self._taken_over,
            ca_file=config.mqtt_ca_file,
        )
        return self.link

    # --- messages

    def take(self, topic: str, payload: bytes, retain: bool) -> None:
        """Take one message from MQTT: translate it and put it into the outbox. When too much waits for Kafka, pause the
        reading of the socket."""
        now = time.monotonic()
        self.pulses.heard = True
        if topic == self.pulses.topic:
            if self.pulses.came_back(payload, now):
                self._write_tick(now)
            return
        if not payload and self._retained.is_echo(topic, payload):
            return
        counters = self._counters
        counters.received += 1
        counters.received_bytes += len(payload)
        received = WallMs(int(time.time() * 1000))
        mono = MonotonicMs(int((now - self._started) * 1000))
        outcome = self._translate(topic, payload, retain, received, mono)
        entry = outcome.entry
        if entry is not None and outcome.letter is None and outcome.receipt is None:  # nearly all of them
            self.outbox.append(entry.topic, entry.partition, entry.key, entry.value, received)
        else:
            self._add(outcome, received)
        if retain or entry is None or len(payload) > LARGE:
            letter = outcome.letter if entry is None else None
            self._retained.note_message(topic, len(payload), retain=retain, refused=letter.reason if letter else None)
        if self._pressure.must_pause(counters.waiting_bytes, counters.waiting_messages) and not counters.paused:
            self._pause()

    def _translate(self, topic: str, payload: bytes, retain: bool, received: WallMs, mono: MonotonicMs) -> Translation:
        try:
            return self._translator.translate(topic, payload, retain=retain, received=received, mono=mono)
        except Exception:
            # A fault of the bridge, which goes on: otherwise a terminal that repeats the message would stop all others.
            log.exception("a message could not be judged", extra={"topic": topic[:MAX_TOPIC], "size": len(payload)})
            self._ticks.spoil()
            detail = "the bridge failed on it: look into its log and report the fault"
            letter = dead_letter(topic, payload, "bridge_fault", detail, shard=self._config.shard, at=received)
            return Translation(letter=letter)

    def _add(self, outcome: Translation, received: WallMs) -> None:
        entry, letter = outcome.entry, outcome.letter
        batches = (entry is not None) + (letter is not None)
        receipt = PendingReceipt(outcome.receipt, batches) if outcome.receipt and batches else None
        if entry is not None:
            self.outbox.append(entry.topic, entry.partition, entry.key, entry.value, received, receipt)
        if letter is not None:
            self._counters.count_refused(letter.reason)
            log.debug("refused", extra={"topic": letter.topic, "reason": letter.reason, "size": letter.size})
            self.outbox.append(DEADLETTER, 0, None, encode(letter), received, receipt)

    def _write_tick(self, now: float) -> None:
        at = WallMs(int(time.time() * 1000))
        tick = self._ticks.next(at, MonotonicMs(int((now - self._started) * 1000)))
        value = encode(tick)
        for partition in range(self._partitions):
            self.outbox.append(LIVE, partition, None, value, at)
        counters = self._counters
        counters.ticks += 1
        counters.ticks_spoilt += not tick.whole
        counters.loss_windows, counters.misnumbering = self._ticks.loss_windows, self._ticks.misnumbering

    # --- back-pressure

    def _pause(self) -> None:
        self._counters.paused = 1
        self._counters.pauses += 1
        log.warning("Kafka is behind: MQTT is not read", extra={"waiting_bytes": self._counters.waiting_bytes})
        if self.link is not None:
            self.link.pause()

    def _resume_if_possible(self) -> None:
        counters = self._counters
        if counters.paused and self._pressure.may_resume(counters.waiting_bytes, counters.waiting_messages):
            counters.paused = 0
            log.info("Kafka caught up: MQTT is read again")
            if self.link is not None:
                self.link.resume()

    # --- acknowledgements

    def _acknowledge(self, receipts: Sequence[PendingReceipt]) -> None:
        self._counters.acks_dropped += self._acks.add(receipts)
        self._publish_acks()

    def _publish_acks(self) -> None:
        if self.link is not None:
            self._counters.acks += self._acks.publish(self.link.publish)

    # --- the connection

    def _up(self) -> None:
        self._counters.connected = 1
        self._counters.connects += 1
        self._ticks.connected()
        self.pulses.connected()
        self._publish_acks()

    def _down(self) -> None:
        self._counters.connected = 0
        self._ticks.spoil()
        self.pulses.disconnected()

    def _taken_over(self) -> None:
        self._counters.taken_over += 1
