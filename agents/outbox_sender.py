"""Sends the records of the outbox: what goes into the next data message, and when there may be one.

One data message at a time is on its way: more would delay the heartbeats behind them. Times are seconds of a monotonic
clock, sizes are bytes.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from agents.outbox.queue import Outbox
from agents.pacing import WINDOW, Key, LinkBudget, OutboxRow, Pacer, PendingMessage
from contract.messages import MAX_RECORDS, Ack

_PUBACK_PATIENCE: Final = 60.0
_HANGING_DISK_WAIT: Final = 1.0
_READ_AGAIN: Final = 10.0


class OutboxSender:
    """Chooses the records of the next data message and keeps account of what is not acknowledged yet."""

    def __init__(self, outbox: Outbox, pacer: Pacer) -> None:
        self._outbox, self._pacer = outbox, pacer
        self._budget = LinkBudget()
        self._pending: PendingMessage | None = None
        self._next_look = 0.0

    def connected(self, now: float) -> None:
        """A new connection is up: what is not acknowledged is sent again."""
        self._pacer.connected(now)
        self._next_look = 0.0

    def connection_lost(self) -> None:
        """The connection broke, and the message on its way with it."""
        if self._pending:
            self._budget.failed(self._pending.size)
        self._pending = None

    def carried(self, mid: int, size: int, seconds: float) -> None:
        """The broker confirmed message `mid` of `size` bytes after `seconds`."""
        self._budget.carried(size, seconds)
        if self._pending and self._pending.mid == mid:
            self._pending, self._next_look = None, 0.0

    def acknowledge(self, ack: Ack) -> None:
        """Delete the records that the server has."""
        keys = self._pacer.flight.named(ack.box, ack.ids)
        if keys:
            self._outbox.delete(keys)
            self.forget_records(keys)

    def forget_records(self, keys: Iterable[Key]) -> None:
        """The records of these keys are no longer in the outbox; the room is for others."""
        self._pacer.flight.forget_keys(keys)
        self._next_look = 0.0

    def next_look(self, now: float) -> float | None:
        """When to look for records to send; None while there are none or a message is on its way."""
        on_its_way = self._pending is not None and now <= self._pending.sent_at + _PUBACK_PATIENCE
        return self._next_look if len(self._outbox) and not on_its_way else None

    def choose(self, now: float, *, every: float) -> dict[OutboxRow, bytes]:
        """The records of the next data message with their bodies; empty when there is nothing to send now.

        `every`: seconds between two heartbeats, for which the link must stay free.
        """
        rows = self._outbox.newest(WINDOW + MAX_RECORDS)
        chosen = self._pacer.choose(rows, now, room=self._budget.bytes(every))
        if not chosen:
            self._next_look = self._pacer.look_again(now)
            return {}
        bodies = self._outbox.read(chosen)
        self._leave_out(chosen, bodies, now)
        return {row: bodies[row] for row in sorted(bodies)}

    def _leave_out(self, chosen: Sequence[OutboxRow], bodies: Collection[OutboxRow], now: float) -> None:
        """Of damaged records nothing more is expected; records that the disk did not give out are tried again later."""
        spoilt = set(self._outbox.spoilt)
        self._outbox.spoilt.clear()
        self._pacer.flight.forget_keys(spoilt)
        if self._outbox.hangs:
            self._next_look = now + _HANGING_DISK_WAIT
            return
        # Counted as sent, so that each further try comes later.
        self._pacer.flight.sent((row.key for row in chosen if row not in bodies and row.key not in spoilt), now)
        if not bodies and not spoilt:
            self._next_look = now + _READ_AGAIN

    def sent(self, rows: Collection[OutboxRow], mid: int, size: int, now: float) -> None:
        """These records were published in one message."""
        self._pacer.sent(rows, now)
        self._pending = PendingMessage(mid, size, now)
