"""Decides when the embedded Kafka has grown too slow. Pure.

Tansu searches all batches of a partition at each fetch, so its cost grows with the age of its log: without load to a
fifth of a core in some fifteen hours. An empty log costs nothing again.
"""

from typing import Final

SHARE: Final = 0.2
"""The share of a core, over OVER seconds, from which a log is worn out."""
OVER: Final = 600.0
LEAST_AGE: Final = 3600.0
"""A log is used for at least so many seconds: one that is slow from the beginning would be no faster when renewed."""


class Wear:
    """The cost of one log. `now` and the processor time of its broker are in seconds."""

    def __init__(self, now: float) -> None:
        self._began = now
        self._since = now
        self._used = 0.0

    def worn(self, now: float, used: float) -> bool:
        """Whether the log should be replaced by an empty one; call it regularly."""
        if used < self._used:  # the broker was restarted, with a new log
            self._began, self._since, self._used = now, now, 0.0
        if now - self._since < OVER:
            return False
        share = (used - self._used) / (now - self._since)
        self._since, self._used = now, used
        return share > SHARE and now - self._began >= LEAST_AGE
