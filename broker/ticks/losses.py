"""Whether messages that are missing are our loss, or a few stations' wrong numbers. Pure.

TCP loses nothing, so a number that is missing within one connection was lost behind the MQTT broker: all stations are
equally likely to miss one. Stations that miss them all the time while others do not number wrongly. So a loss counts in
full only of a station that lost nothing lately, and one that loses far more often than the others is named.

Windows are the bridge's; a station's own windows are those in which it was heard, so that one that is heard once a
minute is judged by as many messages as one that is heard each second.
"""

import math
from typing import Final

import msgspec

_FEW_A_LOSS: Final = 20
_LEAST_OF_FEW: Final = 2
ENOUGH: Final = 100
"""Stations heard of which losses can be told; until then a window lasts longer."""
_LONGEST_WINDOW_MS: Final = 60_000


class LossSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds, shares 0..1 and numbers of stations or of a station's own windows.

    A window of `window` seconds is our loss when of the stations heard for `settled` seconds those without a loss in
    their last `clean` windows exceed `share` and reach `least` (of a shard of few, a twentieth of it but two), or all
    together `all_share` and `all_least`. A station with `named_least` windows with a loss of its last `named_of`, and
    `named_times` the rate of the others, is named, and counts no more until `named_until` windows without one.
    """

    window: float = 10.0
    settled: float = 600.0
    clean: int = 10
    share: float = 0.02
    least: int = 5
    all_share: float = 0.2
    all_least: int = 3
    named_least: int = 5
    named_of: int = 100
    named_times: float = 10.0
    named_until: int = 30

    def are_ours(self, *, clean: int, all_: int, heard: int, shard: int) -> bool:
        """Whether losses of `all_` of the stations `heard` in a window, `clean` of which lost nothing lately, are."""
        least = min(self.least, max(_LEAST_OF_FEW, math.ceil(shard / _FEW_A_LOSS)))
        few = clean >= least and clean > self.share * heard
        return few or (all_ >= self.all_least and all_ > self.all_share * heard)


class StationLosses(msgspec.Struct, gc=False):
    """What is missing of a station, heard since `since` (ms), last in the bridge's `window`; of that `lost` numbers.

    `history` has a bit for each of its last `windows` windows before that: whether something was lost; the newest is
    the lowest.
    """

    since: int = 0
    window: int = -1
    lost: int = 0
    history: int = 0
    windows: int = 0
    named: bool = False


class LossWatch:
    """Counts, window by window. Times in ms of the bridge's clock; a line's station is in the caller's hands."""

    def __init__(self, settings: LossSettings) -> None:
        self._settings = settings
        self._clean_mask = (1 << settings.clean) - 1
        self._until_mask = (1 << settings.named_until) - 1
        self._history_mask = (1 << settings.named_of) - 1
        self.window = 0
        self._began = 0
        # Stations heard in this window, all and of those that count; the longest time within that one is heard, ms.
        self._any = self._heard = 0
        self._promise = 0.0
        self._clean = self._all = 0
        # Whether the last window was our loss: what goes on shall not seem over because a new window begins.
        self._before = False
        # Windows, and those with a loss, of all that are not named.
        self._windows = self._losses = 0
        self.windows_lost = 0

    def heard(self, line: StationLosses, every_ms: float, now: int) -> None:
        """A station was heard that promises the next heartbeat within `every_ms`."""
        if line.window == self.window:
            return
        if line.window >= 0:
            self._push(line)
        else:
            line.since = now
        line.window, line.lost = self.window, 0
        self._any += 1
        self._promise = max(self._promise, every_ms)
        self._heard += self._counts(line)

    def lose(self, line: StationLosses) -> bool:
        """A number of a station heard in this window is missing; whether it is named for it."""
        line.lost += 1
        if line.lost > 1 or line.named:
            return False
        self._count_loss(line, 1)
        if self._is_conspicuous(line):
            self._name(line)
        return line.named

    def find(self, line: StationLosses) -> None:
        """A number that was missing came late: there is no loss, unless another is missing."""
        if not line.lost:
            return
        line.lost -= 1
        if not line.lost and line.window == self.window and not line.named:
            self._count_loss(line, -1)

    def forget(self, line: StationLosses) -> None:
        """A station is gone."""
        if not line.named:
            self._weigh(line, -1)

    def are_ours(self, shard: int) -> bool:
        """Whether so much is lost, in this window or the last, that its time does not count; `shard`: its stations."""
        return self._before or self._are_ours_now(shard)

    def roll(self, now: int, shard: int) -> bool:
        """Begin a new window when the current one is over; whether that is so."""
        if not self._is_over(now - self._began):
            return False
        self._before = self._are_ours_now(shard)
        self.windows_lost += self._before
        self._began = now
        self._next()
        return True

    def excuse(self) -> None:
        """Nothing was heard for a while, which the ticks say themselves: what is missing from before is no loss."""
        self._before = False
        self._next()

    def _are_ours_now(self, shard: int) -> bool:
        return self._settings.are_ours(clean=self._clean, all_=self._all, heard=self._heard, shard=shard)

    def _is_over(self, lasted: int) -> bool:
        """A window hears many, or everybody: in ten seconds a small shard says too little to tell a loss by."""
        full = self._any >= ENOUGH or lasted >= min(self._promise, _LONGEST_WINDOW_MS)
        return full and lasted >= self._settings.window * 1000

    def _next(self) -> None:
        self.window, self._any, self._heard, self._promise = self.window + 1, 0, 0, 0.0
        self._clean = self._all = 0

    def _counts(self, line: StationLosses) -> bool:
        """Not one that is named, nor one that was not there for long: anybody can invent those."""
        return not line.named and self._began - line.since >= self._settings.settled * 1000

    def _count_loss(self, line: StationLosses, number: int) -> None:
        if self._counts(line):
            self._all += number
            self._clean += number * (not line.history & self._clean_mask)

    def _push(self, line: StationLosses) -> None:
        """Its last window is over."""
        before = line.windows, line.history.bit_count()
        line.history = (line.history << 1 | (line.lost > 0)) & self._history_mask
        line.windows = min(line.windows + 1, self._settings.named_of)
        if not line.named:
            self._windows += line.windows - before[0]
            self._losses += line.history.bit_count() - before[1]
        elif not line.history & self._until_mask:
            line.named = False
            self._weigh(line, 1)

    def _is_conspicuous(self, line: StationLosses) -> bool:
        losses, windows = line.history.bit_count(), line.windows
        others = self._windows - windows
        if not others or losses + 1 < self._settings.named_least:
            return False
        rate = (self._losses - losses) / others
        return (losses + 1) / (windows + 1) >= self._settings.named_times * rate

    def _name(self, line: StationLosses) -> None:
        self._count_loss(line, -1)
        self._heard -= self._counts(line)
        self._weigh(line, -1)
        line.named = True

    def _weigh(self, line: StationLosses, sign: int) -> None:
        self._windows += sign * line.windows
        self._losses += sign * line.history.bit_count()
