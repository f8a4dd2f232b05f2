"""What people had decided about a station in a window, from the facts of the registry up to a cut. Pure.

It is made of pieces: from one change of the station's facts to the next, what held then decides the hours and closures.
"""

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise

from audit.timeline import StationDecisions
from registry.closures.rules import union
from registry.facts.as_of import RegistryAsOf
from registry.facts.model import StationThen
from registry.hours.calendar import ALWAYS

_Span = tuple[datetime, datetime]


def decided_then(registry: RegistryAsOf, station: str, begin: datetime, end: datetime) -> StationDecisions:
    """The openings, approved closures and lifecycles of a station over [begin, end).

    Time in which the station was not registered is neither open nor excused. Raises ScheduleError for rules that cannot
    be read.
    """
    pieces = list(_pieces(registry, station, begin, end))
    return StationDecisions(
        openings=_openings(registry, pieces, begin, end),
        closures=tuple(span for since, until, then in pieces for span in _closures(registry, then, since, until)),
        lifecycles=tuple((since, then.lifecycle) for since, _, then in pieces),
    )


_Piece = tuple[datetime, datetime, StationThen]


def _pieces(registry: RegistryAsOf, station: str, begin: datetime, end: datetime) -> Iterator[_Piece]:
    for since, until in pairwise([begin, *registry.changes(station, begin, end), end]):
        then = registry.station(station, since)
        if then is not None:
            yield since, until, then


def _openings(registry: RegistryAsOf, pieces: list[_Piece], begin: datetime, end: datetime) -> tuple[_Span, ...] | None:
    calendars = [(since, until, registry.calendar(then)) for since, until, then in pieces]
    throughout = [(since, until) for since, until, calendar in calendars if calendar is ALWAYS]
    if len(throughout) == len(calendars) and _covers(throughout, begin, end):
        return None
    return tuple(opening for since, until, calendar in calendars for opening in calendar.openings(since, until))


def _covers(spans: list[_Span], begin: datetime, end: datetime) -> bool:
    """Whether spans in order leave no time between `begin` and `end`."""
    ends = [begin, *(until for _, until in spans)]
    return bool(spans) and ends[-1] == end and all(since == last for (since, _), last in zip(spans, ends, strict=False))


def _closures(registry: RegistryAsOf, then: StationThen, since: datetime, until: datetime) -> Iterator[_Span]:
    for begin, end in union(registry.closures(then), excusing=True):
        if begin < until and since < end:
            yield max(begin, since), min(end, until)
