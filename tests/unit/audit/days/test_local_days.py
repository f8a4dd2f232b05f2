"""Local days: nothing is left out between them, and nothing counts twice."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.days.local_days import LocalDay, is_closed, local_days, month_days
from registry.hours.calendar import ALWAYS, Version, calendar_of

HOUR = timedelta(hours=1)


def always(name: str) -> Callable[[date], ZoneInfo]:
    return lambda _: ZoneInfo(name)


def moved(to: str, on: date, home: str = "Asia/Shanghai") -> Callable[[date], ZoneInfo]:
    """The zone of a station whose schedule has another one from a day on."""
    rules = "Mo-Su 09:00-17:00"
    return calendar_of([Version(date.min, rules, home), Version(on, rules, to)]).zone_on


LENGTHS = [
    ("an ordinary day", always("Asia/Shanghai"), date(2026, 11, 1), 24),
    ("clocks go forward", always("Europe/Berlin"), date(2026, 3, 29), 23),
    ("clocks go back", always("Europe/Berlin"), date(2026, 10, 25), 25),
    ("no midnight: clocks go forward at 0:00", always("America/Sao_Paulo"), date(2018, 11, 4), 23),
    ("half an hour", always("Australia/Lord_Howe"), date(2026, 10, 4), 23.5),
    ("a skipped day", always("Pacific/Apia"), date(2011, 12, 30), 0),
    ("the last day before a zone further west", moved("Asia/Urumqi", date(2026, 11, 2)), date(2026, 11, 1), 26),
    ("the first day in the zone further west", moved("Asia/Urumqi", date(2026, 11, 2)), date(2026, 11, 2), 24),
    ("a zone further east", moved("Asia/Tokyo", date(2026, 11, 2)), date(2026, 11, 1), 23),
]


@pytest.mark.parametrize(("why", "zone_on", "day", "hours"), LENGTHS, ids=[row[0] for row in LENGTHS])
def test_length_of_a_day(why: str, zone_on: Callable[[date], ZoneInfo], day: date, hours: float) -> None:
    (found,) = local_days(day, day, zone_on)
    assert (found.end - found.begin) / HOUR == hours, why


def test_a_month_does_not_lose_its_last_second() -> None:
    """Reports elsewhere: last month ended at 23:59:59."""
    november, december = (month_days(2026, month, ALWAYS.zone_on) for month in (11, 12))
    assert (len(november), len(december)) == (30, 31)
    assert november[0].begin == datetime(2026, 10, 31, 16, tzinfo=UTC)
    assert november[-1].end == december[0].begin


ZONES = st.sampled_from(
    ["Asia/Shanghai", "Asia/Urumqi", "Europe/Berlin", "Pacific/Kiritimati", "Etc/GMT+12", "Pacific/Apia"]
)


@given(ZONES, st.lists(st.tuples(st.integers(-3, 12), ZONES), max_size=4), st.sampled_from([2011, 2026]))
def test_days_adjoin_whatever_the_zones(home: str, changes: list[tuple[int, str]], year: int) -> None:
    first = date(year, 12, 25)
    later = sorted((first + timedelta(days=n), name) for n, name in changes)

    def zone_on(day: date) -> ZoneInfo:
        return ZoneInfo([home, *(name for since, name in later if since <= day)][-1])

    days = local_days(first, first + timedelta(days=9), zone_on)
    assert [day.day for day in days] == [first + timedelta(days=n) for n in range(10)]
    assert all(one.end == other.begin for one, other in pairwise(days))
    assert all(day.begin <= day.end for day in days)
    for n in range(10):
        alone = local_days(days[n].day, days[n].day, zone_on)
        assert alone == [days[n]], "a day is the same asked by itself"


END = datetime(2026, 11, 2, tzinfo=UTC)
CLOSING = [
    ("4 h past its end", 4, [], True),
    ("not yet", 3.999, [], False),
    ("a gap over it is open", 9, [-1], False),
    ("the open gap began later", 9, [0, 5], True),
]


@pytest.mark.parametrize(("why", "clock", "gaps", "closed"), CLOSING, ids=[row[0] for row in CLOSING])
def test_when_a_day_closes(why: str, clock: float, gaps: list[float], closed: bool) -> None:
    day = LocalDay(date(2026, 11, 1), END - 24 * HOUR, END)
    assert is_closed(day, END + clock * HOUR, [END + begin * HOUR for begin in gaps]) is closed, why
