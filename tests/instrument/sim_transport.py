"""The transport between terminals and the log on simulated time: an MQTT broker, its bridge, and Kafka.

The real code of the bridge translates messages and makes ticks; only the sockets are left out.
"""

from collections import deque
from collections.abc import Callable

import msgspec

from broker.acks import merge_acks
from broker.ticks.census import Census
from broker.ticks.pulse import LOST_AFTER, Ticker
from broker.translate import Receipt, Translator
from contract.log import LIVE, LiveEntry

PARTITIONS = 3
_ENTRY: msgspec.json.Decoder[LiveEntry] = msgspec.json.Decoder(LiveEntry)

Message = tuple[str, bytes, bool]
"""(topic, payload, whether it is a retained message)."""
Append = Callable[[int, str, LiveEntry], None]
"""Arguments: partition, station (the key), entry."""


class Log:
    """Kafka: appends entries in their order. While it is frozen, entries wait with their original times."""

    def __init__(self, append: Append) -> None:
        self._append = append
        self._waiting: deque[tuple[int, str, LiveEntry]] = deque()
        self.frozen = False

    def add(self, partition: int, station: str, entry: LiveEntry) -> None:
        self._waiting.append((partition, station, entry))

    def flow(self) -> None:
        while self._waiting and not self.frozen:
            self._append(*self._waiting.popleft())


class Shard:
    """One MQTT broker with one bridge. Times are ms of simulated time."""

    def __init__(self, name: str, log: Log, acknowledge: Callable[[str, bytes], None], epoch: int) -> None:
        self.name = name
        self._log = log
        self._acknowledge = acknowledge
        self._epoch = epoch
        self._retained: dict[str, bytes] = {}
        # Messages that wait at the broker, and at the bridge.
        self._at_broker: deque[Message] = deque()
        self._at_bridge: deque[Message] = deque()
        self._lives = 0
        self._pulse_at: int | None = None
        self.broker_frozen = self.bridge_frozen = False
        self.broker_up = self.bridge_up = True
        self.skew = 0
        self.start_bridge(0)

    def start_bridge(self, now: int) -> None:
        """Start a new run of the bridge: it subscribes and gets the retained messages."""
        self._lives += 1
        start = f"{self.name}-{self._lives}"
        self._born = now
        self._census = Census()
        self._translator = Translator(shard=self.name, start=start, partitions=PARTITIONS, census=self._census)
        self._ticker = Ticker(shard=self.name, bridge=f"bridge-{self.name}", start=start)
        self._at_bridge.clear()
        self.bridge_up = True
        self.resubscribe()

    def resubscribe(self) -> None:
        self._ticker.spoil()
        self._census.excuse()
        self._at_bridge.extend((topic, payload, True) for topic, payload in self._retained.items())

    def kill_broker(self) -> None:
        """Kill the broker: waiting and retained messages are lost."""
        self.broker_up = False
        self._at_broker.clear()
        self._retained.clear()

    def publish(self, topic: str, payload: bytes, *, retain: bool) -> None:
        if not self.broker_up:
            return
        if retain:
            self._retained[topic] = payload
        self._at_broker.append((topic, payload, False))

    def flow(self, now: int) -> None:
        """Move messages and the pulse as far as broker and bridge run."""
        if self.broker_up and not self.broker_frozen:
            if self.bridge_up:
                self._at_bridge.extend(self._at_broker)
            self._at_broker.clear()
        if self.bridge_up and not self.bridge_frozen:
            self._carry(now)
            if self.broker_up and not self.broker_frozen:
                self._tick(now)

    def _carry(self, now: int) -> None:
        receipts: list[Receipt] = []
        while self._at_bridge:
            topic, payload, retain = self._at_bridge.popleft()
            found = self._translator.translate(
                topic, payload, retain=retain, received=self._wall(now), mono=now - self._born
            )
            if found.entry is not None and found.entry.topic == LIVE:
                self._log.add(found.entry.partition, found.entry.key.decode(), _ENTRY.decode(found.entry.value))
            if found.receipt is not None:
                receipts.append(found.receipt)
        for topic, payload in merge_acks(receipts):
            self._acknowledge(topic, payload)

    def _tick(self, now: int) -> None:
        if self._pulse_at is not None and now - self._pulse_at > LOST_AFTER * 1000:
            self._ticker.spoil()  # the last pulse timed out
        self._pulse_at = now
        mono = now - self._born
        counts = self._census.count(mono, whole=self._ticker.whole)
        tick = self._ticker.tick(at=self._wall(now), mono=mono, counts=counts)
        for partition in range(PARTITIONS):
            self._log.add(partition, "", tick)

    def _wall(self, now: int) -> int:
        return self._epoch + now + self.skew
