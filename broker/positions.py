"""Which partitions a consumer holds, and how far it has read each of them. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Generic, Protocol, TypeVar


class HasNextOffset(Protocol):
    """What the database keeps of a partition: the offset from which it is to be read."""

    @property
    def next_offset(self) -> int:
        """The offset of the first entry that is not committed."""


class HasOffset(Protocol):
    """An entry of the log."""

    @property
    def offset(self) -> int:
        """Its place in the partition."""


_Claim = TypeVar("_Claim", bound=HasNextOffset)
_Entry = TypeVar("_Entry", bound=HasOffset)


class Positions(Generic[_Claim]):
    """The claims of this process by partition, and the offsets that it has read up to but not committed yet.

    `waiting` are partitions that were assigned, but are not loaded yet.
    """

    def __init__(self) -> None:
        self._claims: dict[int, _Claim] = {}
        self._read: dict[int, int] = {}
        self.waiting: set[int] = set()

    @property
    def held(self) -> Collection[int]:
        """The partitions that are loaded."""
        return self._claims.keys()

    @property
    def uncommitted(self) -> Collection[int]:
        """The partitions of which more was read than is committed."""
        return self._read.keys()

    def hold(self, partition: int, claim: _Claim) -> None:
        """A partition was loaded."""
        self._claims[partition] = claim
        self.waiting.discard(partition)

    def wait_for(self, partitions: Collection[int]) -> None:
        """Drop these partitions until they are loaded again."""
        self.drop(partitions)
        self.waiting.update(partitions)

    def drop(self, partitions: Iterable[int]) -> None:
        """Hold these partitions no longer."""
        for partition in partitions:
            self._claims.pop(partition, None)
            self._read.pop(partition, None)

    def unread_of(self, partition: int, entries: Sequence[_Entry]) -> Sequence[_Entry]:
        """The entries (at least one, by offset) that were not read before; none of a partition that is not held."""
        if partition not in self._claims:
            return []
        position = self.position_of(partition)
        return entries if entries[0].offset >= position else [entry for entry in entries if entry.offset >= position]

    def note_read(self, partition: int, offset: int) -> None:
        """The entry with this offset was read, and all before it."""
        self._read[partition] = offset + 1

    def moves_of(self, partitions: Iterable[int]) -> dict[int, tuple[_Claim, int]]:
        """For each partition its claim and the offset to commit."""
        return {partition: (self._claims[partition], self._read[partition]) for partition in partitions}

    def note_committed(self, claims: Mapping[int, _Claim]) -> None:
        """The offsets of these partitions are committed; `claims` are those that hold from now on."""
        self._claims.update(claims)
        for partition in claims:
            self._read.pop(partition, None)

    def position_of(self, partition: int) -> int:
        """The offset of the next entry to read."""
        return self._read.get(partition, self._claims[partition].next_offset)

    def total(self) -> int:
        """The sum of the positions: it rises whenever anything is read."""
        return sum(map(self.position_of, self._claims))

    def behind(self, ends: Mapping[int, int]) -> dict[int, int]:
        """Entries to be read by partition, of those held; `ends`: the offset behind the last entry of each.

        An in-memory broker may show an end that is a batch old, so that the position is beyond it.
        """
        return {
            partition: max(0, end - self.position_of(partition))
            for partition, end in ends.items()
            if partition in self._claims
        }
