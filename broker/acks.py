"""The acknowledgements that are due when Kafka has batches. Pure."""

from collections.abc import Iterable, Iterator
from typing import Final

from broker.translate import Receipt
from contract.codec import encode, ranges
from contract.messages import Ack
from contract.topics import Topic

MAX_RANGES: Final = 1_000
"""Id ranges in one `ack` message, some 40 KB at most."""


class PendingReceipt:
    """A receipt that waits for one or two batches: that of the entry and that of the dead letter."""

    __slots__ = ("_open", "receipt")

    def __init__(self, receipt: Receipt, batches: int) -> None:
        self.receipt = receipt
        self._open = batches

    def batch_safe(self) -> bool:
        """Kafka has one more of its batches; return whether that was the last."""
        self._open -= 1
        return self._open == 0


def merge_acks(receipts: Iterable[Receipt]) -> Iterator[tuple[str, bytes]]:
    """The `ack` messages (MQTT topic, payload) for these receipts; receipts of one box share a message."""
    boxes: dict[tuple[str, str, str], list[int]] = {}
    for receipt in receipts:
        boxes.setdefault((receipt.station, receipt.terminal, receipt.box), []).extend(receipt.ids)
    for (station, terminal, box), ids in boxes.items():
        topic = str(Topic(station, terminal, "ack"))
        closed = ranges(ids)
        for first in range(0, len(closed), MAX_RANGES):
            yield topic, encode(Ack(v=1, box=box, ids=closed[first : first + MAX_RANGES]))
