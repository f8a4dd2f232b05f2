"""When the agent sends, and how much. Pure; `now` is seconds of a monotonic clock."""

from collections.abc import Callable, Collection, Iterable, Sequence
from math import ceil, inf
from typing import Final, NamedTuple

from contract.messages import MAX_DATA_BYTES, MAX_RECORDS

RESEND_AFTER: Final = 60.0
RESEND_AT_MOST: Final = 600.0
WINDOW: Final = 1000
"""Most records that are sent and not acknowledged, so that little air time is lost while no bridge acknowledges."""
FIRST_BUDGET: Final = 8 * 1024
"""Bytes of a data message while nothing is known about the link."""
LEAST_BUDGET: Final = 1024
ENVELOPE: Final = 200
"""Bytes of a data message that are kept free for its other fields."""

Key = tuple[str, int]
"""(box, id)"""


class OutboxRow(NamedTuple):
    """A record in the outbox. `seq` counts up as records are written; `size` is in bytes."""

    seq: int
    box: str
    id: int
    size: int

    @property
    def key(self) -> Key:
        """What identifies the record to the server."""
        return self.box, self.id


class PendingMessage(NamedTuple):
    """The data message on its way: its MQTT message id, its size in bytes and when it was sent, in seconds."""

    mid: int
    size: int
    sent_at: float


def reconnect_delay(every: float, draw: float) -> float:
    """Seconds until the next attempt, by full jitter: `draw` in [0, 1) spread over [0, min(60, every)]."""
    return draw * min(60.0, every)


def keepalive(every: float) -> int:
    """Seconds of the MQTT keepalive. Under 5 s a busy machine would lose good connections."""
    return max(5, min(60, ceil(every)))


class LinkBudget:
    """The largest size of a data message, from what the link carried lately.

    The rate is that of the last acknowledged publish, a lower bound because its time includes the latency. Some links
    are fast for small messages and break under large ones: each failure lowers the bound to half the failed size.
    """

    def __init__(self) -> None:
        self._rate: float | None = None
        self._ceiling = float(MAX_DATA_BYTES)

    def carried(self, size: int, seconds: float) -> None:
        """The broker confirmed a message of `size` bytes after `seconds`."""
        self._rate = size / max(seconds, 1e-3)
        if size * 2 >= self._ceiling:
            self._ceiling = min(MAX_DATA_BYTES, self._ceiling * 2)

    def failed(self, size: int) -> None:
        """The link broke under a message of `size` bytes."""
        self._ceiling = max(LEAST_BUDGET, min(self._ceiling, size / 2))

    def bytes(self, every: float) -> int:
        """Bytes of the next data message: what the link carries in half of `every`, but at most in 30 s."""
        carries = FIRST_BUDGET if self._rate is None else self._rate * min(every, 60) / 2
        return int(min(self._ceiling, max(LEAST_BUDGET, carries)))


class Flight:
    """The records sent and not yet acknowledged. `after`: seconds until a record is sent again; each further time takes
    twice as long, up to `at_most`."""

    def __init__(self, *, after: float = RESEND_AFTER, at_most: float = RESEND_AT_MOST) -> None:
        self._after, self._at_most = after, at_most
        self._sent: dict[Key, tuple[int, float]] = {}

    def __len__(self) -> int:
        return len(self._sent)

    def sent(self, keys: Iterable[Key], now: float) -> None:
        """These records were sent."""
        for key in keys:
            times = self._sent.get(key, (0, 0.0))[0] + 1
            wait = min(self._at_most, self._after * 2.0 ** min(times - 1, 30))
            self._sent[key] = (times, now + wait)

    def named(self, box: str, ranges: Sequence[tuple[int, int]]) -> list[Key]:
        """The keys in flight that lie in the closed `ranges`; an ack for a record that was never sent is ignored."""
        return [key for key in self._sent if key[0] == box and any(first <= key[1] <= last for first, last in ranges)]

    def forget_keys(self, keys: Iterable[Key]) -> None:
        """These records are acknowledged or gone."""
        for key in keys:
            self._sent.pop(key, None)

    def lapse(self, now: float) -> None:
        """A new connection: acks of the old one are lost, so everything may be sent again now."""
        self._sent = {key: (times, now) for key, (times, _) in self._sent.items()}

    def may_send(self, key: Key, now: float) -> bool:
        """Whether the record may be sent, for the first time or again."""
        known = self._sent.get(key)
        return len(self._sent) < WINDOW if known is None else known[1] <= now

    def next_due(self) -> float:
        """When the first record may be sent again; inf for never."""
        return min((due for _, due in self._sent.values()), default=inf)


def compose(rows: Iterable[OutboxRow], may_send: Callable[[OutboxRow], bool], *, room: int) -> list[OutboxRow]:
    """The records of the next message, all of one box: the first of `rows` that may be sent, at most 500 and `room`
    bytes, but at least one."""
    chosen: list[OutboxRow] = []
    left = min(room, MAX_DATA_BYTES) - ENVELOPE
    for row in rows:
        if (chosen and row.box != chosen[0].box) or not may_send(row):
            continue
        left -= row.size + 1
        if chosen and left < 0:
            break
        chosen.append(row)
        if len(chosen) == MAX_RECORDS:
            break
    return chosen


class Pacer:
    """Chooses the records of the next data message: new ones at once, those of before the connection at `rate` a
    second."""

    def __init__(self, flight: Flight, *, rate: float) -> None:
        self.flight = flight
        self._rate = rate
        self._newest_sent = 0
        self._next_old = -inf

    def connected(self, now: float) -> None:
        """A connection is new: its first message may be sent at once."""
        self.flight.lapse(now)
        self._next_old = now

    def choose(self, rows: Collection[OutboxRow], now: float, *, room: int) -> list[OutboxRow]:
        """The records to send now, from `rows`, newest first; empty when all of them have to wait."""
        only_fresh = now < self._next_old

        def may_send(row: OutboxRow) -> bool:
            return not (only_fresh and row.seq <= self._newest_sent) and self.flight.may_send(row.key, now)

        return compose(rows, may_send, room=room)

    def sent(self, rows: Collection[OutboxRow], now: float) -> None:
        """These records were sent in one message."""
        self.flight.sent((row.key for row in rows), now)
        self._newest_sent = max(self._newest_sent, *(row.seq for row in rows))
        self._next_old = max(self._next_old, now) + len(rows) / self._rate

    def look_again(self, now: float) -> float:
        """When `choose` may give another result, if nothing else happens until then."""
        due = self.flight.next_due()
        return self._next_old if now < self._next_old else max(due, now + 1)
