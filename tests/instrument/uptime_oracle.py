"""Figures of uptime by looking at each second of each day by itself. Shares no code with what it checks.

Each source paints an array with a place for each second; the figures are counts of seconds.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tests.instrument.uptime_truth import DAY, FIRST_WEEKDAY, HOLIDAYS, RULES, WORKED, StationTruth, UptimeTruth

FIGURES: Final = ("scheduled_ms", "excused_ms", "unknown_ms", "online_ms", "service_due_ms", "usable_ms")
AT_ONCE: Final = 2
"""Days whose seconds are in memory at once: few enough for the cache of the processor."""
_STATES: Final = {"never_seen": 0, "online": 1, "offline": 2, "away": 3, "unproven": 4}
_CORRECTED: Final = {"observed": 0, "up": 1, "down": 2, "unknown": 3, "excused": 4}

Seconds = NDArray[Any]
DayFigures = tuple[int, ...]
"""The figures of a day, in the order of FIGURES."""


def oracle_days(truth: UptimeTruth, station: StationTruth) -> list[DayFigures]:
    """The figures of each day of a station."""
    return [
        day
        for first in range(0, truth.days, AT_ONCE)
        for day in _window(truth, station, first, min(truth.days, first + AT_ONCE))
    ]


def oracle_areas(truth: UptimeTruth, station: StationTruth) -> list[str]:
    """The area of a station on each day; a move counts from the midnight after it."""
    areas, area = [], station.area
    moves = {1 + each.at // DAY: each.word for each in station.moves}
    for day in range(truth.days):
        area = moves.get(day, area)
        areas.append(area)
    return areas


def _window(truth: UptimeTruth, station: StationTruth, first: int, last: int) -> Iterator[DayFigures]:
    begin, size = first * DAY, (last - first) * DAY

    def painted(strokes: Iterable[tuple[int, int | None, int]], ground: int = 0) -> Seconds:
        """Later strokes (from, to, value) cover earlier ones."""
        seconds = np.full(size, ground, dtype=np.uint8)
        for since, until, value in strokes:
            seconds[max(0, since - begin) : size if until is None else max(0, until - begin)] = value
        return seconds

    state = painted((each.at, None, _STATES[each.state]) for each in station.decisions)
    said = painted((each.at, None, {None: 0, True: 1, False: 2}[each.usable]) for each in station.decisions)
    blind = painted((each.begin, each.end, 1) for each in truth.gaps[station.partition]) == 1
    doubt = painted((each.begin, each.end, 1) for each in station.doubts) == 1
    ran = painted((each.begin, each.end, 1) for each in station.ran if each.word == "yes") == 1
    closed = painted((each.begin, each.end, 1) for each in station.closures if each.word == "approved") == 1
    corrected = painted((each.begin, each.end, _CORRECTED[each.word]) for each in station.corrections)
    opened = painted(_openings(station, first, last)) == 1
    serving = painted(((each.at, None, each.word == "commissioned") for each in station.lifecycles), 1) == 1

    seen = corrected == 0
    scheduled = opened & serving
    excused = scheduled & ((seen & closed) | (corrected == 4))
    asked = scheduled & ~excused
    offline = state == 2
    unknown = asked & ((seen & (blind | (state == 4) | (offline & doubt))) | (corrected == 3))
    due = asked & ~unknown
    heard, up = seen & (state == 1), corrected == 1
    online = due & (heard | up)
    service_due = due & ~(heard & (said == 0))
    usable = service_due & ((heard & (said == 1)) | (seen & offline & ran) | up)
    by_day: Callable[[Seconds], Seconds] = lambda seconds: seconds.reshape(last - first, DAY).sum(axis=1)  # noqa: E731
    counts = [by_day(each) for each in (scheduled, excused, unknown, online, service_due, usable)]
    return (tuple(1000 * int(count[day]) for count in counts) for day in range(last - first))


def _openings(station: StationTruth, first: int, last: int) -> Iterator[tuple[int, int, int]]:
    weekdays, hours = RULES[station.rules]
    for day in range(first - 1, last):
        if _is_open(day, weekdays) and day not in station.off:
            for begin, end in hours:
                yield day * DAY + int(begin * 3600), day * DAY + int(end * 3600), 1


def _is_open(day: int, weekdays: tuple[int, ...]) -> bool:
    """Whether rules with these weekdays open on a day, as docs/schedules.md says of holidays and days that are worked
    instead: on a holiday rules for the whole weekend hold, on a worked day of a weekend those for the working week."""
    weekday = (day + FIRST_WEEKDAY) % 7
    if day in HOLIDAYS:
        return {5, 6} <= set(weekdays)
    if day in WORKED:
        return set(range(5)) <= set(weekdays) or (weekday in weekdays and min(weekdays) < 5)
    return weekday in weekdays
