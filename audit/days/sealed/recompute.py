"""Computes the figures of a station's day from the leaves of an export and its records. Pure.

Most stations are quiet: nothing happens to them on the day. Those with the same opening hours, closures, lifecycle and
state have the same figures, which are computed once.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec

from audit.days.local_days import LocalDay
from audit.days.recorded import Recorded, closed_days, days_between
from audit.days.sealed.exported import ExportedFigures, StationRecords
from audit.days.sealed.leaf_sources import LeafSources
from audit.days.sealed.trees import Path
from audit.days.station_days import StationDay
from audit.timeline import StateChange, valid_changes
from registry.closures.rules import union
from registry.facts.as_of import RegistryAsOf
from registry.facts.model import StationThen


class UnreadableEntriesError(Exception):
    """Entries that the figures of a station follow from cannot be read; the message is the class of the error."""


class Recomputation:
    """Computes days of stations again."""

    def __init__(self, exported: ExportedFigures, sources: LeafSources, records: Mapping[str, StationRecords]) -> None:
        self._first, self._last = exported.first, exported.last
        self._sources_from = exported.sources_from or date.min
        self._sources = sources
        self._records = records
        self._registry, self._unreadable = _registry(sources)
        self._quiet: dict[Any, StationDay] = {}
        self._days: dict[str, tuple[LocalDay, ...]] = {}
        self._same: dict[LocalDay, LocalDay] = {}

    def day(self, station: str, day: date) -> StationDay | None:
        """The figures of a day; None: the entries do not contain enough about the station. Raises
        UnreadableEntriesError."""
        if self._unreadable:
            raise UnreadableEntriesError(self._unreadable)
        records = self._records.get(station, StationRecords(station=station))
        try:
            found = self._computed(station, self._local(station, day), records)
            if found is not None:
                msgspec.convert(found.path, Path)
        except Exception as exc:
            # The fields of facts have any form if somebody edited an entry.
            raise UnreadableEntriesError(type(exc).__name__) from exc
        return found

    def may_differ(self, station: str, day: date) -> bool:
        """Whether the export says that its entries and records are not what the figures of a day were computed from."""
        records = self._records.get(station)
        return (records is not None and records.follows) or day < self._sources_from

    def _local(self, station: str, day: date) -> LocalDay:
        """A local day of a station. Stations with the same zones share the day in memory."""
        if station not in self._days:
            days = days_between(self._registry, station, self._first, self._last)
            self._days[station] = tuple(self._same.setdefault(each, each) for each in days)
        return self._days[station][(day - self._first).days]

    def _computed(self, station: str, day: LocalDay, records: StationRecords) -> StationDay | None:
        then = self._registry.station(station, day.begin)
        moves = self._registry.changes(station, day.begin, day.end)
        if then is None and not moves:
            return None
        changes = self._sources.changes.get(station, [])
        corrections = self._sources.corrections.get(station, [])
        recorded = Recorded(
            changes=tuple(changes),
            gaps=records.gaps,
            presence=records.presence,
            corrections=tuple(corrections),
        )
        happens = moves or records.gaps or records.presence or corrections
        if then is None or happens or any(day.begin <= change.at < day.end for change in changes):
            return closed_days(self._registry, station, recorded, [day])[0]
        key = self._key(then, day, changes)
        if key not in self._quiet:
            self._quiet[key] = closed_days(self._registry, station, recorded, [day])[0]
        return msgspec.structs.replace(self._quiet[key], station=station, path=then.path)

    def _key(self, then: StationThen, day: LocalDay, changes: list[StateChange]) -> Any:
        standing = valid_changes(change for change in changes if change.at < day.begin)
        state = (standing[-1].state, standing[-1].usable) if standing else None
        closures = [
            span
            for span in union(self._registry.closures(then), excusing=True)
            if span[1] > day.begin and span[0] < day.end
        ]
        return day, self._registry.calendar(then).key, then.lifecycle, tuple(closures), state


def _registry(sources: LeafSources) -> tuple[RegistryAsOf, str]:
    """The registry according to the entries; or an empty one, and the class of the error."""
    try:
        return sources.registry(), ""
    except Exception as exc:  # as above
        return RegistryAsOf(()), type(exc).__name__
