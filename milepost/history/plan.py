"""What happened to the stations of a made-up history: hours, faults, closures, outages of the platform. Pure.

Times are whole minutes since the first midnight (China) of the history. The same seed gives the same plan.
"""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Final

import msgspec

DAY: Final = 1440
TODAY: Final = DAY
"""The history ends within its last day, on which all stations are open around the clock, as the simulated fleet is."""

HOURS: Final[dict[str, tuple[tuple[int, int], ...]]] = {
    "24x7": ((0, DAY),),
    "Mo-Su 09:00-17:30": ((540, 1050),),
    "Mo-Su 08:30-12:00,14:00-18:00": ((510, 720), (840, 1080)),
    "Mo-Su 10:00-20:00": ((600, 1200),),
}
"""Opening rules, and the same as minutes of a day."""
_RULES: Final = (*HOURS, "Mo-Su 09:00-17:30")
CAUSES: Final = ("power", "uplink", "hardware", "agent")
_SLEEP_BEFORE: Final = 10
"""Minutes before opening at which a station is switched on, and after closing at which it is switched off."""


class PlannedStation(msgspec.Struct, frozen=True, kw_only=True):
    """A station. `sleeps`: its terminal is switched off while the station is closed; `visits`: mean number of sessions
    in an hour; `bo`: share of them in Tibetan; `faults`: mean number of faults in 30 days."""

    id: str
    area: str
    rules: str
    sleeps: bool
    visits: float
    bo: float
    faults: float

    @property
    def hours(self) -> tuple[tuple[int, int], ...]:
        """The opening hours of a day, in minutes."""
        return HOURS[self.rules]


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """A fault of a station. `runs`: its terminal runs without a link; `is_heard`: the terminal is heard, and nobody can
    use it; `late`: minutes after the end at which the terminal sends what it recorded meanwhile."""

    station: str
    begin: int
    end: int
    cause: str
    runs: bool = False
    is_heard: bool = False
    late: int = 2


class PlannedClosure(msgspec.Struct, frozen=True, kw_only=True):
    """A declared closure; without `approved_at` nobody approved it."""

    station: str
    begin: int
    end: int
    reason: str
    declared_at: int
    approved_at: int | None


class HistoryPlan(msgspec.Struct, frozen=True, kw_only=True):
    """All that happens until the minute `end`. `gaps`: when the platform itself was blind."""

    end: int
    seed: int
    stations: tuple[PlannedStation, ...]
    faults: tuple[Fault, ...]
    closures: tuple[PlannedClosure, ...]
    gaps: tuple[tuple[int, int], ...]


def make_plan(stations: Sequence[tuple[str, str]], *, end: int, seed: int) -> HistoryPlan:
    """A plan for stations, (id, area), from minute 0 to `end`."""
    dice = Random(seed)  # noqa: S311 -- a simulation
    planned = tuple(_station(dice, number, *each) for number, each in enumerate(stations))
    last = end - TODAY
    faults = [fault for each in planned for fault in _faults(dice, each, last)]
    faults += _of_a_county(planned, last)
    faults += _flapping(planned, last)
    return HistoryPlan(
        end=end,
        seed=seed,
        stations=planned,
        faults=tuple(_apart(faults)),
        closures=tuple(_closures(dice, planned, last)),
        gaps=tuple((begin, begin + length) for begin, length in _GAPS if begin + length < last),
    )


_GAPS: Final = ((9 * DAY + 130, 40), (52 * DAY + 620, 55), (77 * DAY + 1000, 25))


def _station(dice: Random, number: int, station: str, area: str) -> PlannedStation:
    rules = _RULES[number % len(_RULES)]
    return PlannedStation(
        id=station,
        area=area,
        rules=rules,
        sleeps=number % 10 == 1,
        visits=round(dice.uniform(0.4, 6.0), 2),
        bo=round(dice.uniform(0.1, 0.7), 2),
        faults=dice.choice((0.2, 0.3, 0.4, 0.5, 0.6, 1.0, 2.0, 5.0)),
    )


def _faults(dice: Random, station: PlannedStation, last: int) -> Iterator[Fault]:
    at = 0.0
    while True:
        at += max(60.0, dice.expovariate(station.faults / (30 * DAY)))
        length = round(min(3 * DAY, max(45.0, dice.lognormvariate(5.2, 1.0))))
        if at + length >= last:
            return
        begin, cause = round(at), dice.choice(CAUSES)
        yield Fault(
            station=station.id,
            begin=begin,
            end=begin + length,
            cause=cause,
            runs=cause == "uplink",
            is_heard=cause == "hardware" and dice.random() < 0.6,
            late=dice.choice((2, 2, 2, DAY, 3 * DAY)),
        )
        at += length


def _of_a_county(stations: Sequence[PlannedStation], last: int) -> Iterator[Fault]:
    """A power cut of the county of the first station, one afternoon; and an evening without a network in another."""
    counties = sorted({station.id[:6] for station in stations})
    cuts = ((counties[0], 33, 850, 330, "power"), (counties[-1], 12, 1090, 140, "uplink"))
    for county, days_ago, minute, length, cause in cuts:
        begin = (last // DAY - days_ago) * DAY + minute
        for station in stations if begin > DAY else ():
            if station.id.startswith(county):
                yield Fault(
                    station=station.id, begin=begin, end=begin + length, cause=cause, runs=cause == "uplink", late=3
                )


def _flapping(stations: Sequence[PlannedStation], last: int) -> Iterator[Fault]:
    """An uplink that drops again and again for a working day."""
    begin = (last // DAY - 20) * DAY + 480
    if begin > DAY and len(stations) > 5:
        for number in range(8):
            at = begin + 80 * number
            yield Fault(station=stations[5].id, begin=at, end=at + 45, cause="uplink", runs=True)


def _apart(faults: Sequence[Fault]) -> Iterator[Fault]:
    """The faults in their order; one that would begin within half an hour of another of its station is left out, the
    longer first."""
    taken: dict[str, list[tuple[int, int]]] = {}
    kept = []
    for fault in sorted(faults, key=lambda each: (each.begin - each.end, each.begin, each.station)):
        own = taken.setdefault(fault.station, [])
        if all(fault.end + 30 < begin or end + 30 < fault.begin for begin, end in own):
            own.append((fault.begin, fault.end))
            kept.append(fault)
    return iter(sorted(kept, key=lambda each: (each.begin, each.station)))


_REASONS: Final = ("房屋修缮", "设备更换", "全县检修停电", "工作人员培训")


def _closures(dice: Random, stations: Sequence[PlannedStation], last: int) -> Iterator[PlannedClosure]:
    for number, station in enumerate(stations):
        for _ in range(3 if number == 2 else dice.choice((0, 0, 0, 1))):
            day = dice.randrange(2, max(3, last // DAY - 4))
            begin, days = day * DAY + 480, dice.choice((1, 1, 2))
            approved = dice.random() < 0.8
            if begin + days * DAY < last:
                yield PlannedClosure(
                    station=station.id,
                    begin=begin,
                    end=begin + (days - 1) * DAY + 600,
                    reason=dice.choice(_REASONS),
                    declared_at=begin - 900,
                    approved_at=begin - 300 if approved else None,
                )


def switches(station: PlannedStation, day: int) -> tuple[int, int] | None:
    """When a station that sleeps is switched on and off on a day; None: it is on all day."""
    if not station.sleeps:
        return None
    return station.hours[0][0] - _SLEEP_BEFORE + day * DAY, station.hours[-1][1] + _SLEEP_BEFORE + day * DAY
