"""The columns of import files and how their cells are read.

The readers raise SaidError with what is wrong and the remedy.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any, Final
from unicodedata import category

import msgspec

from contract.bounds import require_day, require_time
from contract.glossary import WORDS
from contract.said import Said, SaidError
from contract.topics import STATION_PATTERN, is_station_id
from registry.codes import normal_code
from registry.hours.day_classes import DayClass
from registry.hours.opening_chinese import dated_of, rules_of
from registry.hours.opening_text import AS_KIND, ScheduleError, parse_dated, parse_rules
from registry.model import ALWAYS_OPEN, LIFECYCLES, METRICS
from registry.written import amount, iso, plain

CHINA_TIME: Final = timezone(timedelta(hours=8))
"""The zone of a time without a zone."""
MAX_PROGRAMMES: Final = 32

# Control characters and line ends. Other invisible ones belong to the scripts of names, such as Mongolian.
_UNWANTED: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
_INVISIBLE: Final = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf", "Cs"})
# Invisible characters that are no spaces in Unicode: fillers of Hangul, the empty Braille cell, variation selectors.
_BLANK: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0\u034f") | frozenset(map(chr, range(0xFE00, 0xFE10)))
_LEVEL: Final = re.compile(r"[a-z][a-z_]{0,31}")
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,4}(\.[0-9]{1,20})?")
_AMOUNT: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
_TARGET: Final = re.compile(r"[0-9A-Za-z_-]{1,64}")
_SEPARATORS: Final = re.compile(r"[;；、|]")

# The usual Chinese names of the machine words.
LEVELS_CALLED: Final = {
    "省": "province", "自治区": "province", "直辖市": "province", "省级": "province",
    "市": "prefecture", "州": "prefecture", "地区": "prefecture", "盟": "prefecture", "地级": "prefecture",
    "县": "county", "区": "county", "旗": "county", "县级": "county",
    "乡": "township", "镇": "township", "乡镇": "township", "街道": "township", "乡级": "township",
    "村": "village", "社区": "village", "村级": "village",
}  # fmt: skip
LIFECYCLES_CALLED: Final = {
    "计划": "planned", "规划": "planned", "筹建": "planned", "在建": "planned",
    "在用": "commissioned", "启用": "commissioned", "已启用": "commissioned", "运行": "commissioned",
    "停用": "suspended", "暂停": "suspended", "暂停服务": "suspended",
    "撤销": "retired", "已撤销": "retired", "报废": "retired", "退役": "retired",
}  # fmt: skip
METRICS_CALLED: Final = {
    "服务点数": "stations", "覆盖率": "covered", "在线率": "online_rate", "服务率": "service_rate",
    "服务人次": "sessions",
}  # fmt: skip
DAY_CLASSES_CALLED: Final = {
    "工作日": "workday", "上班": "workday", "休息日": "rest", "休息": "rest",
    "节假日": "holiday", "法定节假日": "holiday", "放假": "holiday",
}  # fmt: skip


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One column of a kind of import files."""

    #: The machine name, which a header may have.
    name: str
    #: The field of the entry that the column fills.
    field: str
    #: Reads a cell that is not empty; raises SaidError.
    read: Callable[[str], Any]
    #: Chinese headers of the column.
    called: tuple[str, ...]
    #: Whether a cell is free text, which stays as it is; in other cells full-width signs become plain ones.
    words: bool = False
    #: Whether a file must have the column.
    required: bool = False
    #: Whether a cell must not be empty, and the remedy for one that is.
    needed: Said | None = None
    #: The value of an empty cell.
    empty: Any = None


def text(limit: int) -> Callable[[str], str]:
    """A reader of one line of up to `limit` characters, at least one of them visible."""

    def read(cell: str) -> str:
        if len(cell) > limit:
            raise SaidError(
                f"has {len(cell)} characters, allowed are {limit}: shorten it",
                f"有 {len(cell)} 个字，最多 {limit} 个：请缩短",
            )
        for sign in cell:
            if category(sign) in _UNWANTED:
                raise SaidError(
                    f"has the control character U+{ord(sign):04X}: remove it",
                    f"含有控制字符 U+{ord(sign):04X}：请删除",
                )
        if not is_visible(cell):
            raise SaidError(
                "has no visible character: write it, or empty the cell", "没有可见的字符：请填写，或清空单元格"
            )
        return cell

    return read


def is_visible(cell: str) -> bool:
    """Whether a text has a visible character."""
    return any(category(sign) not in _INVISIBLE and sign not in _BLANK for sign in cell)


