"""Instruments for the bridge's tests: a bridge that runs, a terminal that knows only the contract, and the log read."""

import asyncio
import queue
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import msgspec
import paho.mqtt.client as paho
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from paho.mqtt.enums import CallbackAPIVersion

from broker.bridge import BridgeConfig, run
from broker.metrics import Counters
from contract.log import DEADLETTER, LIVE, RECORDS, DataEntry, DeadLetter, LiveEntry, RecordsEntry, Tick
from tests import mqtt_clients

_DECODERS = {
    LIVE: msgspec.json.Decoder(LiveEntry),
    RECORDS: msgspec.json.Decoder(RecordsEntry),
    DEADLETTER: msgspec.json.Decoder(DeadLetter),
}


def unique(prefix: str = "s") -> str:
    """A name that no other test has."""
    return f"{prefix}{uuid.uuid4().hex[:10]}"


async def until(condition: Callable[[], object], seconds: float = 60, what: str = "") -> None:
    """Wait for a condition; the deadline is for a broken system only."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(what or "the condition did not come true")
        await asyncio.sleep(0.01)


class Running:
    """A bridge in this process."""

    def __init__(self, config: BridgeConfig) -> None:
        self.config = config
        self.counters = Counters()
        self.stop = asyncio.Event()
        self.task = asyncio.create_task(run(config, self.stop, self.counters), name="bridge under test")

    async def connected(self) -> None:
        """Wait for the first tick: from then on everything that is published is carried."""
        await until(lambda: self.counters.ticks or self.task.done(), what="the bridge made no tick")
        if self.task.done():
            self.task.result()

    async def end(self) -> None:
        self.stop.set()
        await asyncio.wait_for(self.task, 20)


@asynccontextmanager
async def running_bridge(mqtt_url: str, servers: str, **changes: object) -> AsyncIterator[Running]:
    """A bridge with a name of its own, connected; a test may set further fields of BridgeConfig."""
    values: dict[str, object] = {"bridge": unique("b"), "idempotent": False} | changes
    running = Running(BridgeConfig(mqtt_url=mqtt_url, kafka_servers=servers, **values))  # type: ignore[arg-type]
    try:
        await running.connected()
        yield running
    finally:
        running.stop.set()
        if not running.task.done():
            await asyncio.wait([running.task], timeout=20)
        if running.task.done() and not running.task.cancelled():
            running.task.exception()


class Terminal:
    """An MQTT client in a thread; what comes down lies in `inbox`."""

    def __init__(self, url: str, *, client_id: str, subscribe: str | None = None, user: str = "", password: str = ""):
        self.inbox: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self._subscribed = subscribe
        self._ready: queue.Queue[str] = queue.Queue()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=paho.MQTTv311)
        self._client.max_inflight_messages_set(1000)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda *_: self._ready.put("")
        self._client.on_message = lambda _client, _data, message: self.inbox.put((message.topic, message.payload))
        if user:
            self._client.username_pw_set(user, password)
        where = urlsplit(url)
        self._client.reconnect_delay_set(1, 1)
        self._client.connect(where.hostname or "", where.port or 1883)
        self._client.loop_start()
        if why := self._ready.get(timeout=30):
            self.close()
            raise ConnectionRefusedError(why)

    def _on_connect(
        self, client: paho.Client, _data: object, _flags: object, code: paho.ReasonCode, *_: object
    ) -> None:
        if code.is_failure:
            self._ready.put(str(code))
        elif self._subscribed:
            client.subscribe(self._subscribed, qos=1)
        else:
            self._ready.put("")

    def publish(self, topic: str, payload: bytes, qos: int = 1, *, retain: bool = False) -> paho.MQTTMessageInfo:
        return self._client.publish(topic, payload, qos=qos, retain=retain)

    def publish_all(self, messages: Iterable[tuple[str, bytes]], qos: int = 1) -> None:
        """Publish and wait for the broker to have them (QoS 1)."""
        infos = [self.publish(topic, payload, qos) for topic, payload in messages]
        for info in infos:
            info.wait_for_publish(30)

    async def receive(self, seconds: float = 60) -> tuple[str, bytes]:
        return await asyncio.to_thread(self.inbox.get, timeout=seconds)

    def close(self) -> None:
        mqtt_clients.close(self._client)


class Seen(msgspec.Struct):
    """An entry of the log, decoded."""

    topic: str
    partition: int
    key: str | None
    entry: LiveEntry | RecordsEntry | DeadLetter


async def read_log(
    servers: str, wanted: Callable[[Seen], bool], complete: Callable[[list[Seen]], bool], *, seconds: float = 30
) -> list[Seen]:
    """Everything on the three topics that is wanted, from the beginning, until it is complete."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=servers, auto_offset_reset="earliest", max_partition_fetch_bytes=1 << 22
    )
    await consumer.start()
    try:
        where = [TopicPartition(t, p) for t in _DECODERS for p in await _partitions(consumer, t)]
        consumer.assign(where)
        await consumer.seek_to_beginning()
        seen: list[Seen] = []
        deadline = time.monotonic() + seconds
        while not complete(seen):
            if time.monotonic() > deadline:
                raise TimeoutError(f"only {len(seen)} entries came, the last: {seen[-3:]}")
            for records in (await consumer.getmany(timeout_ms=100)).values():
                readable = (one for r in records if (one := _read(r)) is not None)
                seen.extend(one for one in readable if wanted(one))
        return seen
    finally:
        await consumer.stop()


def _read(record: ConsumerRecord[bytes, bytes]) -> Seen | None:
    """None for what nobody can read: other tests write such things into the same log."""
    try:
        entry = _DECODERS[record.topic].decode(record.value or b"")
    except msgspec.DecodeError:
        return None
    return Seen(record.topic, record.partition, record.key.decode() if record.key else None, entry)


async def _partitions(consumer: AIOKafkaConsumer, topic: str) -> list[int]:
    await consumer._client._wait_on_metadata(topic)
    return sorted(consumer.partitions_for_topic(topic) or ())


def of_station(station: str) -> Callable[[Seen], bool]:
    return lambda s: s.key == station or (isinstance(s.entry, DeadLetter) and station in s.entry.topic)


def of_bridge(bridge: str) -> Callable[[Seen], bool]:
    return lambda s: isinstance(s.entry, Tick) and s.entry.bridge == bridge


def ids_of(seen: Iterable[Seen]) -> list[int]:
    """The record ids in data entries, in the log's order."""
    return [
        msgspec.json.decode(raw)["id"] for s in seen if isinstance(s.entry, DataEntry) for raw in s.entry.body.records
    ]


def heartbeat(n: int) -> bytes:
    return b'{"v":1,"boot":"b7","run":1,"n":%d,"at":1,"every":60}' % n


def records(*ids: int, kind: str = "event") -> bytes:
    body = ",".join(f'{{"id":{number},"kind":"{kind}","at":1}}' for number in ids)
    return f'{{"v":1,"boot":"b7","run":1,"at":1,"box":"box1","records":[{body}]}}'.encode()
