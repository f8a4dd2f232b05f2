"""When a station should be open, from versions of schedules, dated overrides and classes of days. Pure.

An opening belongs to the local day on which it begins, and follows the schedule of that day also after midnight.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from contract.home import HOME_ZONE
from registry.hours.day_classes import DayClass, DayClasses
from registry.hours.local_time import instant_of, is_skipped_day
from registry.hours.opening_rules import ALWAYS_RULES, OpeningRules, Span
from registry.hours.opening_text import AS_KIND, parse_dated, parse_rules
from registry.model import ALWAYS_OPEN

FROM_ALWAYS: Final = date.min
HORIZON: Final = timedelta(days=800)
"""How far a search for a change goes: a schedule without a change in two years has none."""

Opening = tuple[datetime, datetime]
"""(opens, closes) in UTC."""


class OpeningDay(NamedTuple):
    """A local day with openings: from the first that begins on it until the last of them ends, in UTC."""

    day: date
    opens: datetime
    closes: datetime


# An opening that holds at an instant may begin up to so many local days before or after the UTC date of that instant:
# zones reach from -12 to +14 hours, and an opening lasts beyond midnight.
_REACH_BEFORE, _REACH_AFTER = 2, 1
_STEPS: Final = (timedelta(days=8), timedelta(days=60), HORIZON)


class Version(msgspec.Struct, frozen=True, array_like=True):
    """A schedule that holds from a local day on, until the next version; `rules` as opening_text reads them."""

    valid_from: date
    rules: str = ALWAYS_OPEN
    zone: str = HOME_ZONE


class Override(msgspec.Struct, frozen=True, array_like=True):
    """Opening hours on local days `first` to `last`. If several overrides replace the hours of a day, the override of
    the highest rank is used."""

    first: date
    last: date
    rules: str
    rank: int = 0


class Definition(msgspec.Struct, frozen=True):
    """Everything that decides the openings of a calendar."""

    versions: tuple[Version, ...] = ()
    kind_versions: tuple[Version, ...] = ()
    overrides: tuple[Override, ...] = ()

    @property
    def key(self) -> str:
        """A hash of the definition."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:32]


class Calendar:
    """The openings of stations with one definition. All times are aware; results are in UTC."""

    def __init__(self, definition: Definition, classes: DayClasses) -> None:
        self.definition = definition
        self.key = definition.key
        self._classes = classes
        self._overrides = sorted(definition.overrides, key=lambda override: override.rank)
        self._days: dict[date, tuple[Opening, ...]] = {}

    def is_open(self, at: datetime) -> bool:
        """Whether stations are open at an instant; at the instant of closing they are not."""
        return any(begin <= at < end for day in _days_around(at, at) for begin, end in self._of_day(day))

    def openings(self, begin: datetime, end: datetime) -> list[Opening]:
        """The openings between two instants, in order and cut off at these; openings that touch or overlap are one."""
        spans = sorted(span for day in _days_around(begin, end) for span in self._of_day(day))
        merged: list[Opening] = []
        for opens, closes in spans:
            opens, closes = max(opens, begin.astimezone(UTC)), min(closes, end.astimezone(UTC))
            if opens >= closes:
                continue
            if merged and opens <= merged[-1][1]:
                merged[-1] = merged[-1][0], max(closes, merged[-1][1])
            else:
                merged.append((opens, closes))
        return merged

    def next_change(self, at: datetime) -> datetime | None:
        """The first instant after `at` at which stations open or close; None: there is none."""
        for step in _STEPS:
            found = self.openings(at, at + step)
            begin = found[0][0] if found else None
            change = found[0][1] if begin == at else begin
            if change is not None and change < at + step:
                return change
        return None

    def next_opening(self, at: datetime) -> datetime | None:
        """The first instant after `at` at which stations open; None: there is none."""
        change = self.next_change(at)
        if change is None or self.is_open(change):
            return change
        return self.next_change(change)

    def last_change(self, at: datetime) -> datetime | None:
        """The last instant until `at`, inclusive, at which stations opened or closed; None: there is none."""
        until = at + timedelta.resolution
        for step in _STEPS:
            found = self.openings(at - step, until)
            if not found:
                continue
            change = found[-1][0] if found[-1][1] == until else found[-1][1]
            if change > at - step:
                return change
        return None

    def opening_days(self, begin: datetime, end: datetime) -> list[OpeningDay]:
        """The local days with an opening that touches the interval, in order; their openings are not cut off."""
        found = ((day, self._of_day(day)) for day in _days_around(begin, end))
        days = [OpeningDay(day, min(spans)[0], max(until for _, until in spans)) for day, spans in found if spans]
        return [day for day in days if day.closes >= begin and day.opens <= end]

    def provisional(self, day: date) -> bool:
        """Whether the openings of a local day depend on its class, which the government has not published yet."""
        replacing = [rule for o in self._overrides_on(day) if not (rule := parse_dated(o.rules)).extends]
        replaced = bool(replacing) and not replacing[-1].scheduled
        return not replaced and self._classes.provisional(day) and self._rules_on(day)[0].by_class(day)

    def zone_on(self, day: date) -> ZoneInfo:
        """The zone that holds on a local day."""
        return self._rules_on(day)[1]

    def _of_day(self, day: date) -> tuple[Opening, ...]:
        found = self._days.get(day)
        if found is None:
            if len(self._days) > 2 * HORIZON.days:
                self._days.clear()
            found = self._days[day] = tuple(self._openings_on(day))
        return found

    def _openings_on(self, day: date) -> Iterator[Opening]:
        rules, zone = self._rules_on(day)
        midnight = datetime.combine(day, time())
        if is_skipped_day(midnight, zone):
            return
        for begin, end in self._spans_on(day, rules):
            yield (
                instant_of(midnight + timedelta(minutes=begin), zone),
                instant_of(midnight + timedelta(minutes=end), zone),
            )

    def _spans_on(self, day: date, rules: OpeningRules) -> tuple[Span, ...]:
        scheduled = spans = rules.spans(day, self._classes.class_of(day))
        extra: tuple[Span, ...] = ()
        for override in self._overrides_on(day):
            dated = parse_dated(override.rules)
            if dated.extends:
                extra += dated.spans
            else:
                spans = scheduled if dated.scheduled else dated.spans
        return spans + extra

    def _overrides_on(self, day: date) -> Iterator[Override]:
        return (override for override in self._overrides if override.first <= day <= override.last)

    def _rules_on(self, day: date) -> tuple[OpeningRules, ZoneInfo]:
        version = _version_on(self.definition.versions, day)
        if version is None or version.rules == AS_KIND:
            version = _version_on(self.definition.kind_versions, day) or Version(FROM_ALWAYS)
        return parse_rules(version.rules), ZoneInfo(version.zone)


