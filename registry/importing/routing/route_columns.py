"""The columns of files of routes, and the readers of their cells. Pure."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from contract.glossary import WORDS
from contract.kinds import KINDS
from contract.said import Said, SaidError
from registry.codes import normal_code
from registry.importing.cells import text
from registry.importing.columns import Column
from registry.importing.routing.contact_columns import yes_or_no
from registry.importing.routing.duty_columns import REMOVE
from registry.routes.checks import MOST_NAME, MOST_WORD, SEVERITIES, require_route_id
from registry.routes.steps import parse_steps

_SEPARATORS: Final = re.compile(r"[;；、|,\s]+")


def words(what: Said, called: Mapping[str, str]) -> Callable[[str], tuple[str, ...]]:
    """A reader of words with separators between them. `called`: {a word as a file may have it: the word}."""
    names = sorted(set(called.values()), key=list(called.values()).index)

    def read(cell: str) -> tuple[str, ...]:
        given = [word for word in _SEPARATORS.split(cell) if word]
        for word in given:
            if word not in called:
                raise SaidError(
                    f"{word[:40]!r} is not {what.en}: use {', '.join(names)}",
                    f"“{word[:40]}”不是{what.zh}：请用 {'、'.join(names)}",
                )
        found = {called[word] for word in given}
        return tuple(name for name in names if name in found)

    return read


_KINDS: Final = {
    **{str(kind): str(kind) for kind in sorted(KINDS)},
    **{entry.name.zh: str(kind) for kind, entry in KINDS.items()},
}
_SEVERITIES: Final = {
    **{word: word for word in SEVERITIES},
    **{WORDS["severity"][word].zh: word for word in SEVERITIES},
}

ROUTES: Final = (
    Column(
        name="id",
        field="id",
        read=require_route_id,
        called=("编号", "路由编号"),
        required=True,
        needed=Said("give the route's id", "请填写路由编号"),
    ),
    Column(
        name="name",
        field="name",
        read=text(MOST_NAME),
        called=("名称", "路由名称"),
        words=True,
        required=True,
        needed=Said("give the route's name", "请填写路由名称"),
    ),
    # Required, because a file without it would make every route the default route.
    Column(name="area", field="area", read=normal_code, called=("区划代码", "所属区划", "区划"), required=True),
    Column(
        name="steps",
        field="steps",
        read=parse_steps,
        called=("步骤", "升级步骤", "通知步骤"),
        required=True,
        needed=Said(
            "name who is told, such as technician; lead@county after 30m",
            "请填写通知步骤，如 technician; lead@county after 30m",
        ),
    ),
    Column(
        name="kinds",
        field="kinds",
        read=words(Said("a kind of incidents", "事件类型"), _KINDS),
        called=("事件类型", "类型"),
        empty=(),
    ),
    Column(
        name="severities",
        field="severities",
        read=words(Said("a severity", "严重程度"), _SEVERITIES),
        called=("严重程度", "级别"),
        empty=(),
    ),
    Column(name="programme", field="programme", read=text(MOST_WORD), called=("工程", "所属工程"), words=True),
    Column(
        name="station_kind", field="station_kind", read=text(MOST_WORD), called=("服务点类型", "站点类型"), words=True
    ),
    Column(name="tell_past", field="tell_past", read=yes_or_no, called=("通知已恢复", "补发已恢复"), empty=True),
    REMOVE,
)
