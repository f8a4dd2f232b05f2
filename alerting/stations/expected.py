"""Opening hours and closures of all stations at one moment, as the API needs them for a verdict. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

import msgspec

from alerting.stations.verdict import Hours
from registry.closures.rules import SCOPES, Scope, scope_of, scopes_of_station


class CalendarNow(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a calendar is open, since when (None: always, or longer ago than is known) and until when (None: for
    ever, or longer than is known)."""

    calendar: int
    open: bool
    changed_at: datetime | None = None
    changes_at: datetime | None = None


class ClosureNow(msgspec.Struct, frozen=True, kw_only=True):
    """A declared closure that holds: of one station, of an area with all below it, or of a programme."""

    id: int
    from_at: datetime
    approved: bool = True
    station: str | None = None
    area: str | None = None
    programme: str | None = None


class Cover:
    """Which stations are expected to be online now."""

    def __init__(self, calendars: Iterable[CalendarNow] = (), closures: Iterable[ClosureNow] = ()) -> None:
        self._calendars = {found.calendar: found for found in calendars}
        self._closures: dict[Scope, list[ClosureNow]] = defaultdict(list)
        for closure in closures:
            self._closures[scope_of(closure)].append(closure)

    @property
    def arguments(self) -> tuple[list[int], list[str], list[str], list[str]]:
        """For queries: the calendars that are closed, and the stations, areas and programmes that are excused."""
        shut = [found.calendar for found in self._calendars.values() if not found.open]
        return shut, *(self._excused(kind) for kind in SCOPES)  # type: ignore[return-value]  # there are three

    def _excused(self, kind: str) -> list[str]:
        return [name for (of, name), its in self._closures.items() if of == kind and any(one.approved for one in its)]

    def calendar(self, calendar: int | None) -> CalendarNow | None:
        """A calendar as it is now; None: it is not known."""
        return None if calendar is None else self._calendars.get(calendar)

    def closures(self, station: str, path: Iterable[str], programmes: Iterable[str]) -> list[ClosureNow]:
        """The closures that hold for a station in the areas of `path`: approved ones first, then by their beginning."""
        found = [one for scope in scopes_of_station(station, path, programmes) for one in self._closures.get(scope, ())]
        return sorted(found, key=lambda one: (not one.approved, one.from_at, one.id))

    def hours(self, station: str, path: Iterable[str], programmes: Iterable[str], calendar: int | None) -> Hours:
        """Whether a station is expected. Without a calendar, or with one that is not known, it is always open."""
        own = self.calendar(calendar)
        first = next(iter(self.closures(station, path, programmes)), None)
        return Hours(
            open=own is None or own.open,
            changed_at=own.changed_at if own else None,
            excused_since=first.from_at if first and first.approved else None,
        )
