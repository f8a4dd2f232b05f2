"""When the figures of a month stand. Pure.

A month is frozen on the 11th of the next one in China: closures are declared and their evidence is given by the 10th.
What becomes known later is an addendum beside the frozen figures.
"""

from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from contract.home import HOME_ZONE

FROZEN_ON: Final = 11


def following_month(month: date) -> date:
    """The first day of the next month; `month` is a first day."""
    return (month + timedelta(days=31)).replace(day=1)


def frozen_at(month: date) -> datetime:
    """The moment at which a month is frozen."""
    day = following_month(month).replace(day=FROZEN_ON)
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(HOME_ZONE))


def months_between(first: date, last: date) -> list[date]:
    """The first days of the months that have days from `first` to `last`."""
    months = [first.replace(day=1)]
    while (following := following_month(months[-1])) <= last:
        months.append(following)
    return months if first <= last else []
