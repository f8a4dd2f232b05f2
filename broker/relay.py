"""Between the two brokers: what happens to a message, when ticks are written, reading pauses, and acks go out."""

import asyncio
import logging
import secrets
import time
from collections import deque
from collections.abc import Sequence
from typing import Final

from broker.acks import PendingReceipt, merge
from broker.census import MOST_NAMED, Census
from broker.config import BridgeConfig
from broker.look import look_retained
from broker.metrics import Counters
from broker.mqtt_link import Address, MqttLink
from broker.namesakes import Namesakes, Start
from broker.outbox import Outbox, Producer
from broker.pulse import Pulse, Ticker
from broker.retained import LARGE, Retained
from broker.translate import MAX_TOPIC, Outcome, Receipt, Translator, dead_letter
from contract.codec import encode
from contract.errors import RemedyError
from contract.log import DEADLETTER, LIVE
from contract.topics import ROOT, pulse_topic

log = logging.getLogger(__name__)

SILENT_PULSES: Final = 4
"""Pulses in a row after which nothing at all came: the connection is dead, whatever TCP thinks."""
_MAX_ACKS: Final = 100_000


class SupersededError(RemedyError):
    """A newer bridge with the same name lives."""

    def __init__(self, bridge: str) -> None:
        super().__init__(
            f"another bridge with the name {bridge!r} was started later and lives, so this one stops: "
            "give each bridge a MILEPOST_BRIDGE of its own"
        )


