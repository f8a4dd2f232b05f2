"""Which acknowledgements are due once batches are safe. Pure."""

from collections.abc import Iterable, Iterator
from typing import Final

from broker.translate import Receipt
from contract.codec import encode, ranges
from contract.messages import Ack
from contract.topics import Topic

MAX_RANGES: Final = 1_000
"""Id ranges in one `ack` message, some 40 KB at most."""


class PendingReceipt:
    """A receipt that waits for several batches: the entry's and the dead letter's."""

    __slots__ = ("_open", "receipt")

    def __init__(self, receipt: Receipt, batches: int) -> None:
        self.receipt = receipt
        self._open = batches

    def safe(self) -> bool:
        """One more of its batches is safe; whether that was the last."""
        self._open -= 1
        return self._open == 0


def merge(receipts: Iterable[Receipt]) -> Iterator[tuple[str, bytes]]:
    """The `ack` messages (MQTT topic, payload): those of the same box in one."""
    boxes: dict[tuple[str, str, str], list[int]] = {}
    for receipt in receipts:
        boxes.setdefault((receipt.station, receipt.terminal, receipt.box), []).extend(receipt.ids)
    for (station, terminal, box), ids in boxes.items():
        topic = str(Topic(station, terminal, "ack"))
        closed = ranges(ids)
        for first in range(0, len(closed), MAX_RANGES):
            yield topic, encode(Ack(v=1, box=box, ids=closed[first : first + MAX_RANGES]))
