"""Notices a consumer that gets nothing although Kafka answers and there are entries to read."""

import asyncio
import time

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from broker.consumer_config import ConsumerConfig
from broker.positions import Positions
from broker.progress import Progress
from store.offsets import Claim


class StalledError(Exception):
    """The log grows and the consumer gets nothing: a known fault of Kafka clients that only a restart cures."""


class StallWatch:
    """Compares the consumer's positions with the ends of the log; `lock` is held while the consumer writes."""

    def __init__(
        self, config: ConsumerConfig, consumer: AIOKafkaConsumer, positions: Positions[Claim], lock: asyncio.Lock
    ) -> None:
        self._config = config
        self._consumer = consumer
        self._positions = positions
        self._lock = lock

    async def run(self) -> None:
        """Watch until cancelled. Raises StalledError."""
        config = self._config
        progress = Progress(config.stall_timeout)
        while True:
            await asyncio.sleep(config.stall_timeout / 4)
            unread = await self._unread()
            if unread is None:
                progress.excuse(time.monotonic())
            elif progress.is_stalled(time.monotonic(), self._positions.total(), sum(unread.values())):
                behind = sorted(partition for partition, count in unread.items() if count)
                raise StalledError(f"{config.name} gets nothing of partitions {behind} of {config.topic}")

    async def _unread(self) -> dict[int, int] | None:
        """Entries to be read by partition; None while the consumer is busy or Kafka does not answer."""
        positions = self._positions
        if self._lock.locked() or positions.waiting or not positions.held:
            return None
        held = [TopicPartition(self._config.topic, partition) for partition in positions.held]
        try:
            async with asyncio.timeout(self._config.stall_timeout / 4):
                ends = await self._consumer.end_offsets(held)
        except (KafkaError, TimeoutError):
            return None
        return positions.behind({where.partition: end for where, end in ends.items()})
