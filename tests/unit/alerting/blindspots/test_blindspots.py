"""The blind spots of stations, and areas that a target names."""

from datetime import date, datetime

import pytest

from alerting.blindspots.columns import MomentColumn
from alerting.blindspots.opening_days import missed_days, served
from alerting.blindspots.unknown_time import Gaps, UnknownTime
from alerting.stations.stamps import NEVER
from registry.hours.calendar import ALWAYS, FROM_ALWAYS, Calendar, Version, calendar_of
from tests.unit.alerting.blindspots.blindspot_kit import DAY, HOUR, MINUTE, PATH, START, Scene


def weekly(days: str) -> Calendar:
    return calendar_of([Version(FROM_ALWAYS, f"{days} 09:00-17:00")])


WEEKDAYS = weekly("Mo-Fr")
NEVER_OPEN = calendar_of([Version(FROM_ALWAYS, "off")])


def one(state: str = "online", hours: Calendar = WEEKDAYS, **facts: object) -> Scene:
    scene = Scene(hours={"A": hours})
    scene.add("A", state, **facts)
    scene.go()
    return scene


# -- dark --------------------------------------------------------------------------------------------------------------


def test_dark_after_a_week_of_silence() -> None:
    scene = one(hours=ALWAYS)
    scene.go(DAY)
    scene.change("A", state="offline")
    scene.go(7 * DAY - MINUTE)
    assert "dark:A" not in scene.open
    scene.go(MINUTE)
    assert scene.open["dark:A"] == START + DAY
    found = scene.incident("dark:A")
    assert (found.station, found.area, found.detail["clears"]) == ("A", PATH[-1], "heartbeat")
    scene.change("A", state="online")
    scene.go(MINUTE)
    assert not {"dark:A"} & scene.open.keys()
    assert scene.incident("dark:A").ended_at == START + 8 * DAY
    assert [page for page in scene.pages if "dark:A" in page[0]] == []


def test_dark_when_it_never_reported() -> None:
    scene = one("never_seen", since=None)
    scene.go(DAY - MINUTE)
    assert scene.open == {}
    scene.go(MINUTE)
    assert scene.open == {"dark:A": START}
    assert scene.incident("dark:A").detail["never_seen"] is True


def test_a_station_of_unknown_age_is_counted_from_when_it_was_first_seen_here() -> None:
    scene = one("never_seen", since=None, commissioned_at=None)
    scene.go(12 * HOUR)
    scene.restart()
    scene.go(12 * HOUR)
    assert scene.open == {"dark:A": START}


def test_a_closure_is_no_silence_and_a_week_begins_after_it() -> None:
    scene = one(hours=ALWAYS)
    scene.change("A", state="offline")
    scene.go(8 * DAY)
    assert "dark:A" in scene.open
    scene.change("A", excused=True, silenced=True)
    scene.go(30 * DAY)
    assert not {"dark:A", "shut:A"} & scene.open.keys()
    scene.change("A", excused=False, silenced=False)
    scene.go(6 * DAY)
    scene.restart()
    assert "dark:A" not in scene.open
    scene.go(DAY)
    assert scene.open["dark:A"] == START + 38 * DAY


def test_planned_stations_are_not_dark_and_count_from_when_they_were_commissioned() -> None:
    scene = one("offline", hours=ALWAYS, lifecycle="planned")
    scene.go(30 * DAY)
    assert scene.open == {}
    scene.change("A", lifecycle="commissioned")
    scene.go(7 * DAY - MINUTE)
    assert "dark:A" not in scene.open
    scene.go(MINUTE)
    assert scene.open["dark:A"] == START + 30 * DAY
    scene.change("A", lifecycle="retired")
    scene.go(MINUTE)
    assert scene.open == {}


def test_unknown_time_is_no_silence() -> None:
    scene = one(hours=ALWAYS)
    scene.change("A", state="offline")
    scene.unknown(START + DAY, START + 2 * DAY)
    scene.go(8 * DAY - MINUTE, step=DAY)
    assert "dark:A" not in scene.open
    scene.untrusted = frozenset({(0, "main")})
    scene.go(HOUR)
    assert "dark:A" not in scene.open
    scene.untrusted = frozenset()
    scene.go(MINUTE)
    assert scene.open["dark:A"] == START


def test_who_was_deleted_is_no_blind_spot() -> None:
    scene = one("never_seen", since=None)
    scene.go(DAY)
    scene.remove("A")
    scene.go()
    assert scene.open == {}
    assert scene.incident("dark:A").is_open is False


