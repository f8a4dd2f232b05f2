"""The instants that intervals have in common. Pure."""

from datetime import datetime
from typing import Protocol

import msgspec


class Spanning(Protocol):
    """Whatever has an interval, both ends included."""

    @property
    def began(self) -> datetime: ...

    @property
    def until(self) -> datetime: ...


class Window(msgspec.Struct, frozen=True):
    """The instants that some intervals share."""

    lo: datetime
    hi: datetime

    def meets(self, other: Spanning) -> bool:
        return self.spans(other.began, other.until)

    def spans(self, began: datetime, until: datetime) -> bool:
        """Whether an interval has an instant of it."""
        return began <= self.hi and until >= self.lo

    def touches(self, other: "Window") -> bool:
        return self.lo <= other.hi and self.hi >= other.lo

    def narrowed(self, other: Spanning) -> "Window":
        """What is left of it when one more interval is to share it."""
        return Window(max(self.lo, other.began), min(self.hi, other.until)) if self.meets(other) else self
