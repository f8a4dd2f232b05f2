"""What sort of day a day is: workday, day of rest or statutory holiday. Pure.

`chinesecalendar` knows what the State Council announced, make-up workdays included, for the years up to its release.
For other years Saturday and Sunday are days of rest and the holidays are those that the law fixes (`holidays`),
without the days that are moved for them: provisional, until the announcement is known.
"""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Final

import chinese_calendar.constants as announced


class DayClass(StrEnum):
    WORKDAY = "workday"
    REST = "rest"
    HOLIDAY = "holiday"


_KNOWN_YEARS: Final = range(min(announced.holidays).year, max(announced.holidays).year + 1)


class DayClasses:
    """Classes of days; `overrides` go before what the libraries say."""

    def __init__(self, overrides: Mapping[date, DayClass] | None = None) -> None:
        self._overrides = dict(overrides or {})

    def of(self, day: date) -> DayClass:
        return self._overrides.get(day) or (_announced(day) if day.year in _KNOWN_YEARS else _by_law(day))

    def provisional(self, day: date) -> bool:
        """Whether nobody has announced yet what this day will be."""
        return day.year not in _KNOWN_YEARS and day not in self._overrides


def by_weekday(day: date) -> DayClass:
    return DayClass.WORKDAY if day.weekday() < 5 else DayClass.REST


def _announced(day: date) -> DayClass:
    if day in announced.workdays:
        return DayClass.WORKDAY
    return DayClass.HOLIDAY if day in announced.holidays else by_weekday(day)


def _by_law(day: date) -> DayClass:
    return DayClass.HOLIDAY if day in _fixed_holidays(day.year) else by_weekday(day)


@lru_cache(maxsize=64)
def _fixed_holidays(year: int) -> frozenset[date]:
    # It brings the holidays of the whole world along, and is needed only by who looks beyond the announced years.
    from holidays import country_holidays

    return frozenset(country_holidays("CN", years=year, observed=False))
