"""The open connections, and which one is closed when there are too many. Pure; `now` is seconds of a monotonic clock.

A connection is busy while a request of it is under way, otherwise idle, also while an incomplete request comes in
slowly. An idle connection is closed after a while, and at once when room is needed: first those of the address that has
the most, so that a client that opens a thousand loses its own.
"""

from collections import Counter
from typing import Final, Generic, TypeVar

import msgspec

PATIENCE: Final = 30.0
"""Seconds for which a connection may be idle."""

_C = TypeVar("_C")


class _Open(msgspec.Struct):
    address: str
    # None while it is busy.
    idle_since: float | None


class Connections(Generic[_C]):
    """The open connections of a server, at most `most`."""

    def __init__(self, most: int) -> None:
        self._most = most
        # The first that was opened comes first.
        self._open: dict[_C, _Open] = {}

    def __len__(self) -> int:
        return len(self._open)

    def __contains__(self, one: _C) -> bool:
        return one in self._open

    def open(self, one: _C, address: str, now: float) -> _C | None:
        """Add a connection. Returns the one to close for it, which is the new one when all others are busy."""
        self._open[one] = _Open(address, now)
        return self._surplus() if len(self._open) > self._most else None

    def close(self, one: _C) -> None:
        """Remove a connection that is closed."""
        self._open.pop(one, None)

    def note_busy(self, one: _C) -> None:
        """A request of the connection has begun."""
        self._note(one, None)

    def note_idle(self, one: _C, now: float) -> None:
        """The connection has no request under way since `now`, or its client still takes an answer at `now`."""
        self._note(one, now)

    def _note(self, one: _C, since: float | None) -> None:
        if one in self._open:
            self._open[one].idle_since = since

    def silent(self, now: float) -> list[_C]:
        """The connections that have been idle for longer than PATIENCE."""
        return [
            one
            for one, found in self._open.items()
            if found.idle_since is not None and now - found.idle_since > PATIENCE
        ]

    def _surplus(self) -> _C:
        idle = {one: found for one, found in self._open.items() if found.idle_since is not None}
        (address, _), *_ = Counter(found.address for found in idle.values()).most_common(1)
        its = (one for one, found in idle.items() if found.address == address)
        return min(its, key=lambda one: idle[one].idle_since or 0.0)
