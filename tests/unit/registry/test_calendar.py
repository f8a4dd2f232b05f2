"""When stations should be open: the calendar over weeks that people know, and against minutes counted one by one."""

from bisect import bisect_left
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.hours.calendar import ALWAYS, FROM_ALWAYS, Calendar, Override, Version, calendar_of
from registry.hours.day_classes import DayClass, DayClasses
from registry.hours.opening_text import AS_KIND, ScheduleError, parse_dated, parse_rules

CHINA = ZoneInfo("Asia/Shanghai")
READING_ROOM = "Mo-Fr 09:00-17:30; Sa,Su 10:00-16:00; HD off"
CLASSES = DayClasses()


def at(text: str, zone: ZoneInfo = CHINA) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def scheduled(rules: str, *overrides: Override, zone: str = "Asia/Shanghai") -> Calendar:
    return calendar_of([Version(FROM_ALWAYS, rules, zone)], [], overrides)


def days(calendar: Calendar, first: str, last: str) -> dict[str, str]:
    """{month-day: the openings that begin on it}, in China's time."""
    found: dict[str, list[str]] = {}
    for opens, closes in calendar.openings(at(first), at(last)):
        day = opens.astimezone(CHINA)
        found.setdefault(f"{day:%m-%d}", []).append(f"{day:%H:%M}-{closes.astimezone(CHINA):%H:%M}")
    return {day: ",".join(spans) for day, spans in found.items()}


def test_national_day_week_with_its_make_up_days() -> None:
    workday, weekend = "09:00-17:30", "10:00-16:00"
    assert days(scheduled(READING_ROOM), "2026-09-18", "2026-10-13") == {
        "09-18": workday,
        "09-19": weekend,
        "09-20": workday,  # a Sunday that is worked for the week of National Day
        "09-21": workday,
        "09-22": workday,
        "09-23": workday,
        "09-24": workday,  # then Mid-Autumn, 25 to 27
        "09-28": workday,
        "09-29": workday,
        "09-30": workday,  # then National Day, 1 to 7
        "10-08": workday,
        "10-09": workday,
        "10-10": workday,  # a Saturday that is worked
        "10-11": weekend,
        "10-12": workday,
    }


def test_who_stays_open_over_the_holidays() -> None:
    assert days(scheduled("Tu-Su 09:00-17:00; Mo off; HD 10:00-15:00"), "2026-10-03", "2026-10-08") == dict.fromkeys(
        ["10-03", "10-04", "10-05", "10-06", "10-07"], "10:00-15:00"
    )


def test_a_market_day_in_the_township() -> None:
    market = Override(date(2026, 3, 10), date(2026, 3, 10), "06:30-18:00")
    assert days(scheduled(READING_ROOM, market), "2026-03-09", "2026-03-12") == {
        "03-09": "09:00-17:30",
        "03-10": "06:30-18:00",
        "03-11": "09:00-17:30",
    }


def test_evenings_are_added() -> None:
    summer = Override(date(2026, 7, 6), date(2026, 7, 7), "+18:00-21:00")
    assert days(scheduled(READING_ROOM, summer), "2026-07-06", "2026-07-09") == {
        "07-06": "09:00-17:30,18:00-21:00",
        "07-07": "09:00-17:30,18:00-21:00",
        "07-08": "09:00-17:30",
    }


def test_the_override_of_the_highest_rank_replaces_the_day_and_additions_stay() -> None:
    day = date(2026, 3, 10)
    calendar = scheduled(
        READING_ROOM,
        Override(day, day, "10:00-12:00", 3),
        Override(day, day, "off", 1),
        Override(day, day, "+20:00-21:00", 0),
    )
    assert days(calendar, "2026-03-10", "2026-03-11") == {"03-10": "10:00-12:00,20:00-21:00"}


def test_a_station_that_keeps_its_hours_although_the_county_closes() -> None:
    day = date(2026, 3, 10)
    calendar = scheduled(READING_ROOM, Override(day, day, "off", 0), Override(day, day, "scheduled", 1))
    assert days(calendar, "2026-03-10", "2026-03-11") == {"03-10": "09:00-17:30"}


