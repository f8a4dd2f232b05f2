"""The openings that follow from rules on the next days, as text for the person who writes the rules. Pure."""

from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from contract.glossary import word
from contract.home import HOME_ZONE
from contract.said import Said
from registry.hours.calendar import FROM_ALWAYS, Version, calendar_of
from registry.hours.day_classes import DayClass, DayClasses
from registry.hours.opening_rules import WEEKDAYS, clock_text
from registry.hours.opening_text import parse_rules


def describe_rules(text: str, first: date, days: int, language: str = "en") -> str:
    """How rules are read, and the openings that begin on each of `days` local days. Raises ScheduleError."""
    rules = parse_rules(text)
    zone = rules.zone or HOME_ZONE
    read, place = Said("Read as: ", "识别为："), Said("Time zone: ", "时区：")
    lines = [f"{read.text(language)}{rules}", f"{place.text(language)}{zone}"]
    classes = DayClasses()
    calendar = calendar_of([Version(FROM_ALWAYS, text)])
    for day in (first + timedelta(days=n) for n in range(days)):
        spans = ",".join(
            f"{clock_text(a)}-{clock_text(b)}" for a, b in rules.spans(day, classes.class_of(day))
        ) or _OFF.text(language)
        doubt = _PROVISIONAL.text(language) if calendar.provisional(day) else ""
        lines.append(f"{day} {_weekday(day, language)} {_class(classes.class_of(day), language)} {spans}{doubt}")
    return "\n".join(lines)


def today_in(text: str, now: datetime) -> date:
    """The local day of rules at `now`. Raises ScheduleError."""
    return now.astimezone(ZoneInfo(parse_rules(text).zone or HOME_ZONE)).date()


_OFF: Final = Said("off", "不开放")
_PROVISIONAL: Final = Said(" (provisional)", "（暂定）")
_CHINESE_DAYS: Final = "一二三四五六日"


def _weekday(day: date, language: str) -> str:
    return Said(WEEKDAYS[day.weekday()], f"周{_CHINESE_DAYS[day.weekday()]}").text(language)


def _class(found: DayClass, language: str) -> str:
    """In English the word that a file of days has, in a column of its own."""
    return f"{found:<8}" if language == "en" else word("day_class", found, language)
