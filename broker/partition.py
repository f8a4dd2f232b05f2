"""The partition of the log for the messages of a station. Pure."""

from functools import lru_cache

from aiokafka.partitioner import murmur2


@lru_cache(maxsize=2_000_000)
def partition_of(station: str, partitions: int) -> int:
    """Kafka's own default partitioner: murmur2(key) mod N, so that any Kafka client agrees."""
    return int(murmur2(station.encode()) & 0x7FFFFFFF) % partitions
