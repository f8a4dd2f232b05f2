"""What opening rules come to on the days ahead, as text for the person who writes them. Pure."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from registry.calendar import FROM_ALWAYS, Version, calendar_of
from registry.day_classes import DayClasses
from registry.opening_rules import WEEKDAYS, clock_text
from registry.opening_text import DEFAULT_ZONE, parse_rules


def describe_rules(text: str, first: date, days: int) -> str:
    """How rules are read, and the openings that begin on each of `days` local days. Raises ScheduleError."""
    rules = parse_rules(text)
    zone = rules.zone or DEFAULT_ZONE
    lines = [f"Read as: {rules}", f"Time zone: {zone}"]
    classes = DayClasses()
    calendar = calendar_of([Version(FROM_ALWAYS, text)])
    for day in (first + timedelta(days=n) for n in range(days)):
        spans = ",".join(f"{clock_text(a)}-{clock_text(b)}" for a, b in rules.spans(day, classes.of(day))) or "off"
        doubt = " (provisional)" if calendar.provisional(day) else ""
        lines.append(f"{day} {WEEKDAYS[day.weekday()]} {classes.of(day):<8} {spans}{doubt}")
    return "\n".join(lines)


def today_in(text: str, now: datetime) -> date:
    """The local day of rules at `now`. Raises ScheduleError."""
    return now.astimezone(ZoneInfo(parse_rules(text).zone or DEFAULT_ZONE)).date()
