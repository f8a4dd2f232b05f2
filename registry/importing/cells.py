"""Readers of the cells of import files. Each takes a cell with text, and raises SaidError with the remedy. Pure."""

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from unicodedata import category

from contract.bounds import require_day, require_time
from contract.glossary import WORDS
from contract.home import HOME
from contract.said import Said, SaidError
from contract.topics import STATION_PATTERN, is_station_id
from registry.codes import normal_code
from registry.hours.day_classes import DayClass
from registry.hours.opening_chinese import dated_of, rules_of
from registry.hours.opening_text import AS_KIND, ScheduleError, parse_dated, parse_rules
from registry.model import LIFECYCLES, METRICS
from registry.written import amount, iso, plain

MAX_PROGRAMMES: Final = 32

# Control characters and line ends. Other invisible ones belong to the scripts of names, such as Mongolian.
_UNWANTED: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
_INVISIBLE: Final = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf", "Cs"})
# Invisible characters that are no spaces in Unicode: fillers of Hangul, the empty Braille cell, variation selectors.
_BLANK: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0\u034f") | frozenset(map(chr, range(0xFE00, 0xFE10)))
_LEVEL: Final = re.compile(r"[a-z][a-z_]{0,31}")
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,4}(\.[0-9]{1,20})?")
_AMOUNT: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
_BYTES: Final = re.compile(r"(?P<amount>[0-9.,]+)\s*(?P<unit>[MGT]B)", re.IGNORECASE)
_UNITS: Final = {"MB": 10**6, "GB": 10**9, "TB": 10**12}
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
    "服务点数": "stations", "入网率": "in_service", "覆盖率": "covered", "覆盖区划数": "covered_areas",
    "在线率": "online_rate", "服务率": "service_rate", "服务人次": "sessions", "资源容量": "content_bytes",
    "资源包数": "content_titles",
}  # fmt: skip
DAY_CLASSES_CALLED: Final = {
    "工作日": "workday", "上班": "workday", "休息日": "rest", "休息": "rest",
    "节假日": "holiday", "法定节假日": "holiday", "放假": "holiday",
}  # fmt: skip


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
        at = (at if at.tzinfo else at.replace(tzinfo=HOME)).astimezone(UTC)
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
    return datetime.combine(require_day(last) + timedelta(days=1), time(), HOME).astimezone(UTC)


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
    """A number; 95% is 0.95, and 30 TB is 30,000,000,000,000."""
    if found := _BYTES.fullmatch(cell):
        return number(found["amount"]) * _UNITS[found["unit"].upper()]
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
