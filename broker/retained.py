"""Which retained messages of the MQTT broker are to be cleared. Pure.

A broker keeps a retained message for each topic for ever, of any size, and access rules cannot forbid to retain. A
subscriber cannot see whether an arriving message was retained just now. So when a message is large, refused, or
retained on a channel where the contract retains nothing, the bridge reads some time later what is retained there, and
clears it.
Clearing without looking would do harm: a broker may keep each topic that was ever cleared (Mosquitto 2.0: 900 bytes).
"""

from itertools import islice
from typing import Final

from contract.messages import MAX_PAYLOAD
from contract.refusal import Reason

LARGE: Final = 8 * 1024
"""Bytes of the largest status that is kept; a status with all texts at full length has 5 KiB."""
EVERY: Final = 60.0
"""Seconds from one clearing to the next."""
MOST: Final = 10_000
"""Topics that are remembered from one clearing to the next; others are examined when they are used again."""
MOST_FILTERS: Final = 200
"""Subscriptions of one clearing, each for all topics of a station."""
_STATION_LEVELS: Final = 3


class Retained:
    """Remembers topics in doubt until they are examined."""

    def __init__(self) -> None:
        self._doubtful: set[str] = set()
        self._looked_at: frozenset[str] = frozenset()
        self._cleared: set[str] = set()

    def note_message(self, topic: str, size: int, *, retain: bool, refused: str | None) -> None:
        """A message arrived; `refused` is the reason if all of it was refused."""
        if len(self._doubtful) < MOST and _is_doubtful(topic, size, retain, refused):
            self._doubtful.add(topic)

    def take_filters(self) -> frozenset[str]:
        """The subscriptions that show what is retained on the topics in doubt; begins a new collection of topics."""
        self._looked_at, self._doubtful = frozenset(self._doubtful), set()
        self._cleared.clear()
        return frozenset(islice({_around(topic) for topic in self._looked_at}, MOST_FILTERS))

    def must_clear(self, topic: str, size: int) -> bool:
        """Whether to clear a message that was found retained."""
        if topic in self._looked_at or _is_doubtful(topic, size, True, None):
            self._cleared.add(topic)
            return True
        return False

    def is_echo(self, topic: str, payload: bytes) -> bool:
        """Whether this is a clearing of the bridge itself, which MQTT 3.1.1 brokers send back."""
        return not payload and topic in self._cleared


def _around(topic: str) -> str:
    levels = topic.split("/")
    return topic if len(levels) <= _STATION_LEVELS else "/".join([*levels[:_STATION_LEVELS], "#"])


def _is_doubtful(topic: str, size: int, retain: bool, refused: str | None) -> bool:
    channel = topic.rpartition("/")[2]
    if channel == "config":
        return size > MAX_PAYLOAD
    if refused == Reason.UNKNOWN_VERSION:  # a newer bridge may be able to read it
        return False
    return refused is not None or size > LARGE or (retain and channel != "status")
