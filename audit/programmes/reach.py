"""What was reached of the promises of programmes by a day. Pure.

A station counts for a target if it lies in one of the target's areas, or in an area that stands for one of them on that
day, and (where the target names a programme) belongs to the programme.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import Final

import msgspec

from audit.days.figures import Figures
from audit.programmes.standings import StationOfDay
from audit.ranks import ranked
from registry.facts.successions import AreaLineage, AreaSuccessions
from registry.model import SHARES, Target

_WAITING: Final = ("planned", "suspended", "commissioned")
"""Lifecycles of stations that are not in service and may be later; a station is commissioned on a day."""

PathThen = Callable[[str, date], tuple[str, ...] | None]
"""The areas of a station at the end of a day; None: it was not registered."""
Amount = int | Fraction
_Places = Mapping[str, Sequence[tuple[str, str, AreaLineage]]]
"""{code: (target, unit, lineage of the unit)}"""


class TargetStatus(StrEnum):
    """Whether a promise is kept on a day."""

    REACHED = "reached"
    #: The deadline has passed.
    MISSED = "missed"
    #: The deadline has not come yet.
    OPEN = "open"
    #: The target names no amount.
    NO_PROMISE = "no_promise"
    #: Nothing was measured.
    UNMEASURED = "unmeasured"


class TargetTally(msgspec.Struct, frozen=True, kw_only=True):
    """The stations of a target. `covered`: units with a station in service; `waiting`: stations that are planned or
    suspended."""

    covered: frozenset[str] = frozenset()
    stations: frozenset[str] = frozenset()
    waiting: int = 0


class TargetMeasures(msgspec.Struct, frozen=True, kw_only=True):
    """What the stations of a target did. `content`: packages with their bytes."""

    figures: Figures = Figures()
    sessions: int | None = None
    content: Mapping[str, int] = {}


class TargetReach(msgspec.Struct, frozen=True, kw_only=True):
    """A target and what was reached of it by a day. `reached`: an amount, or a share as a fraction; None: not
    measured."""

    target: Target
    day: date
    reached: Amount | None
    stations: int
    waiting: int
    units: int
    lacking: tuple[str, ...]

    @property
    def promised(self) -> Amount | None:
        """The amount or share that was promised."""
        threshold = self.target.threshold
        if threshold is None:
            return None
        exact = Fraction(str(threshold))
        return exact if self.is_share or exact.denominator > 1 else int(exact)

    @property
    def is_share(self) -> bool:
        """Whether promised and reached are fractions of 1."""
        return self.target.metric in SHARES

    @property
    def progress(self) -> Fraction | None:
        """Reached of promised; above 1 when more was reached."""
        if self.promised is None or self.reached is None:
            return None
        return Fraction(self.reached) / Fraction(self.promised) if self.promised else Fraction(1)

    @property
    def status(self) -> TargetStatus:
        """Whether the promise is kept."""
        if self.promised is None:
            return TargetStatus.NO_PROMISE
        if self.reached is None:
            return TargetStatus.UNMEASURED
        if self.reached >= self.promised:
            return TargetStatus.REACHED
        deadline = self.target.deadline
        return TargetStatus.MISSED if deadline is not None and deadline <= self.day else TargetStatus.OPEN


def tally(
    targets: Sequence[Target],
    units: Mapping[str, Sequence[str]],
    standings: Iterable[StationOfDay],
    successions: AreaSuccessions,
    path_then: PathThen,
) -> dict[str, TargetTally]:
    """{target: its tally} of some stations. `units`: the areas that each target is about."""
    by_id = {target.id: target for target in targets}
    places: dict[date, _Places] = {}
    found: dict[str, list[TargetTally]] = {name: [] for name in by_id}
    for one in standings:
        if one.known not in places:
            places[one.known] = _places(units, successions, one.known)
        for name, in_units in _units_of(one, places[one.known], path_then).items():
            programme = by_id[name].programme
            if programme is None or programme in one.programmes:
                found[name].append(_tally_of(one, in_units))
    return {name: total_tally(parts) for name, parts in found.items()}


def total_tally(parts: Sequence[TargetTally]) -> TargetTally:
    """The tally of all parts."""
    return TargetTally(
        covered=frozenset[str]().union(*(part.covered for part in parts)),
        stations=frozenset[str]().union(*(part.stations for part in parts)),
        waiting=sum(part.waiting for part in parts),
    )


def _places(units: Mapping[str, Sequence[str]], successions: AreaSuccessions, day: date) -> _Places:
    found: dict[str, list[tuple[str, str, AreaLineage]]] = defaultdict(list)
    for name, codes in units.items():
        for unit in codes:
            lineage = successions.lineage(unit, day)
            for code in lineage.codes:
                found[code].append((name, unit, lineage))
    return found


def _units_of(one: StationOfDay, places: _Places, path_then: PathThen) -> dict[str, set[str]]:
    """{target: the units of it in which a station lies}"""
    found: dict[str, set[str]] = defaultdict(set)
    for code in one.path:
        for name, unit, lineage in places.get(code, ()):
            if all(_lay(path_then(one.station, day), codes) for day, codes in lineage.others.items()):
                found[name].add(unit)
    return found


def _lay(path: tuple[str, ...] | None, codes: frozenset[str]) -> bool:
    """Whether a station lay in the part of an area that counts. A station that was not registered then may have."""
    return path is None or not codes.isdisjoint(path)


def _tally_of(one: StationOfDay, units: set[str]) -> TargetTally:
    if one.in_service:
        return TargetTally(covered=frozenset(units), stations=frozenset({one.station}))
    return TargetTally(waiting=int(one.lifecycle in _WAITING))


def reach(target: Target, units: Sequence[str], found: TargetTally, measured: TargetMeasures, day: date) -> TargetReach:
    """What was reached of a target by a day."""
    return TargetReach(
        target=target,
        day=day,
        reached=_reached(target, len(units), found, measured),
        stations=len(found.stations),
        waiting=found.waiting,
        units=len(units),
        lacking=tuple(code for code in units if code not in found.covered),
    )


def _reached(target: Target, units: int, found: TargetTally, measured: TargetMeasures) -> Amount | None:
    match target.metric:
        case "stations":
            return len(found.stations)
        case "in_service":
            return _share(len(found.stations), len(found.stations) + found.waiting)
        case "covered":
            return _share(len(found.covered), units)
        case "covered_areas":
            return len(found.covered)
        case "online_rate":
            return measured.figures.online_rate
        case "service_rate":
            return measured.figures.service_rate
        case "sessions":
            return measured.sessions
        case "content_bytes":
            return sum(measured.content.values())
        case _:
            return len(measured.content)


def _share(part: int, whole: int) -> Fraction | None:
    return Fraction(part, whole) if whole else None


def furthest_first(reaches: Iterable[TargetReach]) -> list[tuple[int | None, TargetReach]]:
    """(rank, target) by the progress, the least first; equal ones have the same rank. Targets without a progress come
    last and have no rank."""
    return ranked(sorted(reaches, key=_order), lambda one: one.progress)


def _order(one: TargetReach) -> tuple[bool, Fraction, date, str]:
    return one.progress is None, one.progress or Fraction(), one.target.deadline or date.max, one.target.id
