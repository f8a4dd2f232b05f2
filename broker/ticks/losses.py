"""Whether missing messages are a loss of the platform, or stations that number their messages wrongly. Pure.

TCP loses nothing, so a number that is missing within one connection was lost behind the MQTT broker: all stations are
equally likely to miss one. A station that misses numbers all the time while others do not, numbers wrongly. So a loss
counts in full only for a station that lost nothing lately, and a station that loses far more often is named.

The bridge divides time into windows. Of a station only the windows count in which it was heard, so that a station that
is heard once a minute is judged by as many messages as one that is heard each second.
"""

import math
from typing import Final

import msgspec

_FEW_A_LOSS: Final = 20
_LEAST_OF_FEW: Final = 2
ENOUGH: Final = 100
"""Stations that must be heard to recognise losses; until then a window lasts longer."""
_LONGEST_WINDOW_MS: Final = 60_000


class LossSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds, shares 0..1 and numbers of stations or of windows of a station.

    Only stations heard for `settled` seconds count. A window of `window` seconds is a loss of the platform when
    stations lose messages that lost none in their last `clean` windows, and these are more than `share` of the stations
    and at least `least` (in a small shard 5%, at least 2); or when all stations with a loss are more than `all_share`
    and at least `all_least`. A station is named when `named_least` of its last `named_of` windows have a loss, at
    `named_times` the rate of the others; it does not count until `named_until` windows without a loss.
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
        """Whether a window is a loss of the platform: of the stations `heard` in it `all_` lost messages, `clean` of
        these lost none before; `shard`: stations of the shard."""
        least = min(self.least, max(_LEAST_OF_FEW, math.ceil(shard / _FEW_A_LOSS)))
        few = clean >= least and clean > self.share * heard
        return few or (all_ >= self.all_least and all_ > self.all_share * heard)


class StationLosses(msgspec.Struct, gc=False):
    """The losses of a station that was first heard at `since` (ms) and last in `window`, with `lost` missing numbers.

    `history` has a bit for each of its `windows` windows before that: whether a number was missing; the newest is the
    lowest.
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

    def note_heard(self, line: StationLosses, every_ms: float, now: int) -> None:
        """A station was heard; its next heartbeat is due within `every_ms`."""
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

    def note_loss(self, line: StationLosses) -> bool:
        """A number of a station heard in this window is missing; return whether the station is named for it."""
        line.lost += 1
        if line.lost > 1 or line.named:
            return False
        self._count_loss(line, 1)
        if self._is_conspicuous(line):
            self._name(line)
        return line.named

    def note_found(self, line: StationLosses) -> None:
        """A missing number arrived late: the station has no loss, unless another number is missing."""
        if not line.lost:
            return
        line.lost -= 1
        if not line.lost and line.window == self.window and not line.named:
            self._count_loss(line, -1)

    def forget_station(self, line: StationLosses) -> None:
        """A station is gone."""
        if not line.named:
            self._weigh(line, -1)

    def are_ours(self, shard: int) -> bool:
        """Whether this window or the last is a loss of the platform; `shard`: the number of its stations."""
        return self._before or self._are_ours_now(shard)

    def next_window_if_over(self, now: int, shard: int) -> bool:
        """Begin a new window if the current one is over; return whether it was."""
        if not self._is_over(now - self._began):
            return False
        self._before = self._are_ours_now(shard)
        self.windows_lost += self._before
        self._began = now
        self._next()
        return True

    def excuse(self) -> None:
        """Nothing was heard for a while, which ticks report anyway: numbers missing from before are no loss."""
        self._before = False
        self._next()

    def _are_ours_now(self, shard: int) -> bool:
        return self._settings.are_ours(clean=self._clean, all_=self._all, heard=self._heard, shard=shard)

    def _is_over(self, lasted: int) -> bool:
        """A window lasts until many stations, or all, were heard: ten seconds of a small shard show too little."""
        full = self._any >= ENOUGH or lasted >= min(self._promise, _LONGEST_WINDOW_MS)
        return full and lasted >= self._settings.window * 1000

    def _next(self) -> None:
        self.window, self._any, self._heard, self._promise = self.window + 1, 0, 0, 0.0
        self._clean = self._all = 0

    def _counts(self, line: StationLosses) -> bool:
        """Whether the station counts: it is not named, and not new, because new stations can be invented."""
        return not line.named and self._began - line.since >= self._settings.settled * 1000

    def _count_loss(self, line: StationLosses, number: int) -> None:
        if self._counts(line):
            self._all += number
            self._clean += number * (not line.history & self._clean_mask)

    def _push(self, line: StationLosses) -> None:
        """The last window of the station is over."""
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
