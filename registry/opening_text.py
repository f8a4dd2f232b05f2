"""Reads the text of opening rules and of dated overrides; what is wrong is named by its place. Pure."""

import re
from functools import lru_cache
from typing import Final, NoReturn
from zoneinfo import ZoneInfo

import msgspec

from registry.opening_rules import (
    ALWAYS_RULES,
    DAY,
    EVERY_DAY,
    MONTHS,
    WEEKDAYS,
    OpeningRules,
    Rule,
    Season,
    Span,
)

DEFAULT_ZONE: Final = "Asia/Shanghai"
AS_KIND: Final = "kind"
"""Instead of rules: from here on a station follows its kind's schedule again."""
MAX_TEXT: Final = 2000
MAX_RULES: Final = 64
MAX_SPANS: Final = 16

_ALWAYS: Final = ("24x7", "24/7")
# What Chinese keyboards and word processors put in place of the plain signs; one for one, so that places stay.
_PLAIN: Final = str.maketrans("；，：－–—～~［］　\u00a0", ";,:-----[]  ")
_ZONE: Final = re.compile(r"\[\s*([A-Za-z0-9_+/-]{1,64})\s*\]")
_MONTH: Final = re.compile(rf"({'|'.join(MONTHS)})(?![a-z])", re.IGNORECASE)
_DAY_OF_MONTH: Final = re.compile(r"(\d{1,2})(?!\d|:\d\d)")  # not the hour of a time
_DAY: Final = re.compile(rf"({'|'.join((*WEEKDAYS, 'WD', 'RD', 'HD', 'PH'))})(?![a-z])", re.IGNORECASE)
_OFF: Final = re.compile("(off|closed)(?![a-z])", re.IGNORECASE)
_SCHEDULED: Final = re.compile("scheduled(?![a-z])", re.IGNORECASE)
_TIME: Final = re.compile(r"(\d{1,2}):(\d{2})")
_LENGTHS: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class ScheduleError(ValueError):
    """Opening rules that cannot be read: says where, what is wrong there, and the remedy."""


class DatedRule(msgspec.Struct, frozen=True):
    """What a dated override says of its days: open in `spans`, instead of the schedule or (`extends`) beside it.

    `scheduled`: open as the schedule says, whatever less particular overrides say.
    """

    spans: tuple[Span, ...]
    extends: bool = False
    scheduled: bool = False

    def __str__(self) -> str:
        if self.scheduled:
            return "scheduled"
        return ("+" if self.extends else "") + str(OpeningRules((Rule((), frozenset(), self.spans),))).strip()


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
            f"{name[:64]!r} is not a time zone: use a name of the IANA list such as Asia/Shanghai or Asia/Urumqi"
        ) from None
    return name