def _choice(what: Said, allowed: Iterable[str], called: Mapping[str, str], family: str) -> Callable[[str], str]:
    """A reader of one of some words, or of their usual Chinese names; an error names those of the glossary."""
    words = tuple(allowed)
    known: dict[str, str] = {word: word for word in words} | dict(called)
    chinese = "、".join(WORDS[family][word].zh for word in words)

    def read(cell: str) -> str:
        if cell not in known:
            raise SaidError(
                f"{_shown(cell)} is not {what.en}: use one of {', '.join(words)}",
                f"{_zh(cell)}不是{what.zh}：请用{chinese}",
            )
        return known[cell]

    return read


def level(cell: str) -> str:
    """The level of an area: one of `registry.model.LEVELS`, or a word of another division tree."""
    cell = LEVELS_CALLED.get(cell, cell)
    if not _LEVEL.fullmatch(cell):
        raise SaidError(
            f"{_shown(cell)} is not a level: use small Latin letters, such as county",
            f"{_zh(cell)}不是级别：请用省、市、县、乡镇、村，或小写拉丁字母，如 county",
        )
    return cell


def station_id(cell: str) -> str:
    """The id of a station, as topics allow it."""
    if not is_station_id(cell):
        raise SaidError(
            f"{_shown(cell)} is not a station id: it must match {STATION_PATTERN}",
            f"{_zh(cell)}不是服务点编号：应为 1 至 32 位的数字、拉丁字母、_ 或 -",
        )
    return cell


lifecycle: Final = _choice(Said("a lifecycle", "生命周期状态"), LIFECYCLES, LIFECYCLES_CALLED, "lifecycle")
day_class: Final = _choice(Said("a class of days", "日期类别"), DayClass, DAY_CLASSES_CALLED, "day_class")
metric: Final = _choice(Said("a metric", "指标"), METRICS, METRICS_CALLED, "metric")


def day(cell: str) -> date:
    """A day within the bounds of the contract."""
    try:
        found = date.fromisoformat(iso(cell))
    except ValueError:
        raise SaidError(
            f"{_shown(cell)} is not a date: write it like 2026-10-31",
            f"{_zh(cell)}不是日期：请写成 2026-10-31 或 2026年10月31日",
        ) from None
    return require_day(found)


