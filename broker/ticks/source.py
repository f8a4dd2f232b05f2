"""The next tick: the shard as the census counts it, and whether anything was lost since the last tick.

Pure, but for its log.
"""

import logging

from broker.ticks.census import MOST_NAMED, Census
from broker.ticks.pulse import Ticker
from contract.clocks import MonotonicMs, WallMs
from contract.log import Tick

log = logging.getLogger(__name__)


class TickSource:
    """Makes ticks, and logs which stations begin and end to number their messages wrongly."""

    def __init__(self, ticker: Ticker, census: Census) -> None:
        self._ticker = ticker
        self._census = census
        # The stations that number wrongly, as the log has them.
        self._logged: set[str] = set()

    @property
    def loss_windows(self) -> int:
        """Windows in which so many messages were missing that their time does not count."""
        return self._census.windows_lost

    @property
    def misnumbering(self) -> int:
        """Stations that numbered wrongly at the end of the last window."""
        return len(self._logged)

    def connected(self) -> None:
        """The connection is new: messages may be missing from before it."""
        self._ticker.spoil()
        self._census.excuse()

    def spoil(self) -> None:
        """Something was lost: the next tick is not whole."""
        self._ticker.spoil()

    def next(self, at: WallMs, mono: MonotonicMs) -> Tick:
        """The tick of this moment."""
        counts = self._census.count(mono, whole=self._ticker.whole)
        if counts.named is not None:
            self._log_named()
        return self._ticker.tick(at=at, mono=mono, counts=counts)

    def _log_named(self) -> None:
        named = self._census.named.keys()
        for text, stations in (
            ("stations number wrongly: what they miss is not counted", named - self._logged),
            ("stations number as they should again", self._logged - named),
        ):
            if stations:
                log.warning(text, extra={"number": len(stations), "stations": sorted(stations)[:MOST_NAMED]})
        self._logged = set(named)
