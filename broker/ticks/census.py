"""Counts the stations of a shard: which send heartbeats in time, which do not, which miss messages. Pure.

A partition may hold four stations of a shard of a hundred; whether half of a shard was heard, or a shard loses
messages, shows only in all of them. So each tick carries these numbers into every partition of the log. Times in ms of
the clock of the bridge. A station's promise is that its next heartbeat follows within `every`.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from broker.ticks.losses import LossSettings, LossWatch, StationLosses
from contract.messages import MOST_TERMINALS, Heartbeat, Status

FORGOTTEN_AFTER: Final = 10
"""Intervals (`every`) after which a silent station is no longer counted as missed."""
MOST_STATIONS: Final = 1_000_000
"""Most stations that are counted, about half a kilobyte each; messages of others are carried, too."""
MOST_NAMED: Final = 20
"""Stations that number wrongly whose names a tick carries."""
_LEAST_MEMORY_MS: Final = 60_000
_LONGEST_MS: Final = 5_000
_SLOT: Final = 100
_SPARE: Final = 1_000


class Counts(msgspec.Struct, frozen=True):
    """Stations of the shard: `kept` were heard in the present stretch and are in time, `missed` became late recently.

    `losses`: so many stations miss messages that this time does not count. `named`: the stations that number wrongly,
    once a window; None in between.
    """

    kept: int = 0
    missed: int = 0
    losses: bool = False
    named: tuple[str, ...] | None = None


class _CountedTerminal(msgspec.Struct, gc=False):
    """The newest heartbeat of a terminal: the next is due at `until`, and the terminal is forgotten at `forgotten`.

    `window`: the window in which it came. `missing` is the one number missing between it and the one before; 0: none.
    """

    name: str
    next: "_CountedTerminal | None"
    boot: str = ""
    run: int = 0
    conn: int | None = None
    n: int = 0
    until: float = 0.0
    forgotten: float = 0.0
    window: int = -1
    missing: int = 0


class _CountedStation(StationLosses, gc=False):
    """A station as it was counted: the slots of time in which it is late and in which it is forgotten.

    `stretch`: the stretch in which it was heard last.
    """

    first: _CountedTerminal | None = None
    due: int = 0
    forgotten: int = 0
    stretch: int = -1


class Census:
    """Takes every heartbeat in constant time: stations are counted by the slots in which they are late or forgotten."""

    def __init__(self, losses: LossSettings | None = None, most: int = MOST_STATIONS) -> None:
        self._most = most
        self._losses = LossWatch(losses or LossSettings())
        self._stations: dict[str, _CountedStation] = {}
        self._due: dict[int, int] = {}
        self._forgotten: dict[int, int] = {}
        self._present = self._missed = 0
        # The present stations that were heard in this stretch: since the last tick that did not count.
        self._stretch = 0
        self._kept = 0
        self._kept_due: dict[int, int] = {}
        self._now = 0
        # Numbers can be missing only after a heartbeat of this window or a later one.
        self._whole_from = 0
        self._counted_at = 0
        # The stations that number wrongly.
        self.named: dict[str, StationLosses] = {}

    def note_heartbeat(self, station: str, terminal: str, body: Heartbeat, now: int) -> None:
        """Count a heartbeat.

        One whose number is not newer than the newest of its boot is a duplicate when it comes within half of `every`.
        When it comes later, the terminal was set back or does not count: it lives, and no number is missing.
        """
        if now // _SLOT > self._now:
            self._advance(now)
        home = self._stations.get(station)
        if home is None:
            if len(self._stations) >= self._most:
                return
            home = self._stations[station] = _CountedStation()
        known = _find(home, terminal)
        missing = 0
        if known is None:
            known = _add(home, terminal)
        elif _is_news(known, body):
            missing = self._missing(known, body)
        else:
            self._take_back(home, known, body)
            if now >= known.until - body.every * 500:
                self._promise(known, body, now)
                self._keep(home)
            return
        self._renew(known, body, now)
        self._losses.note_heard(home, body.every * 1000, now)
        if missing:
            known.missing = body.n - 1 if missing == 1 else 0
            if self._losses.note_loss(home):
                self.named[station] = home
        self._keep(home)

    def _keep(self, home: _CountedStation) -> None:
        """The station was heard in time now."""
        self._uncount(home)
        home.stretch = self._stretch
        self._count(home)

    def note_status(self, station: str, terminal: str, body: Status) -> None:
        """Statuses are numbered with the heartbeats. A terminal that announced `away` is not late when it is silent."""
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
        shard = self._present + self._missed
        losses = self._losses.are_ours(shard)
        named = self._named() if self._losses.next_window_if_over(now, shard) else None
        return Counts(self._kept, self._missed, losses, named)

    def excuse(self) -> None:
        """Nothing was heard for a while, which ticks report anyway: numbers missing from before are no loss."""
        self._losses.excuse()
        self._whole_from = self._losses.window

    @property
    def windows_lost(self) -> int:
        """Windows with a loss of the platform."""
        return self._losses.windows_lost

    def _begin_stretch(self) -> None:
        self._stretch, self._kept = self._stretch + 1, 0
        self._kept_due.clear()

    def _named(self) -> tuple[str, ...]:
        self.named = {station: line for station, line in self.named.items() if line.named}
        return tuple(sorted(self.named)[:MOST_NAMED])

    def _missing(self, known: _CountedTerminal, body: Heartbeat) -> int:
        """How many numbers are missing within a connection; 0 for a terminal that does not name its connections."""
        same = body.conn is not None and (known.boot, known.run, known.conn) == (body.boot, body.run, body.conn)
        return body.n - known.n - 1 if same and known.window >= self._whole_from else 0

    def _take_back(self, home: _CountedStation, known: _CountedTerminal, body: Heartbeat) -> None:
        """A number that seemed missing came after the next one."""
        same = (known.boot, known.run, known.conn) == (body.boot, body.run, body.conn)
        if same and 0 < body.n == known.missing:
            known.missing = 0
            if known.window == home.window:
                self._losses.note_found(home)

    def _renew(self, known: _CountedTerminal, body: Heartbeat, now: int) -> None:
        known.boot, known.run, known.conn, known.n = body.boot, body.run, body.conn, body.n
        known.window, known.missing = self._losses.window, 0
        self._promise(known, body, now)

    @staticmethod
    def _promise(known: _CountedTerminal, body: Heartbeat, now: int) -> None:
        every_ms = body.every * 1000
        known.until, known.forgotten = now + every_ms, now + FORGOTTEN_AFTER * every_ms + _LEAST_MEMORY_MS

    def _leave(self, station: str, home: _CountedStation, gone: _CountedTerminal) -> None:
        self._uncount(home)
        _remove(home, gone)
        if home.first is None:
            self._forget(station, home)
            del self._stations[station]
        else:
            self._count(home)

    def _count(self, home: _CountedStation) -> None:
        """Add a station to the counts: it is in time as long as any of its terminals is."""
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

    def _uncount(self, home: _CountedStation) -> None:
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
        """Move the counts forward to `now`."""
        last, self._now = self._now, max(now // _SLOT, self._now)
        for slot in range(last + 1, self._now + 1):
            late = self._due.pop(slot, 0)
            self._present -= late
            self._kept -= self._kept_due.pop(slot, 0)
            self._missed += late - self._forgotten.pop(slot, 0)
        self._sweep()

    def _sweep(self) -> None:
        """Forget silent stations when there are many, so that memory is bounded by the stations that send."""
        if len(self._stations) > 2 * (self._present + self._missed) + _SPARE:
            gone = [(name, home) for name, home in self._stations.items() if home.forgotten <= self._now]
            for name, home in gone:
                self._forget(name, home)
                del self._stations[name]

    def _forget(self, station: str, home: _CountedStation) -> None:
        self._losses.forget_station(home)
        self.named.pop(station, None)


def _is_news(known: _CountedTerminal, body: Heartbeat) -> bool:
    """Whether a heartbeat is of another boot or has a newer number."""
    return known.boot != body.boot or (body.run, body.n) > (known.run, known.n)


def _terminals(home: _CountedStation) -> Iterator[_CountedTerminal]:
    one = home.first
    while one is not None:
        yield one
        one = one.next


def _lasts(home: _CountedStation) -> tuple[float, float]:
    """When the last of its terminals is late, and when the last is forgotten."""
    until = forgotten = 0.0
    for one in _terminals(home):
        until, forgotten = max(until, one.until), max(forgotten, one.forgotten)
    return until, forgotten


def _find(home: _CountedStation, name: str) -> _CountedTerminal | None:
    one = home.first
    while one is not None and one.name != name:
        one = one.next
    return one


def _add(home: _CountedStation, name: str) -> _CountedTerminal:
    """Add a new terminal; when there are too many it replaces the one that is late for the longest time."""
    others = list(_terminals(home))
    if len(others) >= MOST_TERMINALS:
        _remove(home, min(others, key=lambda one: one.until))
    home.first = _CountedTerminal(name, home.first)
    return home.first


def _remove(home: _CountedStation, gone: _CountedTerminal) -> None:
    before = next((one for one in _terminals(home) if one.next is gone), None)
    if before is None:
        home.first = gone.next
    else:
        before.next = gone.next
