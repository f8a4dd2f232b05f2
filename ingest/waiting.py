"""Kafka records between their arrival and their commit. Pure; `now` is a monotonic clock in seconds."""

import math
from collections.abc import Collection, Iterator, Sequence
from typing import Final, Generic, Protocol, TypeVar

COMMIT_AFTER: Final = 0.2
"""Seconds that a record waits for others."""
COMMIT_RECORDS: Final = 5000
"""Kafka records that are enough for a commit."""
COMMIT_BYTES: Final = 8 * 1024 * 1024
"""Bytes of them that are enough for a commit; with what one fetch brings, this bounds what waits."""


class HasValue(Protocol):
    """A Kafka record."""

    @property
    def value(self) -> bytes | None:
        """The payload."""


_Record = TypeVar("_Record", bound=HasValue)


class WaitingRecords(Generic[_Record]):
    """The records that were taken in and are not committed yet, by partition; `patience` in seconds."""

    def __init__(self, patience: float = COMMIT_AFTER) -> None:
        self._patience = patience
        self._records: dict[int, list[_Record]] = {}
        self._since: float | None = None
        self._count = self._bytes = 0

    def add_records(self, partition: int, records: Sequence[_Record], now: float) -> None:
        """Append records that arrived."""
        self._records.setdefault(partition, []).extend(records)
        self._count += len(records)
        self._bytes += sum(len(record.value or b"") for record in records)
        if self._since is None:
            self._since = now

    def due_in(self, now: float) -> float:
        """Seconds until the commit, when the first record waited long enough; 0 or less: now, also when enough records
        are here; infinite without any."""
        if self._since is None:
            return math.inf
        if self._count >= COMMIT_RECORDS or self._bytes >= COMMIT_BYTES:
            return 0.0
        return self._since + self._patience - now

    def of_partitions(self, partitions: Collection[int]) -> Iterator[_Record]:
        """The records of these partitions, partition by partition, in the order of arrival."""
        for partition in sorted(partitions):
            yield from self._records.get(partition, ())

    def drop_partitions(self, partitions: Collection[int]) -> None:
        """Forget the records of these partitions: they are committed, or will be read again."""
        for partition in partitions:
            self._records.pop(partition, None)
        if not self._records:
            self._since = None
            self._count = self._bytes = 0