def test_seasons() -> None:
    calendar = scheduled("May-Sep: WD 09:00-19:00; Oct-Apr: WD 09:30-17:00")
    assert days(calendar, "2026-04-29", "2026-05-08") == {
        "04-29": "09:30-17:00",
        "04-30": "09:30-17:00",
        "05-06": "09:00-19:00",
        "05-07": "09:00-19:00",
    }


def test_a_past_day_is_judged_by_the_schedule_of_that_day() -> None:
    calendar = calendar_of([Version(FROM_ALWAYS, READING_ROOM), Version(date(2026, 3, 11), "08:00-12:00")])
    assert days(calendar, "2026-03-10", "2026-03-13") == {
        "03-10": "09:00-17:30",
        "03-11": "08:00-12:00",
        "03-12": "08:00-12:00",
    }


def test_a_station_follows_its_kind_until_it_has_a_schedule_and_when_it_says_so_again() -> None:
    own = [Version(date(2026, 3, 10), "08:00-09:00"), Version(date(2026, 3, 11), AS_KIND)]
    calendar = calendar_of(own, [Version(FROM_ALWAYS, "10:00-11:00")])
    assert list(days(calendar, "2026-03-09", "2026-03-12").values()) == ["10:00-11:00", "08:00-09:00", "10:00-11:00"]


def test_an_opening_over_midnight_belongs_to_the_day_it_begins_on() -> None:
    closed = Override(date(2026, 3, 7), date(2026, 3, 7), "off")
    calendar = scheduled("Fr,Sa 22:00-02:00", closed)
    assert calendar.is_open(at("2026-03-07T01:59"))
    assert not calendar.is_open(at("2026-03-07T02:00"))
    assert not calendar.is_open(at("2026-03-07T23:00"))


def test_closed_at_half_past_five_to_the_second() -> None:
    calendar = scheduled(READING_ROOM)
    assert calendar.is_open(at("2026-03-10T17:29:59.999999"))
    assert not calendar.is_open(at("2026-03-10T17:30"))
    assert calendar.is_open(at("2026-03-10T09:00"))


def test_changes() -> None:
    calendar = scheduled(READING_ROOM)
    friday = at("2026-03-06T12:00")
    assert calendar.next_change(friday) == at("2026-03-06T17:30")
    assert calendar.next_opening(friday) == at("2026-03-07T10:00")
    assert calendar.last_change(friday) == at("2026-03-06T09:00")
    night = at("2026-03-06T20:00")
    assert calendar.next_change(night) == calendar.next_opening(night) == at("2026-03-07T10:00")
    assert calendar.last_change(night) == at("2026-03-06T17:30")
    opening = at("2026-03-06T09:00")
    assert calendar.last_change(opening) == opening
    assert calendar.next_change(opening) == at("2026-03-06T17:30")


def test_a_holiday_of_weeks_is_looked_across() -> None:
    calendar = scheduled("Sep-Jun: Mo-Fr 09:00-17:00")
    assert calendar.next_opening(at("2026-07-01T00:00")) == at("2026-09-01T09:00")
    assert calendar.last_change(at("2026-08-31T00:00")) == at("2026-06-30T17:00")


@pytest.mark.parametrize("calendar", [ALWAYS, scheduled("00:00-24:00", zone="Asia/Urumqi"), scheduled("off")])
def test_what_never_changes(calendar: Calendar) -> None:
    now = at("2026-03-10T12:00")
    assert calendar.next_change(now) is calendar.last_change(now) is calendar.next_opening(now) is None


def test_without_a_schedule_it_is_open_always() -> None:
    assert calendar_of() is ALWAYS
    assert scheduled("24x7") is ALWAYS
    assert calendar_of([Version(date(2026, 1, 1), AS_KIND)]) is ALWAYS
    assert ALWAYS.is_open(at("2026-03-10T03:00"))
    assert ALWAYS.openings(at("2026-03-10"), at("2026-03-12")) == [(at("2026-03-10"), at("2026-03-12"))]


