"""The bridge of a shard: carries what terminals publish from the MQTT broker into Kafka, and the pulse with it."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from broker import metrics
from broker.client_close import close_client
from broker.config import BridgeConfig
from broker.log_identity import open_admin, read_identity, watch_identity
from broker.metrics import Counters
from broker.mqtt.address import MqttAddress
from broker.mqtt.link import MqttLink
from broker.progress import Progress
from broker.relay import Relay
from broker.topics import count_partitions
from contract.errors import RemedyError
from contract.log import DEADLETTER, LIVE, RECORDS
from store.tasks import end_tasks

__all__ = ["BridgeConfig", "open_producer", "run"]

log = logging.getLogger(__name__)

MAX_BATCH: Final = 256 * 1024
"""Bytes of a Kafka batch, unless a single message is larger."""
STALLED_AFTER: Final = 120.0
"""Seconds without progress, while Kafka answers, after which the producer counts as stuck."""
_CLOSE_TIMEOUT: Final = 3.0
_STATISTICS_EVERY: Final = 60.0


class StalledProducerError(Exception):
    """Kafka answers and takes nothing of what waits: the producer is stuck, which only a restart cures."""

    def __init__(self) -> None:
        super().__init__(" ".join((self.__doc__ or "").split()))


async def run(config: BridgeConfig, stop: asyncio.Event, counters: Counters | None = None) -> None:
    """Carry messages until `stop`.

    Raises RemedyError for what a person must mend (Kafka or its topics missing, credentials refused at the first
    connect, a newer bridge of the same name), LogReplacedError when the log is another one, and KafkaError when only
    a restart helps.
    """
    counters = counters or Counters()
    address = MqttAddress.parse(config.mqtt_url)
    log.info("starting", extra={"bridge": config.bridge, "shard": config.shard, "mqtt": address.host})
    served = _serve(config, counters)
    try:
        async with open_admin(config.kafka_servers) as admin:
            identity = await read_identity(admin)
            partitions = await _partitions(admin)
            producer = open_producer(config)
            try:
                await _start(producer, config)
                relay = Relay(config, producer, partitions, counters)
                link = relay.open_link()
                watches = [
                    watch_identity(identity, lambda: read_identity(admin)),
                    _watch_progress(counters, lambda: read_identity(admin)),
                ]
                await _carry(relay, link, watches, stop, counters)
            finally:
                await close_client(producer.stop(), seconds=_CLOSE_TIMEOUT)
    finally:
        if served is not None:
            served.close()


def _serve(config: BridgeConfig, counters: Counters) -> metrics.MetricsServer | None:
    if config.metrics_port is None:
        return None
    try:
        return metrics.serve(counters, config.metrics_port, config.metrics_host)
    except OSError as exc:
        raise RemedyError(
            f"metrics cannot be served on {config.metrics_host}:{config.metrics_port} ({exc.strerror}): "
            "choose another port",
            f"指标无法在 {config.metrics_host}:{config.metrics_port} 提供（{exc.strerror}）：请改用其他端口",
        ) from exc


def open_producer(config: BridgeConfig) -> AIOKafkaProducer:
    """The producer of a bridge; not started."""
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
        raise RemedyError(
            f"Kafka at {config.kafka_servers} lets no producer in ({exc!r}): "
            "set MILEPOST_KAFKA_IDEMPOTENT=false if it cannot take an idempotent producer",
            f"{config.kafka_servers} 的 Kafka 不接受生产者（{exc!r}）："
            "若它不支持幂等生产者，请设置 MILEPOST_KAFKA_IDEMPOTENT=false",
        ) from exc


async def _partitions(admin: AIOKafkaAdminClient) -> int:
    """The N of `milepost.live` and `milepost.records`, which must be the same."""
    counts = await count_partitions(admin, (LIVE, RECORDS, DEADLETTER))
    if counts[LIVE] != counts[RECORDS]:
        raise RemedyError(
            f"{LIVE} has {counts[LIVE]} partitions and {RECORDS} has {counts[RECORDS]}: "
            "delete one and run `milepost topics`",
            f"{LIVE} 有 {counts[LIVE]} 个分区，{RECORDS} 有 {counts[RECORDS]} 个：请删除其一，再运行 `milepost topics`",
        )
    return counts[LIVE]


async def _carry(
    relay: Relay,
    link: MqttLink,
    watches: Sequence[Coroutine[None, None, None]],
    stop: asyncio.Event,
    counters: Counters,
) -> None:
    tasks: list[asyncio.Task[object]] = [
        asyncio.create_task(link.run(), name="bridge mqtt"),
        asyncio.create_task(relay.pulses.run(link), name="bridge pulse"),
        asyncio.create_task(relay.clearing.run(link), name="bridge clearing"),
        asyncio.create_task(_statistics(counters), name="bridge statistics"),
        *(asyncio.create_task(watch, name="bridge watch") for watch in watches),
        asyncio.create_task(stop.wait(), name="bridge stop"),
    ]
    try:
        waited: set[asyncio.Future[Any]] = {*tasks, relay.outbox.fatal, relay.pulses.superseded}
        done, _ = await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        for ended in done - {relay.pulses.superseded}:
            ended.result()
        await _flush(relay, link)
        if relay.pulses.superseded.done():
            relay.pulses.superseded.result()
    finally:
        await end_tasks(*tasks)
        await relay.outbox.close()


async def _flush(relay: Relay, link: MqttLink) -> None:
    """At a regular end: read no more messages; wait until Kafka has those that are here, so that acks go out."""
    link.pause()
    try:
        async with asyncio.timeout(_CLOSE_TIMEOUT):
            await relay.outbox.drain()
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
        if progress.is_stalled(time.monotonic(), counters.safe, counters.waiting_messages):
            raise StalledProducerError


async def _statistics(counters: Counters) -> None:
    while True:
        await asyncio.sleep(_STATISTICS_EVERY)
        log.info("counters", extra={"counters": counters.snapshot()})
