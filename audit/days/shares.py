"""Groups of stations with the same figures, as long as nothing happens to them. Pure.

The figures of a quiet day follow from opening hours, closures, lifecycle and from the state that goes on. Stations that
have all these in common are one group: one of them is computed, for all.
"""

import hashlib
from datetime import datetime

import msgspec

from audit.days.local_days import LocalDay
from audit.days.recorded import Recorded
from audit.days.station_days import path_on
from audit.timeline import StateChange, valid_changes
from contract.bounds import LATEST
from registry.closures.rules import union
from registry.facts.as_of import RegistryAsOf


class QuietPlace(msgspec.Struct, frozen=True, kw_only=True):
    """The group of a station (a hash), and its area and all areas above it, from a day on."""

    key: bytes
    path: tuple[str, ...]


def quiet_place(
    registry: RegistryAsOf, station: str, day: LocalDay, changes: tuple[StateChange, ...]
) -> QuietPlace | None:
    """The group of a station from `day` on if nothing happens to it; None: it is not registered.

    `changes`: the decisions of the judge, of which the last one goes on. Raises ScheduleError for rules that cannot be
    read.
    """
    then = registry.station(station, day.begin)
    if then is None:
        return None
    standing = valid_changes(changes)
    state = (standing[-1].state, standing[-1].usable) if standing else None
    closures = [span for span in union(registry.closures(then), excusing=True) if span[1] > day.begin]
    parts = (registry.calendar(then).key, then.lifecycle, closures, state)
    key = hashlib.sha256(msgspec.json.encode(parts)).digest()[:16]
    return QuietPlace(key=key, path=path_on(registry, station, day))


def is_quiet_from(day: LocalDay, until: datetime, registry: RegistryAsOf, station: str, recorded: Recorded) -> bool:
    """Whether nothing known happens to a station from `day` on. `until`: the last moment that its news named."""
    ends = (*(gap.ended_at for gap in recorded.gaps), *(each.run.ended_at for each in recorded.presence), until)
    begun = all(change.at < day.begin for change in recorded.changes)
    return begun and max(ends) < day.begin and not registry.changes(station, day.begin, LATEST)
