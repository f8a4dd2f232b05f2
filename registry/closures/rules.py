"""Closures and maintenance windows: declared, approved, withdrawn; whom they silence and excuse, and when. Pure.

Any that was declared silences alerts while it holds; only an approved closure or window excuses downtime.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

KINDS: Final = ("closure", "maintenance")


class ClosureStatus(StrEnum):
    DECLARED = "declared"
    APPROVED = "approved"
    WITHDRAWN = "withdrawn"


class Closure(msgspec.Struct, frozen=True, kw_only=True):
    """An interval, of one station, of an area with all below it, or of the stations of a programme."""

    id: int
    kind: str = "closure"
    station: str | None = None
    area: str | None = None
    programme: str | None = None
    from_at: datetime
    until_at: datetime
    reason: str
    declared_by: str
    declared_at: datetime
    approved_by: str | None = None
    approved_at: datetime | None = None
    evidence: str | None = None
    withdrawn_by: str | None = None
    withdrawn_at: datetime | None = None

    @property
    def status(self) -> ClosureStatus:
        if self.withdrawn_at is not None:
            return ClosureStatus.WITHDRAWN
        return ClosureStatus.DECLARED if self.approved_at is None else ClosureStatus.APPROVED

    @property
    def ends_at(self) -> datetime:
        """When it ends: as declared, or where it was withdrawn meanwhile.

        Withdrawn before it began or after it was over it never held: then this is its beginning.
        """
        if self.withdrawn_at is None:
            return self.until_at
        return self.withdrawn_at if self.from_at < self.withdrawn_at < self.until_at else self.from_at

    def holds(self, at: datetime) -> bool:
        return self.from_at <= at < self.ends_at

    def excuses(self, at: datetime) -> bool:
        return self.approved_at is not None and self.holds(at)


class Closures:
    """All closures, found by what they are about: a station's id, the path of its area, its programmes."""

    def __init__(self, closures: Iterable[Closure] = ()) -> None:
        self._by_scope: dict[tuple[str, str], list[Closure]] = {}
        held = [closure for closure in closures if closure.ends_at > closure.from_at]
        for closure in held:
            self._by_scope.setdefault(scope_of(closure), []).append(closure)
        self._boundaries = sorted(
            ((at, closure) for closure in held for at in (closure.from_at, closure.ends_at)),
            key=lambda boundary: boundary[0],
        )
        self._times = [at for at, _ in self._boundaries]

    def of(self, station: str, path: Collection[str] = (), programmes: Collection[str] = ()) -> list[Closure]:
        """Those that are about a station, whenever they hold, by their beginnings."""
        scopes = [("station", station), *(("area", code) for code in path), *(("programme", p) for p in programmes)]
        found = [closure for scope in scopes for closure in self._by_scope.get(scope, ())]
        return sorted(found, key=lambda closure: (closure.from_at, closure.id))

    def silenced_at(
        self, at: datetime, station: str, path: Collection[str] = (), programmes: Collection[str] = ()
    ) -> bool:
        """Whether any declared closure or maintenance window of the station holds."""
        return any(closure.holds(at) for closure in self.of(station, path, programmes))

    def excused_at(
        self, at: datetime, station: str, path: Collection[str] = (), programmes: Collection[str] = ()
    ) -> bool:
        """Whether an approved one of the station holds."""
        return any(closure.excuses(at) for closure in self.of(station, path, programmes))

    def next_change(self, at: datetime) -> datetime | None:
        """The first instant after `at` at which any begins or ends; None: never."""
        place = bisect_right(self._times, at)
        return self._times[place] if place < len(self._times) else None

    def changed(self, after: datetime, until: datetime) -> list[Closure]:
        """Those that begin or end after the one instant and not after the other, in that order; each once."""
        between = self._boundaries[bisect_right(self._times, after) : bisect_right(self._times, until)]
        return list({closure.id: closure for _, closure in between}.values())


def scope_of(closure: Closure) -> tuple[str, str]:
    """("station" | "area" | "programme", its id)"""
    if closure.station is not None:
        return "station", closure.station
    if closure.area is not None:
        return "area", closure.area
    return "programme", closure.programme or ""


def union(closures: Sequence[Closure], *, excusing: bool = False) -> list[tuple[datetime, datetime]]:
    """The time in which any of them holds (`excusing`: an approved one), as intervals in order that do not touch."""
    spans = sorted(
        (c.from_at, c.ends_at)
        for c in closures
        if c.ends_at > c.from_at and (c.approved_at is not None or not excusing)
    )
    merged: list[tuple[datetime, datetime]] = []
    for begin, end in spans:
        if merged and begin <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((begin, end))
    return merged
