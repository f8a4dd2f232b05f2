"""How fast people answered incidents: means and medians, by kind, cause and area. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from statistics import fmean, median
from typing import TypeVar

import msgspec

from api.read.response.open_time import OpenHours, open_time

K = TypeVar("K", str, str | None)


class AnsweredIncident(msgspec.Struct, frozen=True, kw_only=True):
    """An incident that people were notified of. `hours`: the hours of its station; None: always open.

    `acknowledged_at`: the time of the first acknowledgement; `ended_at`: the end of its fault.
    """

    kind: str
    cause: str | None = None
    area: str | None = None
    hours: OpenHours | None = None
    began_at: datetime
    opened_at: datetime
    acknowledged_at: datetime | None = None
    ended_at: datetime | None = None


class MeanAndMedian(msgspec.Struct, frozen=True):
    """The mean and the median of some times, in seconds; None: there are no times."""

    mean: float | None = None
    median: float | None = None


class Delay(msgspec.Struct, frozen=True):
    """The times of some incidents, in wall time and in open time."""

    wall: MeanAndMedian
    open: MeanAndMedian


class ResponseFigures(msgspec.Struct, frozen=True, kw_only=True):
    """The answers to some incidents. The times are from acknowledged incidents, or from ended incidents."""

    incidents: int
    acknowledged: int
    repaired: int
    to_acknowledge: Delay
    to_repair: Delay


def figures_of(incidents: Sequence[AnsweredIncident]) -> ResponseFigures:
    """The figures of some incidents. The time to an acknowledgement begins when the incident opens, because no person
    can be notified before; the time to the repair begins with the fault."""
    taken = [_span(one, one.opened_at, one.acknowledged_at) for one in incidents if one.acknowledged_at is not None]
    ended = [_span(one, one.began_at, one.ended_at) for one in incidents if one.ended_at is not None]
    return ResponseFigures(
        incidents=len(incidents),
        acknowledged=len(taken),
        repaired=len(ended),
        to_acknowledge=_delay(taken),
        to_repair=_delay(ended),
    )


def figures_by(
    incidents: Iterable[AnsweredIncident], key: Callable[[AnsweredIncident], K]
) -> list[tuple[K, ResponseFigures]]:
    """The figures of each group, the group with the most incidents first."""
    groups: dict[K, list[AnsweredIncident]] = {}
    for one in incidents:
        groups.setdefault(key(one), []).append(one)
    ordered = sorted(groups.items(), key=lambda item: (-len(item[1]), str(item[0])))
    return [(name, figures_of(group)) for name, group in ordered]


def part_of(path: Sequence[str], asked: Sequence[str]) -> str | None:
    """The area by which figures group an incident of an area with this path (itself last).

    If one area was asked for: the area directly below it, or the area itself. If several areas were asked for: the one
    that contains the incident. Without an asked area: the highest area. None: the incident has no area.
    """
    if not path:
        return None
    place = next((n for n, code in enumerate(path) if code in asked), None)
    if place is None:
        return path[0]
    return path[min(place + 1, len(path) - 1)] if len(asked) == 1 else path[place]


def areas_of(paths: Mapping[str, Sequence[str]], asked: Sequence[str]) -> dict[str, str | None]:
    """{area: the area by which figures group it}; `paths`: {area: its path}."""
    return {code: part_of(path, asked) for code, path in paths.items()}


def _span(incident: AnsweredIncident, begin: datetime, end: datetime | None) -> tuple[timedelta, timedelta]:
    """(wall time, open time) of an interval; both are 0 if the interval ends before it begins."""
    until = begin if end is None else max(begin, end)
    return until - begin, open_time(incident.hours, begin, until)


def _delay(spans: Sequence[tuple[timedelta, timedelta]]) -> Delay:
    return Delay(_middle([wall for wall, _ in spans]), _middle([opened for _, opened in spans]))


def _middle(times: Sequence[timedelta]) -> MeanAndMedian:
    seconds = [time.total_seconds() for time in times]
    return MeanAndMedian(fmean(seconds), median(seconds)) if seconds else MeanAndMedian()
