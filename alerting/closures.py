"""Which closures and maintenance windows are going on, and for whom. Pure."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Protocol

import msgspec


class Scoped(Protocol):
    """What says whether a closure is for a station."""

    @property
    def path(self) -> tuple[str, ...]: ...

    @property
    def programmes(self) -> tuple[str, ...]: ...


class Closure(msgspec.Struct, frozen=True, kw_only=True):
    """One declared interval of a station, of an area with all below it, or of a programme.

    It silences from `begin` until before `end`; only if `approved` it excuses as well.
    """

    id: int
    begin: datetime
    end: datetime
    approved: bool = False
    station: str | None = None
    area: str | None = None
    programme: str | None = None

    def goes_on(self, at: datetime) -> bool:
        return self.begin <= at < self.end

    def holds_for(self, station: Scoped) -> bool:
        """Whether an area's or programme's closure is for a station of this path and these programmes."""
        return self.area in station.path or self.programme in station.programmes

    @property
    def scope(self) -> tuple[str, str]:
        """What it is for, as a key."""
        if self.station is not None:
            return ("station", self.station)
        return ("area", self.area) if self.area is not None else ("programme", self.programme or "")


class Closures:
    """The closures that are known, and those of them that go on."""

    def __init__(self) -> None:
        self._known: dict[int, Closure] = {}
        self._going_on: dict[tuple[str, str], set[int]] = {}

    def replace(self, closures: Iterable[Closure], at: datetime) -> list[Closure]:
        """Take these in place of the known ones; those that have, or had until `at`, an effect that is new."""
        before, self._known = self._known, {closure.id: closure for closure in closures}
        changed = [n for n in before.keys() | self._known.keys() if before.get(n) != self._known.get(n)]
        touched: list[Closure] = []
        for number in sorted(changed):
            old, new = before.get(number), self._known.get(number)
            if old is not None and self._stop(old):
                touched.append(old)
            if new is not None and new.goes_on(at):
                self._going_on.setdefault(new.scope, set()).add(number)
                touched.append(new)
            elif new is not None and new.end <= at:
                touched.append(new)
        return touched

    def boundaries(self, after: datetime) -> Iterator[tuple[datetime, int]]:
        """(time, closure) of each begin and end later than `after`."""
        for number, closure in self._known.items():
            for time in (closure.begin, closure.end):
                if time > after:
                    yield time, number

    def turn(self, number: int, at: datetime) -> Closure | None:
        """Begin or end a closure as `at` says; it, if that is a change."""
        closure = self._known.get(number)
        if closure is None:
            return None
        if not closure.goes_on(at):
            return closure if self._stop(closure) else None
        members = self._going_on.setdefault(closure.scope, set())
        if number in members:
            return None
        members.add(number)
        return closure

    def of(self, station: str, scoped: Scoped) -> tuple[bool, bool]:
        """(silenced, excused) of a station now."""
        found = self._of(station, scoped)
        return bool(found), any(closure.approved for closure in found)

    def until(self, station: str, scoped: Scoped) -> datetime | None:
        """When the last of a station's closures that go on ends; None: there is none."""
        return max((closure.end for closure in self._of(station, scoped)), default=None)

    def _of(self, station: str, scoped: Scoped) -> list[Closure]:
        return [self._known[n] for key in _keys(station, scoped) for n in self._going_on.get(key, ())]

    def _stop(self, closure: Closure) -> bool:
        members = self._going_on.get(closure.scope, set())
        was = closure.id in members
        members.discard(closure.id)
        if not members:
            self._going_on.pop(closure.scope, None)
        return was


def _keys(station: str, scoped: Scoped) -> Iterator[tuple[str, str]]:
    yield "station", station
    for area in scoped.path:
        yield "area", area
    for programme in scoped.programmes:
        yield "programme", programme
