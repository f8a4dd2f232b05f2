"""The registry at a moment, computed from facts: the same set of facts gives the same answer in any order. Pure.

At a moment, of the facts that are effective by then, the newest one holds. What has days or times of its own
(schedules, overrides, classes of days, closures) is known as a whole at a cut, whatever the moment: it says itself for
when it holds. So a past day is the same for ever as long as the facts up to the same cut are taken.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from contract.home import HOME_ZONE
from registry.closures.rules import Closure
from registry.facts.model import FactKind, RegistryFact, StationThen
from registry.hours.calendar import Calendar, Version, calendar_of
from registry.hours.day_classes import DayClass, DayClasses
from registry.hours.scopes import StationScope, overrides_of
from registry.model import DatedHours

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CLOSURES = (("station", FactKind.CLOSURE), ("area", FactKind.AREA_CLOSURE), ("programme", FactKind.PROGRAMME_CLOSURE))


class RegistryAsOf:
    """The facts up to a cut (None: all that are given), asked by station and moment."""

    def __init__(self, facts: Iterable[RegistryFact], cut: int | None = None) -> None:
        known = {fact.id: fact for fact in facts if cut is None or fact.id <= cut}
        self._newest_first: dict[tuple[FactKind, str], list[RegistryFact]] = defaultdict(list)
        for fact in sorted(known.values(), key=lambda fact: fact.id, reverse=True):
            self._newest_first[fact.kind, fact.subject].append(fact)
        self._classes = DayClasses(dict(self._days()))
        # Stations with the same rules share a calendar, which remembers the openings of its days.
        self._calendars: dict[str, Calendar] = {}
        # What was computed already. Between two changes of a station, `station` gives the same answer.
        self._changes: dict[str, list[datetime]] = {}
        self._stations: dict[tuple[str, int], StationThen | None] = {}
        self._calendar_of: dict[tuple[str, str | None, tuple[str, ...]], Calendar] = {}

    def station(self, station: str, at: datetime) -> StationThen | None:
        """What was registered of a station at a moment; None: it was not registered."""
        known = station, bisect_right(self._all_changes(station), at)
        if known not in self._stations:
            self._stations[known] = self._station(station, at)
        return self._stations[known]

    def _station(self, station: str, at: datetime) -> StationThen | None:
        held = self._held(FactKind.STATION, station, at)
        if held is None:
            return None
        return StationThen(
            station=station,
            area=held.get("area"),
            path=self.path(held.get("area"), at),
            kind=held.get("kind"),
            lifecycle=held.get("lifecycle", "commissioned"),
            quorum=held.get("quorum", 1),
            commissioned_at=_moment(held.get("commissioned_at")),
            counts=self._entries(FactKind.TERMINAL, station, at),
            programmes=tuple(sorted(self._entries(FactKind.PROGRAMME, station, at))),
        )

    def path(self, area: str | None, at: datetime) -> tuple[str, ...]:
        """The codes of an area and of all areas above it at a moment, the root first; empty where it was no area."""
        held = None if area is None else self._held(FactKind.AREA, area, at)
        return () if held is None else tuple(held["path"])

    def valid_days(self, area: str, at: datetime) -> tuple[date | None, date | None]:
        """The first and the last day on which an area is valid, as registered at a moment; None: no such limit."""
        held = self._held(FactKind.AREA, area, at) or {}
        first, last = (held.get(name) for name in ("valid_from", "valid_to"))
        return None if first is None else _day(first), None if last is None else _day(last)

    def calendar(self, then: StationThen) -> Calendar:
        """The opening hours that follow from what a station was at a moment. Raises ScheduleError for rules that cannot
        be read."""
        known = then.station, then.kind, then.path
        if known not in self._calendar_of:
            self._calendar_of[known] = self._calendar(then)
        return self._calendar_of[known]

    def _calendar(self, then: StationThen) -> Calendar:
        kinds = () if then.kind is None else self._versions(FactKind.KIND_SCHEDULE, then.kind)
        scope = StationScope(station=then.station, kind=then.kind, path=then.path)
        overrides = overrides_of(scope, self._overrides(then))
        found = calendar_of(self._versions(FactKind.SCHEDULE, then.station), kinds, overrides, self._classes)
        return self._calendars.setdefault(found.key, found)

    def closures(self, then: StationThen) -> list[Closure]:
        """The closures of what a station was at a moment: its own, those of its areas and of its programmes; by
        beginning and number. Who declared them and why is no fact."""
        scopes = {"station": (then.station,), "area": then.path, "programme": then.programmes}
        found = [
            _closure(int(number), scope, subject, value)
            for scope, kind in _CLOSURES
            for subject in scopes[scope]
            for number, value in self._entries(kind, subject).items()
        ]
        return sorted(found, key=lambda closure: (closure.from_at, closure.id))

    def changes(self, station: str, begin: datetime, end: datetime) -> list[datetime]:
        """The moments between two at which something else may hold of a station than before, in order."""
        found = self._all_changes(station)
        return found[bisect_right(found, begin) : bisect_left(found, end)]

    def _all_changes(self, station: str) -> list[datetime]:
        if station not in self._changes:
            kinds = (FactKind.STATION, FactKind.TERMINAL, FactKind.PROGRAMME)
            own = [fact for kind in kinds for fact in self._newest_first.get((kind, station), ())]
            areas = {code for fact in own if (code := (fact.fields or {}).get("area")) is not None}
            around = [fact for area in areas for fact in self._newest_first.get((FactKind.AREA, area), ())]
            self._changes[station] = sorted({fact.effective_at for fact in (*own, *around)})
        return self._changes[station]

    def _held(self, kind: FactKind, subject: str, at: datetime) -> dict[str, Any] | None:
        """The fields of a subject that is registered as a whole; None: it was not registered."""
        held: dict[str, Any] = {}
        for fact in self._effective(kind, subject, at):
            if fact.fields is None:
                return None
            _add_older(held, fact.fields)
            if fact.whole:
                return {name: value for name, value in held.items() if value is not None}
        return None

    def _entries(self, kind: FactKind, subject: str, at: datetime | None = None) -> dict[str, Any]:
        """The entries of a subject; `at` None: those with times of their own."""
        held: dict[str, Any] = {}
        for fact in self._effective(kind, subject, at):
            _add_older(held, fact.fields or {})
        return {name: value for name, value in held.items() if value is not None}

    def _effective(self, kind: FactKind, subject: str, at: datetime | None) -> Iterator[RegistryFact]:
        facts = self._newest_first.get((kind, subject), ())
        return (fact for fact in facts if at is None or fact.effective_at <= at)

    def _versions(self, kind: FactKind, subject: str) -> Sequence[Version]:
        found = self._entries(kind, subject).items()
        return [Version(_day(day), value["rules"], value.get("zone", HOME_ZONE)) for day, value in found]

    def _overrides(self, then: StationThen) -> list[DatedHours]:
        """The overrides that apply, the least specific first, of equals the oldest."""
        areas = [(FactKind.AREA_OVERRIDE, {"area": code}) for code in then.path]
        kinds = [(FactKind.KIND_OVERRIDE, {"kind": then.kind})] if then.kind is not None else []
        own = (FactKind.OVERRIDE, {"station": then.station})
        return [
            DatedHours(first=_day(value["from"]), last=_day(value["to"]), rules=value["rules"], **scope)
            for kind, scope in ((FactKind.COUNTRY_OVERRIDE, {}), *areas, *kinds, own)
            for _, value in sorted(
                self._entries(kind, next(iter(scope.values()), "")).items(), key=lambda entry: int(entry[0])
            )
        ]

    def _days(self) -> Iterator[tuple[date, DayClass]]:
        found = self._entries(FactKind.DAY_CLASS, "")
        return ((_day(day), DayClass(value)) for day, value in found.items())


def _add_older(held: dict[str, Any], fields: Mapping[str, Any]) -> None:
    """Add the fields that no newer fact has set."""
    for name, value in fields.items():
        held.setdefault(name, value)


def _closure(number: int, scope: str, subject: str, value: Mapping[str, Any]) -> Closure:
    from_at, until_at, declared_at = (_some_moment(value[name]) for name in ("from", "until", "declared"))
    return Closure(
        id=number,
        kind=value["kind"],
        station=subject if scope == "station" else None,
        area=subject if scope == "area" else None,
        programme=subject if scope == "programme" else None,
        from_at=from_at,
        until_at=until_at,
        reason="",
        declared_by="",
        declared_at=declared_at,
        approved_at=_moment(value.get("approved")),
        withdrawn_at=_moment(value.get("withdrawn")),
    )


def _moment(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else _some_moment(microseconds)


def _some_moment(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)


def _day(text: str) -> date:
    """A day as JSON has it; what Python cannot name is the first or the last day."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return date.min if text.startswith("-") or text.endswith("BC") else date.max
