"""The columns of import files and what their cells must look like.

The readers raise ValueError with what is wrong and the remedy.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any, Final
from unicodedata import category

import msgspec

from contract.bounds import require_day, require_time
from contract.topics import STATION_PATTERN, is_station_id
from registry.codes import normal_code
from registry.day_classes import DayClass
from registry.model import ALWAYS_OPEN, LIFECYCLES, METRICS
from registry.opening_text import AS_KIND, parse_dated, parse_rules

CHINA_TIME: Final = timezone(timedelta(hours=8))
"""The zone of a time that names none."""
MAX_PROGRAMMES: Final = 32

# Control characters and line ends. Other invisible ones belong to the scripts of names, such as Mongolian.
_UNWANTED: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
_LEVEL: Final = re.compile(r"[a-z][a-z_]{0,31}")
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,4}(\.[0-9]{1,20})?")
_AMOUNT: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
_TARGET: Final = re.compile(r"[0-9A-Za-z_-]{1,64}")
_SEPARATORS: Final = re.compile(r"[;；、|]")


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One column: the field that it fills and how its text is read.

    An empty cell gives `empty`, unless the column's cells are `needed`.
    """

    name: str
    field: str
    read: Callable[[str], Any]
    required: bool = False
    needed: str | None = None
    empty: Any = None


def text(limit: int) -> Callable[[str], str]:
    """A reader of one line of up to `limit` characters."""

    def read(cell: str) -> str:
        if len(cell) > limit:
            raise ValueError(f"has {len(cell)} characters, allowed are {limit}: shorten it")
        for sign in cell:
            if category(sign) in _UNWANTED:
                raise ValueError(f"has the control character U+{ord(sign):04X}: remove it")
        return cell

    return read


def level(cell: str) -> str:
    if not _LEVEL.fullmatch(cell):
        raise ValueError(f"{_shown(cell)} is not a level: use small Latin letters, such as county")
    return cell


def station_id(cell: str) -> str:
    if not is_station_id(cell):
        raise ValueError(f"{_shown(cell)} is not a station id: it must match {STATION_PATTERN}")
    return cell


def lifecycle(cell: str) -> str:
    if cell not in LIFECYCLES:
        raise ValueError(f"{_shown(cell)} is not a lifecycle: use one of {', '.join(LIFECYCLES)}")
    return cell


def day(cell: str) -> date:
    try:
        found = date.fromisoformat(cell)
    except ValueError:
        raise ValueError(f"{_shown(cell)} is not a date: write it like 2026-10-31") from None
    return require_day(found)


