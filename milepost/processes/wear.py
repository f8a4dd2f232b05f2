"""When the Kafka that keeps its log in memory has grown too slow. Pure.

Tansu looks through all batches of a partition at each fetch, so that what it costs grows with the age of its log: at
rest to a fifth of a core in some fifteen hours. An empty log in its place costs nothing again.
"""

from typing import Final

SHARE: Final = 0.2
"""Of a core, over OVER seconds, from which a log is worn out."""
OVER: Final = 600.0
LEAST_AGE: Final = 3600.0
"""Seconds that a log serves at least: what costs that much when it is new, costs no less afterwards."""


class Wear:
    """What one log costs. `now` and the processor time that its broker has used so far are in seconds."""

    def __init__(self, now: float) -> None:
        self._began = now
        self._since = now
        self._used = 0.0

    def worn(self, now: float, used: float) -> bool:
        """Whether an empty log is to take its place; asked again and again."""
        if used < self._used:  # its broker was started anew, and with it the log
            self._began, self._since, self._used = now, now, 0.0
        if now - self._since < OVER:
            return False
        share = (used - self._used) / (now - self._since)
        self._since, self._used = now, used
        return share > SHARE and now - self._began >= LEAST_AGE
