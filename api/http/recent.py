"""Values that were found lately. Pure; `now` in seconds."""

from collections import OrderedDict
from typing import Final, Generic, TypeVar

_K = TypeVar("_K")
_V = TypeVar("_V")

MOST: Final = 1000
"""Values that are kept; the one that was put first is dropped first."""


class Recent(Generic[_K, _V]):
    """Values by key, with the time at which each was put."""

    def __init__(self) -> None:
        self._found: OrderedDict[_K, tuple[_V, float]] = OrderedDict()

    def get(self, key: _K, now: float, within: float) -> _V | None:
        """The value of a key that was put within so many seconds; None: there is none, or the clock was set back."""
        found = self._found.get(key)
        return None if found is None or not 0 <= now - found[1] < within else found[0]

    def put(self, key: _K, value: _V, now: float) -> None:
        """Keep a value, in place of an earlier one of the key."""
        self.drop(key)
        self._found[key] = (value, now)
        if len(self._found) > MOST:
            self._found.popitem(last=False)

    def drop(self, key: _K) -> None:
        """Keep the value of a key no longer."""
        self._found.pop(key, None)

    def clear(self) -> None:
        """Keep no value any longer."""
        self._found.clear()
