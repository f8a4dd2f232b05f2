"""The month or the year that is asked for. Pure."""

from datetime import date, timedelta

import msgspec

from audit.days.freezing import following_month


class UptimePeriod(msgspec.Struct, frozen=True, kw_only=True):
    """The local days [begin, end) of a month or a year."""

    name: str
    begin: date
    end: date

    @property
    def is_year(self) -> bool:
        """Whether its parts are months."""
        return len(self.name) == len("2026")

    def part_of(self, day: date) -> str:
        """The name of the part in which a day lies."""
        return f"{day:%Y-%m}" if self.is_year else day.isoformat()

    @property
    def before(self) -> str:
        """The name of the period before."""
        last = self.begin - timedelta(days=1)
        return str(last.year) if self.is_year else f"{last:%Y-%m}"

    @property
    def after(self) -> str:
        """The name of the period after."""
        return str(self.end.year) if self.is_year else f"{self.end:%Y-%m}"


def month_period(first: date) -> UptimePeriod:
    """The month of a day."""
    begin = first.replace(day=1)
    return UptimePeriod(name=f"{begin:%Y-%m}", begin=begin, end=following_month(begin))


def year_period(year: int) -> UptimePeriod:
    """A year."""
    return UptimePeriod(name=f"{year:04}", begin=date(year, 1, 1), end=date(year + 1, 1, 1))


def period_named(name: str) -> UptimePeriod:
    """The month 2026-11 or the year 2026. Raises ValueError."""
    if len(name) == len("2026"):
        return year_period(int(name))
    return month_period(date.fromisoformat(f"{name}-01"))
