"""Which retained messages of the MQTT broker are to be cleared. Pure.

A broker keeps a retained message for each topic for ever, of any size it takes, and no access rule says who may retain.
A subscriber is not told whether what comes was retained just now. So where something came that is large, refused, or
retained although the contract keeps nothing, the bridge looks some time later what lies there, and clears that.
Clearing unseen would do harm: a broker may keep each topic that was ever cleared (Mosquitto 2.0: 900 bytes).
"""

from itertools import islice
from typing import Final

from contract.messages import MAX_PAYLOAD
from contract.refusal import Reason

LARGE: Final = 8 * 1024
"""Bytes of a status that is kept; with every text that it has as long as it may be, one has 5 KiB."""
EVERY: Final = 60.0
"""Seconds from one look to the next."""
MOST: Final = 10_000
"""Topics that are remembered from one look to the next; those beyond are looked at when they are used again."""
MOST_FILTERS: Final = 200
"""Subscriptions of one look, each for all topics of a station."""
_STATION_LEVELS: Final = 3


class Retained:
    """Remembers topics until they are looked at."""

    def __init__(self) -> None:
        self._doubtful: set[str] = set()
        self._looked_at: frozenset[str] = frozenset()
        self._cleared: set[str] = set()

    def note(self, topic: str, size: int, *, retain: bool, refused: str | None) -> None:
        """A message came; `refused`: for which reason all of it was."""
        if len(self._doubtful) < MOST and _is_doubtful(topic, size, retain, refused):
            self._doubtful.add(topic)

    def take(self) -> frozenset[str]:
        """What to subscribe to, to see what is retained at the topics in doubt."""
        self._looked_at, self._doubtful = frozenset(self._doubtful), set()
        self._cleared.clear()
        return frozenset(islice({_around(topic) for topic in self._looked_at}, MOST_FILTERS))

    def clears(self, topic: str, size: int) -> bool:
        """Whether a message that was found retained is to be cleared."""
        if topic in self._looked_at or _is_doubtful(topic, size, True, None):
            self._cleared.add(topic)
            return True
        return False

    def is_echo(self, topic: str, payload: bytes) -> bool:
        """Whether this is our own clearing that came back, as brokers of MQTT 3.1.1 send it."""
        return not payload and topic in self._cleared


def _around(topic: str) -> str:
    levels = topic.split("/")
    return topic if len(levels) <= _STATION_LEVELS else "/".join([*levels[:_STATION_LEVELS], "#"])


def _is_doubtful(topic: str, size: int, retain: bool, refused: str | None) -> bool:
    channel = topic.rpartition("/")[2]
    if channel == "config":
        return size > MAX_PAYLOAD
    if refused == Reason.UNKNOWN_VERSION:  # a newer bridge may read it
        return False
    return refused is not None or size > LARGE or (retain and channel != "status")
