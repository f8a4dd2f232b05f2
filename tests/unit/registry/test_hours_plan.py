"""Import files of kinds' schedules, of single days' hours and of announced days."""

from datetime import date

import pytest

from registry.importing.hours_plan import plan_days, plan_overrides, plan_schedules
from registry.importing.rows import Kind, Rows, parse_rows
from registry.importing.sheets.sheet import read_sheet
from registry.model import DatedHours, KindSchedule, NamedDay

AREA = "632122000000"


def rows(kind: Kind, text: str) -> Rows:
    return parse_rows(read_sheet(text.encode()), kind)


def problems(kind: Kind, text: str) -> list[str]:
    read = rows(kind, text)
    if kind == "schedules":
        return [str(cell) for cell in plan_schedules(read, {}).bad]
    if kind == "days":
        return [str(cell) for cell in plan_days(read, {}).bad]
    return [str(cell) for cell in plan_overrides(read, {}, {AREA}, {"S1"}).bad]


def test_schedules_of_kinds() -> None:
    plan = plan_schedules(rows("schedules", "kind,schedule,from\nroom,24x7,\nroom,Mo off,2026-05-01\n"), {})
    assert plan.new == [
        KindSchedule(kind="room", rules="24x7"),
        KindSchedule(kind="room", rules="Mo off", valid_from=date(2026, 5, 1)),
    ]


def test_hours_of_single_days() -> None:
    days = "2026-05-01,2026-05-02,off"
    text = f"from,until,hours,station,area,kind,reason\n{days},,632122,,五一\n{days},S1,,,\n"
    plan = plan_overrides(rows("overrides", text), {}, {AREA}, {"S1"})
    first, last = date(2026, 5, 1), date(2026, 5, 2)
    assert plan.new == [
        DatedHours(area=AREA, reason="五一", first=first, last=last, rules="off"),
        DatedHours(station="S1", first=first, last=last, rules="off"),
    ]


def test_announced_days() -> None:
    plan = plan_days(rows("days", "day,class,name\n2027-02-06,holiday,春节\n"), {})
    assert plan.new == [NamedDay(day=date(2027, 2, 6), day_class="holiday", title="春节")]


ON_A_DAY = "from,until,hours,station,kind,area\n2026-05-01,2026-05-01,"

BAD: dict[str, tuple[Kind, str, str]] = {
    "rules that cannot be read": (
        "schedules",
        "kind,schedule,from\nroom,Mo 9-17,\n",
        "line 2, column schedule: character 4",
    ),
    "a kind twice from one day": (
        "schedules",
        "kind,schedule,from\nr,24x7,\nr,Mo off,\n",
        "line 3, column kind: r 0001-01-01 is already on line 2",
    ),
    "hours with days": ("overrides", ON_A_DAY + "Mo off,,,\n", "line 2, column hours: character 1"),
    "backwards": (
        "overrides",
        "from,until,hours\n2026-05-02,2026-05-01,off\n",
        "line 2, column until: 2026-05-01 is before",
    ),
    "an unknown area": ("overrides", ON_A_DAY + "off,,,64\n", "line 2, column area: 640000000000 is not"),
    "an unknown station": ("overrides", ON_A_DAY + "off,S9,,\n", "line 2, column station: S9 is not registered"),
    "two scopes": ("overrides", ON_A_DAY + "off,S1,room,\n", "line 2: names more than one"),
    "no class of days": (
        "days",
        "day,class\n2026-05-01,party\n",
        "line 2, column class: 'party' is not a class of days: use one of workday",
    ),
}


@pytest.mark.parametrize(("kind", "text", "said"), BAD.values(), ids=BAD)
def test_bad_rows(kind: Kind, text: str, said: str) -> None:
    assert [problem[: len(said)] for problem in problems(kind, text)] == [said]
