"""Closures and maintenance windows: declared, approved, withdrawn; whom they silence and excuse, and when. Pure.

Any that was declared silences alerts while it holds; only an approved closure or window excuses downtime.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

import msgspec

from contract.bounds import OutOfBoundsError, require_time
from contract.errors import RemedyError
from contract.glossary import WORDS

KINDS: Final = ("closure", "maintenance")
SCOPES: Final = ("station", "area", "programme")
MAX_REASON: Final = 500
"""Characters of a reason."""

Scope = tuple[str, str]
"""One of SCOPES, and the id of that station, area or programme."""


class Scoped(Protocol):
    """Anything that is for one station, one area with all below it, or the stations of one programme."""

    @property
    def station(self) -> str | None: ...
    @property
    def area(self) -> str | None: ...
    @property
    def programme(self) -> str | None: ...


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


class NewClosure(msgspec.Struct, frozen=True, kw_only=True):
    """A closure as a person declares it, for exactly one station, area or programme."""

    kind: str = "closure"
    station: str | None = None
    area: str | None = None
    programme: str | None = None
    from_at: datetime
    until_at: datetime
    reason: str
    declared_by: str


def require_sound(new: NewClosure) -> None:
    """Raise RemedyError for a closure that cannot be declared: of no or two scopes, of no length, without a reason."""
    if new.kind not in KINDS:
        raise RemedyError(
            f"{new.kind[:40]!r} is not a kind of closure: use one of {', '.join(KINDS)}",
            f"“{new.kind[:40]}”不是报备类别：请用{'、'.join(WORDS['closure'][kind].zh for kind in KINDS)}",
        )
    if sum(scope is not None for scope in (new.station, new.area, new.programme)) != 1:
        raise RemedyError(
            "a closure is of a station, an area or a programme: name exactly one",
            "报备针对一个服务点、一个区划或一项工程：请只填写其中一个",
        )
    for name, at in (("from", new.from_at), ("until", new.until_at)):
        try:
            require_time(at)
        except OutOfBoundsError as exc:
            raise RemedyError(f"{name}: {exc}", exc.said.zh) from exc
    if new.until_at <= new.from_at:
        raise RemedyError(
            "a closure must end after it begins: correct its times", "报备的结束时间须晚于开始时间：请改正时间"
        )
    if not new.reason.strip() or len(new.reason) > MAX_REASON:
        raise RemedyError(
            f"a closure needs a reason of up to {MAX_REASON} characters: give one",
            f"请填写事由，最多 {MAX_REASON} 字",
        )


class Closures:
    """All closures, found by what they are about: a station's id, the path of its area, its programmes."""

    def __init__(self, closures: Iterable[Closure] = ()) -> None:
        self._by_scope: dict[Scope, list[Closure]] = {}
        held = [closure for closure in closures if closure.ends_at > closure.from_at]
        for closure in held:
            self._by_scope.setdefault(scope_of(closure), []).append(closure)
        self._boundaries = sorted(
            ((at, closure) for closure in held for at in (closure.from_at, closure.ends_at)),
            key=lambda boundary: boundary[0],
        )
        self._times = [at for at, _ in self._boundaries]

    def of_station(self, station: str, path: Iterable[str] = (), programmes: Iterable[str] = ()) -> list[Closure]:
        """The closures of a station, of the areas of its `path` and of its programmes, by their beginnings."""
        scopes = scopes_of_station(station, path, programmes)
        found = [closure for scope in scopes for closure in self._by_scope.get(scope, ())]
        return sorted(found, key=lambda closure: (closure.from_at, closure.id))

    def next_change(self, at: datetime) -> datetime | None:
        """The first instant after `at` at which any begins or ends; None: never."""
        place = bisect_right(self._times, at)
        return self._times[place] if place < len(self._times) else None

    def changed(self, after: datetime, until: datetime) -> list[Closure]:
        """Those that begin or end after the one instant and not after the other, in that order; each once."""
        between = self._boundaries[bisect_right(self._times, after) : bisect_right(self._times, until)]
        return list({closure.id: closure for _, closure in between}.values())


def scopes_of_station(station: str, path: Iterable[str], programmes: Iterable[str]) -> list[Scope]:
    """The scopes that a closure of a station may have: its id, an area of its path, one of its programmes."""
    areas = (("area", code) for code in path)
    return [("station", station), *areas, *(("programme", programme) for programme in programmes)]


def scope_of(closure: Scoped) -> Scope:
    """What a closure is for; exactly one of its station, area and programme is given."""
    return next((kind, str(name)) for kind in SCOPES if (name := getattr(closure, kind)) is not None)


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
