"""The normal form of the times of a duty, so that two ways to write the same times are one duty. Pure."""

import re
from typing import Final

from registry.hours.opening_rules import ALWAYS_RULES, WEEKDAYS
from registry.hours.opening_text import parse_rules

ALWAYS: Final = "24x7"
_SPAN: Final = re.compile(r"(\d\d:\d\d)-(\d\d):(\d\d)")
_DAYS: Final = re.compile(rf"(?:{'|'.join(WEEKDAYS)})(?:,(?:{'|'.join(WEEKDAYS)}))+")


def normal_times(text: str) -> str:
    """The times as they are stored, such as ``Mo-Fr 08:00-18:00; HD off``. Raises ScheduleError."""
    parsed = parse_rules(text)
    rules = ALWAYS if parsed.rules == ALWAYS_RULES.rules else _as_people_write(str(parsed))
    return f"[{parsed.zone}] {rules}" if parsed.zone else rules


def _as_people_write(rules: str) -> str:
    rules = _DAYS.sub(lambda found: _ranges(found[0]), rules)
    return _SPAN.sub(lambda found: _span(found[1], int(found[2]), found[3]), rules)


def _span(begin: str, hour: int, minute: str) -> str:
    """``20:00-08:00`` of 20:00-32:00; a span of a whole day stays as it is."""
    end = f"{hour - 24:02}:{minute}"
    return f"{begin}-{end}" if (hour, minute) > (24, "00") and end != begin else f"{begin}-{hour:02}:{minute}"


def _ranges(days: str) -> str:
    """Weekdays with those that follow each other as a range: ``Mo-Fr`` of ``Mo,Tu,We,Th,Fr``."""
    runs: list[list[str]] = []
    for day in days.split(","):
        if runs and WEEKDAYS.index(day) == WEEKDAYS.index(runs[-1][-1]) + 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return ",".join(run[0] if len(run) == 1 else ("-" if len(run) > 2 else ",").join((run[0], run[-1])) for run in runs)
