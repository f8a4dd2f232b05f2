"""The instants that several intervals have in common. Pure."""

from datetime import datetime
from typing import Protocol

import msgspec


class Spanning(Protocol):
    """A value with an interval, both ends included."""

    @property
    def began(self) -> datetime:
        """The first instant."""

    @property
    def until(self) -> datetime:
        """The last instant."""


class CommonInterval(msgspec.Struct, frozen=True):
    """The instants from `lo` to `hi`, which some intervals share."""

    lo: datetime
    hi: datetime

    def meets(self, other: Spanning) -> bool:
        """Whether an interval has one of these instants."""
        return self.spans(other.began, other.until)

    def spans(self, began: datetime, until: datetime) -> bool:
        """Whether the interval from `began` to `until` has one of these instants."""
        return began <= self.hi and until >= self.lo

    def touches(self, other: "CommonInterval") -> bool:
        """Whether both have an instant in common."""
        return self.lo <= other.hi and self.hi >= other.lo

    def narrowed(self, other: Spanning) -> "CommonInterval":
        """The instants that one more interval shares; unchanged when it shares none."""
        return CommonInterval(max(self.lo, other.began), min(self.hi, other.until)) if self.meets(other) else self