def test_a_resolved_one_stays_so_until_the_station_was_back() -> None:
    scene = one(hours=ALWAYS)
    scene.change("A", state="offline")
    scene.go(7 * DAY)
    scene.resolve("dark:A")
    scene.go(HOUR)
    scene.restart()
    scene.go(DAY)
    assert "dark:A" not in scene.open
    scene.change("A", state="online")
    scene.go(HOUR)
    scene.change("A", state="offline")
    scene.go(7 * DAY)
    assert scene.open["dark:A"] == START + 8 * DAY + HOUR + HOUR


# -- shut --------------------------------------------------------------------------------------------------------------


def test_shut_after_three_opening_days_without_it() -> None:
    """Silent since Thursday evening: Friday, Monday and Tuesday are missed; the weekend is no opening time."""
    scene = one()
    scene.go(3 * DAY + 10 * HOUR)
    scene.change("A", state="offline", open=False)
    tuesday = datetime.fromisoformat("2026-11-10T17:00:00+08:00")
    scene.go(tuesday - scene.now - MINUTE, step=HOUR)
    assert "shut:A" not in scene.open
    scene.go(MINUTE)
    assert scene.open["shut:A"] == datetime.fromisoformat("2026-11-06T09:00:00+08:00")
    assert scene.incident("shut:A").detail["days"] == ["2026-11-06", "2026-11-09", "2026-11-10"]


def test_being_on_at_night_is_no_service() -> None:
    scene = one()
    scene.go(10 * HOUR)
    scene.change("A", state="offline", open=False)
    for _ in range(3):
        scene.go(4 * HOUR)
        scene.change("A", state="online")
        scene.go(HOUR)
        scene.change("A", state="offline")
        scene.go(19 * HOUR)
    assert scene.open["shut:A"] == datetime.fromisoformat("2026-11-03T09:00:00+08:00")
    scene.change("A", state="online")
    scene.go(HOUR)
    assert "shut:A" in scene.open
    scene.go(15 * HOUR, step=HOUR)
    assert "shut:A" not in scene.open
    assert scene.incident("shut:A").ended_at == datetime.fromisoformat("2026-11-06T09:00:00+08:00")


def test_a_day_of_which_nothing_is_known_counts_neither_way() -> None:
    scene = one()
    scene.go(10 * HOUR)
    scene.change("A", state="offline", open=False)
    wednesday = datetime.fromisoformat("2026-11-04T09:00:00+08:00")
    scene.unknown(wednesday, wednesday + 8 * HOUR)
    scene.go(3 * DAY, step=HOUR)
    assert "shut:A" not in scene.open
    scene.go(DAY, step=HOUR)
    assert scene.incident("shut:A").detail["days"] == ["2026-11-03", "2026-11-05", "2026-11-06"]


@pytest.mark.parametrize(
    ("name", "came", "fell", "expected"),
    [
        ("through the day", "02T08:30", "02T17:30", True),
        ("the morning only", "02T08:30", "02T09:30", True),
        ("in the evening", "02T17:30", "02T20:00", False),
        ("before opening, after a day without", "02T18:00", "03T08:00", False),
        ("over the weekend, from Friday's opening", "06T16:00", "08T12:00", True),
        ("on Sunday", "08T10:00", "08T12:00", False),
    ],
)
def test_served(name: str, came: str, fell: str, expected: bool) -> None:
    times = (datetime.fromisoformat(f"2026-11-{at}:00+08:00") for at in (came, fell))
    assert served(WEEKDAYS, *times) is expected, name


def test_missed_days_of_stations_that_hardly_open() -> None:
    found = missed_days(weekly("We"), START, 3, lambda *_: False)
    assert found is not None
    assert found.days == (date(2026, 11, 4), date(2026, 11, 11), date(2026, 11, 18))
    assert missed_days(NEVER_OPEN, START, 3, lambda *_: False) is None
    always = missed_days(ALWAYS, START, 1, lambda *_: False)
    assert always is not None
    assert (always.since, always.until - always.since) == (START + 16 * HOUR, DAY)


# -- idle, stale, no_wifi ----------------------------------------------------------------------------------------------


def test_idle_after_two_weeks_without_a_session() -> None:
    scene = one(hours=ALWAYS)
    scene.say("A", last_session_at=START)
    scene.go(14 * DAY - MINUTE)
    assert scene.open == {}
    scene.go(MINUTE)
    assert scene.open == {"idle:A": START}
    scene.say("A", last_session_at=START + 13 * DAY)
    scene.go()
    assert scene.open == {}
    assert scene.incident("idle:A").ended_at == START + 13 * DAY


