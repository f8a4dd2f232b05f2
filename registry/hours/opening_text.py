"""Reads the text of opening rules and of dated overrides; an error names the place in the text. Pure."""

import re
from functools import lru_cache
from typing import Final, NoReturn
from zoneinfo import ZoneInfo

import msgspec

from contract.said import Said, SaidError
from registry.hours.opening_rules import (
    ALWAYS_RULES,
    DAY,
    EVERY_DAY,
    MONTHS,
    WEEKDAYS,
    OpeningRule,
    OpeningRules,
    Season,
    Span,
)

AS_KIND: Final = "kind"
"""In place of rules: the station follows the schedule of its kind again."""
MAX_TEXT: Final = 2000
MAX_RULES: Final = 64
MAX_SPANS: Final = 16

_ALWAYS: Final = ("24x7", "24/7")
# Signs of Chinese keyboards and word processors, each for one plain sign, so that places in the text stay.
_PLAIN: Final = str.maketrans("；，：－–—～~［］　\u00a0", ";,:-----[]  ")
_ZONE: Final = re.compile(r"\[\s*([A-Za-z0-9_+/-]{1,64})\s*\]")
_MONTH: Final = re.compile(rf"({'|'.join(MONTHS)})(?![a-z])", re.IGNORECASE)
_DAY_OF_MONTH: Final = re.compile(r"(\d{1,2})(?!\d|:\d\d)")  # not the hour of a time
_DAY: Final = re.compile(rf"({'|'.join((*WEEKDAYS, 'WD', 'RD', 'HD', 'PH'))})(?![a-z])", re.IGNORECASE)
_OFF: Final = re.compile("(off|closed)(?![a-z])", re.IGNORECASE)
_SCHEDULED: Final = re.compile("scheduled(?![a-z])", re.IGNORECASE)
_TIME: Final = re.compile(r"(\d{1,2}):(\d{2})")
_LENGTHS: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


_RULE: Final = Said(
    "days and times such as Mo-Fr 09:00-17:30 or WD 09:00-12:00,14:30-18:00, or off",
    "日子和时间，如 周一至周五 9:00-17:30、工作日 9:00-12:00,14:30-18:00，或休息",
)
_CLOSING: Final = Said("the time it closes at, such as 17:30", "关门时间，如 17:30")


class ScheduleError(SaidError):
    """Opening rules that cannot be read: the place, the problem and the remedy."""


class DatedRule(msgspec.Struct, frozen=True):
    """The hours of a dated override: open in `spans`, in place of the schedule or (`extends`) in addition to it.

    `scheduled`: open by the schedule, even if overrides of lower rank replace it.
    """

    spans: tuple[Span, ...]
    extends: bool = False
    scheduled: bool = False

    def __str__(self) -> str:
        if self.scheduled:
            return "scheduled"
        return ("+" if self.extends else "") + str(OpeningRules((OpeningRule((), frozenset(), self.spans),))).strip()


@lru_cache(maxsize=4096)
def parse_rules(text: str) -> OpeningRules:
    """Read ``24x7`` or opening rules, after an optional ``[Time/Zone]``. Raises ScheduleError."""
    return _Reader(text).schedule()


@lru_cache(maxsize=4096)
def parse_dated(text: str) -> DatedRule:
    """Read ``off``, ``10:00-14:00``, ``+18:00-21:00`` or ``scheduled``. Raises ScheduleError."""
    return _Reader(text).dated()


def parse_zone(name: str) -> str:
    """The name of an IANA time zone as it is. Raises ScheduleError."""
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        raise ScheduleError(
            f"{name[:64]!r} is not a time zone: use a name of the IANA list such as Asia/Shanghai or Asia/Urumqi",
            f"“{name[:64]}”不是时区：请用 IANA 时区名，如 Asia/Shanghai 或 Asia/Urumqi",
        ) from None
    return name