class Carrier:
    """What happens to a message between the two brokers; knows no connection, only what it hands on to."""

    def __init__(self, config: BridgeConfig, producer: Producer, partitions: int, counters: Counters) -> None:
        self._config = config
        self._counters = counters
        self._partitions = partitions
        self._start = secrets.token_hex(4)
        self._started = time.monotonic()
        self._heard = False
        self._silent_pulses = 0
        self._census = Census(config.losses)
        # Those that number wrongly, as the log says.
        self._named: set[str] = set()
        self._translator = Translator(
            shard=config.shard,
            start=self._start,
            partitions=partitions,
            census=self._census,
            terminals=config.terminals,
        )
        self._ticker = Ticker(shard=config.shard, bridge=config.bridge, start=self._start)
        self._mark = Start(int(time.time() * 1000), secrets.token_hex(12))
        self._pulse = Pulse(str(self._mark))
        self._namesakes = Namesakes(self._mark)
        self._pulse_topic = pulse_topic(config.bridge)
        self._waiting_acks: deque[tuple[str, bytes]] = deque()
        self._retained = Retained()
        self._wake = asyncio.Event()
        self.outbox = Outbox(
            producer,
            counters,
            on_safe=self._safe,
            on_failed=lambda _: self._ticker.spoil(),
            on_drained=self._drained,
            idempotent=config.idempotent,
            linger=config.linger,
        )
        self.link: MqttLink | None = None
        self.superseded: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Fails with SupersededError when a newer bridge of this name lives."""
        self.superseded.add_done_callback(lambda ended: ended.cancelled() or ended.exception())

    def open_link(self) -> MqttLink:
        """The connection that feeds it; not running yet."""
        config = self._config
        self.link = MqttLink(
            Address.parse(config.mqtt_url),
            password=config.mqtt_password,
            name=f"milepost-{config.bridge}",
            # Its own acks shall not come back, its pulses shall.
            subscriptions=[(f"{ROOT}/#", 1, True), (self._pulse_topic, 0, False)],
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
        """One message from MQTT: into the outbox, within a budget at whose end the socket is not read."""
        now = time.monotonic()
        self._heard = True
        if topic == self._pulse_topic:
            if self._pulse.returned(payload, now):
                self._write_tick(now)
            elif (other := self._namesakes.heard(payload, now)) is not None:
                self._meet(other)
            return
        if not payload and self._retained.is_echo(topic, payload):
            return
        counters = self._counters
        counters.received += 1
        counters.received_bytes += len(payload)
        received = int(time.time() * 1000)
        mono = int((now - self._started) * 1000)
        outcome = self._translate(topic, payload, retain, received, mono)
        entry = outcome.entry
        if entry is not None and outcome.letter is None and outcome.receipt is None:
            self.outbox.add(entry.topic, entry.partition, entry.key, entry.value, received)
        else:
            self._add(outcome, received)
        if retain or entry is None or len(payload) > LARGE:
            letter = outcome.letter if entry is None else None
            self._retained.note(topic, len(payload), retain=retain, refused=letter.reason if letter else None)
        if (
            counters.waiting_bytes > self._config.max_bytes or counters.waiting_messages > self._config.max_messages
        ) and not counters.paused:
            self._pause()

    def _translate(self, topic: str, payload: bytes, retain: bool, received: int, mono: int) -> Outcome:
        try:
            return self._translator.translate(topic, payload, retain=retain, received=received, mono=mono)
        except Exception:
            # A fault of ours. Whoever sends it again shall not stop everybody's messages with it.
            log.exception("a message could not be judged", extra={"topic": topic[:MAX_TOPIC], "size": len(payload)})
            self._ticker.spoil()
            detail = "the bridge failed on it: look into its log and report the fault"
            letter = dead_letter(topic, payload, "bridge_fault", detail, shard=self._config.shard, at=received)
            return Outcome(letter=letter)

    def _add(self, outcome: Outcome, received: int) -> None:
        entry, letter = outcome.entry, outcome.letter
        batches = (entry is not None) + (letter is not None)
        receipt = PendingReceipt(outcome.receipt, batches) if outcome.receipt and batches else None
        if entry is not None:
            self.outbox.add(entry.topic, entry.partition, entry.key, entry.value, received, receipt)
        if letter is not None:
            self._counters.refused(letter.reason)
            log.debug("refused", extra={"topic": letter.topic, "reason": letter.reason, "size": letter.size})
            self.outbox.add(DEADLETTER, 0, None, encode(letter), received, receipt)

    def _write_tick(self, now: float) -> None:
        at = int(time.time() * 1000)
        mono = int((now - self._started) * 1000)
        counts = self._census.count(mono, whole=self._ticker.whole)
        if counts.named is not None:
            self._note_losses()
        tick = self._ticker.tick(at=at, mono=mono, counts=counts)
        value = encode(tick)
        for partition in range(self._partitions):
            self.outbox.add(LIVE, partition, None, value, at)
        self._counters.ticks += 1
        self._counters.ticks_spoilt += not tick.whole
        self._wake.set()

    def _note_losses(self) -> None:
        """Say of each station that numbers wrongly that it does, and when it no longer does."""
        census, counters = self._census, self._counters
        counters.loss_windows, counters.misnumbering = census.windows_lost, len(census.named)
        for text, stations in (
            ("stations number wrongly: what they miss is not counted", census.named.keys() - self._named),
            ("stations number as they should again", self._named - census.named.keys()),
        ):
            if stations:
                log.warning(text, extra={"number": len(stations), "stations": sorted(stations)[:MOST_NAMED]})
        self._named = set(census.named)

    # --- backpressure

    def _pause(self) -> None:
        self._counters.paused = 1
        self._counters.pauses += 1
        log.warning("Kafka is behind: MQTT is not read", extra={"waiting_bytes": self._counters.waiting_bytes})
        if self.link is not None:
            self.link.pause()

    def _drained(self) -> None:
        counters = self._counters
        if not counters.paused:
            return
        if (
            counters.waiting_bytes * 2 < self._config.max_bytes
            and counters.waiting_messages * 2 < self._config.max_messages
        ):
            counters.paused = 0
            log.info("Kafka caught up: MQTT is read again")
            if self.link is not None:
                self.link.resume()

    # --- acknowledgements

    def _safe(self, receipts: Sequence[PendingReceipt]) -> None:
        complete: list[Receipt] = [pending.receipt for pending in receipts if pending.safe()]
        room = _MAX_ACKS - len(self._waiting_acks)
        acks = list(merge(complete))
        self._counters.acks_dropped += max(0, len(acks) - room)
        self._waiting_acks.extend(acks[:room])
        self._publish_acks()

    def _publish_acks(self) -> None:
        link = self.link
        if link is None:
            return
        while self._waiting_acks and link.publish(*self._waiting_acks[0], 1):
            self._waiting_acks.popleft()
            self._counters.acks += 1

    # --- what the broker keeps

    async def run_clearing(self) -> None:
        """Look now and then for retained messages that are not to be kept, and clear them; until cancelled."""
        while True:
            await asyncio.sleep(self._config.clear_every)
            filters = self._retained.take()
            if filters and self.link is not None and self.link.connected:
                await self._clear(self.link, filters)

    async def _clear(self, link: MqttLink, filters: frozenset[str]) -> None:
        try:
            found = await look_retained(self._config, filters)
        except (RemedyError, OSError, TimeoutError) as exc:
            log.warning("what the MQTT broker keeps could not be looked at", extra={"error": repr(exc)})
            return
        for topic, size in found:
            if self._retained.clears(topic, size) and link.publish(topic, b"", 0, retain=True):
                self._counters.cleared += 1

    # --- the connection and its pulse

    def _up(self) -> None:
        self._counters.connected = 1
        self._counters.connects += 1
        self._ticker.spoil()
        self._census.excuse()
        self._silent_pulses = 0
        self._pulse.unsent(time.monotonic())
        self._publish_acks()
        self._wake.set()

    def _down(self) -> None:
        self._counters.connected = 0
        self._ticker.spoil()
        self._pulse.unsent(time.monotonic())

    def _taken_over(self) -> None:
        self._counters.taken_over += 1

    def _meet(self, other: Start) -> None:
        """Two bridges of one name: their ticks would pass for one bridge that starts again and again."""
        self._counters.namesakes += 1
        log.error(
            "two bridges have one name: the older stops; give each a MILEPOST_BRIDGE of its own",
            extra={"bridge": self._config.bridge, "this_began": self._mark.began, "other_began": other.began},
        )
        if other > self._mark and not self.superseded.done():
            self.superseded.set_exception(SupersededError(self._config.bridge))

    async def run_pulse(self) -> None:
        """Publish pulses until cancelled."""
        while True:
            self._wake.clear()
            link = self.link
            if link is None or not link.connected:
                await self._wake.wait()
                continue
            now = time.monotonic()
            payload = self._pulse.next(now)
            if payload is not None:
                self._watch_silence(link)
                if not link.publish(self._pulse_topic, payload, 0):
                    self._pulse.unsent(now + 0.1)
            await _wait(self._wake, self._pulse.wait(time.monotonic()))

    def _watch_silence(self, link: MqttLink) -> None:
        # Counted in pulses, not seconds: a process that was stopped for a while has not listened either.
        self._silent_pulses = 0 if self._heard or self._counters.paused else self._silent_pulses + 1
        self._heard = False
        if self._silent_pulses > SILENT_PULSES:
            self._silent_pulses = 0
            log.warning("nothing comes from the MQTT broker, not even our pulses: connecting again")
            link.drop()


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
