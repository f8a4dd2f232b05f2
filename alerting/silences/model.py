"""Silences as values. Pure."""

from datetime import datetime

import msgspec


class Silence(msgspec.Struct, frozen=True, kw_only=True):
    """Nobody is told of incidents of a station, or of an area and below, or of everything (neither), of some kinds
    (empty: all), from `from_at` until before `until_at`, or until `ended_at` if a person ended it."""

    id: int
    from_at: datetime
    until_at: datetime
    reason: str
    made_by: str
    station: str | None = None
    area: str | None = None
    kinds: frozenset[str] = frozenset()
    ended_at: datetime | None = None
    ended_by: str | None = None
