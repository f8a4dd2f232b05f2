"""The bridge of a shard: carries what terminals publish from the MQTT broker into Kafka, and the pulse with it."""

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Final

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from broker import metrics
from broker.acks import PendingReceipt, merge
from broker.log_identity import open_admin, read_identity, watch_identity
from broker.metrics import Counters
from broker.mqtt_link import Address, MqttLink
from broker.outbox import Outbox
from broker.pulse import Progress, Pulse, Ticker
from broker.topics import count_partitions
from broker.translate import MAX_TOPIC, Outcome, Receipt, Translator, dead_letter
from contract.codec import encode
from contract.errors import RemedyError
from contract.log import DEADLETTER, LIVE, RECORDS
from contract.topics import ROOT, pulse_topic

log = logging.getLogger(__name__)

MAX_BATCH: Final = 256 * 1024
"""Bytes of a Kafka batch, unless a single message is larger."""
SILENT_PULSES: Final = 4
"""Pulses in a row after which nothing at all came: the connection is dead, whatever TCP thinks."""
STALLED_AFTER: Final = 120.0
"""Seconds without progress, while Kafka answers, after which the producer is taken for stuck."""
_CLOSE_TIMEOUT: Final = 5.0
_MAX_ACKS: Final = 100_000
_STATISTICS_EVERY: Final = 60.0


class BridgeConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What a bridge is told.

    `max_bytes` and `max_messages` bound what Kafka has not acknowledged yet. `delivery_timeout` is the seconds that a
    request to Kafka may take, and a batch of a producer that is not idempotent altogether.
    """

    mqtt_url: str
    mqtt_password: str | None = None
    mqtt_ca_file: str | None = None
    kafka_servers: str
    shard: str = "main"
    bridge: str = "bridge-1"
    idempotent: bool = True
    compression: str | None = "snappy"  # a seventh of the disk for 1 µs a message
    max_bytes: int = 256 * 1024 * 1024
    max_messages: int = 1_000_000
    delivery_timeout: float = 40.0
    metrics_port: int | None = None
    metrics_host: str = "127.0.0.1"


class StalledProducerError(Exception):
    """Kafka answers and takes nothing of what waits: the producer is stuck, which only a restart cures."""

    def __init__(self) -> None:
        super().__init__(" ".join((self.__doc__ or "").split()))


class Bridge:
    """What happens to a message between the two brokers; knows no connection, only what it hands on to."""

    def __init__(self, config: BridgeConfig, producer: AIOKafkaProducer, partitions: int, counters: Counters) -> None:
        self._config = config
        self._counters = counters
        self._partitions = partitions
        self._start = secrets.token_hex(4)
        self._started = time.monotonic()
        self._heard = False
        self._silent_pulses = 0
        self._translator = Translator(shard=config.shard, start=self._start, partitions=partitions)
        self._ticker = Ticker(shard=config.shard, bridge=config.bridge, start=self._start)
        self._pulse = Pulse(f"{self._start}{secrets.token_hex(8)}")
        self._pulse_topic = pulse_topic(config.bridge)
        self._waiting_acks: list[tuple[str, bytes]] = []
        self._wake = asyncio.Event()
        self.outbox = Outbox(
            producer,
            counters,
            on_safe=self._safe,
            on_failed=lambda _: self._ticker.spoil(),
            on_drained=self._drained,
            idempotent=config.idempotent,
        )
        self.link: MqttLink | None = None

    def open_link(self) -> MqttLink:
        """The connection that feeds this bridge; not running yet."""
        config = self._config
        self.link = MqttLink(
            Address.parse(config.mqtt_url),
            password=config.mqtt_password,
            client_id=f"milepost-{config.bridge}",
            # Its own acks shall not come back, its pulses shall.
            subscriptions=[(f"{ROOT}/#", 1, True), (self._pulse_topic, 0, False)],
            on_message=self.take,
            on_up=self._up,
            on_down=self._down,
            on_room=self._publish_acks,
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
        tick = self._ticker.tick(at=at, mono=int((now - self._started) * 1000))
        value = encode(tick)
        for partition in range(self._partitions):
            self.outbox.add(LIVE, partition, None, value, at)
        self._counters.ticks += 1
        self._counters.ticks_spoilt += not tick.whole
        self._wake.set()

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
        if link is None or not self._waiting_acks:
            return
        sent = 0
        for topic, payload in self._waiting_acks:
            if not link.publish(topic, payload, 1):
                break
            sent += 1
        del self._waiting_acks[:sent]
        self._counters.acks += sent

    # --- the connection and its pulse

    def _up(self) -> None:
        self._counters.connected = 1
        self._counters.connects += 1
        self._ticker.spoil()
        self._silent_pulses = 0
        self._pulse.unsent(time.monotonic())
        self._publish_acks()
        self._wake.set()

    def _down(self) -> None:
        self._counters.connected = 0
        self._ticker.spoil()
        self._pulse.unsent(time.monotonic())

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


async def run(config: BridgeConfig, stop: asyncio.Event, counters: Counters | None = None) -> None:
    """Carry messages until `stop`.

    Raises RemedyError for what a person must mend (Kafka or its topics missing, credentials refused at the first
    connect), LogReplacedError when the log is another one, and KafkaError when only a restart helps.
    """
    counters = counters or Counters()
    address = Address.parse(config.mqtt_url)
    log.info("starting", extra={"bridge": config.bridge, "shard": config.shard, "mqtt": address.host})
    served = _serve(config, counters)
    try:
        async with open_admin(config.kafka_servers) as admin:
            identity = await read_identity(admin)
            partitions = await _partitions(admin)
            producer = _producer(config)
            try:
                await _start(producer, config)
                bridge = Bridge(config, producer, partitions, counters)
                link = bridge.open_link()
                watches = [
                    watch_identity(identity, lambda: read_identity(admin)),
                    _watch_progress(counters, lambda: read_identity(admin)),
                ]
                await _carry(bridge, link, watches, stop, counters)
            finally:
                await _stop(producer)
    finally:
        if served is not None:
            served.close()


def _serve(config: BridgeConfig, counters: Counters) -> metrics.Served | None:
    if config.metrics_port is None:
        return None
    try:
        return metrics.serve(counters, config.metrics_port, config.metrics_host)
    except OSError as exc:
        raise RemedyError(
            f"metrics cannot be served on {config.metrics_host}:{config.metrics_port} ({exc.strerror}): "
            "choose another port"
        ) from exc


def _producer(config: BridgeConfig) -> AIOKafkaProducer:
    return AIOKafkaProducer(
        bootstrap_servers=config.kafka_servers,
        client_id=f"milepost-{config.bridge}",
        acks="all",
        enable_idempotence=config.idempotent,
        compression_type=config.compression,
        max_batch_size=MAX_BATCH,
        max_request_size=64 * 1024 * 1024,
        request_timeout_ms=int(config.delivery_timeout * 1000),
        metadata_max_age_ms=30_000,
    )


async def _start(producer: AIOKafkaProducer, config: BridgeConfig) -> None:
    try:
        await asyncio.wait_for(producer.start(), timeout=20)
    except (KafkaError, TimeoutError, OSError) as exc:
        remedy = "set MILEPOST_KAFKA_IDEMPOTENT=false if it cannot take an idempotent producer"
        raise RemedyError(f"Kafka at {config.kafka_servers} lets no producer in ({exc!r}): {remedy}") from exc


async def _partitions(admin: AIOKafkaAdminClient) -> int:
    """The N of `milepost.live` and `milepost.records`, which must be the same."""
    counts = await count_partitions(admin, (LIVE, RECORDS, DEADLETTER))
    if counts[LIVE] != counts[RECORDS]:
        raise RemedyError(
            f"{LIVE} has {counts[LIVE]} partitions and {RECORDS} has {counts[RECORDS]}: "
            "delete one and run `milepost topics`"
        )
    return counts[LIVE]


async def _carry(
    bridge: Bridge,
    link: MqttLink,
    watches: Sequence[Coroutine[None, None, None]],
    stop: asyncio.Event,
    counters: Counters,
) -> None:
    tasks: list[asyncio.Task[object]] = [
        asyncio.create_task(link.run(), name="bridge mqtt"),
        asyncio.create_task(bridge.run_pulse(), name="bridge pulse"),
        asyncio.create_task(_statistics(counters), name="bridge statistics"),
        *(asyncio.create_task(watch, name="bridge watch") for watch in watches),
        asyncio.create_task(stop.wait(), name="bridge stop"),
    ]
    try:
        waited: set[asyncio.Future[object]] = {*tasks, bridge.outbox.fatal}
        done, _ = await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        for ended in done:
            ended.result()
        await _flush(bridge, link)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await bridge.outbox.close()


async def _flush(bridge: Bridge, link: MqttLink) -> None:
    """At a wished end: take nothing more, let Kafka have what is here and the terminals know of it."""
    link.pause()
    try:
        async with asyncio.timeout(_CLOSE_TIMEOUT):
            await bridge.outbox.drain()
    except TimeoutError:
        log.warning("Kafka did not take everything in time; terminals send their records again")


async def _watch_progress(counters: Counters, ask_kafka: Callable[[], Awaitable[str]]) -> None:
    progress = Progress(STALLED_AFTER)
    while True:
        await asyncio.sleep(STALLED_AFTER / 10)
        try:
            await ask_kafka()
        except (KafkaError, OSError, TimeoutError):
            progress.excuse(time.monotonic())
        if progress.stalled(time.monotonic(), counters.safe, counters.waiting_messages):
            raise StalledProducerError


async def _statistics(counters: Counters) -> None:
    while True:
        await asyncio.sleep(_STATISTICS_EVERY)
        log.info("counters", extra={"counters": counters.snapshot()})


async def _stop(producer: AIOKafkaProducer) -> None:
    try:
        await asyncio.wait_for(producer.stop(), timeout=_CLOSE_TIMEOUT)
    except (KafkaError, TimeoutError, OSError) as exc:
        log.warning("the Kafka producer did not close in order", extra={"error": repr(exc)})
