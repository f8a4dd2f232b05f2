"""Closed days of stations, computed from their sources in the database."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Final

import msgspec

from audit.days.local_days import LocalDay, source_window
from audit.days.recorded import NOTHING_RECORDED, Recorded, closed_days, days_between
from audit.days.source_store import load_recorded
from audit.days.station_days import StationDay
from registry.facts.as_of import RegistryAsOf
from registry.facts.store import load_facts
from store.aside import is_poison
from store.pool import Connection

CHUNK: Final = 1_000
"""Stations that are computed at once."""
_DAY: Final = timedelta(days=1)

DayRange = tuple[date, date]
"""The first and the last of some days."""
_Window = tuple[datetime, datetime]


class ComputedStation(msgspec.Struct, frozen=True, kw_only=True):
    """Days of a station with their figures, the day that follows, and what these were computed from."""

    station: str
    days: tuple[LocalDay, ...]
    figures: tuple[StationDay, ...]
    following: LocalDay
    registry: RegistryAsOf
    recorded: Recorded


Refuse = Callable[[str, Exception], None]
"""Takes a station that cannot be computed, and the error."""


async def compute(
    connection: Connection, wanted: Mapping[str, DayRange], cut: int, refuse: Refuse
) -> AsyncIterator[ComputedStation]:
    """The closed days of stations, each from its first to its last one, with the facts up to a cut.

    A station whose sources cannot be read or computed is left out, and `refuse` is called. Needs a transaction.
    """
    for chunk in _chunks(wanted):
        async for registry, recorded, stations in _read_apart(connection, list(chunk), _window(chunk), cut, refuse):
            for station in stations:
                try:
                    found = _computed(station, chunk[station], registry, recorded.get(station, NOTHING_RECORDED))
                except Exception as exc:
                    # Any error leaves out only this station.
                    refuse(station, exc)
                else:
                    yield found


_Sources = tuple[RegistryAsOf, dict[str, Recorded], list[str]]


async def _read_apart(
    connection: Connection, stations: list[str], window: _Window, cut: int, refuse: Refuse
) -> AsyncIterator[_Sources]:
    """The sources of stations, read together. If this fails, each half is read alone, until the bad station is
    found."""
    try:
        async with connection.transaction():
            registry = RegistryAsOf(await load_facts(connection, stations, cut))
            recorded = await load_recorded(connection, stations, *window)
    except Exception as exc:
        if not is_poison(exc):
            raise
        if len(stations) == 1:
            refuse(stations[0], exc)
            return
        middle = len(stations) // 2
        for half in (stations[:middle], stations[middle:]):
            async for found in _read_apart(connection, half, window, cut, refuse):
                yield found
    else:
        yield registry, recorded, stations


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


def _window(chunk: Mapping[str, DayRange]) -> _Window:
    return source_window(min(days[0] for days in chunk.values()), max(days[1] for days in chunk.values()))
