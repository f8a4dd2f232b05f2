"""The bridge's pulse through the MQTT broker, and the ticks it makes.

Pure: `now` is seconds of a monotonic clock.
"""

from typing import Final

from broker.ticks.census import Counts
from contract.clocks import MonotonicMs, WallMs
from contract.log import Tick

INTERVAL: Final = 0.25
"""Seconds from a pulse's return to the next pulse."""
LOST_AFTER: Final = 5.0
"""Seconds after which a pulse that has not come back is given up; judges do not count longer intervals either."""


class Pulse:
    """Keeps one pulse in flight. A pulse that comes back after it was given up is ignored."""

    def __init__(self, start: str, *, interval: float = INTERVAL, lost_after: float = LOST_AFTER) -> None:
        self._start = start
        self._interval = interval
        self._lost_after = lost_after
        self._number = 0
        self._flying: bytes | None = None
        self._due = 0.0

    def next(self, now: float) -> bytes | None:
        """The payload to publish now; None before the time of the next pulse."""
        if now < self._due:
            return None
        self._number += 1
        self._flying = f"{self._start}-{self._number}".encode()
        self._due = now + self._lost_after
        return self._flying

    def returned(self, payload: bytes, now: float) -> bool:
        """Whether this is the pulse in flight, so that a tick is to be written."""
        if self._flying is None or payload != self._flying:
            return False
        self._flying = None
        self._due = now + self._interval
        return True

    def unsent(self, now: float) -> None:
        """The pulse was not published, or its connection is gone: the next may be sent from `now` on."""
        self._flying = None
        self._due = now

    def wait(self, now: float) -> float:
        """Seconds until the next pulse."""
        return max(0.0, self._due - now)


class Ticker:
    """Numbers ticks. The next tick is `whole` unless something was lost since the last one."""

    def __init__(self, *, shard: str, bridge: str, start: str) -> None:
        self._shard = shard
        self._bridge = bridge
        self._start = start
        self._seq = 0
        # Messages may have been missed before the first tick of a start.
        self.whole = False

    def spoil(self) -> None:
        """MQTT reconnected, a batch failed or something was dropped: the next tick is not whole."""
        self.whole = False

    def tick(self, *, at: int, mono: int, counts: Counts) -> Tick:
        """The next tick; times in ms. `counts`: the shard as it is now."""
        tick = Tick(
            shard=self._shard,
            bridge=self._bridge,
            start=self._start,
            seq=self._seq,
            at=WallMs(at),
            mono=MonotonicMs(mono),
            whole=self.whole,
            kept=counts.kept,
            missed=counts.missed,
            losses=counts.losses,
            named=counts.named,
        )
        self._seq += 1
        self.whole = True
        return tick
