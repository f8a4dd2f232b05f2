"""The columns of files of contacts, and the readers of their cells. Pure."""

from typing import Final

from contract.said import Said, SaidError
from registry.codes import normal_code
from registry.contacts.addresses import parse_channels
from registry.contacts.rules import MOST_NAME, require_contact_id
from registry.importing.cells import rules, text
from registry.importing.columns import Column
from registry.importing.routing.duty_columns import NO, REMOVE, YES, role

_LANGUAGES_CALLED: Final = {
    "zh-cn": "zh-CN", "zh": "zh-CN", "中文": "zh-CN", "汉语": "zh-CN", "简体中文": "zh-CN",
    "en": "en", "english": "en", "英文": "en", "英语": "en",
}  # fmt: skip


def contact_id(cell: str) -> str:
    """The id of a contact."""
    require_contact_id(cell)
    return cell


def language(cell: str) -> str:
    """The language of messages."""
    found = _LANGUAGES_CALLED.get(cell.lower())
    if found is None:
        raise SaidError(f"{cell[:40]!r} is not a language: use zh-CN or en", f"“{cell[:40]}”不是语言：请用中文或英文")
    return found


def yes_or_no(cell: str) -> bool:
    """An answer; an empty cell is none."""
    if cell.lower() not in YES | NO:
        raise SaidError(
            f"{cell[:40]!r} says neither yes nor no: write one of them", f"“{cell[:40]}”不明确：请填写是或否"
        )
    return cell.lower() in YES


CONTACTS: Final = (
    Column(name="id", field="id", read=contact_id, called=("编号", "联系人编号")),
    Column(
        name="name",
        field="name",
        read=text(MOST_NAME),
        called=("姓名", "名称", "联系人"),
        words=True,
        required=True,
        needed=Said("give the name of the person or the room", "请填写姓名或群聊名称"),
    ),
    Column(
        name="role",
        field="role",
        read=role,
        called=("角色", "岗位"),
        required=True,
        needed=Said("name the role of the contact, such as technician", "请填写角色，如 技术员"),
    ),
    # Required, because a file without it would make everybody responsible for everything.
    Column(name="area", field="area", read=normal_code, called=("区划代码", "所属区划", "负责区划"), required=True),
    Column(
        name="channels",
        field="channels",
        read=parse_channels,
        called=("渠道", "联系方式", "通知渠道"),
        empty=(),
        secret=True,
    ),
    Column(name="language", field="language", read=language, called=("语言", "消息语言"), empty="zh-CN"),
    Column(name="quiet", field="quiet", read=rules, called=("免打扰时段", "免打扰"), words=True),
    Column(name="room", field="room", read=yes_or_no, called=("群聊", "是否群聊"), empty=False),
    Column(name="account", field="account", read=text(64), called=("账户", "登录名"), words=True),
    REMOVE,
)