class _Reader:
    """Goes through the text from left to right."""

    def __init__(self, text: str) -> None:
        if len(text) > MAX_TEXT:
            raise ScheduleError(f"has {len(text)} characters, allowed are {MAX_TEXT}: shorten it")
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
                raise ScheduleError(f"has more than {MAX_RULES} rules: shorten it")
        if not self._ended():
            self._fail("expected ; and the next rule, or the end")
        return OpeningRules(tuple(rules), name)

    def dated(self) -> DatedRule:
        extends = self._sign("+")
        scheduled = not extends and self._take(_SCHEDULED) is not None
        spans = () if scheduled or (not extends and self._take(_OFF)) else self._spans()
        if not self._ended():
            self._fail("expected the end: an override is off, 10:00-14:00, +18:00-21:00 or scheduled")
        return DatedRule(spans, extends, scheduled)

    def _rule(self, *, seasonal: bool) -> Rule:
        seasons = self._seasons()
        if seasonal and not seasons:
            self._fail(
                "expected a season, as the rule before has one and it is not clear whether it goes on: "
                "write like May-Sep: RD 10:00-16:00, Jan-Dec: for all year, or put rules for all year first"
            )
        days = self._days()
        self._sign(":")
        return Rule(seasons, days or EVERY_DAY, () if self._take(_OFF) else self._spans())

    def _seasons(self) -> tuple[Season, ...]:
        found: list[Season] = []
        while month := self._month():
            found.append(self._season(month))
            if not self._sign(","):
                self._sign(":")
                return tuple(found)
        if found:
            self._fail("expected the next season, such as May-Sep or Nov 15-Mar 15")
        return ()

    def _season(self, month: int) -> Season:
        first = self._day_of(month)
        if not self._sign("-"):
            return (month, first or 1), (month, first or _LENGTHS[month - 1])
        last_month = self._month() or (month if first else None)
        if last_month is None:
            self._fail("expected the month that the season ends with, such as May-Sep")
        last = self._day_of(last_month)
        if (first is None) != (last is None):
            self._fail("expected days at both ends of the season or at neither, such as May 1-Sep 30 or May-Sep")
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
            self._fail(f"{MONTHS[month - 1]} has the days 1 to {_LENGTHS[month - 1]}", at)
        return int(found[1])

    def _days(self) -> frozenset[str]:
        found: set[str] = set()
        while first := self._take(_DAY):
            found.update(self._days_from(_day_name(first[0])))
            if not self._sign(","):
                return frozenset(found)
        if found:
            self._fail("expected a day: Mo Tu We Th Fr Sa Su, WD (workday), RD (day of rest) or HD (holiday)")
        return frozenset()

    def _days_from(self, first: str) -> list[str]:
        if first not in WEEKDAYS or not self._sign("-"):
            return [first]
        at = self._at
        found = self._take(_DAY)
        last = _day_name(found[0]) if found else ""
        if last not in WEEKDAYS:
            self._fail("expected the weekday that the range ends with, such as Mo-Fr", at)
        begin, end = WEEKDAYS.index(first), WEEKDAYS.index(last)
        return [WEEKDAYS[day % 7] for day in range(begin, (end if end >= begin else end + 7) + 1)]

    def _spans(self) -> tuple[Span, ...]:
        spans = [self._span()]
        while self._sign(","):
            spans.append(self._span())
            if len(spans) > MAX_SPANS:
                self._fail(f"more than {MAX_SPANS} times of one rule: shorten it")
        return tuple(sorted(spans))

    def _span(self) -> Span:
        at = self._at
        begin = self._time("days and times such as Mo-Fr 09:00-17:30 or WD 09:00-12:00,14:30-18:00, or off")
        if begin >= DAY:
            self._fail("opens after the end of its day: write 00:30 with the next day's name", at)
        if not self._sign("-"):
            self._fail("expected - and the time it closes at, such as 09:00-17:30")
        end = self._time("the time it closes at, such as 17:30")
        if begin == end:
            self._fail("opens and closes at the same time: write 00:00-24:00 for a whole day", at)
        end = end if end > begin else end + DAY
        if end - begin > DAY:
            self._fail("is longer than a day: at most 24 hours", at)
        return begin, end

    def _time(self, wanted: str) -> int:
        at = self._at
        found = self._take(_TIME)
        if found is None:
            self._fail(f"expected {wanted}")
        minute = int(found[1]) * 60 + int(found[2])
        if int(found[2]) > 59 or minute > 2 * DAY:
            self._fail(f"{found[0]} is not a time of day: write 00:00 to 24:00, or up to 48:00 past midnight", at)
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

    def _fail(self, what: str, at: int | None = None) -> NoReturn:
        place = self._at if at is None else at
        rest = self._text[place:].strip()
        place += len(self._text[place:]) - len(self._text[place:].lstrip())
        near = f"before {rest[:20]!r}" if rest else "at the end"
        raise ScheduleError(f"character {place + 1}, {near}: {what}")


def _day_name(text: str) -> str:
    name = text.capitalize()
    return name if name in WEEKDAYS else {"Ph": "HD"}.get(name, name.upper())