def test_nights_do_not_count_anew_and_an_absence_does() -> None:
    scene = one(hours=ALWAYS)
    scene.say("A", last_session_at=START)
    for _ in range(14):
        scene.go(12 * HOUR)
        scene.change("A", state="offline")
        scene.go(12 * HOUR)
        scene.change("A", state="online")
    scene.go()
    assert scene.open == {"idle:A": START}
    scene.change("A", state="offline")
    scene.go(2 * DAY)
    assert "idle:A" in scene.open
    scene.go(2 * DAY)
    scene.change("A", state="online")
    scene.go()
    assert scene.open == {}
    scene.restart()
    scene.go(14 * DAY)
    assert scene.open == {"idle:A": START + 18 * DAY}


def test_stale_counts_from_the_first_record_when_nothing_was_ever_applied() -> None:
    scene = one(hours=ALWAYS)
    scene.say("A", last_session_at=START)
    scene.go(90 * DAY)
    assert scene.open["stale:A"] == START
    scene.say("A", resource_at=START + 89 * DAY)
    scene.go()
    assert "stale:A" not in scene.open


def test_who_does_not_report_sessions_or_resources_is_not_known_to_have_none() -> None:
    scene = one(hours=ALWAYS)
    scene.reporting.clear()
    scene.say("A")
    scene.go(100 * DAY)
    assert scene.open == {}
    scene.reporting.add("A")
    scene.go(DAY)
    assert scene.open == {"idle:A": START, "stale:A": START}


def test_no_wifi_only_where_an_access_point_is_known_and_the_station_is_on() -> None:
    scene = one(hours=ALWAYS)
    scene.say("A", last_session_at=START, wifi=None)
    scene.go(2 * HOUR)
    assert scene.open == {}
    scene.say("A", wifi=False, wifi_since=scene.now)
    scene.change("A", state="offline")
    scene.go(2 * HOUR)
    assert "no_wifi:A" not in scene.open
    scene.change("A", state="online")
    scene.go()
    assert scene.open == {"no_wifi:A": START + 2 * HOUR}
    scene.change("A", state="offline")
    scene.go(MINUTE)
    assert "no_wifi:A" in scene.open
    scene.say("A", wifi=True)
    scene.go()
    assert "no_wifi:A" not in scene.open


# -- uncovered ---------------------------------------------------------------------------------------------------------


def test_an_area_that_was_never_covered_is_listed_and_one_that_lost_its_station_is_paged() -> None:
    scene = one("never_seen", since=None)
    scene.aim({"632122": ["border"], "632123": ["border", "towns"]})
    scene.go()
    assert scene.open == {"uncovered:632123": START}
    assert scene.incident("uncovered:632123").detail["targets"] == ["border", "towns"]
    assert scene.pages == []
    scene.change("A", lifecycle="suspended")
    scene.go(MINUTE)
    assert scene.pages == [("uncovered:632122", "opened")]
    scene.change("A", lifecycle="commissioned")
    scene.go(MINUTE)
    assert scene.pages == [("uncovered:632122", "closed")]
    scene.aim({})
    scene.go()
    assert scene.open == {}


# -- what they are made of ---------------------------------------------------------------------------------------------


def test_unknown_time_of_several_clocks_is_not_added_twice() -> None:
    gaps = Gaps([UnknownTime(0, "a", START, START + HOUR), UnknownTime(1, "a", START + 30 * MINUTE, START + 2 * HOUR)])
    gaps.add_gaps([UnknownTime(0, "a", START, START + HOUR)])
    both = [(0, "a"), (1, "a"), None]
    assert gaps.unknown_within(both, START, START + DAY) == 2 * HOUR
    assert gaps.unknown_within(both[:1], START + 30 * MINUTE, START + DAY) == 30 * MINUTE
    gaps.forget_before(START + 90 * MINUTE)
    assert gaps.unknown_within(both, START, START + DAY) == 90 * MINUTE


def test_moments_find_what_has_come_and_nothing_twice() -> None:
    moments = MomentColumn()
    for row, at in ((5, 10), (2, 30), (7, 20)):
        moments[row] = at
    assert (moments[5], moments[0], moments[99]) == (10, NEVER, NEVER)
    assert not moments.may_be_due(9)
    assert list(moments.take_due(20, set())) == [5, 7]
    assert list(moments.take_due(20, set())) == []
    moments[2] = NEVER
    assert list(moments.take_due(10**9, set())) == []


def test_what_is_parked_comes_when_its_clock_is_trusted() -> None:
    moments, dead, other = MomentColumn(), (3, "a"), (3, "b")
    moments[1] = 10
    for row in moments.take_due(10, {dead, other}):
        moments.park_row(row, dead)
    moments.park_row(4, other)
    assert moments.may_be_due(0)
    assert list(moments.take_due(10**9, {dead, other})) == []
    assert list(moments.take_due(0, {other})) == [1]
    assert list(moments.take_due(0, set())) == [4]
    assert not moments.may_be_due(10**9)
