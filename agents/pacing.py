"""When the agent sends, and how much: arithmetic on a monotonic `now` in seconds."""

from collections.abc import Callable, Collection, Iterable, Sequence
from math import ceil, inf
from typing import Final, NamedTuple

from contract.messages import MAX_DATA_BYTES, MAX_RECORDS

RESEND_AFTER: Final = 60.0
RESEND_AT_MOST: Final = 600.0
WINDOW: Final = 1000
"""Records sent and not acknowledged; more wait, so that a bridge that is away costs little air time."""
FIRST_BUDGET: Final = 8 * 1024
"""Bytes of a data message while nothing is known about the link."""
LEAST_BUDGET: Final = 1024
ENVELOPE: Final = 200
"""Bytes kept free for what surrounds the records."""

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
        return self.box, self.id


class PendingMessage(NamedTuple):
    """The data message on its way: its MQTT message id, its size in bytes and when it was sent, in seconds."""

    mid: int
    size: int
    sent_at: float


def reconnect_delay(every: float, draw: float) -> float:
    """Full jitter: `draw` in [0, 1) over [0, min(60, every)] seconds."""
    return draw * min(60.0, every)


def keepalive(every: float) -> int:
    """Seconds of the MQTT keepalive. Under 5 s a busy machine would lose good connections."""
    return max(5, min(60, ceil(every)))


class LinkBudget:
    """What the link carried lately, and so what a data message may weigh.

    The rate is that of the last acknowledged publish, a lower bound: its time holds the latency too. Links that are
    quick for a little and slow for much are found out by the messages under which they break.
    """

    def __init__(self) -> None:
        self._rate: float | None = None
        self._ceiling = float(MAX_DATA_BYTES)

    def carried(self, size: int, seconds: float) -> None:
        self._rate = size / max(seconds, 1e-3)
        if size * 2 >= self._ceiling:
            self._ceiling = min(MAX_DATA_BYTES, self._ceiling * 2)

    def failed(self, size: int) -> None:
        """The link broke under a message of `size` bytes."""
        self._ceiling = max(LEAST_BUDGET, min(self._ceiling, size / 2))

    def bytes(self, every: float) -> int:
        """What may go at once: as much as the link carries in half of `every`, or of the keepalive if that is less."""
        carries = FIRST_BUDGET if self._rate is None else self._rate * min(every, 60) / 2
        return int(min(self._ceiling, max(LEAST_BUDGET, carries)))


class Flight:
    """The records sent and not yet acknowledged, each with its own patience."""

    def __init__(self, *, after: float = RESEND_AFTER, at_most: float = RESEND_AT_MOST) -> None:
        self._after, self._at_most = after, at_most
        self._sent: dict[Key, tuple[int, float]] = {}

    def __len__(self) -> int:
        return len(self._sent)

    def sent(self, keys: Iterable[Key], now: float) -> None:
        for key in keys:
            times = self._sent.get(key, (0, 0.0))[0] + 1
            wait = min(self._at_most, self._after * 2.0 ** min(times - 1, 30))
            self._sent[key] = (times, now + wait)

    def named(self, box: str, ranges: Sequence[tuple[int, int]]) -> list[Key]:
        """The keys in flight that the closed `ranges` name: nothing that never left can be safe."""
        return [key for key in self._sent if key[0] == box and any(first <= key[1] <= last for first, last in ranges)]

    def forget(self, keys: Iterable[Key]) -> None:
        for key in keys:
            self._sent.pop(key, None)

    def lapse(self, now: float) -> None:
        """A new connection: what the old one's acks would have said is lost."""
        self._sent = {key: (times, now) for key, (times, _) in self._sent.items()}

    def may_send(self, key: Key, now: float) -> bool:
        known = self._sent.get(key)
        return len(self._sent) < WINDOW if known is None else known[1] <= now

    def next_due(self) -> float:
        return min((due for _, due in self._sent.values()), default=inf)


def compose(rows: Iterable[OutboxRow], may_send: Callable[[OutboxRow], bool], *, room: int) -> list[OutboxRow]:
    """The records of the next message: one box, the newest first, at most 500 and `room` bytes, at least one."""
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
    """Chooses what the next data message holds: fresh records at once, old ones at a limited rate."""

    def __init__(self, flight: Flight, *, rate: float) -> None:
        self.flight = flight
        self._rate = rate
        self._newest_sent = 0
        self._next_old = -inf

    def connected(self, now: float) -> None:
        """The first message of a connection waits for nothing."""
        self.flight.lapse(now)
        self._next_old = now

    def choose(self, rows: Collection[OutboxRow], now: float, *, room: int) -> list[OutboxRow]:
        """From `rows`, newest first, what to send now; empty when all of them have to wait."""
        only_fresh = now < self._next_old

        def may_send(row: OutboxRow) -> bool:
            return not (only_fresh and row.seq <= self._newest_sent) and self.flight.may_send(row.key, now)

        return compose(rows, may_send, room=room)

    def sent(self, rows: Collection[OutboxRow], now: float) -> None:
        self.flight.sent((row.key for row in rows), now)
        self._newest_sent = max(self._newest_sent, *(row.seq for row in rows))
        self._next_old = max(self._next_old, now) + len(rows) / self._rate

    def look_again(self, now: float) -> float:
        """When `choose` may have another answer, if nothing else happens."""
        due = self.flight.next_due()
        return self._next_old if now < self._next_old else max(due, now + 1)
