"""Acknowledgements to terminals that wait until the MQTT broker takes them. Pure."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from broker.acks import PendingReceipt, merge_acks

MAX_ACKS: Final = 100_000
"""`ack` messages that wait at most; what is dropped makes terminals send their records again."""


class AckQueue:
    """A bounded queue of `ack` messages (MQTT topic, payload), oldest first."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[str, bytes]] = deque()

    def add(self, receipts: Sequence[PendingReceipt]) -> int:
        """One more batch of these receipts is safe: queue the acks of those that are complete; return how many acks
        found no room."""
        complete = [pending.receipt for pending in receipts if pending.batch_safe()]
        room = MAX_ACKS - len(self._waiting)
        acks = list(merge_acks(complete))
        self._waiting.extend(acks[:room])
        return max(0, len(acks) - room)

    def publish(self, publish: Callable[[str, bytes, int], bool]) -> int:
        """Give acks to `publish(topic, payload, qos)` until it returns false; return how many it took."""
        published = 0
        while self._waiting and publish(*self._waiting[0], 1):
            self._waiting.popleft()
            published += 1
        return published