def test_the_zone_of_a_version() -> None:
    urumqi = scheduled("[Asia/Urumqi] Mo-Fr 10:00-18:00")
    assert urumqi.next_opening(at("2026-03-09T00:00")) == at("2026-03-09T12:00")
    assert urumqi.key == scheduled("Mo-Fr 10:00-18:00", zone="Asia/Urumqi").key


# Local days of zones that put their clocks forward or back, and the hours that an opening then has.
SHIFTED = {
    "the night that lacks an hour": ("America/New_York", "2026-03-08", "00:00-06:00", 5),
    "the night that has an hour twice": ("America/New_York", "2026-11-01", "00:00-06:00", 7),
    "an opening within the hour that is left out": ("America/New_York", "2026-03-08", "02:15-02:45", 0),
    "an opening that begins in the hour left out": ("America/New_York", "2026-03-08", "02:30-04:00", 1),
    "an opening within the hour that comes twice": ("America/New_York", "2026-11-01", "01:15-01:45", 0.5),
    "a shift by half an hour": ("Australia/Lord_Howe", "2026-10-04", "00:00-06:00", 5.5),
    "a shift at midnight": ("Africa/Cairo", "2026-04-24", "00:00-06:00", 5),
    "a day that was left out": ("Pacific/Apia", "2011-12-30", "09:00-17:00", 0),
    "over the midnight before a shift": ("America/New_York", "2026-03-07", "20:00-04:00", 7),
}


@pytest.mark.parametrize(("zone", "day", "span", "hours"), SHIFTED.values(), ids=SHIFTED)
def test_where_clocks_are_put_forward_and_back(zone: str, day: str, span: str, hours: float) -> None:
    on = date.fromisoformat(day)
    calendar = scheduled("off", Override(on, on, span), zone=zone)
    noon = datetime.combine(on, time(12), UTC)
    found = calendar.openings(noon - timedelta(days=3), noon + timedelta(days=3))
    assert sum((closes - opens).total_seconds() for opens, closes in found) == hours * 3600


def test_years_that_nobody_announced_are_provisional_and_know_the_fixed_holidays() -> None:
    calendar = scheduled(READING_ROOM)
    national_day, beyond = date(2026, 10, 1), date(2040, 10, 1)
    assert not calendar.provisional(national_day)
    assert calendar.provisional(beyond)
    assert not calendar.is_open(at("2040-10-01T12:00"))
    assert not scheduled("Mo-Su 09:00-17:00").provisional(beyond)
    assert not ALWAYS.provisional(beyond)
    assert not scheduled(READING_ROOM, Override(beyond, beyond, "10:00-12:00")).provisional(beyond)
    assert scheduled(READING_ROOM, Override(beyond, beyond, "scheduled")).provisional(beyond)
    announced = calendar_of([Version(FROM_ALWAYS, READING_ROOM)], day_classes={beyond: DayClass.WORKDAY})
    assert not announced.provisional(beyond)
    assert announced.is_open(at("2040-10-01T12:00"))


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        (date(2026, 2, 16), DayClass.HOLIDAY),  # eve of Spring Festival
        (date(2026, 2, 14), DayClass.WORKDAY),  # a Saturday worked for it
        (date(2026, 2, 23), DayClass.HOLIDAY),  # a Monday moved to it
        (date(2026, 3, 7), DayClass.REST),
        (date(2026, 3, 6), DayClass.WORKDAY),
        (date(2035, 3, 6), DayClass.WORKDAY),
        (date(2035, 3, 10), DayClass.REST),
        (date(2035, 2, 8), DayClass.HOLIDAY),  # Spring Festival, by the law alone
    ],
)
def test_classes_of_days(day: date, kind: DayClass) -> None:
    assert CLASSES.class_of(day) is kind
    other = DayClass.REST if kind is DayClass.WORKDAY else DayClass.WORKDAY
    assert DayClasses({day: other}).class_of(day) is other


def test_rules_that_cannot_be_read_are_refused_at_once() -> None:
    with pytest.raises(ScheduleError):
        scheduled("whenever")
    with pytest.raises(ScheduleError):
        scheduled(READING_ROOM, Override(date(2026, 1, 1), date(2026, 1, 1), "sometimes"))


