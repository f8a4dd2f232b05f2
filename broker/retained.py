"""Which retained messages of the MQTT broker are to be cleared. Pure.

A broker keeps a retained message for each topic for ever, of any size it takes, and no access rule says who may retain.
A subscriber is not told whether what comes was retained just now. So what is large, refused, or retained where the
contract keeps nothing is cleared some time later, whether it lies there or not; clearing nothing harms nobody.
"""

from typing import Final

from contract.messages import MAX_PAYLOAD
from contract.refusal import Reason

LARGE: Final = 8 * 1024
"""Bytes of a status that is kept; with every text that it has as long as it may be, one has 5 KiB."""
EVERY: Final = 60.0
"""Seconds from one clearing to the next."""
MOST: Final = 10_000
"""Topics that are remembered from one clearing to the next; those beyond are cleared when they are used again."""


class Retained:
    """Remembers topics until they are cleared."""

    def __init__(self) -> None:
        self._doubtful: set[str] = set()
        self._cleared: frozenset[str] = frozenset()

    def note(self, topic: str, size: int, *, retain: bool, refused: str | None) -> None:
        """A message came; `refused`: for which reason all of it was."""
        if len(self._doubtful) < MOST and _is_doubtful(topic, size, retain, refused):
            self._doubtful.add(topic)

    def take(self) -> frozenset[str]:
        """The topics to be cleared now."""
        self._cleared, self._doubtful = frozenset(self._doubtful), set()
        return self._cleared

    def is_echo(self, topic: str, payload: bytes) -> bool:
        """Whether this is our own clearing that came back, as brokers of MQTT 3.1.1 send it."""
        return not payload and topic in self._cleared


def _is_doubtful(topic: str, size: int, retain: bool, refused: str | None) -> bool:
    channel = topic.rpartition("/")[2]
    if channel == "config":
        return size > MAX_PAYLOAD
    if refused == Reason.UNKNOWN_VERSION:  # a newer bridge may read it
        return False
    return refused is not None or size > LARGE or (retain and channel != "status")
