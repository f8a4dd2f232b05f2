"""What a station was on a day, and which areas stand for a promise. Pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

import msgspec

from contract.home import HOME
from registry.facts.as_of import RegistryAsOf
from registry.facts.model import FactKind, RegistryFact
from registry.facts.successions import AreaSuccessions
from registry.model import Target

_END_OF_TIME: Final = datetime(9999, 1, 1, tzinfo=UTC)
_INSTANT: Final = timedelta(microseconds=1)


class StationOfDay(msgspec.Struct, frozen=True, kw_only=True):
    """A station on a day. `known`: the day of the registry's answer, which is later for a station that was registered
    after it was commissioned."""

    station: str
    path: tuple[str, ...]
    lifecycle: str
    programmes: tuple[str, ...]
    in_service: bool
    known: date


class StationsThen:
    """Some stations, from their facts."""

    def __init__(self, facts: Sequence[RegistryFact]) -> None:
        self._registry = RegistryAsOf(facts)
        self._first: dict[str, datetime] = {}
        for fact in facts:
            if fact.kind is FactKind.STATION and fact.fields is not None:
                self._first[fact.subject] = min(self._first.get(fact.subject, _END_OF_TIME), fact.effective_at)

    def standings(self, day: date) -> list[StationOfDay]:
        """The stations that were registered at the end of a day, or were commissioned by then and registered later."""
        found = (self._standing(station, day) for station in sorted(self._first))
        return [one for one in found if one is not None]

    def path(self, station: str, day: date) -> tuple[str, ...] | None:
        """The areas of a station at the end of a day (`date.max`: now); None: it was not registered."""
        then = self._registry.station(station, end_of(day))
        return None if then is None else then.path

    def _standing(self, station: str, day: date) -> StationOfDay | None:
        end = end_of(day)
        known = max(end, self._first[station])
        then = self._registry.station(station, known)
        if then is None:
            return None
        began = then.commissioned_at is None or then.commissioned_at <= end
        in_service = then.lifecycle == "commissioned" and began
        if known > end and (not in_service or then.commissioned_at is None):
            return None
        return StationOfDay(
            station=station,
            path=then.path,
            lifecycle=then.lifecycle,
            programmes=then.programmes,
            in_service=in_service,
            known=known.astimezone(HOME).date(),
        )


class PromisedAreas:
    """The areas that promises name: an area of the country with its level, its facts, and the areas that follow."""

    def __init__(self, levels: Mapping[str, str], facts: Sequence[RegistryFact], successions: AreaSuccessions) -> None:
        self.successions = successions
        self._levels = levels
        self._registry = RegistryAsOf(facts)
        self._valid = {code: self._registry.valid_days(code, _END_OF_TIME) for code in levels}

    def units(self, target: Target, day: date) -> tuple[str, ...]:
        """The areas that a target is about on a day, one by one: those it names, or those of its level within them."""
        if target.level is None:
            return target.areas
        within = frozenset[str]().union(*(self.successions.lineage(code, day).codes for code in target.areas))
        return tuple(
            sorted(
                code
                for code, level in self._levels.items()
                if level == target.level and self._exists(code, day) and not within.isdisjoint(self._path(code, day))
            )
        )

    def _exists(self, code: str, day: date) -> bool:
        begun, ended = self._valid[code]
        inside = (begun is None or begun <= day) and (ended is None or day <= ended)
        return inside and self.successions.exists(code, day)

    def _path(self, code: str, day: date) -> tuple[str, ...]:
        """The path on a day; of an area that was registered later, its first one."""
        return self._registry.path(code, end_of(day)) or self._registry.path(code, _END_OF_TIME)


def end_of(day: date) -> datetime:
    """The last instant of a day in China, in UTC; `date.max`: the newest state."""
    if day >= date.max - timedelta(days=1):
        return _END_OF_TIME
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=HOME).astimezone(UTC) - _INSTANT
