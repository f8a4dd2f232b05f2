"""What a bridge knows of its whole shard: who keeps its promise, who does not, and of whom a message is missing. Pure.

A partition may hold four terminals of a shard of a hundred; whether the shard fell, or loses messages, can only be
told of all of them. So each tick carries these numbers into every partition's log. Times in ms of the bridge's clock.
"""

from typing import Final

import msgspec

from contract.messages import Heartbeat, Status

FORGOTTEN_AFTER: Final = 10
"""Promises after which a silent terminal is no longer one that fell lately."""
_LEAST_MEMORY_MS: Final = 60_000
_LONGEST_MS: Final = 5_000
ENOUGH: Final = 100
"""Terminals heard of which losses can be told; until then a window lasts longer."""
_LONGEST_WINDOW_MS: Final = 60_000
_SLOT: Final = 100
_SPARE: Final = 1_000


class Counts(msgspec.Struct, frozen=True):
    """Terminals of the shard: `present` kept their promise, `overdue` broke it lately; in the current window, or the
    last if that was worse, `heard` sent something, and of `lost` among them a message is missing.

    A window lasts as long as it was asked for, and in a small shard until it has heard enough terminals to tell by.
    """

    present: int = 0
    overdue: int = 0
    heard: int = 0
    lost: int = 0


class _Heard(msgspec.Struct, gc=False):
    """The newest heartbeat of a terminal; `due` and `forgotten` in slots of time.

    `missing` is the one number that is not there between it and the one before, and for which alone the terminal counts
    among those that lost something in this window; 0: none.
    """

    due: int
    forgotten: int
    boot: str
    run: int
    conn: int
    n: int
    window: int
    missing: int = 0


class Census:
    """Follows every heartbeat in constant time: terminals are counted by the slot in which something is due."""

    def __init__(self, *, window: float = 10.0) -> None:
        self._window_ms = window * 1000
        self._terminals: dict[str, _Heard] = {}
        self._due: dict[int, int] = {}
        self._forgotten: dict[int, int] = {}
        self._present = self._overdue = 0
        self._now = 0
        self._window = 0
        self._window_began = 0
        # Only what was heard from this window on can be missed.
        self._whole_from = 0
        self._counted_at = 0
        self._heard = 0
        # The longest promise among them, ms.
        self._promise = 0.0
        self._lost: set[str] = set()
        # (heard, lost) of the last window.
        self._before = 0, 0

    def heartbeat(self, who: str, body: Heartbeat, now: int) -> None:
        """Take a heartbeat in; one that is not newer than the newest of its boot says nothing."""
        if now // _SLOT > self._now:
            self._advance(now)
        known = self._terminals.get(who)
        if known is None:
            known = self._terminals[who] = _Heard(0, 0, "", 0, 0, 0, -1)
        elif not self._is_news(who, known, body):
            return
        else:
            self._uncount(known)
        if (known.boot, known.run, known.conn) != (body.boot, body.run, body.conn):
            known.missing = 0
        known.boot, known.run, known.conn, known.n = body.boot, body.run, body.conn, body.n
        if known.window != self._window:
            known.window = self._window
            self._heard += 1
            self._promise = max(self._promise, body.every * 1000)
        self._count(known, now, body.every * 1000)

    def status(self, who: str, body: Status) -> None:
        """Statuses are numbered with the heartbeats. Who says that it goes away breaks no promise by its silence."""
        known = self._terminals.get(who)
        if known is None:
            return
        if body.state == "away":
            del self._terminals[who]
            self._uncount(known)
        elif (known.boot, known.run) == (body.boot, body.run) and body.n is not None:
            known.n = max(known.n, body.n)

    def count(self, now: int) -> Counts:
        """The shard as it is now."""
        self._advance(now)
        if now - self._counted_at > _LONGEST_MS:
            self.excuse()
        self._counted_at = now
        # What goes on shall not seem over because a new window begins.
        heard, lost = max(((self._heard, len(self._lost)), self._before), key=lambda pair: pair[1])
        counts = Counts(self._present, self._overdue, heard, lost)
        if self._is_over(now - self._window_began):
            self._window_began, self._before = now, (self._heard, len(self._lost))
            self._next_window()
        return counts

    def _is_over(self, lasted: int) -> bool:
        """A window hears many, or everybody: in ten seconds a small shard says too little to tell a loss by."""
        full = self._heard >= ENOUGH or lasted >= min(self._promise, _LONGEST_WINDOW_MS)
        return full and lasted >= self._window_ms

    def excuse(self) -> None:
        """Nothing was heard for a while, which the ticks say themselves: what is missing from before is no loss."""
        self._before = 0, 0
        self._next_window()
        self._whole_from = self._window

    def _next_window(self) -> None:
        self._window, self._heard, self._promise = self._window + 1, 0, 0.0
        self._lost.clear()

    def _is_news(self, who: str, known: _Heard, body: Heartbeat) -> bool:
        """Whether it is newer than what was heard of its boot; notes when something between the two is missing."""
        if known.boot != body.boot:
            return True
        if body.run == known.run:
            if body.conn == known.conn:
                self._follow(who, known, body.n)
            return body.n > known.n
        return body.run > known.run

    def _follow(self, who: str, known: _Heard, n: int) -> None:
        """Numbers within a connection: one that is left out is lost, unless it comes behind the next."""
        if n > known.n:
            known.missing = n - 1 if n == known.n + 2 and who not in self._lost else 0
            if n > known.n + 1 and known.window >= self._whole_from:
                self._lost.add(who)
        elif n == known.missing:
            known.missing = 0
            self._lost.discard(who)

    def _count(self, known: _Heard, now: int, every_ms: float) -> None:
        due = known.due = int(now + every_ms) // _SLOT + 1
        forgotten = known.forgotten = int(now + FORGOTTEN_AFTER * every_ms + _LEAST_MEMORY_MS) // _SLOT
        self._due[due] = self._due.get(due, 0) + 1
        self._forgotten[forgotten] = self._forgotten.get(forgotten, 0) + 1
        self._present += 1

    def _uncount(self, known: _Heard) -> None:
        if known.due in self._due:
            self._due[known.due] -= 1
            self._present -= 1
        elif known.forgotten in self._forgotten:
            self._overdue -= 1
        if known.forgotten in self._forgotten:
            self._forgotten[known.forgotten] -= 1

    def _advance(self, now: int) -> None:
        """Let the time up to `now` go by."""
        last, self._now = self._now, max(now // _SLOT, self._now)
        for slot in range(last + 1, self._now + 1):
            late = self._due.pop(slot, 0)
            self._present -= late
            self._overdue += late - self._forgotten.pop(slot, 0)
        self._sweep()

    def _sweep(self) -> None:
        """Keep few silent terminals beside the living ones, so that memory is bounded by those who send."""
        if len(self._terminals) > 2 * (self._present + self._overdue) + _SPARE:
            self._terminals = {who: known for who, known in self._terminals.items() if known.forgotten > self._now}
