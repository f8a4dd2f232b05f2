"""What is known of a boot of a terminal: the ids stored of its box, and how its clock stands to ours."""

from typing import Final

from contract.clocks import MonotonicSeconds, WallMs, WallSeconds
from contract.device_times import Source, anchor_of, by_anchor, by_bounds
from ingest.seen_ids import SeenIds

Key = tuple[str, str, str]
"""(station, terminal, boot); a box bears the name of the boot that wrote it."""

LAST_STEP: Final = 3_600_000
"""ms between two updates of a boot's last receipt: a coarse lower bound is enough for the next boot."""


class Boot:
    """A boot and its box. Times are ms since the epoch by our clock; `anchor` is seconds."""

    __slots__ = ("after", "anchor", "before", "first_at", "has_row", "last_at", "met", "run", "seen")

    def __init__(self) -> None:
        self.seen = SeenIds()
        # Whether the box was met: from then on its bounds hold still.
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
        """When it began, at the latest."""
        return None if self.anchor is None else WallMs(round(self.anchor * 1000))

    def hear(self, run: int, up: MonotonicSeconds | None, received: WallMs) -> bool:
        """Take in that a message of this boot came; whether anything to be written changed."""
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
        """Corrected time of a record of this box, and what it rests on."""
        anchor = self.anchor
        if anchor is None:
            return by_bounds(at, self.after, self.before, received)
        time = None if up is None else by_anchor(anchor, up, received)
        if time is not None:
            return time, "anchor"
        return by_bounds(at, self.began, None if carrier is self else carrier.began, received)

    def latest(self, received: WallMs) -> WallMs:
        """No record of this box is later than that."""
        return received if self.anchor is not None or self.before is None else min(self.before, received)
