"""Closed days of stations, computed from their sources in the database."""

import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

import msgspec

from audit.days.local_days import LocalDay
from audit.days.recorded import NOTHING_RECORDED, Recorded, closed_days, days_between
from audit.days.source_store import load_recorded
from audit.days.station_days import StationDay
from registry.facts.as_of import RegistryAsOf
from registry.facts.store import load_facts
from registry.hours.opening_text import ScheduleError
from store.pool import Connection

log = logging.getLogger(__name__)

CHUNK: Final = 1_000
"""Stations that are computed at once."""
_DAY: Final = timedelta(days=1)
# Zones lie up to 14 hours from UTC, and a day is up to a day longer where the zone changes.
_AROUND: Final = timedelta(hours=54)

DayRange = tuple[date, date]
"""The first and the last of some days."""


class ComputedStation(msgspec.Struct, frozen=True, kw_only=True):
    """Days of a station with their figures, the day that follows, and what these were computed from."""

    station: str
    days: tuple[LocalDay, ...]
    figures: tuple[StationDay, ...]
    following: LocalDay
    registry: RegistryAsOf
    recorded: Recorded


async def compute(connection: Connection, wanted: Mapping[str, DayRange], cut: int) -> AsyncIterator[ComputedStation]:
    """The closed days of stations, each from its first to its last one, with the facts up to a cut.

    A station whose rules cannot be read is left out, and that is logged.
    """
    for chunk in _chunks(wanted):
        registry = RegistryAsOf(await load_facts(connection, list(chunk), cut))
        first, last = min(days[0] for days in chunk.values()), max(days[1] for days in chunk.values())
        begin, end = _midnight(first) - _AROUND, _midnight(last) + _AROUND + _DAY
        recorded = await load_recorded(connection, list(chunk), begin, end)
        for station, days in chunk.items():
            try:
                yield _computed(station, days, registry, recorded.get(station, NOTHING_RECORDED))
            except ScheduleError as exc:
                log.warning("no figures: rules cannot be read", extra={"station": station, "error": str(exc)})


def _computed(station: str, days: DayRange, registry: RegistryAsOf, recorded: Recorded) -> ComputedStation:
    *own, following = days_between(registry, station, days[0], days[1] + _DAY)
    return ComputedStation(
        station=station,
        days=tuple(own),
        figures=tuple(closed_days(registry, station, recorded, own)),
        following=following,
        registry=registry,
        recorded=recorded,
    )


def _chunks(wanted: Mapping[str, DayRange]) -> Iterator[dict[str, DayRange]]:
    """Stations with early days first, so that those in a chunk have similar windows."""
    ordered = sorted(wanted.items(), key=lambda item: (item[1], item[0]))
    for place in range(0, len(ordered), CHUNK):
        yield dict(ordered[place : place + CHUNK])


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)