def test_equal_openings_have_one_key() -> None:
    one = scheduled("Mo-Fr 9:00-17:00", Override(date(2026, 1, 1), date(2026, 1, 2), "off"))
    two = scheduled("mo-FR  09:00-17:00;", Override(date(2026, 1, 1), date(2026, 1, 2), "closed"))
    assert one.key == two.key
    keys = {
        one.key,
        scheduled("Mo-Fr 09:00-17:01").key,
        scheduled("Mo-Fr 09:00-17:00").key,
        scheduled("Mo-Fr 09:00-17:00", zone="Asia/Urumqi").key,
        calendar_of([], [Version(FROM_ALWAYS, "Mo-Fr 09:00-17:00")]).key,
        calendar_of([Version(date(2026, 1, 1), "Mo-Fr 09:00-17:00")]).key,
    }
    assert len(keys) == 6


def test_versions_that_only_repeat_say_nothing() -> None:
    twice = [Version(FROM_ALWAYS, READING_ROOM), Version(date(2026, 1, 1), READING_ROOM)]
    assert calendar_of(twice).key == scheduled(READING_ROOM).key


# The oracle: minute by minute, what the clock on the wall shows.

TEXTS = [
    READING_ROOM,
    "WD 09:00-12:00,14:30-18:00; RD 10:00-16:00; HD off",
    "Tu-Su 00:00-24:00",
    "Mo-Fr 22:00-26:30; Sa 01:00-02:30",
    "May-Sep: WD 06:00-20:00; Oct-Apr: WD 10:00-15:00",
    "off",
    "24x7",
    "00:30-03:30,01:15-02:45,23:00-01:00",
]
ZONES = [
    *("Asia/Shanghai", "Asia/Urumqi", "America/New_York", "Australia/Lord_Howe"),
    *("Africa/Cairo", "Pacific/Apia", "Pacific/Kiritimati", "Pacific/Pago_Pago"),
]
DATED = ["off", "scheduled", "10:00-14:00", "+18:00-21:00", "+23:00-03:00", "00:00-24:00"]
# Days around changes of clocks, holidays, make-up days, New Year and the ends of seasons.
STARTS = [
    *("2026-03-07", "2026-10-31", "2026-04-03", "2026-10-03", "2026-04-23"),
    *("2026-09-30", "2026-10-09", "2026-12-30", "2011-12-28"),
]
MINUTE = timedelta(minutes=1)


def oracle(calendar: Calendar, begin: datetime, end: datetime) -> list[bool]:
    """Whether it is open in each minute from `begin`, by walking through the minutes in order.

    A span is entered at the first minute whose wall time has reached its begin, and left at the first that has
    reached its end; wall times that come again change nothing.
    """
    start = begin - timedelta(days=4)
    minutes = [start + MINUTE * n for n in range(int((end - start) / MINUTE))]
    is_open = [False] * len(minutes)
    for version in {v.zone: v for v in (*calendar.definition.versions, Version(FROM_ALWAYS))}.values():
        shown = [minute.astimezone(ZoneInfo(version.zone)).replace(tzinfo=None) for minute in minutes]
        latest = list(accumulate(shown, max))
        for day in sorted({wall.date() for wall in shown} | {shown[0].date() - timedelta(days=2)}):
            if _version(calendar, day).zone != version.zone:
                continue
            for first, last in _spans(calendar, day):
                midnight = datetime.combine(day, time())
                enters = bisect_left(latest, midnight + MINUTE * first)
                leaves = bisect_left(latest, midnight + MINUTE * last)
                is_open[enters:leaves] = [True] * max(0, leaves - enters)
    return is_open[-int((end - begin) / MINUTE) :]


def _version(calendar: Calendar, day: date) -> Version:
    held = [version for version in calendar.definition.versions if version.valid_from <= day]
    return held[-1] if held else Version(FROM_ALWAYS)