def moment(cell: str) -> datetime:
    """A time, or the start of a day; in UTC. Without a zone it is China's."""
    try:
        at = datetime.fromisoformat(cell)
        at = (at if at.tzinfo else at.replace(tzinfo=CHINA_TIME)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(
            f"{_shown(cell)} is not a date or time: write it like 2026-10-31 or 2026-10-31T08:00:00+08:00"
        ) from None
    return require_time(at)


def end(cell: str) -> datetime:
    """A time, or the end of a day that is named without one; in UTC."""
    try:
        last = date.fromisoformat(cell)
    except ValueError:
        return moment(cell)
    return datetime.combine(require_day(last) + timedelta(days=1), time(), CHINA_TIME).astimezone(UTC)


def schedule(cell: str) -> str:
    """Opening rules (`registry.opening_text`), or `kind`: as the station's kind has them."""
    if cell != AS_KIND:
        parse_rules(cell)
    return cell


def rules(cell: str) -> str:
    """Opening rules (`registry.opening_text`)."""
    parse_rules(cell)
    return cell


def dated(cell: str) -> str:
    """What holds on single days (`registry.opening_text`)."""
    parse_dated(cell)
    return cell


def day_class(cell: str) -> str:
    if cell not in set(DayClass):
        raise ValueError(f"{_shown(cell)} is not a class of days: use one of {', '.join(DayClass)}")
    return cell


def degrees(limit: int) -> Callable[[str], float]:
    """A reader of degrees from -`limit` to `limit`."""

    def read(cell: str) -> float:
        if not _NUMBER.fullmatch(cell):
            raise ValueError(f"{_shown(cell)} is not a number: write degrees like 36.62")
        value = float(cell)
        if abs(value) > limit:
            swapped = ": are lat and lon exchanged?" if limit < abs(value) <= 180 else ": write degrees of WGS-84"
            raise ValueError(f"{_shown(cell)} is not between -{limit} and {limit}{swapped}")
        return value

    return read


def programmes(cell: str) -> tuple[str, ...]:
    """Names of programmes, parted by semicolons."""
    read = text(64)
    names = {read(name.strip()) for name in _SEPARATORS.split(cell) if name.strip()}
    if len(names) > MAX_PROGRAMMES:
        raise ValueError(f"names {len(names)} programmes, allowed are {MAX_PROGRAMMES}: shorten the list")
    return tuple(sorted(names))


def target_id(cell: str) -> str:
    if not _TARGET.fullmatch(cell):
        raise ValueError(f"{_shown(cell)} is not an id: use 1 to 64 of 0-9 A-Z a-z _ -")
    return cell


def metric(cell: str) -> str:
    if cell not in METRICS:
        raise ValueError(f"{_shown(cell)} is not a metric: use one of {', '.join(METRICS)}")
    return cell


def codes(cell: str) -> tuple[str, ...]:
    """Codes of areas, parted by semicolons."""
    return tuple(sorted({normal_code(code.strip()) for code in _SEPARATORS.split(cell) if code.strip()}))


def number(cell: str) -> float:
    if not _AMOUNT.fullmatch(cell):
        raise ValueError(f"{_shown(cell)} is not a number: write it like 200 or 0.5")
    return float(cell)


def _shown(cell: str) -> str:
    return repr(cell if len(cell) <= 40 else cell[:40] + "…")


AREAS: Final = (
    Column(name="code", field="code", read=normal_code, required=True, needed="give the area's code"),
    Column(name="name", field="name", read=text(200), required=True, needed="give the area's name"),
    Column(name="parent", field="parent", read=normal_code, required=True),
    Column(name="name_en", field="name_en", read=text(200)),
    Column(name="name_bo", field="name_bo", read=text(200)),
    Column(name="level", field="level", read=level),
    Column(name="valid_from", field="valid_from", read=day),
    Column(name="valid_to", field="valid_to", read=day),
    Column(name="successor", field="successor", read=normal_code),
)

STATIONS: Final = (
    Column(name="id", field="id", read=station_id, required=True, needed="give the station's id"),
    Column(name="name", field="name", read=text(200), required=True, needed="give the station's name"),
    Column(
        name="area",
        field="area",
        read=normal_code,
        required=True,
        needed="give the code of the area that the station lies in",
    ),
    Column(name="name_en", field="name_en", read=text(200)),
    Column(name="name_bo", field="name_bo", read=text(200)),
    Column(name="kind", field="kind", read=text(64)),
    Column(name="lat", field="lat", read=degrees(90)),
    Column(name="lon", field="lon", read=degrees(180)),
    Column(name="lifecycle", field="lifecycle", read=lifecycle, empty="commissioned"),
    Column(name="commissioned", field="commissioned_at", read=moment),
    Column(name="isp", field="isp", read=text(200)),
    Column(name="feeder", field="feeder", read=text(200)),
    Column(name="address", field="address", read=text(500)),
    Column(name="schedule", field="schedule", read=schedule, empty=ALWAYS_OPEN),
    Column(name="programmes", field="programmes", read=programmes, empty=()),
)

SCHEDULES: Final = (
    Column(name="kind", field="kind", read=text(64), required=True, needed="give the kind of the stations"),
    Column(name="schedule", field="rules", read=rules, required=True, needed="give opening rules"),
    # Required, as it is part of what tells rows apart.
    Column(name="from", field="valid_from", read=day, required=True, empty=date.min),
)

OVERRIDES: Final = (
    Column(name="from", field="first", read=day, required=True, needed="give the first day"),
    Column(name="until", field="last", read=day, required=True, needed="give the last day"),
    Column(name="hours", field="rules", read=dated, required=True, needed="say off, 10:00-14:00 or +18:00-21:00"),
    Column(name="station", field="station", read=station_id),
    Column(name="kind", field="kind", read=text(64)),
    Column(name="area", field="area", read=normal_code),
    Column(name="reason", field="reason", read=text(500)),
)

DAYS: Final = (
    Column(name="day", field="day", read=day, required=True, needed="give the day"),
    Column(name="class", field="day_class", read=day_class, required=True, needed="say what sort of day it is"),
    Column(name="name", field="title", read=text(200)),
)

CLOSURES: Final = (
    Column(name="station", field="station", read=station_id, required=True, needed="give the station's id"),
    Column(name="from", field="from_at", read=moment, required=True, needed="say when it begins"),
    Column(name="until", field="until_at", read=end, required=True, needed="say when it ends"),
    Column(name="reason", field="reason", read=text(500), required=True, needed="say why it is closed"),
    Column(name="declared_by", field="declared_by", read=text(200), empty="import"),
    Column(name="approved_by", field="approved_by", read=text(200)),
)

TARGETS: Final = (
    Column(name="id", field="id", read=target_id, required=True, needed="give the target's id"),
    Column(name="name", field="name", read=text(200), required=True, needed="give the target's name"),
    Column(name="metric", field="metric", read=metric, required=True, needed="say what is counted"),
    Column(name="areas", field="areas", read=codes, required=True, needed="name the areas that it is for"),
    Column(name="programme", field="programme", read=text(64)),
    Column(name="level", field="level", read=level),
    Column(name="threshold", field="threshold", read=number),
    Column(name="deadline", field="deadline", read=day),
)
