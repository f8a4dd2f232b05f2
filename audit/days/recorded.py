"""The closed days of a station from what is recorded about it and from the facts of the registry. Pure."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import count, takewhile
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from audit.days.figures import Figures, StationSources, figures_between
from audit.days.local_days import LocalDay, ZoneOn, local_days
from audit.days.station_days import StationDay, path_on
from audit.decisions import decided_then
from audit.findings.effects import CorrectedTime, corrected_spans
from audit.timeline import PresenceRun, StateChange, UnknownInterval
from contract.home import HOME_ZONE
from registry.facts.as_of import RegistryAsOf

_NOON: Final = time(12, tzinfo=UTC)
_DAY: Final = timedelta(days=1)
_HOUR: Final = timedelta(hours=1)


class TerminalRun(msgspec.Struct, frozen=True):
    """A presence record and its terminal."""

    terminal: str
    run: PresenceRun


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """What is recorded about a station: decisions of its judge, times in which it was unknown, presence, and approved
    corrections in the order of their approval."""

    changes: tuple[StateChange, ...] = ()
    gaps: tuple[UnknownInterval, ...] = ()
    presence: tuple[TerminalRun, ...] = ()
    corrections: tuple[CorrectedTime, ...] = ()


NOTHING_RECORDED: Final = Recorded()


def zones_of(registry: RegistryAsOf, station: str) -> ZoneOn:
    """The zone of a station on each local day. Raises ScheduleError for rules that cannot be read."""

    @cache
    def zone_on(day: date) -> ZoneInfo:
        noon = datetime.combine(day, _NOON)
        moments = (noon, *registry.changes(station, noon - _DAY, noon + _DAY))
        then = next((found for moment in moments if (found := registry.station(station, moment)) is not None), None)
        return ZoneInfo(HOME_ZONE) if then is None else registry.calendar(then).zone_on(day)

    return zone_on


def closed_days(registry: RegistryAsOf, station: str, recorded: Recorded, days: Sequence[LocalDay]) -> list[StationDay]:
    """The figures of closed days. A day before the station was registered, or after, has no path and only zeros.

    Raises ScheduleError for rules that cannot be read.
    """
    return [_closed_day(registry, station, recorded, day) for day in days]


def days_between(registry: RegistryAsOf, station: str, first: date, last: date) -> list[LocalDay]:
    """The local days of a station. Raises ScheduleError for rules that cannot be read."""
    return local_days(first, last, zones_of(registry, station))


def hourly_figures(registry: RegistryAsOf, station: str, recorded: Recorded, day: LocalDay) -> list[Figures]:
    """The figures of each hour of a local day: 24 hours, or 23 or 25 when the clocks change. All figures are zero on a
    day on which the station was not registered. Raises ScheduleError for rules that cannot be read."""
    hours = takewhile(lambda begin: begin < day.end, (day.begin + n * _HOUR for n in count()))
    if not _is_registered(registry, station, day):
        return [Figures() for _ in hours]
    sources = _sources(registry, station, recorded, day)
    return [figures_between(sources, begin, min(begin + _HOUR, day.end)) for begin in hours]


def _closed_day(registry: RegistryAsOf, station: str, recorded: Recorded, day: LocalDay) -> StationDay:
    if not _is_registered(registry, station, day):
        return StationDay(station=station, day=day.day, figures=Figures())
    sources = _sources(registry, station, recorded, day)
    path = path_on(registry, station, day)
    return StationDay(station=station, day=day.day, path=path, figures=figures_between(sources, day.begin, day.end))


def _sources(registry: RegistryAsOf, station: str, recorded: Recorded, day: LocalDay) -> StationSources:
    return StationSources(
        changes=recorded.changes,
        gaps=recorded.gaps,
        presence=tuple(each.run for each in recorded.presence if _counts(registry, station, each)),
        decided=decided_then(registry, station, day.begin, day.end),
        corrected=corrected_spans(recorded.corrections),
    )


def _is_registered(registry: RegistryAsOf, station: str, day: LocalDay) -> bool:
    moments = (day.begin, *registry.changes(station, day.begin, day.end))
    return any(registry.station(station, moment) is not None for moment in moments)


def _counts(registry: RegistryAsOf, station: str, each: TerminalRun) -> bool:
    then = registry.station(station, each.run.began_at)
    return then is None or each.terminal not in then.not_counting
