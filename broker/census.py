"""What a bridge knows of its whole shard: which stations keep their promise, which do not, which lost messages. Pure.

A partition may hold four stations of a shard of a hundred; whether half of a shard was heard, or a shard loses
messages, can only be said of all of them. So each tick carries these numbers into every partition's log. Times in ms
of the bridge's clock.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from contract.messages import Heartbeat, Status

FORGOTTEN_AFTER: Final = 10
"""Promises after which a silent station is no longer one that fell lately."""
MOST_TERMINALS: Final = 32
"""Terminals of a station that are followed; of more the one whose promise ended first makes room."""
_LEAST_MEMORY_MS: Final = 60_000
_LONGEST_MS: Final = 5_000
ENOUGH: Final = 100
"""Stations heard of which losses can be told; until then a window lasts longer."""
_LONGEST_WINDOW_MS: Final = 60_000
_SLOT: Final = 100
_SPARE: Final = 1_000


class Counts(msgspec.Struct, frozen=True):
    """Stations of the shard: `present` are within their promise, `kept` of them were heard in the present stretch,
    `missed` broke theirs lately; in the current window, or the last if that was worse, `heard` sent something, and of
    `lost` among them a message is missing.

    A window lasts as long as it was asked for, and in a small shard until it has heard enough stations to tell by.
    """

    present: int = 0
    kept: int = 0
    missed: int = 0
    heard: int = 0
    lost: int = 0


class _Terminal(msgspec.Struct, gc=False):
    """The newest heartbeat of a terminal: its promise lasts until `until`, and it is forgotten at `forgotten`.

    `missing` is the one number that is not there between it and the one before, and for which alone its station counts
    among those that lost something in this window; 0: none.
    """

    name: str
    next: "_Terminal | None"
    boot: str = ""
    run: int = 0
    conn: int = 0
    n: int = 0
    until: float = 0.0
    forgotten: float = 0.0
    window: int = -1
    missing: int = 0


class _Station(msgspec.Struct, gc=False):
    """When the last of its terminals' promises ends and when it is forgotten (slots of time), as it was counted.

    `stretch` and `window`: those in which it was heard last.
    """

    first: _Terminal | None = None
    due: int = 0
    forgotten: int = 0
    stretch: int = -1
    window: int = -1


class Census:
    """Follows every heartbeat in constant time: stations are counted by the slot in which something is due."""

    def __init__(self, *, window: float = 10.0) -> None:
        self._window_ms = window * 1000
        self._stations: dict[str, _Station] = {}
        self._due: dict[int, int] = {}
        self._forgotten: dict[int, int] = {}
        self._present = self._missed = 0
        # Of those present, the ones heard in this stretch: since the last tick that did not count.
        self._stretch = 0
        self._kept = 0
        self._kept_due: dict[int, int] = {}
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

    def heartbeat(self, station: str, terminal: str, body: Heartbeat, now: int) -> None:
        """Take a heartbeat in; one that is not newer than the newest of its boot says nothing."""
        if now // _SLOT > self._now:
            self._advance(now)
        home = self._stations.get(station)
        if home is None:
            home = self._stations[station] = _Station()
        known = _find(home, terminal)
        if known is None:
            known = _add(home, terminal)
        elif not self._is_news(station, known, body):
            return
        if (known.boot, known.run, known.conn) != (body.boot, body.run, body.conn):
            known.missing = 0
        known.boot, known.run, known.conn, known.n = body.boot, body.run, body.conn, body.n
        every_ms = body.every * 1000
        known.until, known.forgotten = now + every_ms, now + FORGOTTEN_AFTER * every_ms + _LEAST_MEMORY_MS
        known.window = self._window
        if home.window != self._window:
            home.window = self._window
            self._heard += 1
            self._promise = max(self._promise, every_ms)
        self._uncount(home)
        home.stretch = self._stretch
        self._count(home)

    def status(self, station: str, terminal: str, body: Status) -> None:
        """Statuses are numbered with the heartbeats. Who says that it goes away breaks no promise by its silence."""
        home = self._stations.get(station)
        known = None if home is None else _find(home, terminal)
        if home is None or known is None:
            return
        if body.state == "away":
            self._leave(station, home, known)
        elif (known.boot, known.run) == (body.boot, body.run) and body.n is not None:
            known.n = max(known.n, body.n)

    def count(self, now: int, *, whole: bool = True) -> Counts:
        """The shard as it is now, for a tick that is `whole` or not."""
        self._advance(now)
        late = now - self._counted_at > _LONGEST_MS
        if late:
            self.excuse()
        if late or not whole:
            self._begin_stretch()
        self._counted_at = now
        # What goes on shall not seem over because a new window begins.
        heard, lost = max(((self._heard, len(self._lost)), self._before), key=lambda pair: pair[1])
        counts = Counts(self._present, self._kept, self._missed, heard, lost)
        if self._is_over(now - self._window_began):
            self._window_began, self._before = now, (self._heard, len(self._lost))
            self._next_window()
        return counts

    def _begin_stretch(self) -> None:
        self._stretch, self._kept = self._stretch + 1, 0
        self._kept_due.clear()

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

    def _is_news(self, station: str, known: _Terminal, body: Heartbeat) -> bool:
        """Whether it is newer than what was heard of its boot; notes when something between the two is missing."""
        if known.boot != body.boot:
            return True
        if body.run == known.run:
            if body.conn == known.conn:
                self._follow(station, known, body.n)
            return body.n > known.n
        return body.run > known.run

    def _follow(self, station: str, known: _Terminal, n: int) -> None:
        """Numbers within a connection: one that is left out is lost, unless it comes behind the next."""
        if n > known.n:
            known.missing = n - 1 if n == known.n + 2 and station not in self._lost else 0
            if n > known.n + 1 and known.window >= self._whole_from:
                self._lost.add(station)
        elif n == known.missing:
            known.missing = 0
            self._lost.discard(station)

    def _leave(self, station: str, home: _Station, gone: _Terminal) -> None:
        self._uncount(home)
        _remove(home, gone)
        if home.first is None:
            del self._stations[station]
        else:
            self._count(home)

    def _count(self, home: _Station) -> None:
        """A station keeps its promise as long as any of its terminals does."""
        until, forgotten = _lasts(home)
        home.due, home.forgotten = int(until) // _SLOT + 1, int(forgotten) // _SLOT
        if home.forgotten <= self._now:
            return
        self._forgotten[home.forgotten] = self._forgotten.get(home.forgotten, 0) + 1
        if home.due <= self._now:
            self._missed += 1
            return
        self._due[home.due] = self._due.get(home.due, 0) + 1
        self._present += 1
        if home.stretch == self._stretch:
            self._kept_due[home.due] = self._kept_due.get(home.due, 0) + 1
            self._kept += 1

    def _uncount(self, home: _Station) -> None:
        if home.forgotten <= self._now:
            return
        self._forgotten[home.forgotten] -= 1
        if home.due <= self._now:
            self._missed -= 1
            return
        self._due[home.due] -= 1
        self._present -= 1
        if home.stretch == self._stretch:
            self._kept_due[home.due] -= 1
            self._kept -= 1

    def _advance(self, now: int) -> None:
        """Let the time up to `now` go by."""
        last, self._now = self._now, max(now // _SLOT, self._now)
        for slot in range(last + 1, self._now + 1):
            late = self._due.pop(slot, 0)
            self._present -= late
            self._kept -= self._kept_due.pop(slot, 0)
            self._missed += late - self._forgotten.pop(slot, 0)
        self._sweep()

    def _sweep(self) -> None:
        """Keep few silent stations beside the living ones, so that memory is bounded by those who send."""
        if len(self._stations) > 2 * (self._present + self._missed) + _SPARE:
            self._stations = {name: home for name, home in self._stations.items() if home.forgotten > self._now}


def _terminals(home: _Station) -> Iterator[_Terminal]:
    one = home.first
    while one is not None:
        yield one
        one = one.next


def _lasts(home: _Station) -> tuple[float, float]:
    """When the last promise of its terminals ends, and when the last of them is forgotten."""
    until = forgotten = 0.0
    for one in _terminals(home):
        until, forgotten = max(until, one.until), max(forgotten, one.forgotten)
    return until, forgotten


def _find(home: _Station, name: str) -> _Terminal | None:
    one = home.first
    while one is not None and one.name != name:
        one = one.next
    return one


def _add(home: _Station, name: str) -> _Terminal:
    """A terminal that was not heard before."""
    others = list(_terminals(home))
    if len(others) >= MOST_TERMINALS:
        _remove(home, min(others, key=lambda one: one.until))
    home.first = _Terminal(name, home.first)
    return home.first


def _remove(home: _Station, gone: _Terminal) -> None:
    before = next((one for one in _terminals(home) if one.next is gone), None)
    if before is None:
        home.first = gone.next
    else:
        before.next = gone.next
