"""The values of health rules as they are written in YAML: numbers, shares, versions, lengths of time, flags. Pure.

Each function takes the text of one value and raises WrongValueError, which says what is allowed.
"""

import re
from collections.abc import Callable
from typing import Any, Final, get_args

from alerting.health.rule_fields import Source, version_number
from alerting.health.rules import SEVERITIES, Severity
from contract.said import SaidError

_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd]?)")
_UNITS: Final = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


class WrongValueError(SaidError):
    """A value of a health rule is not acceptable; the text says what is allowed."""


def value_readers(source: Source) -> dict[str, Callable[[str], Any]]:
    """For each key of a rule the function that reads its value; the thresholds depend on the field's source."""
    number = {"fraction": _read_fraction, "version": _read_version}.get(source.test, _read_number)
    return {
        "above": number, "below": number, "clear": number, "is": read_flag, "for": _read_duration, "gap": read_period,
        "quiet": read_period, "severity": _read_severity,
    }  # fmt: skip


def _read_number(text: str) -> float:
    """A number, or a length of time in seconds."""
    try:
        value = float(text) if not _DURATION.fullmatch(text.strip()) else _read_duration(text)
    except ValueError:
        value = float("nan")
    if not abs(value) <= 1e15:
        raise WrongValueError("it must be a number, or a time, such as 5m", "须为数，或时间，如 5m")
    return value


def _read_fraction(text: str) -> float:
    try:
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise WrongValueError("it must be a share, such as 95% or 0.95", "须为比例，如 95% 或 0.95")
    return value


def _read_version(text: str) -> float:
    number = version_number(text)
    if number is None:
        raise WrongValueError("it must be a version, such as 0.2.0", "须为版本号，如 0.2.0")
    return number


def _read_duration(text: str) -> float:
    match = _DURATION.fullmatch(text.strip())
    if not match or float(match[1]) * _UNITS[match[2]] > 366 * 86400:
        raise WrongValueError(
            "it must be a time, such as 90s, 10m, 6h or 2d, of at most a year",
            "须为时间，如 90s、10m、6h 或 2d，最长一年",
        )
    return float(match[1]) * _UNITS[match[2]]


def read_period(text: str) -> float:
    """Seconds, at least 1: within no time at all nothing can come again."""
    seconds = _read_duration(text)
    if seconds < 1:
        raise WrongValueError(
            "it must be a time of at least 1s, such as 90s or 10m", "须为不短于 1s 的时间，如 90s 或 10m"
        )
    return seconds


def read_flag(text: str) -> bool:
    """True or false, in the words that YAML has for them."""
    if text.lower() not in ("true", "false", "yes", "no", "on", "off"):
        raise WrongValueError("it must be true or false", "须为 true 或 false")
    return text.lower() in ("true", "yes", "on")


def _read_severity(text: str) -> Severity:
    if text not in get_args(Severity):
        raise WrongValueError(f"it must be one of {', '.join(SEVERITIES)}", f"可用：{'、'.join(SEVERITIES)}")
    return text  # type: ignore[return-value]  # one of its values
