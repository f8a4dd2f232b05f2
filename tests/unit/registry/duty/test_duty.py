"""Who is on duty at a moment: times, dates, rotations and substitutes."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from registry.contacts.model import Contact
from registry.duty.listing import duty_areas, duty_lines
from registry.duty.model import Duty, DutyOutcome, Holder, Substitute
from registry.duty.rules import DutyRoster, on_duty
from registry.duty.standing_in import LONGEST_CHAIN
from registry.hours.day_classes import DayClass

SHANGHAI = ZoneInfo("Asia/Shanghai")
AREA = "632122000000"


def local(text: str, zone: ZoneInfo = SHANGHAI) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def duty(contact: str = "li", times: str = "24x7", **more: Any) -> Duty:
    return Duty(**{"role": "technician", "area": AREA, "contact": contact, "times": times, **more})


def person(name: str, role: str = "none", **more: Any) -> Contact:
    return Contact(**{"id": name, "name": name, "role": role, "area": AREA, **more})


PEOPLE = {name: person(name) for name in ("li", "ma", "wang", "zhao")}
GONE = {"retired_at": local("2026-01-01")}


def outcome(at: datetime, *duties: Duty, **more: Any) -> DutyOutcome:
    contacts = {**PEOPLE, **more.pop("contacts", {})}
    return on_duty(DutyRoster(contacts, duties, **more), "technician", AREA, at)


def names(found: DutyOutcome) -> list[str]:
    return [holder.contact for holder in found.found]


# Two who hand over at 18:00 and 08:00.
DAY_AND_NIGHT = [duty("li", "08:00-18:00"), duty("ma", "18:00-08:00")]
# Two who change each Monday, counted from the week of Wednesday 2026-09-02; its Monday is 31 August.
ROTATION = [duty(name, weeks=2, week=week, valid_from=date(2026, 9, 2)) for week, name in ((1, "li"), (2, "ma"))]
OFFICE = [duty("li", "WD 08:00-18:00")]
HOLIDAYS = [duty("li", "Mo-Fr 08:00-18:00; HD off"), duty("ma", "HD 08:00-18:00; WD off; RD off")]
# Over the New Year of 2027: weeks of three, counted from the week of 2026-12-21.
THREE = [
    duty(name, weeks=3, week=week, valid_from=date(2026, 12, 21))
    for week, name in ((1, "li"), (2, "ma"), (3, "wang"))
]  # fmt: skip
NIGHTS = [
    duty(name, "20:00-08:00", weeks=2, week=week, valid_from=date(2026, 9, 7))
    for week, name in ((1, "li"), (2, "ma"))
]  # fmt: skip

# (duties, local time, who is on duty)
CASES: dict[str, tuple[list[Duty], str, list[str]]] = {
    "before the hand-over at 18:00": (DAY_AND_NIGHT, "2026-11-25 17:59:59.999", ["li"]),
    "the hand-over at 18:00 exactly": (DAY_AND_NIGHT, "2026-11-25 18:00", ["ma"]),
    "the night goes over midnight": (DAY_AND_NIGHT, "2026-11-26 00:00", ["ma"]),
    "the end of the night": (DAY_AND_NIGHT, "2026-11-26 07:59", ["ma"]),
    "the hand-over at 08:00": (DAY_AND_NIGHT, "2026-11-26 08:00", ["li"]),
    "a workday": (OFFICE, "2026-11-25 09:00", ["li"]),
    "a Sunday": (OFFICE, "2026-11-29 09:00", []),
    "a make-up workday on a Saturday": (OFFICE, "2026-10-10 09:00", ["li"]),
    "a holiday on a Thursday": (OFFICE, "2026-10-01 09:00", []),
    "holidays have their own watch": (HOLIDAYS, "2026-10-01 09:00", ["ma"]),
    "the rotation begins in the middle of a week": (ROTATION, "2026-09-02 00:00", ["li"]),
    "before the rotation begins": (ROTATION, "2026-09-01 23:59", []),
    "the first week ends with its Sunday": (ROTATION, "2026-09-06 23:59", ["li"]),
    "the second week": (ROTATION, "2026-09-07 00:00", ["ma"]),
    "the third week is the first again": (ROTATION, "2026-09-14 00:00", ["li"]),
    "the week that begins within holidays counts": (ROTATION, "2026-10-05 00:00", ["ma"]),
    "the week before it": (ROTATION, "2026-10-04 23:59", ["li"]),
    "the week of holidays was not skipped": (ROTATION, "2026-10-12 12:00", ["li"]),
    "a week from December to January is one week": (THREE, "2026-12-31 23:59", ["ma"]),
    "New Year changes no week": (THREE, "2027-01-01 00:00", ["ma"]),
    "the first Monday of the year": (THREE, "2027-01-04 00:00", ["wang"]),
    "the rotation begins anew": (THREE, "2027-01-11 00:00", ["li"]),
    "a night from Sunday to Monday is of the old week": (NIGHTS, "2026-09-14 07:59", ["li"]),
    "the night of Monday is of the new week": (NIGHTS, "2026-09-14 20:00", ["ma"]),
    "the first day, inclusive": ([duty(valid_from=date(2026, 11, 25))], "2026-11-25 00:00", ["li"]),
    "the day before the first": ([duty(valid_from=date(2026, 11, 25))], "2026-11-24 23:59", []),
    "the last day, inclusive": ([duty(valid_to=date(2026, 11, 25))], "2026-11-25 23:59", ["li"]),
    "the day after the last": ([duty(valid_to=date(2026, 11, 25))], "2026-11-26 00:00", []),
    "the last night goes on after the last day": ([duty("li", "20:00-08:00", valid_to=date(2026, 11, 25))],
                                                  "2026-11-26 07:59", ["li"]),
    "without dates, long ago": ([duty()], "2019-01-01 12:00", ["li"]),
    "without dates, in a year that is not announced": (OFFICE, "2031-03-05 12:00", ["li"]),
    "two at the same time, in their order": ([duty("ma"), duty("li")], "2026-11-25 12:00", ["ma", "li"]),
    "two duties of one contact name it once": ([duty("li"), duty("li", "08:00-18:00")], "2026-11-25 12:00", ["li"]),
}  # fmt: skip


@pytest.mark.parametrize(("duties", "at", "expected"), CASES.values(), ids=CASES)
def test_who_is_on_duty(duties: list[Duty], at: str, expected: list[str]) -> None:
    assert names(outcome(local(at), *duties)) == expected


def test_a_day_that_the_registry_overrides() -> None:
    saturday = date(2026, 11, 28)
    assert names(outcome(local("2026-11-28 09:00"), *OFFICE)) == []
    assert names(outcome(local("2026-11-28 09:00"), *OFFICE, days={saturday: DayClass.WORKDAY})) == ["li"]


# In Paris the clock goes from 02:00 to 03:00 on 2026-03-29, and from 03:00 to 02:00 on 2026-10-25.
PARIS = [duty("li", "[Europe/Paris] 00:00-02:30"), duty("ma", "[Europe/Paris] 02:30-24:00")]
DST = {
    "before the hour that is skipped": ("2026-03-29T00:59:59+00:00", ["li"]),
    "02:30 does not come: the hand-over is at 03:00": ("2026-03-29T01:00:00+00:00", ["ma"]),
    "02:30 for the first time": ("2026-10-25T00:30:00+00:00", ["ma"]),
    "02:15 for the second time is after the hand-over": ("2026-10-25T01:15:00+00:00", ["ma"]),
    "the day is an hour longer, without a gap": ("2026-10-25T22:59:59+00:00", ["ma"]),
    "the next day": ("2026-10-25T23:00:00+00:00", ["li"]),
}


@pytest.mark.parametrize(("at", "expected"), DST.values(), ids=DST)
def test_a_zone_whose_clocks_change(at: str, expected: list[str]) -> None:
    assert names(outcome(datetime.fromisoformat(at), *PARIS)) == expected


def test_times_without_a_zone_are_in_the_zone_of_the_roster() -> None:
    at = local("2026-11-25 09:00", ZoneInfo("Europe/Paris"))
    assert names(outcome(at, *DAY_AND_NIGHT, timezone="Europe/Paris")) == ["li"]
    assert names(outcome(at, *DAY_AND_NIGHT)) == ["li"]  # 16:00 in Shanghai
    assert names(outcome(at + timedelta(hours=3), *DAY_AND_NIGHT, timezone="Europe/Paris")) == ["li"]
    assert names(outcome(at + timedelta(hours=3), *DAY_AND_NIGHT)) == ["ma"]


def away(contact: str, substitute: str, begin: str, end: str) -> Substitute:
    return Substitute(contact=contact, substitute=substitute, from_at=local(begin), until_at=local(end))


NOON_TO_THREE = ("2026-11-25 12:00", "2026-11-25 15:00")
MA_FOR_LI = away("li", "ma", *NOON_TO_THREE)
WANG_FOR_MA = away("ma", "wang", "2026-11-25 13:00", "2026-11-25 14:00")
ZHAO_FOR_LI = away("li", "zhao", "2026-11-01", "2026-12-01")
LI_FOR_MA = away("ma", "li", *NOON_TO_THREE)
LI_FOR_WANG = away("wang", "li", *NOON_TO_THREE)
EVENING = [duty(times="18:00-20:00")]
BOTH = [duty("li"), duty("ma")]
LONG = [away(f"p{n}", f"p{n + 1}", *NOON_TO_THREE) for n in range(LONGEST_CHAIN + 1)]
CHAIN = {f"p{n}": person(f"p{n}") for n in range(LONGEST_CHAIN + 2)}

# (duties, substitutes, local time on 25 November, [(who, instead of)], who is passed over and why)
SUBSTITUTES: dict[str, tuple[list[Duty], list[Substitute], str, list[tuple[str, str | None]], dict[str, str]]] = {
    "before the absence": ([duty()], [MA_FOR_LI], "11:59", [("li", None)], {}),
    "a substitute begins within a duty": ([duty()], [MA_FOR_LI], "12:00", [("ma", "li")], {"li": "absent"}),
    "and ends within it": ([duty()], [MA_FOR_LI], "15:00", [("li", None)], {}),
    "a substitute has the times of the absent": (EVENING, [MA_FOR_LI], "12:00", [], {"li": "not_on_duty"}),
    "a substitute of a substitute": ([duty()], [MA_FOR_LI, WANG_FOR_MA], "13:00", [("wang", "li")],
                                     {"li": "absent", "ma": "absent"}),
    "which ends before the first": ([duty()], [MA_FOR_LI, WANG_FOR_MA], "14:00", [("ma", "li")], {"li": "absent"}),
    "two who stand in for each other": ([duty()], [MA_FOR_LI, LI_FOR_MA], "12:00", [("li", None)], {"ma": "absent"}),
    "both of them on duty": (BOTH, [MA_FOR_LI, LI_FOR_MA], "12:00", [("li", None), ("ma", None)], {}),
    "three in a circle": ([duty()], [MA_FOR_LI, WANG_FOR_MA, LI_FOR_WANG], "13:00", [("li", None)],
                          {"ma": "absent", "wang": "absent"}),
    "a substitute who is on duty as well": (BOTH, [MA_FOR_LI], "12:00", [("ma", None)], {"li": "absent"}),
    "a substitute outside its own duty": ([duty("li"), duty("ma", "18:00-20:00")], [MA_FOR_LI], "12:00", [("ma", "li")],
                                          {"li": "absent"}),
    "a substitute who is not in the registry": ([duty()], [away("li", "nobody", *NOON_TO_THREE)], "12:00",
                                                [("li", None)], {"nobody": "unknown_contact"}),
    "of two substitutes the one who begins later": ([duty()], [ZHAO_FOR_LI, MA_FOR_LI],
                                                    "12:00", [("ma", "li")], {"li": "absent"}),
    "and the other one where that one cannot": ([duty()], [ZHAO_FOR_LI, MA_FOR_LI, LI_FOR_MA], "12:00",
                                                [("zhao", "li")], {"li": "absent", "ma": "absent"}),
    "the longest chain": ([duty("p1")], LONG, "12:00", [(f"p{LONGEST_CHAIN + 1}", "p1")],
                          {f"p{n}": "absent" for n in range(1, LONGEST_CHAIN + 1)}),
    "a chain that is too long": ([duty("p0")], LONG, "12:00", [("p0", None)],
                                 {f"p{n}": "absent" for n in range(1, LONGEST_CHAIN + 1)}),
}  # fmt: skip


@pytest.mark.parametrize(("duties", "substitutes", "at", "found", "passed"), SUBSTITUTES.values(), ids=SUBSTITUTES)
def test_who_stands_in(
    duties: list[Duty],
    substitutes: list[Substitute],
    at: str,
    found: list[tuple[str, str | None]],
    passed: dict[str, str],
) -> None:
    got = outcome(local(f"2026-11-25 {at}"), *duties, substitutes=substitutes, contacts=CHAIN)
    assert [(holder.contact, holder.instead_of) for holder in got.found] == found
    assert dict(got.passed_over) == passed


# (contacts, duties, substitutes, who is on duty, who is passed over and why), at noon
NOON = local("2026-11-25 12:00")
NO_MA, NO_LI = {"ma": person("ma", **GONE)}, {"li": person("li", **GONE)}
SUN = {"sun": person("sun", "technician")}
SECOND = {"weeks": 2, "week": 2, "valid_from": date(2026, 11, 23)}
RETIRED: dict[str, tuple[dict[str, Contact], list[Duty], list[Substitute], list[str], dict[str, str]]] = {
    "a retired contact": (NO_LI, [duty()], [], [], {"li": "retired"}),
    "a retired contact with a substitute": (NO_LI, [duty()], [MA_FOR_LI], ["ma"], {"li": "retired"}),
    "a retired substitute": (NO_MA, [duty()], [MA_FOR_LI], ["li"], {"ma": "retired"}),
    "both are retired": ({**NO_LI, **NO_MA}, [duty()], [MA_FOR_LI], [],
                         {"li": "retired", "ma": "retired"}),
    "the contact is not known": ({}, [duty("nobody")], [], [], {"nobody": "unknown_contact"}),
    "outside the rotation": ({}, [duty(**SECOND)], [], [], {"li": "outside_rotation"}),
    "outside the rotation and the times": ({}, [duty(times="18:00-20:00", **SECOND)], [],
                                           [], {"li": "not_on_duty"}),
    "times that cannot be read stop no other duty": ({}, [duty(times="whenever"), duty("ma")], [], ["ma"],
                                                     {"li": "unreadable_times"}),
    "by its own role, where there are no duties": (SUN, [], [], ["sun"], {}),
    "a duty comes before the own role": (SUN, [duty()], [], ["li"], {"sun": "not_on_duty"}),
    "also at other times": (SUN, EVENING, [], [],
                            {"li": "not_on_duty", "sun": "not_on_duty"}),
    "a duty that is over does not": (SUN, [duty(valid_to=date(2026, 11, 24))], [], ["sun"],
                                     {"li": "not_on_duty"}),
    "nor one that cannot be read": (SUN, [duty(times="whenever")], [], ["sun"],
                                    {"li": "unreadable_times"}),
    "a substitute for the own role": ({"li": person("li", "technician")}, [], [MA_FOR_LI], ["ma"], {"li": "absent"}),
    "retired with its own role": ({"sun": person("sun", "technician", **GONE)}, [], [], [], {"sun": "retired"}),
    "its own role in another area": ({"sun": person("sun", "technician", area=None)}, [], [], [], {}),
    "a duty of another role": ({}, [duty(role="lead")], [], [], {}),
    "a duty of the whole is not one of the area": ({}, [duty(area=None)], [], [], {}),
}  # fmt: skip


@pytest.mark.parametrize(("contacts", "duties", "substitutes", "found", "passed"), RETIRED.values(), ids=RETIRED)
def test_why_others_are_not_on_duty(
    contacts: dict[str, Contact],
    duties: list[Duty],
    substitutes: list[Substitute],
    found: list[str],
    passed: dict[str, str],
) -> None:
    got = outcome(NOON, *duties, substitutes=substitutes, contacts=contacts)
    assert (names(got), dict(got.passed_over)) == (found, passed)


def test_a_holder_names_its_duty() -> None:
    got = outcome(NOON, duty("li", id=7), duty("ma", id=8), substitutes=[away("li", "wang", *NOON_TO_THREE)])
    assert got.found == (Holder(contact="ma", duty=8), Holder(contact="wang", duty=7, instead_of="li"))


def test_who_has_a_role() -> None:
    contacts = {"sun": person("sun", "lead"), "qian": person("qian", "head", **GONE)}
    roster = DutyRoster(contacts, [duty(valid_to=date(2020, 1, 1))])
    roles = ("technician", "lead", "head", "chief")
    assert [roster.has_role(role, AREA) for role in roles] == [True, True, False, False]
    assert not roster.has_role("lead", None)


def test_the_list_of_who_is_on_duty() -> None:
    contacts = {**PEOPLE, "sun": person("sun", "lead"), "qian": person("qian", "head", area=None)}
    roster = DutyRoster(contacts, [duty("li", "08:00-18:00"), duty("ma", area="63")])
    lines = duty_lines(roster, NOON)
    shown = [(line.area, line.role, names(line.outcome)) for line in lines if line.role != "none"]
    expected = [(None, "head", ["qian"]), ("63", "technician", ["ma"]), (AREA, "lead", ["sun"])]
    assert shown == [*expected, (AREA, "technician", ["li"])]
    assert {line.area for line in duty_lines(roster, NOON, {"63"})} == {"63"}


def test_the_areas_where_somebody_is_on_duty() -> None:
    """By a duty, by the own role and area, as a substitute; for the whole, too."""
    contacts = {**PEOPLE, "hu": person("hu", role="lead", area="630000000000")}
    duties = [duty("li"), duty("ma", "18:00-08:00", area="A"), duty("ma", area=None), duty("wang", area="B")]
    absent = away("wang", "hu", "2026-12-01", "2026-12-02")
    roster = DutyRoster(contacts, duties, [absent])
    noon = local("2026-12-01 12:00")
    found = {name: duty_areas(roster, [name], noon) for name in contacts}
    assert found == {
        "li": {AREA}, "ma": {AREA, None}, "wang": set(), "zhao": {AREA}, "hu": {AREA, "630000000000", "B"},
    }  # fmt: skip
    assert duty_areas(roster, ["ma"], local("2026-12-01 20:00")) == {AREA, None, "A"}
    assert duty_areas(roster, ["li", "hu"], noon) == {AREA, "630000000000", "B"}
    assert duty_areas(roster, [], noon) == set()
