"""The outbox of a simulated terminal, with the arithmetic of the agent's. Pure; `now` is simulated seconds."""

from collections.abc import Sequence
from itertools import islice
from math import inf
from typing import Final

from agents.pacing import WINDOW, Flight, Key, LinkBudget, OutboxRow, Pacer, PendingMessage
from contract.messages import MAX_RECORDS

PUBACK_PATIENCE: Final = 60.0
"""Seconds after which a data message that the broker did not confirm no longer keeps the next one back."""
MOST_RECORDS: Final = 20_000
"""Records in an outbox; when it is full the oldest goes first."""


class SimOutbox:
    """Records that no ack has named yet, and the data message on its way."""

    def __init__(self) -> None:
        self._records: dict[Key, tuple[OutboxRow, bytes]] = {}
        self._seq = 0
        self._flight = Flight()
        self._pacer = Pacer(self._flight, rate=20.0)
        self._budget = LinkBudget()
        self._pending: PendingMessage | None = None
        self._next_look = 0.0

    def __len__(self) -> int:
        return len(self._records)

    def append(self, box: str, number: int, body: bytes, now: float) -> None:
        """Add a record."""
        self._seq += 1
        if len(self._records) >= MOST_RECORDS:
            oldest = next(iter(self._records))
            del self._records[oldest]
            self._flight.forget_keys([oldest])
        self._records[box, number] = (OutboxRow(self._seq, box, number, len(body)), body)
        self._next_look = min(self._next_look, now)

    def acknowledge(self, box: str, ids: Sequence[tuple[int, int]], now: float) -> list[int]:
        """Delete what an ack names; the ids of the records that were here."""
        keys = self._flight.named(box, ids)
        self._flight.forget_keys(keys)
        known = [number for _, number in (key for key in keys if self._records.pop(key, None) is not None)]
        if known:
            self._next_look = now
        return known

    def connected(self, now: float) -> None:
        """A new connection is up."""
        self._pending = None
        self._pacer.connected(now)
        self._next_look = now

    def connection_lost(self) -> None:
        """The connection broke, and the message on its way with it."""
        if self._pending is not None:
            self._budget.failed(self._pending.size)
        self._pending = None

    def carried(self, mid: int, now: float) -> None:
        """The broker confirmed message `mid`."""
        if self._pending is not None and self._pending.mid == mid:
            self._budget.carried(self._pending.size, now - self._pending.sent_at)
            self._pending, self._next_look = None, now

    def next_due(self) -> float:
        """When a data message may be sent; inf for never."""
        if not self._records:
            return inf
        return self._pending.sent_at + PUBACK_PATIENCE if self._pending else self._next_look

    def is_due(self, now: float) -> bool:
        """Whether to try to send a data message now."""
        if self._pending is not None and now - self._pending.sent_at >= PUBACK_PATIENCE:
            self._pending = None
        return self._pending is None and bool(self._records) and now >= self._next_look

    def choose(self, now: float, *, every: float) -> list[OutboxRow]:
        """The records of the next data message, newest first; empty when all of them have to wait."""
        rows = [row for row, _ in islice(reversed(self._records.values()), WINDOW + MAX_RECORDS)]
        chosen = self._pacer.choose(rows, now, room=self._budget.bytes(every))
        if not chosen:
            self._next_look = self._pacer.look_again(now)
        return chosen

    def body_of(self, row: OutboxRow) -> bytes:
        """The encoded record."""
        return self._records[row.key][1]

    def sent(self, rows: Sequence[OutboxRow], mid: int, size: int, now: float) -> None:
        """These records were published in one message of `size` bytes."""
        self._pacer.sent(rows, now)
        self._pending = PendingMessage(mid, size, now)
