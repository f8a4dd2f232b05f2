"""Silences as values. Pure."""

from datetime import datetime
from enum import StrEnum

import msgspec


class SilenceStatus(StrEnum):
    """Where a silence stands at a moment."""

    CURRENT = "current"
    PLANNED = "planned"
    OVER = "over"


class Silence(msgspec.Struct, frozen=True, kw_only=True):
    """Nobody is told of incidents of a station, or of an area and below, or of everything (neither), of some kinds
    (empty: all), from `from_at` until before `until_at`, or until `ended_at` if a person ended it."""

    id: int
    from_at: datetime
    until_at: datetime
    reason: str
    made_by: str
    made_at: datetime | None = None
    station: str | None = None
    area: str | None = None
    kinds: frozenset[str] = frozenset()
    ended_at: datetime | None = None
    ended_by: str | None = None

    @property
    def ends_at(self) -> datetime:
        """When the silence ends: as made, or when a person ended it. One that was ended before its beginning was never
        in force: then its beginning."""
        if self.ended_at is None:
            return self.until_at
        return min(max(self.ended_at, self.from_at), self.until_at)

    def holds(self, at: datetime) -> bool:
        """Whether the silence is in force."""
        return self.from_at <= at < self.ends_at

    def status(self, at: datetime) -> SilenceStatus:
        """Whether the silence is in force, will be, or is over; one that was ended before its beginning is over."""
        if self.ended_at is not None or self.until_at <= at:
            return SilenceStatus.OVER
        return SilenceStatus.PLANNED if at < self.from_at else SilenceStatus.CURRENT