def calendar_of(
    versions: Iterable[Version] = (),
    kind_versions: Iterable[Version] = (),
    overrides: Iterable[Override] = (),
    day_classes: Mapping[date, DayClass] | DayClasses | None = None,
) -> Calendar:
    """The calendar of a station: its own versions come before those of its kind; without any it is always open.

    Raises ScheduleError for rules that cannot be read.
    """
    definition = definition_of(versions, kind_versions, overrides)
    classes = day_classes if isinstance(day_classes, DayClasses) else DayClasses(day_classes)
    return ALWAYS if definition == _ALWAYS else Calendar(definition, classes)


def definition_of(
    versions: Iterable[Version], kind_versions: Iterable[Version], overrides: Iterable[Override]
) -> Definition:
    """The definition in normal form, so that many stations share one calendar. Raises ScheduleError."""
    own = _normal(versions)
    kinds = _normal(kind_versions) if _leaves_to_kind(own) else ()
    dated = sorted({(o.first, o.last, o.rank, str(parse_dated(o.rules))) for o in overrides})
    return Definition(
        () if _says_nothing(own) and _says_nothing(kinds) else own,
        () if _says_nothing(kinds) else kinds,
        tuple(Override(first, last, rules, rank) for first, last, rank, rules in dated),
    )


def _normal(versions: Iterable[Version]) -> tuple[Version, ...]:
    """The versions in order, without those that only repeat the version before."""
    kept: list[Version] = []
    for version in sorted(versions, key=lambda version: version.valid_from):
        normal = _written(version)
        if not kept or (normal.rules, normal.zone) != (kept[-1].rules, kept[-1].zone):
            kept.append(normal)
    return tuple(kept)


def _written(version: Version) -> Version:
    if version.rules == AS_KIND:
        return Version(version.valid_from, AS_KIND)
    rules = parse_rules(version.rules)
    return Version(version.valid_from, str(rules), rules.zone or version.zone)


def _leaves_to_kind(own: Sequence[Version]) -> bool:
    return not own or own[0].valid_from > FROM_ALWAYS or any(version.rules == AS_KIND for version in own)


def _says_nothing(versions: Sequence[Version]) -> bool:
    """Whether the rules are those of a station without a schedule: always open."""
    return all((version.rules, version.zone) in _NOTHING for version in versions)


def _version_on(versions: Sequence[Version], day: date) -> Version | None:
    return next((version for version in reversed(versions) if version.valid_from <= day), None)


def _days_around(begin: datetime, end: datetime) -> Iterator[date]:
    first = begin.astimezone(UTC).date() - timedelta(days=_REACH_BEFORE)
    last = end.astimezone(UTC).date() + timedelta(days=_REACH_AFTER)
    return (first + timedelta(days=n) for n in range((last - first).days + 1))


_NOTHING: Final = {(AS_KIND, HOME_ZONE), (str(ALWAYS_RULES), HOME_ZONE)}
_ALWAYS: Final = Definition()
ALWAYS: Final = Calendar(_ALWAYS, DayClasses())
"""Open at any time."""
SHUT: Final = Calendar(Definition((Version(FROM_ALWAYS, "off"),)), DayClasses())
"""Open at no time: in place of a calendar that cannot be read."""
