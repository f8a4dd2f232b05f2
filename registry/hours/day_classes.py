"""The class of a day: workday, day of rest or statutory holiday. Pure.

`chinesecalendar` has the announcements of the State Council, make-up workdays included, for the years up to its
release. In other years Saturday and Sunday are days of rest and the holidays are those of the law (`holidays`), without
moved days; such a class is provisional until the announcement.
"""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Final

import chinese_calendar.constants as announced


class DayClass(StrEnum):
    """Workday, day of rest (mostly Saturday and Sunday) or statutory holiday."""

    WORKDAY = "workday"
    REST = "rest"
    HOLIDAY = "holiday"


_KNOWN_YEARS: Final = range(min(announced.holidays).year, max(announced.holidays).year + 1)


class DayClasses:
    """Classes of days; `overrides` come before those of the libraries."""

    def __init__(self, overrides: Mapping[date, DayClass] | None = None) -> None:
        self._overrides = dict(overrides or {})

    def class_of(self, day: date) -> DayClass:
        """The class of a day."""
        return self._overrides.get(day) or (_announced(day) if day.year in _KNOWN_YEARS else _by_law(day))

    def provisional(self, day: date) -> bool:
        """Whether the class of a day is not announced yet."""
        return day.year not in _KNOWN_YEARS and day not in self._overrides


def by_weekday(day: date) -> DayClass:
    """The class of an ordinary day: workday from Monday to Friday."""
    return DayClass.WORKDAY if day.weekday() < 5 else DayClass.REST


def _announced(day: date) -> DayClass:
    if day in announced.workdays:
        return DayClass.WORKDAY
    return DayClass.HOLIDAY if day in announced.holidays else by_weekday(day)


def _by_law(day: date) -> DayClass:
    return DayClass.HOLIDAY if day in _fixed_holidays(day.year) else by_weekday(day)


@lru_cache(maxsize=64)
def _fixed_holidays(year: int) -> frozenset[date]:
    # It loads the holidays of all countries, and is needed only for years that are not announced.
    from holidays import country_holidays

    return frozenset(country_holidays("CN", years=year, observed=False))