class _Reader:
    """Goes through the text from left to right."""

    def __init__(self, text: str) -> None:
        if len(text) > MAX_TEXT:
            raise ScheduleError(
                f"has {len(text)} characters, allowed are {MAX_TEXT}: shorten it",
                f"有 {len(text)} 个字，最多 {MAX_TEXT} 个：请缩短",
            )
        self._text = text.translate(_PLAIN)
        self._at = 0

    def schedule(self) -> OpeningRules:
        zone = self._take(_ZONE)
        name = parse_zone(zone[1]) if zone else None
        if self._text[self._at :].strip().lower() in _ALWAYS:
            return msgspec.structs.replace(ALWAYS_RULES, zone=name)
        rules = [self._rule(seasonal=False)]
        while self._sign(";"):
            if self._ended():
                break
            rules.append(self._rule(seasonal=bool(rules[-1].seasons)))
            if len(rules) > MAX_RULES:
                raise ScheduleError(f"has more than {MAX_RULES} rules: shorten it", f"规则超过 {MAX_RULES} 条：请减少")
        if not self._ended():
            self._fail("expected ; and the next rule, or the end", "这里应是分号和下一条规则，或者结束")
        return OpeningRules(tuple(rules), name)

    def dated(self) -> DatedRule:
        extends = self._sign("+")
        scheduled = not extends and self._take(_SCHEDULED) is not None
        spans = () if scheduled or (not extends and self._take(_OFF)) else self._spans()
        if not self._ended():
            self._fail(
                "expected the end: an override is off, 10:00-14:00, +18:00-21:00 or scheduled",
                "这里应结束：单日开放时间是休息、10:00-14:00、加开18:00-21:00 或照常",
            )
        return DatedRule(spans, extends, scheduled)

    def _rule(self, *, seasonal: bool) -> OpeningRule:
        seasons = self._seasons()
        if seasonal and not seasons:
            self._fail(
                "expected a season, as the rule before has one and it is not clear whether it goes on: "
                "write like May-Sep: RD 10:00-16:00, Jan-Dec: for all year, or put rules for all year first",
                "这里应写季节，因为前一条规则有季节，看不出是否延续：请写成 5月-9月 周末 10:00-16:00，"
                "全年写 1月-12月，或把全年的规则放在最前面",
            )
        days = self._days()
        self._sign(":")
        return OpeningRule(seasons, days or EVERY_DAY, () if self._take(_OFF) else self._spans())

    def _seasons(self) -> tuple[Season, ...]:
        found: list[Season] = []
        while month := self._month():
            found.append(self._season(month))
            if not self._sign(","):
                self._sign(":")
                return tuple(found)
        if found:
            self._fail(
                "expected the next season, such as May-Sep or Nov 15-Mar 15",
                "这里应是下一个季节，如 5月-9月 或 11月15日-3月15日",
            )
        return ()

    def _season(self, month: int) -> Season:
        first = self._day_of(month)
        if not self._sign("-"):
            return (month, first or 1), (month, first or _LENGTHS[month - 1])
        last_month = self._month() or (month if first else None)
        if last_month is None:
            self._fail(
                "expected the month that the season ends with, such as May-Sep", "这里应是季节结束的月份，如 5月-9月"
            )
        last = self._day_of(last_month)
        if (first is None) != (last is None):
            self._fail(
                "expected days at both ends of the season or at neither, such as May 1-Sep 30 or May-Sep",
                "季节的两端要么都写日，要么都不写，如 5月1日-9月30日 或 5月-9月",
            )
        return (month, first or 1), (last_month, last or _LENGTHS[last_month - 1])

    def _month(self) -> int | None:
        found = self._take(_MONTH)
        return None if found is None else MONTHS.index(found[0].capitalize()) + 1

    def _day_of(self, month: int) -> int | None:
        at = self._at
        found = self._take(_DAY_OF_MONTH)
        if found is None:
            return None
        if not 1 <= int(found[1]) <= _LENGTHS[month - 1]:
            days = _LENGTHS[month - 1]
            self._fail(f"{MONTHS[month - 1]} has the days 1 to {days}", f"{month} 月只有 1 至 {days} 日", at)
        return int(found[1])

    def _days(self) -> frozenset[str]:
        found: set[str] = set()
        while first := self._take(_DAY):
            found.update(self._days_from(_day_name(first[0])))
            if not self._sign(","):
                return frozenset(found)
        if found:
            self._fail(
                "expected a day: Mo Tu We Th Fr Sa Su, WD (workday), RD (day of rest) or HD (holiday)",
                "这里应是日子：周一至周日、工作日、休息日或节假日",
            )
        return frozenset()

    def _days_from(self, first: str) -> list[str]:
        if first not in WEEKDAYS or not self._sign("-"):
            return [first]
        at = self._at
        found = self._take(_DAY)
        last = _day_name(found[0]) if found else ""
        if last not in WEEKDAYS:
            self._fail(
                "expected the weekday that the range ends with, such as Mo-Fr", "这里应是星期几，如 周一至周五", at
            )
        begin, end = WEEKDAYS.index(first), WEEKDAYS.index(last)
        return [WEEKDAYS[day % 7] for day in range(begin, (end if end >= begin else end + 7) + 1)]

    def _spans(self) -> tuple[Span, ...]:
        spans = [self._span()]
        while self._sign(","):
            spans.append(self._span())
            if len(spans) > MAX_SPANS:
                self._fail(
                    f"more than {MAX_SPANS} times of one rule: shorten it", f"一条规则的时段超过 {MAX_SPANS} 个：请减少"
                )
        return tuple(sorted(spans))

    def _span(self) -> Span:
        at = self._at
        begin = self._time(_RULE)
        if begin >= DAY:
            self._fail(
                "opens after the end of its day: write 00:30 with the next day's name",
                "开门时间已过当天：请写成第二天的 00:30",
                at,
            )
        if not self._sign("-"):
            self._fail(
                "expected - and the time it closes at, such as 09:00-17:30", "这里应是 - 和关门时间，如 09:00-17:30"
            )
        end = self._time(_CLOSING)
        if begin == end:
            self._fail(
                "opens and closes at the same time: write 00:00-24:00 for a whole day",
                "开门和关门是同一时间：全天请写 00:00-24:00",
                at,
            )
        end = end if end > begin else end + DAY
        if end - begin > DAY:
            self._fail("is longer than a day: at most 24 hours", "超过一天：最长 24 小时", at)
        return begin, end

    def _time(self, wanted: Said) -> int:
        at = self._at
        found = self._take(_TIME)
        if found is None:
            self._fail(f"expected {wanted.en}", f"这里应是{wanted.zh}")
        minute = int(found[1]) * 60 + int(found[2])
        if int(found[2]) > 59 or minute > 2 * DAY:
            self._fail(
                f"{found[0]} is not a time of day: write 00:00 to 24:00, or up to 48:00 past midnight",
                f"{found[0]} 不是时刻：请写 00:00 至 24:00，跨过午夜最晚写到 48:00",
                at,
            )
        return minute

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        while self._text[self._at : self._at + 1].isspace():
            self._at += 1
        found = pattern.match(self._text, self._at)
        if found is not None:
            self._at = found.end()
        return found

    def _sign(self, sign: str) -> bool:
        return self._take(re.compile(re.escape(sign))) is not None

    def _ended(self) -> bool:
        return not self._text[self._at :].strip()

    def _fail(self, what: str, what_zh: str, at: int | None = None) -> NoReturn:
        place = self._at if at is None else at
        rest = self._text[place:].strip()
        place += len(self._text[place:]) - len(self._text[place:].lstrip())
        near = f"before {rest[:20]!r}" if rest else "at the end"
        near_zh = f"“{rest[:20]}”之前" if rest else "末尾"
        raise ScheduleError(f"character {place + 1}, {near}: {what}", f"第 {place + 1} 个字，{near_zh}：{what_zh}")


def _day_name(text: str) -> str:
    name = text.capitalize()
    return name if name in WEEKDAYS else {"Ph": "HD"}.get(name, name.upper())
