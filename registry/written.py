"""Normalises values as people write them for the readers of columns. Pure.

A value that is not understood stays as it is; the reader of its column then raises the error.
"""

import re
from contextlib import suppress
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final
from unicodedata import normalize

_DATE: Final = r"(?P<y>\d{4})\s*[-/.年]\s*(?P<m>\d{1,2})\s*[-/.月]\s*(?P<d>\d{1,2})\s*[日号]?"
_HALF: Final = "(?P<half>上午|早上|凌晨|中午|下午|晚上)?"
_CLOCK: Final = r"(?P<h>\d{1,2})\s*[:时点]\s*(?:(?P<min>\d{1,2})\s*分?(?::(?P<s>\d{2})(?:\.\d+)?)?)?"
_ZONE: Final = r"(?P<zone>Z|[+-]\d\d:?\d\d)?"
_MOMENT: Final = re.compile(rf"{_DATE}(?:[T\s]*{_HALF}\s*{_CLOCK}\s*{_ZONE})?")
_SERIAL: Final = re.compile(r"[2-7]\d{4}(\.\d+)?")
_SERIAL_START: Final = datetime(1899, 12, 30)
_PERCENT: Final = re.compile(r"(\d{1,7}(?:\.\d{1,9})?)\s*%")
_GROUPED: Final = re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?")
_AFTERNOON: Final = ("下午", "晚上", "晚", "中午")


def plain(cell: str) -> str:
    """The text with plain digits, letters and signs in place of full-width ones."""
    return normalize("NFKC", cell).strip()


def iso(cell: str) -> str:
    """A day or time, such as 2026/11/27, 2026年5月1日 下午2点30分 or a spreadsheet's serial number, as ISO 8601."""
    if _SERIAL.fullmatch(cell):
        at = _SERIAL_START + timedelta(seconds=round(float(cell) * 86400))
        return _shortest(at)
    with suppress(ValueError):
        datetime.fromisoformat(cell)
        return cell
    found = _MOMENT.fullmatch(cell)
    if found is None:
        return cell
    try:
        day = date(int(found["y"]), int(found["m"]), int(found["d"])).isoformat()
    except ValueError:
        return cell
    if found["h"] is None:
        return day
    hour = hour_of(found["half"], int(found["h"]))
    return f"{day}T{hour:02}:{int(found['min'] or 0):02}:{found['s'] or '00'}{found['zone'] or ''}"


def _shortest(at: datetime) -> str:
    return at.date().isoformat() if (at.hour, at.minute, at.second) == (0, 0, 0) else at.isoformat()


def hour_of(half: str | None, hour: int) -> int:
    """The hour of the day, from 0 to 23, of an hour that may have a half of the day (下午, 晚上, …)."""
    late = half in _AFTERNOON and hour < 12
    if half == "中午":
        late = hour < 6
    return hour + 12 if late else hour


def amount(cell: str) -> str:
    """A number; 95% as 0.95, and 1,200 as 1200."""
    if percent := _PERCENT.fullmatch(cell):
        return f"{(Decimal(percent[1]) / 100).normalize():f}"
    return cell.replace(",", "") if _GROUPED.fullmatch(cell) else cell
