"""The figures of a station for local days, and the sums of areas and months. Pure.

An area has Σ numerators / Σ denominators of its stations, never a mean of their rates. A day belongs to the area that
the station was in at the beginning of the day, and to all areas above it. A day that is still going on is marked, and
no sum contains it.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import TypeVar

import msgspec

from audit.days.figures import Figures, StationSources, figures_between
from audit.days.local_days import LocalDay, is_closed
from registry.facts.as_of import RegistryAsOf

_Key = TypeVar("_Key")


class StationDay(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of a station for a local day. `path`: its area of that day and all areas above it; `running`: the day
    is not closed, and the figures are those so far."""

    station: str
    day: date
    path: tuple[str, ...] = ()
    running: bool = False
    revision: int = 1
    figures: Figures


def station_day(
    station: str,
    day: LocalDay,
    sources: StationSources,
    *,
    clock: datetime,
    path: tuple[str, ...] = (),
    open_gaps: tuple[datetime, ...] = (),
) -> StationDay:
    """The figures of a day as far as the pipeline clocks got; `open_gaps`: when gaps began that have not ended."""
    return StationDay(
        station=station,
        day=day.day,
        path=path,
        running=not is_closed(day, clock, open_gaps),
        figures=figures_between(sources, day.begin, min(day.end, clock)),
    )


def path_on(registry: RegistryAsOf, station: str, day: LocalDay) -> tuple[str, ...]:
    """The area of a station and all areas above it, at the beginning of a day or when it was first registered on it."""
    moments = [day.begin, *registry.changes(station, day.begin, day.end)]
    then = next((found for moment in moments if (found := registry.station(station, moment)) is not None), None)
    return () if then is None else then.path


def area_figures(days: Iterable[StationDay]) -> dict[str, Figures]:
    """The sums of every area over closed days, in any order and with repetitions."""
    return _sums((code, day) for day in _closed(days) for code in set(day.path))


def area_months(days: Iterable[StationDay]) -> dict[tuple[str, str], Figures]:
    """The sums of every area for each month, as `("632122", "2026-11")`."""
    return _sums(((code, f"{day.day:%Y-%m}"), day) for day in _closed(days) for code in set(day.path))


def station_figures(days: Iterable[StationDay]) -> dict[str, Figures]:
    """The sums of every station over closed days."""
    return _sums((day.station, day) for day in _closed(days))


def _closed(days: Iterable[StationDay]) -> list[StationDay]:
    """Each closed day of each station once, in its newest revision."""
    newest: dict[tuple[str, date], StationDay] = {}
    for day in days:
        key = day.station, day.day
        if not day.running and (key not in newest or newest[key].revision < day.revision):
            newest[key] = day
    return list(newest.values())


def _sums(entries: Iterable[tuple[_Key, StationDay]]) -> dict[_Key, Figures]:
    found: dict[_Key, Figures] = {}
    for key, day in entries:
        found[key] = found.get(key, Figures()) + day.figures
    return found