def _spans(calendar: Calendar, day: date) -> list[tuple[int, int]]:
    spans = list(parse_rules(_version(calendar, day).rules).spans(day, CLASSES.class_of(day)))
    dated = sorted(calendar.definition.overrides, key=lambda o: o.rank)
    on = [(o, parse_dated(o.rules)) for o in dated if o.first <= day <= o.last]
    replacing = [spans if rule.scheduled else list(rule.spans) for _, rule in on if not rule.extends]
    return (replacing[-1] if replacing else spans) + [span for _, rule in on if rule.extends for span in rule.spans]


@st.composite
def cases(draw: st.DrawFn) -> tuple[Calendar, datetime]:
    start = date.fromisoformat(draw(st.sampled_from(STARTS)))
    near = st.integers(-1, 4).map(lambda n: start + timedelta(days=n))
    texts, zones = st.sampled_from(TEXTS), st.sampled_from(ZONES)
    versions = [Version(FROM_ALWAYS, draw(texts), draw(zones))]
    versions += [Version(draw(near), draw(texts), draw(zones)) for _ in range(draw(st.integers(0, 1)))]
    overrides = []
    for rank in range(draw(st.integers(0, 3))):
        first = draw(near)
        overrides.append(
            Override(first, first + timedelta(days=draw(st.integers(0, 2))), draw(st.sampled_from(DATED)), rank)
        )
    return calendar_of(versions, [], overrides), datetime.combine(start, time(), UTC)


def test_a_day_that_a_zone_left_out_has_no_openings() -> None:
    """Samoa had no 30 December 2011: nor has it the hours after midnight that would belong to it."""
    nights = Version(FROM_ALWAYS, "Mo-Fr 22:00-26:30", "Pacific/Apia")
    begin = datetime(2011, 12, 29, 13, tzinfo=UTC)
    found = calendar_of([nights]).openings(begin, begin + timedelta(days=1))
    assert found == [(datetime(2011, 12, 30, 8, tzinfo=UTC), datetime(2011, 12, 30, 10, tzinfo=UTC))]


@given(cases())
@settings(max_examples=40)
def test_every_minute_is_as_the_oracle_says(case: tuple[Calendar, datetime]) -> None:
    calendar, begin = case
    end = begin + timedelta(days=3)
    expected = oracle(calendar, begin, end)
    found = [False] * len(expected)
    for opens, closes in calendar.openings(begin, end):
        found[int((opens - begin) / MINUTE) : int((closes - begin) / MINUTE)] = [True] * int((closes - opens) / MINUTE)
    assert found == expected
    assert [calendar.is_open(begin + MINUTE * n) for n in range(0, len(expected), 7)] == expected[::7]


@given(cases(), st.integers(0, 3 * 1440))
@settings(max_examples=40)
def test_changes_are_where_minutes_differ(case: tuple[Calendar, datetime], minute: int) -> None:
    calendar, begin = case
    expected = oracle(calendar, begin, begin + timedelta(days=3) + MINUTE)  # `now` may be the end of the three days
    now = begin + MINUTE * minute
    changes = [begin + MINUTE * n for n in range(1, len(expected)) if expected[n] != expected[n - 1]]
    after = [change for change in changes if change > now]
    before = [change for change in changes if change <= now]
    opening = [change for change in after if expected[int((change - begin) / MINUTE)]]
    if after:
        assert calendar.next_change(now) == after[0]
    if opening:
        assert calendar.next_opening(now) == opening[0]
    if before:
        assert calendar.last_change(now) == before[-1]


@given(cases(), st.integers(0, 3 * 1440), st.integers(0, 3 * 1440))
@settings(max_examples=25)
def test_openings_of_a_part_are_those_of_the_whole_clipped(
    case: tuple[Calendar, datetime], first: int, last: int
) -> None:
    calendar, begin = case
    whole = calendar.openings(begin, begin + timedelta(days=3))
    cut_from, cut_to = begin + MINUTE * min(first, last), begin + MINUTE * max(first, last)
    clipped = [(max(opens, cut_from), min(closes, cut_to)) for opens, closes in whole]
    assert calendar.openings(cut_from, cut_to) == [(opens, closes) for opens, closes in clipped if opens < closes]
