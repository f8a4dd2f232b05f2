"""The boots that were met lately; a cache of the database, thrown away whenever that may differ."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Final

from ingest.boots import Boot, Key

MAX_BOOTS: Final = 100_000
"""Boots kept between batches, about half a kilobyte each."""


class BootCache:
    """Least recently used go first, and only in `shrink`: a batch keeps what it has."""

    def __init__(self, size: int = MAX_BOOTS) -> None:
        self._size = size
        self._boots: OrderedDict[Key, Boot] = OrderedDict()

    def __len__(self) -> int:
        return len(self._boots)

    def find(self, keys: Iterable[Key]) -> tuple[dict[Key, Boot], list[Key]]:
        """The boots that are here, now the most recently used, and the keys of those that are not."""
        found, missing = {}, []
        for key in keys:
            boot = self._boots.get(key)
            if boot is None:
                missing.append(key)
            else:
                self._boots.move_to_end(key)
                found[key] = boot
        return found, missing

    def add(self, boots: Mapping[Key, Boot]) -> None:
        self._boots.update(boots)

    def drop(self, keys: Iterable[Key]) -> None:
        for key in keys:
            self._boots.pop(key, None)

    def clear(self) -> None:
        self._boots.clear()

    def shrink(self, scattered: Iterable[Key]) -> None:
        """After a batch that left these boxes in many pieces: back to the bounds."""
        self.drop(scattered)
        while len(self._boots) > self._size:
            self._boots.popitem(last=False)
