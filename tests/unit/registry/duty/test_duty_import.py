"""What an import of duties or of substitutes would change, and what it says of bad rows."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from registry.duty.model import Duty, NamedContact, Substitute
from registry.importing.diff import Plan
from registry.importing.export import write_csv
from registry.importing.report import ImportOptions, describe
from registry.importing.routing.duty_plan import plan_duties, plan_substitutes
from registry.importing.rows import Kind, Rows, parse_rows
from registry.importing.sheets.sheet import read_sheet

AREA = "632122000000"
CONTACTS = {
    contact.id: contact
    for contact in (
        NamedContact("li", "李明"),
        NamedContact("ma", "马军"),
        NamedContact("wang-1", "王芳"),
        NamedContact("wang-2", "王芳"),
        NamedContact("zhao", "赵磊", retired=True),
        NamedContact("wang-3", "王芳", retired=True),
    )
}
HEADER = "area,role,contact,times,weeks,week,valid_from,valid_to,remove\n"


def rows(kind: Kind, text: str) -> Rows:
    return parse_rows(read_sheet(text.encode()), kind)


def duties(text: str, stored: Iterable[Duty] = ()) -> Plan[Duty]:
    return plan_duties(rows("duty", text), stored, CONTACTS, {AREA})


def substitutes(text: str, stored: Iterable[Substitute] = ()) -> Plan[Substitute]:
    return plan_substitutes(rows("substitutes", text), stored, CONTACTS)


def problems(plan: Plan[Any]) -> list[str]:
    assert all(re.search("[\u4e00-\u9fff]", cell.problem.zh) for cell in plan.bad), "everything is said in Chinese too"
    return [str(cell) for cell in plan.bad]


def duty(contact: str = "li", **more: Any) -> Duty:
    return Duty(**{"role": "technician", "contact": contact, "area": AREA, **more})


def test_a_file_of_duties() -> None:
    plan = duties(HEADER + "632122,technician,li,Mo-Fr 8:00-18:00,2,1,2026-11-30,,\n,head,ma,,,,,2026-12-31,\n")
    assert problems(plan) == []
    assert plan.new == [
        duty(times="Mo-Fr 08:00-18:00", weeks=2, valid_from=date(2026, 11, 30)),
        duty("ma", area=None, role="head", valid_to=date(2026, 12, 31)),
    ]


def test_a_file_as_a_person_in_china_writes_it() -> None:
    plan = duties(
        "区划代码,角色,联系人,值班时间,几周一轮,第几周,生效日期\n"
        "632122,技术员,李明,工作日 上午8:00-下午6:00,２,２,2026年11月30日\n"
    )
    assert problems(plan) == []
    assert plan.new == [duty(times="WD 08:00-18:00", weeks=2, week=2, valid_from=date(2026, 11, 30))]


def test_columns_that_are_not_there_have_their_usual_values() -> None:
    assert duties("area,role,contact\n632122,technician,li\n").new == [duty()]


def test_the_last_day_can_change_and_what_is_not_in_the_file_stays() -> None:
    stored = [duty(id=1, times="Mo-Fr 08:00-18:00"), duty("ma", id=2)]
    plan = duties(HEADER + '632122,technician,李明,"Mo,Tu,We,Th,Fr 8:00-18:00",,,,2026-12-31,\n', stored)
    assert (plan.new, plan.removed, plan.unchanged) == ([], [], 0)
    assert plan.changed == [duty(id=1, times="Mo-Fr 08:00-18:00", valid_to=date(2026, 12, 31))]
    assert [change.fields for change in plan.changes] == [{"valid_to": (None, date(2026, 12, 31))}]


def test_without_its_column_the_last_day_stays() -> None:
    plan = duties("area,role,contact\n632122,technician,li\n", [duty(id=1, valid_to=date(2026, 12, 31))])
    assert (plan.unchanged, plan.writes) == (1, [])


def test_other_times_are_another_duty_and_the_old_one_is_removed_by_a_row() -> None:
    stored = [duty(id=1, times="WD 08:00-18:00")]
    text = HEADER + "632122,technician,li,WD 8:00-18:00,,,,,yes\n632122,technician,li,WD 09:00-18:00,,,,,\n"
    plan = duties(text, stored)
    assert (plan.new, plan.removed) == ([duty(times="WD 09:00-18:00")], stored)
    again = duties(text, plan.new)
    assert (again.new, again.removed, again.unchanged) == ([], [], 1)


def test_a_duty_of_a_retired_contact_or_a_lost_area_can_be_removed() -> None:
    stored = [duty("zhao", id=1), duty(id=2, area="990000000000")]
    plan = duties("area,role,contact,remove\n632122,technician,zhao,是\n99,technician,li,x\n", stored)
    assert problems(plan) == []
    assert plan.removed == stored


def test_an_exported_file_changes_nothing() -> None:
    stored = [
        duty(id=1, times="Mo-Fr 08:00-18:00; HD off", weeks=3, week=2, valid_from=date(2026, 11, 30)),
        duty("zhao", id=2, area=None, valid_to=date(2026, 12, 31)),
    ]
    plan = duties(write_csv("duty", stored), stored)
    assert (problems(plan), plan.writes, plan.removed, plan.unchanged) == ([], [], [], 2)


def test_exported_substitutes_change_nothing() -> None:
    begin, end = datetime(2026, 12, 1, 1, tzinfo=UTC), datetime(2026, 12, 9, 16, tzinfo=UTC)
    stored = [Substitute(contact="zhao", substitute="wang-3", from_at=begin, until_at=end, reason="病假，住院", id=1)]
    plan = substitutes(write_csv("substitutes", stored), stored)
    assert (problems(plan), plan.writes, plan.removed, plan.unchanged) == ([], [], [], 1)


# (a row, the problem)
BAD = {
    "an unknown contact": ("632122,technician,sun,,,,,,", "contact: 'sun' is not the id or the name of a contact"),
    "a name of two": ("632122,technician,王芳,,,,,,",
                      "contact: 2 contacts have the name '王芳': give the id of one of them (wang-1, wang-2)"),
    "a retired contact": ("632122,technician,zhao,,,,,,", "contact: zhao is retired: name another contact"),
    "the name of a retired contact": ("632122,technician,赵磊,,,,,,", "contact: '赵磊' is not the id or the name"),
    "no contact": ("632122,technician,,,,,,,", "contact: is empty: name the contact who is on duty"),
    "no role": ("632122,,li,,,,,,", "role: is empty: name the role that is on duty"),
    "a role in words": ("632122,night watch,li,,,,,,", "role: 'night watch' is not a role"),
    "an unknown area": ("64,technician,li,,,,,,", "area: 640000000000 is not an area of the database"),
    "times": ("632122,technician,li,nights,,,,,", "times: character 1, before 'nights'"),
    "no number of weeks": ("632122,technician,li,,two,,,,", "weeks: 'two' is not a number of weeks"),
    "too many weeks": ("632122,technician,li,,54,,2026-01-01,,", "weeks: '54' is not a number of weeks"),
    "a week that does not come": ("632122,technician,li,,2,3,2026-01-01,,", "week: week 3 of a rotation of 2"),
    "a rotation without a first day": ("632122,technician,li,,2,1,,,", "valid_from: a rotation has no first day"),
    "days exchanged": ("632122,technician,li,,,,2026-02-01,2026-01-01,", "valid_to: 2026-01-01 is before valid_from"),
    "maybe": ("632122,technician,li,,,,,,maybe", "remove: 'maybe' says neither yes nor no"),
}  # fmt: skip


@pytest.mark.parametrize(("row", "problem"), BAD.values(), ids=BAD)
def test_bad_rows_of_duties(row: str, problem: str) -> None:
    plan = duties(f"{HEADER}632122,technician,ma,,,,,,\n{row}\n")
    [found] = problems(plan)
    assert found.startswith(f"line 3, column {problem}")
    assert plan.new == [duty("ma")]


def test_the_same_duty_twice() -> None:
    text = "area,role,contact,times\n632122,technician,li,24x7\n632122,technician,li,\n632122,technician,李明,24/7\n"
    plan = duties(text)
    assert problems(plan) == [
        "line 3, column area: 632122000000 technician li 24x7 - - - is already on line 2: keep one of them",
        "line 4: says the same as line 2: keep one of them",
    ]


AWAY = "contact,substitute,from,until,reason,remove\n"
LI_AWAY = Substitute(
    contact="li",
    substitute="ma",
    from_at=datetime(2026, 11, 30, 16, tzinfo=UTC),
    until_at=datetime(2026, 12, 3, 16, tzinfo=UTC),
    reason="培训",
)


def test_a_file_of_substitutes() -> None:
    plan = substitutes("联系人,代班人,开始日期,结束日期,原因\n李明,马军,2026-12-01,2026-12-03,培训\n")
    assert (problems(plan), plan.new) == ([], [LI_AWAY])


def test_a_substitute_is_changed_and_removed() -> None:
    stored = [LI_AWAY]
    plan = substitutes(AWAY + "li,wang-1,2026-12-01,2026-12-05,,\n", stored)
    assert [set(change.fields) for change in plan.changes] == [{"substitute", "until_at", "reason"}]
    assert substitutes(AWAY + "li,ma,2026-12-01,2026-12-03,培训,是\n", stored).removed == stored


# (a row, the problem)
BAD_AWAY = {
    "itself": ("li,李明,2026-12-01,2026-12-02,,", "substitute: a contact is its own substitute"),
    "a retired substitute": ("li,zhao,2026-12-01,2026-12-02,,", "substitute: zhao is retired"),
    "an unknown substitute": ("li,sun,2026-12-01,2026-12-02,,", "substitute: 'sun' is not the id or the name"),
    "an unknown contact": ("sun,li,2026-12-01,2026-12-02,,", "contact: 'sun' is not the id or the name"),
    "no end": ("li,ma,2026-12-01,,,", "until: is empty: say when the absence ends"),
    "ends before it begins": ("li,ma,2026-12-02,2026-12-01,,", "until: it ends before it begins"),
}


@pytest.mark.parametrize(("row", "problem"), BAD_AWAY.values(), ids=BAD_AWAY)
def test_bad_rows_of_substitutes(row: str, problem: str) -> None:
    [found] = problems(substitutes(f"{AWAY}{row}\n"))
    assert found.startswith(f"line 2, column {problem}")


def test_the_report() -> None:
    stored = [duty(id=1, times="WD 08:00-18:00"), duty("ma", id=2)]
    text = (
        HEADER + "632122,technician,li,WD 08:00-18:00,,,,,yes\n632122,technician,ma,,,,,2026-12-31,\n"
        "632122,technician,li,WD 09:00-18:00,2,2,2026-11-30,2027-01-03,\n"
    )
    assert describe(duties(text, stored), "duty", ImportOptions(dry_run=True)).text.splitlines() == [
        f"- {AREA} technician li WD 08:00-18:00",
        f"~ {AREA} technician ma 24x7 1 1 - valid_to: (empty) → 2026-12-31",
        f"+ {AREA} technician li WD 09:00-18:00 2/2 2026-11-30…2027-01-03",
        "duty: 1 new, 1 changed, 0 unchanged, 1 removed, 0 bad rows",
        "Dry run: nothing is applied.",
    ]
    chinese = describe(
        substitutes(AWAY + "li,ma,2026-12-01,2026-12-03,培训,\n"), "substitutes", ImportOptions(language="zh-CN")
    )
    assert chinese.text.splitlines() == [
        "+ ma 代 li 2026-12-01 00:00 至 2026-12-04 00:00",
        "代班：新增 1，更改 0，不变 0，错误行 0",
        "已导入。",
    ]
