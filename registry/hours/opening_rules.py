"""Opening hours as people write them: rules like ``Mo-Fr 09:00-17:30; Sa,Su 10:00-16:00; HD off``. Pure.

The language is described in docs/schedules.md. Times are minutes from midnight of the day on which a span begins; a
span over midnight ends beyond 1440.
"""

from datetime import date
from typing import Final

import msgspec

from registry.hours.day_classes import DayClass

Span = tuple[int, int]
"""(first minute, minute after the last) of a day."""
Season = tuple[tuple[int, int], tuple[int, int]]
"""((month, day), (month, day)), both inclusive; a season may go over New Year."""

WEEKDAYS: Final = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
DAY: Final = 24 * 60
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_WORKING: Final = frozenset(WEEKDAYS[:5])
_RESTING: Final = frozenset(WEEKDAYS[5:])


class OpeningRule(msgspec.Struct, frozen=True):
    """One rule: in `seasons` (none: all year), on `days` (weekdays and WD, RD, HD), open in `spans` (none: closed)."""

    seasons: tuple[Season, ...]
    days: frozenset[str]
    spans: tuple[Span, ...]

    def in_season(self, day: date) -> bool:
        """Whether the rule applies in the season of a day."""
        return not self.seasons or any(_within(season, (day.month, day.day)) for season in self.seasons)

    def holds(self, weekday: str, kind: DayClass) -> bool:
        """Whether the rule applies to a day of this weekday and class.

        A make-up workday and a rest day in the week follow the rules for their class; a rule for workdays and rest
        days together (``Tu-Su``) applies to them by weekday.
        """
        if kind is DayClass.WORKDAY:
            return self._for_workday(weekday)
        if weekday in _RESTING:
            return weekday in self.days or "RD" in self.days
        return "RD" in self.days or self.days >= _RESTING or (weekday in self.days and bool(self.days & _RESTING))

    def _for_workday(self, weekday: str) -> bool:
        if weekday in _WORKING:
            return weekday in self.days or "WD" in self.days
        return "WD" in self.days or self.days >= _WORKING or (weekday in self.days and bool(self.days & _WORKING))


class OpeningRules(msgspec.Struct, frozen=True):
    """The rules of a schedule; a later rule overrides an earlier one on its days.

    `zone`: the IANA time zone that the text names, if any.
    """

    rules: tuple[OpeningRule, ...]
    zone: str | None = None

    def spans(self, day: date, kind: DayClass) -> tuple[Span, ...]:
        """The spans that begin on a day, in any order; they may overlap."""
        rule = self._rule(day, WEEKDAYS[day.weekday()], kind)
        return rule.spans if rule is not None else ()

    def _rule(self, day: date, weekday: str, kind: DayClass) -> OpeningRule | None:
        rules = [rule for rule in reversed(self.rules) if rule.in_season(day)]
        if kind is DayClass.HOLIDAY:
            named = next((rule for rule in rules if "HD" in rule.days), None)
            if named is not None:
                return named
        found = next((rule for rule in rules if rule.holds(weekday, kind)), None)
        if found is None and kind is DayClass.WORKDAY:
            return next((rule for rule in rules if weekday in rule.days), None)
        return found

    def by_class(self, day: date) -> bool:
        """Whether the openings of a day depend on its class."""
        return len({self.spans(day, kind) for kind in DayClass}) > 1

    def __str__(self) -> str:
        """The rules in normal form, without the zone: equal for texts of the same meaning."""
        return "; ".join(map(_written, self.rules))


def _within(season: Season, day: tuple[int, int]) -> bool:
    first, last = season
    return first <= day <= last if first <= last else day >= first or day <= last


def _written(rule: OpeningRule) -> str:
    seasons = ",".join(f"{_month_day(first)}-{_month_day(last)}" for first, last in rule.seasons)
    days = ",".join(name for name in (*WEEKDAYS, "WD", "RD", "HD") if name in rule.days)
    spans = ",".join(f"{clock_text(begin)}-{clock_text(end)}" for begin, end in rule.spans) or "off"
    return f"{seasons}: {days} {spans}" if seasons else f"{days} {spans}"


def _month_day(of: tuple[int, int]) -> str:
    return f"{MONTHS[of[0] - 1]} {of[1]:02}"


def clock_text(minute: int) -> str:
    """``17:30`` of 1050; beyond midnight the hours go on, ``26:00`` of 1560."""
    return f"{minute // 60:02}:{minute % 60:02}"


EVERY_DAY: Final = frozenset(WEEKDAYS)
ALWAYS_RULES: Final = OpeningRules((OpeningRule((), EVERY_DAY, ((0, DAY),)),))
