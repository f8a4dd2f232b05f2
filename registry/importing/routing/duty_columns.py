"""The columns of files of duty and of substitutes, and the readers of their cells. Pure."""

import re
from typing import Final

from contract.said import Said, SaidError
from registry.codes import normal_code
from registry.contacts.rules import require_role
from registry.duty.checks import MOST_REASON, MOST_WEEKS
from registry.duty.written_times import ALWAYS, normal_times
from registry.importing.cells import day, end, moment, rules, text
from registry.importing.columns import Column

_WHOLE: Final = re.compile(r"[0-9]{1,2}")
# The usual Chinese names of roles.
_ROLES_CALLED: Final = {
    "技术员": "technician", "维护员": "technician", "运维": "technician", "运维人员": "technician",
    "负责人": "lead", "组长": "lead", "主管": "lead", "主任": "head",
}  # fmt: skip
YES: Final = frozenset({"是", "删除", "移除", "yes", "true", "y", "x", "1", "remove"})
NO: Final = frozenset({"否", "no", "false", "n", "0", "保留"})


def role(cell: str) -> str:
    """The role of a contact, a duty or a step: a word, or one of the usual Chinese names."""
    return _ROLES_CALLED.get(cell) or require_role(cell.lower())


def times(cell: str) -> str:
    """The times of a duty in normal form, from opening rules or Chinese."""
    return normal_times(rules(cell))


def weeks(cell: str) -> int:
    """A number of weeks, or the place of a week among them."""
    if not _WHOLE.fullmatch(cell) or not 1 <= int(cell) <= MOST_WEEKS:
        raise SaidError(
            f"{cell[:40]!r} is not a number of weeks: use 1 to {MOST_WEEKS}",
            f"“{cell[:40]}”不是周数：请用 1 至 {MOST_WEEKS}",
        )
    return int(cell)


def remove(cell: str) -> bool:
    """Whether the row is a removal."""
    if cell.lower() in YES | NO:
        return cell.lower() in YES
    raise SaidError(
        f"{cell[:40]!r} says neither yes nor no: write yes to remove this from Milepost, or empty the cell",
        f"“{cell[:40]}”不明确：要删除请写“是”，否则清空单元格",
    )


REMOVE: Final = Column(name="remove", field="remove", read=remove, called=("删除", "是否删除"), empty=False)

DUTY: Final = (
    # Required, because it is part of the key.
    Column(name="area", field="area", read=normal_code, called=("区划代码", "所属区划", "区划"), required=True),
    Column(
        name="role",
        field="role",
        read=role,
        called=("角色", "岗位"),
        required=True,
        needed=Said("name the role that is on duty, such as technician", "请填写值班的角色，如 技术员"),
    ),
    Column(
        name="contact",
        field="contact",
        read=text(200),
        called=("联系人", "值班人", "联系人编号"),
        words=True,
        required=True,
        needed=Said("name the contact who is on duty", "请填写值班的联系人"),
    ),
    Column(name="times", field="times", read=times, called=("值班时间", "时间"), words=True, empty=ALWAYS),
    Column(name="weeks", field="weeks", read=weeks, called=("轮换周数", "几周一轮"), empty=1),
    Column(name="week", field="week", read=weeks, called=("第几周", "轮换第几周"), empty=1),
    Column(name="valid_from", field="valid_from", read=day, called=("生效日期", "开始日期")),
    Column(name="valid_to", field="valid_to", read=day, called=("失效日期", "结束日期", "截止日期")),
    REMOVE,
)

SUBSTITUTES: Final = (
    Column(
        name="contact",
        field="contact",
        read=text(200),
        called=("联系人", "缺勤人", "联系人编号"),
        words=True,
        required=True,
        needed=Said("name the contact who is absent", "请填写缺勤的联系人"),
    ),
    Column(
        name="substitute",
        field="substitute",
        read=text(200),
        called=("代班人", "替班人", "代班人编号"),
        words=True,
        required=True,
        needed=Said("name the contact who stands in", "请填写代班的联系人"),
    ),
    Column(
        name="from",
        field="from_at",
        read=moment,
        called=("开始时间", "开始日期"),
        required=True,
        needed=Said("say when the absence begins", "请填写开始时间"),
    ),
    Column(
        name="until",
        field="until_at",
        read=end,
        called=("结束时间", "结束日期"),
        required=True,
        needed=Said("say when the absence ends", "请填写结束时间"),
    ),
    Column(name="reason", field="reason", read=text(MOST_REASON), called=("原因", "事由"), words=True),
    REMOVE,
)
