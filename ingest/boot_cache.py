"""A cache of the boots of the last batches; it is cleared whenever it may differ from the database."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Final

from ingest.boots import Boot, Key

MAX_BOOTS: Final = 100_000
"""Boots kept between batches, about half a kilobyte each."""


class BootCache:
    """Drops the least recently used boots, and only in `shrink`: within a batch all boots stay."""

    def __init__(self, size: int = MAX_BOOTS) -> None:
        self._size = size
        self._boots: OrderedDict[Key, Boot] = OrderedDict()

    def __len__(self) -> int:
        return len(self._boots)

    def find_boots(self, keys: Iterable[Key]) -> tuple[dict[Key, Boot], list[Key]]:
        """The boots that are cached, which become the most recently used, and the keys of those that are not."""
        found, missing = {}, []
        for key in keys:
            boot = self._boots.get(key)
            if boot is None:
                missing.append(key)
            else:
                self._boots.move_to_end(key)
                found[key] = boot
        return found, missing

    def add_boots(self, boots: Mapping[Key, Boot]) -> None:
        """Keep boots that were read from the database."""
        self._boots.update(boots)

    def drop_boots(self, keys: Iterable[Key]) -> None:
        """Forget these boots; keys that are not here are ignored."""
        for key in keys:
            self._boots.pop(key, None)

    def clear(self) -> None:
        """Forget all boots."""
        self._boots.clear()

    def shrink(self, scattered: Iterable[Key]) -> None:
        """After a batch: drop `scattered`, the boxes in too many pieces, and what exceeds the size."""
        self.drop_boots(scattered)
        while len(self._boots) > self._size:
            self._boots.popitem(last=False)