def moment(cell: str) -> datetime:
    """A time, or the start of a day; in UTC. Without a zone it is China's."""
    try:
        at = datetime.fromisoformat(iso(cell))
        at = (at if at.tzinfo else at.replace(tzinfo=CHINA_TIME)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise SaidError(
            f"{_shown(cell)} is not a date or time: write it like 2026-10-31 or 2026-10-31T08:00:00+08:00",
            f"{_zh(cell)}不是日期或时间：请写成 2026-10-31、2026-10-31 08:00 或 2026年10月31日 8时",
        ) from None
    return require_time(at)


def end(cell: str) -> datetime:
    """A time, or the end of a day without a time; in UTC."""
    try:
        last = date.fromisoformat(iso(cell))
    except ValueError:
        return moment(cell)
    return datetime.combine(require_day(last) + timedelta(days=1), time(), CHINA_TIME).astimezone(UTC)


_KIND_CALLED: Final = ("按类型", "同类型")


def schedule(cell: str) -> str:
    """Opening rules, or `kind` for those of the station's kind."""
    return AS_KIND if plain(cell) in (AS_KIND, *_KIND_CALLED) else rules(cell)


def rules(cell: str) -> str:
    """Opening rules, as `registry.hours.opening_text` reads them or in Chinese."""
    return _hours(cell, rules_of, parse_rules)


def dated(cell: str) -> str:
    """Opening hours of single days, as `registry.hours.opening_text` reads them or in Chinese."""
    return _hours(cell, dated_of, parse_dated)


def _hours(cell: str, translate: Callable[[str], str], parse: Callable[[str], object]) -> str:
    rule = cell
    try:
        with suppress(ScheduleError):
            parse(cell)
            return cell
        rule = translate(cell)
        parse(rule)
    except ScheduleError as exc:
        read_as = "" if rule == cell else f" (read as {rule[:60]!r})"
        read_as_zh = "" if rule == cell else f"（读作 {rule[:60]}）"
        raise SaidError(
            f"{exc}{read_as}",
            f"{_zh(cell)}不是能识别的开放时间：{exc.said.zh}{read_as_zh}",
        ) from exc
    return rule


def degrees(limit: int) -> Callable[[str], float]:
    """A reader of degrees from -`limit` to `limit`."""

    def read(cell: str) -> float:
        if not _NUMBER.fullmatch(cell):
            raise SaidError(
                f"{_shown(cell)} is not a number: write degrees like 36.62",
                f"{_zh(cell)}不是数字：请写十进制度数，如 36.62",
            )
        value = float(cell)
        if abs(value) > limit:
            swapped = limit < abs(value) <= 180
            raise SaidError(
                f"{_shown(cell)} is not between -{limit} and {limit}"
                + (": are lat and lon exchanged?" if swapped else ": write degrees of WGS-84"),
                f"{_zh(cell)}不在 -{limit} 到 {limit} 之间："
                + ("纬度和经度是否填反了？" if swapped else "请写 WGS-84 度数"),
            )
        return value

    return read


def programmes(cell: str) -> tuple[str, ...]:
    """Names of programmes, separated by semicolons."""
    read = text(64)
    names = {read(name.strip()) for name in _SEPARATORS.split(cell) if name.strip()}
    if len(names) > MAX_PROGRAMMES:
        raise SaidError(
            f"names {len(names)} programmes, allowed are {MAX_PROGRAMMES}: shorten the list",
            f"列了 {len(names)} 个工程，最多 {MAX_PROGRAMMES} 个：请减少",
        )
    return tuple(sorted(names))


def target_id(cell: str) -> str:
    """The id of a target."""
    if not _TARGET.fullmatch(cell):
        raise SaidError(
            f"{_shown(cell)} is not an id: use 1 to 64 of 0-9 A-Z a-z _ -",
            f"{_zh(cell)}不是编号：应为 1 至 64 位的数字、拉丁字母、_ 或 -",
        )
    return cell


def codes(cell: str) -> tuple[str, ...]:
    """Codes of areas, separated by semicolons."""
    return tuple(sorted({normal_code(code.strip()) for code in _SEPARATORS.split(cell) if code.strip()}))


def number(cell: str) -> float:
    """A number; 95% is 0.95."""
    value = amount(cell)
    if not _AMOUNT.fullmatch(value):
        raise SaidError(
            f"{_shown(cell)} is not a number: write it like 200 or 0.5",
            f"{_zh(cell)}不是数字：请写成 200、0.5 或 50%",
        )
    return float(value)


def _shown(cell: str) -> str:
    return repr(cell if len(cell) <= 40 else cell[:40] + "…")


def _zh(cell: str) -> str:
    return f"“{cell if len(cell) <= 40 else cell[:40] + '…'}”"


AREAS: Final = (
    Column(
        name="code",
        field="code",
        read=normal_code,
        called=("区划代码", "代码", "行政区划代码", "编码"),
        required=True,
        needed=Said("give the area's code", "请填写区划代码"),
    ),
    Column(
        name="name",
        field="name",
        read=text(200),
        called=("名称", "区划名称", "行政区划"),
        words=True,
        required=True,
        needed=Said("give the area's name", "请填写区划名称"),
    ),
    Column(
        name="parent",
        field="parent",
        read=normal_code,
        called=("上级代码", "上级", "上级区划", "上级区划代码"),
        required=True,
    ),
    Column(name="name_en", field="name_en", read=text(200), called=("英文名称", "英文名"), words=True),
    Column(name="name_bo", field="name_bo", read=text(200), called=("藏文名称", "藏文名"), words=True),
    Column(name="level", field="level", read=level, called=("级别", "层级")),
    Column(name="valid_from", field="valid_from", read=day, called=("生效日期", "启用日期")),
    Column(name="valid_to", field="valid_to", read=day, called=("失效日期", "停用日期")),
    Column(name="successor", field="successor", read=normal_code, called=("继任代码", "变更后代码")),
)

STATIONS: Final = (
    Column(
        name="id",
        field="id",
        read=station_id,
        called=("编号", "服务点编号", "站点编号"),
        required=True,
        needed=Said("give the station's id", "请填写服务点编号"),
    ),
    Column(
        name="name",
        field="name",
        read=text(200),
        called=("名称", "服务点名称", "站点名称"),
        words=True,
        required=True,
        needed=Said("give the station's name", "请填写服务点名称"),
    ),
    Column(
        name="area",
        field="area",
        read=normal_code,
        called=("区划代码", "所属区划", "行政区划代码", "所属区划代码"),
        required=True,
        needed=Said("give the code of the area that the station lies in", "请填写服务点所在区划的代码"),
    ),
    Column(name="name_en", field="name_en", read=text(200), called=("英文名称", "英文名"), words=True),
    Column(name="name_bo", field="name_bo", read=text(200), called=("藏文名称", "藏文名"), words=True),
    Column(name="kind", field="kind", read=text(64), called=("类型", "服务点类型"), words=True),
    Column(name="lat", field="lat", read=degrees(90), called=("纬度",)),
    Column(name="lon", field="lon", read=degrees(180), called=("经度",)),
    Column(name="lifecycle", field="lifecycle", read=lifecycle, called=("状态", "生命周期"), empty="commissioned"),
    Column(name="commissioned", field="commissioned_at", read=moment, called=("启用日期", "启用时间", "投用日期")),
    Column(name="isp", field="isp", read=text(200), called=("运营商", "网络运营商"), words=True),
    Column(name="feeder", field="feeder", read=text(200), called=("供电线路", "馈线"), words=True),
    Column(name="address", field="address", read=text(500), called=("地址", "详细地址"), words=True),
    Column(
        name="schedule", field="schedule", read=schedule, called=("开放时间", "营业时间"), words=True, empty=ALWAYS_OPEN
    ),
    Column(name="programmes", field="programmes", read=programmes, called=("工程", "所属工程"), words=True, empty=()),
)

SCHEDULES: Final = (
    Column(
        name="kind",
        field="kind",
        read=text(64),
        called=("类型", "服务点类型"),
        words=True,
        required=True,
        needed=Said("give the kind of the stations", "请填写服务点类型"),
    ),
    Column(
        name="schedule",
        field="rules",
        read=rules,
        called=("开放时间", "营业时间"),
        words=True,
        required=True,
        needed=Said("give opening rules", "请填写开放时间"),
    ),
    # Required, because it is part of the key.
    Column(name="from", field="valid_from", read=day, called=("生效日期", "开始日期"), required=True, empty=date.min),
)

OVERRIDES: Final = (
    Column(
        name="from",
        field="first",
        read=day,
        called=("开始日期", "起始日期"),
        required=True,
        needed=Said("give the first day", "请填写开始日期"),
    ),
    Column(
        name="until",
        field="last",
        read=day,
        called=("结束日期", "截止日期"),
        required=True,
        needed=Said("give the last day", "请填写结束日期"),
    ),
    Column(
        name="hours",
        field="rules",
        read=dated,
        called=("开放时间", "营业时间"),
        words=True,
        required=True,
        needed=Said("say off, 10:00-14:00 or +18:00-21:00", "请填写休息、10:00-14:00 或加开18:00-21:00"),
    ),
    Column(name="station", field="station", read=station_id, called=("服务点编号", "编号", "站点编号")),
    Column(name="kind", field="kind", read=text(64), called=("类型", "服务点类型"), words=True),
    Column(name="area", field="area", read=normal_code, called=("区划代码", "所属区划")),
    Column(name="reason", field="reason", read=text(500), called=("原因", "事由"), words=True),
)

DAYS: Final = (
    Column(
        name="day",
        field="day",
        read=day,
        called=("日期",),
        required=True,
        needed=Said("give the day", "请填写日期"),
    ),
    Column(
        name="class",
        field="day_class",
        read=day_class,
        called=("类别", "日期类别"),
        required=True,
        needed=Said("say what sort of day it is", "请填写日期类别"),
    ),
    Column(name="name", field="title", read=text(200), called=("名称", "节日名称"), words=True),
)

CLOSURES: Final = (
    Column(
        name="station",
        field="station",
        read=station_id,
        called=("服务点编号", "编号", "站点编号"),
        required=True,
        needed=Said("give the station's id", "请填写服务点编号"),
    ),
    Column(
        name="from",
        field="from_at",
        read=moment,
        called=("开始时间", "开始日期"),
        required=True,
        needed=Said("say when it begins", "请填写开始时间"),
    ),
    Column(
        name="until",
        field="until_at",
        read=end,
        called=("结束时间", "结束日期"),
        required=True,
        needed=Said("say when it ends", "请填写结束时间"),
    ),
    Column(
        name="reason",
        field="reason",
        read=text(500),
        called=("原因", "事由"),
        words=True,
        required=True,
        needed=Said("say why it is closed", "请填写闭馆原因"),
    ),
    Column(name="declared_by", field="declared_by", read=text(200), called=("申报人",), words=True, empty="import"),
    Column(name="approved_by", field="approved_by", read=text(200), called=("审批人", "批准人"), words=True),
)

TARGETS: Final = (
    Column(
        name="id",
        field="id",
        read=target_id,
        called=("编号", "目标编号"),
        required=True,
        needed=Said("give the target's id", "请填写目标编号"),
    ),
    Column(
        name="name",
        field="name",
        read=text(200),
        called=("名称", "目标名称"),
        words=True,
        required=True,
        needed=Said("give the target's name", "请填写目标名称"),
    ),
    Column(
        name="metric",
        field="metric",
        read=metric,
        called=("指标",),
        required=True,
        needed=Said("say what is counted", "请填写指标"),
    ),
    Column(
        name="areas",
        field="areas",
        read=codes,
        called=("区划代码", "区划", "区域"),
        required=True,
        needed=Said("name the areas that it is for", "请填写目标所在区划的代码"),
    ),
    Column(name="programme", field="programme", read=text(64), called=("工程", "所属工程"), words=True),
    Column(name="level", field="level", read=level, called=("级别", "层级")),
    Column(name="threshold", field="threshold", read=number, called=("目标值", "阈值")),
    Column(name="deadline", field="deadline", read=day, called=("截止日期", "期限")),
)
