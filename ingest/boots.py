"""A boot of a terminal: the ids stored of its box, and how its clock relates to the clock of the server."""

from typing import Final

from contract.clocks import MonotonicSeconds, WallMs, WallSeconds
from contract.device_times import Source, anchor_of, by_anchor, by_bounds
from ingest.seen_ids import SeenIds

Key = tuple[str, str, str]
"""(station, terminal, boot); a box has the name of the boot that wrote it."""

LAST_STEP: Final = 3_600_000
"""ms between two updates of a boot's last receipt: a coarse lower bound is enough for the next boot."""


class Boot:
    """A boot and its box. Times are ms since the epoch by the clock of the server; `anchor` is seconds.

    `after` and `before` bound the records of a box whose boot has no anchor.
    """

    __slots__ = ("after", "anchor", "before", "first_at", "has_row", "last_at", "met", "run", "seen")

    def __init__(self) -> None:
        self.seen = SeenIds()
        # Whether records of the box were seen: from then on its bounds do not change.
        self.met = False
        self.has_row = False
        self.after: WallMs | None = None
        self.before: WallMs | None = None
        self.run = 0
        self.anchor: WallSeconds | None = None
        self.first_at = WallMs(0)
        self.last_at = WallMs(0)

    @property
    def began(self) -> WallMs | None:
        """The latest moment at which the boot can have begun; None without an anchor."""
        return None if self.anchor is None else WallMs(round(self.anchor * 1000))

    def hear(self, run: int, up: MonotonicSeconds | None, received: WallMs) -> bool:
        """A message of this boot was received; return whether a value that must be written changed."""
        found = anchor_of(received, up)
        if found is None:
            return False
        if self.anchor is None:
            self.run, self.anchor, self.first_at, self.last_at = run, found, received, received
            return True
        changed = False
        if found < self.anchor:
            self.anchor, changed = found, True
        if received < self.first_at:
            self.first_at, changed = received, True
        if received >= self.last_at + LAST_STEP:
            self.last_at, changed = received, True
        return changed

    def meet(self, carrier: "Boot", earlier: WallMs | None) -> None:
        """Fix the box's bounds at its first records: after the boots before its carrier, before the carrier itself.

        `earlier` is the last receipt (ms) of any boot with a lower run than the carrier's.
        """
        self.met = True
        if self.anchor is None:
            self.after = earlier
            self.before = None if carrier is self else carrier.began

    def time_of(
        self, at: WallMs, up: MonotonicSeconds | None, received: WallMs, carrier: "Boot"
    ) -> tuple[WallMs, Source]:
        """The corrected time of a record of this box, and where it was derived from."""
        anchor = self.anchor
        if anchor is None:
            return by_bounds(at, self.after, self.before, received)
        time = None if up is None else by_anchor(anchor, up, received)
        if time is not None:
            return time, "anchor"
        return by_bounds(at, self.began, None if carrier is self else carrier.began, received)

    def latest(self, received: WallMs) -> WallMs:
        """The latest possible time of a record of this box."""
        return received if self.anchor is not None or self.before is None else min(self.before, received)
