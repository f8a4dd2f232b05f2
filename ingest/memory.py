"""The boots that were met lately; a cache of the database, thrown away whenever that may differ."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Final

from ingest.boots import Boot, Key

MAX_BOOTS: Final = 100_000
"""Boots kept between batches, about half a kilobyte each."""
MAX_RANGES_KEPT: Final = 64
"""A box in more pieces than that is read again each time, so that the bound above is one of memory."""


class BootMemory:
    """Least recently used go first, and only in `shrink`: a batch keeps what it has."""

    def __init__(self, size: int = MAX_BOOTS) -> None:
        self._size = size
        self._boots: OrderedDict[Key, Boot] = OrderedDict()

    def __len__(self) -> int:
        return len(self._boots)

    def missing(self, keys: Iterable[Key]) -> list[Key]:
        return [key for key in keys if key not in self._boots]

    def add(self, boots: Mapping[Key, Boot]) -> None:
        self._boots.update(boots)

    def select(self, keys: Iterable[Key]) -> dict[Key, Boot]:
        """These boots, now the most recently used; all of them were added before."""
        for key in keys:
            self._boots.move_to_end(key)
        return {key: self._boots[key] for key in keys}

    def drop(self, keys: Iterable[Key]) -> None:
        for key in keys:
            self._boots.pop(key, None)

    def clear(self) -> None:
        self._boots.clear()

    def shrink(self, used: Iterable[Key]) -> None:
        """After a batch that changed these boxes: back to the bounds."""
        self.drop([key for key in used if self._boots[key].seen.ranges > MAX_RANGES_KEPT])
        while len(self._boots) > self._size:
            self._boots.popitem(last=False)
