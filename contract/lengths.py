"""Lengths of time as people read them, in two units: 3 h 20 min. Pure."""

from typing import Final

from contract.said import Said

_UNITS: Final = (
    (86_400, Said("d", "天")),
    (3_600, Said("h", "小时")),
    (60, Said("min", "分钟")),
    (1, Said("s", "秒")),
)
"""Seconds and name of each unit, the largest first."""


def in_two_units(seconds: int, language: str, *, apart: str = " ") -> str:
    """Whole seconds by the largest unit that is not 0 and the next smaller one, which is left out when it is 0.

    `apart` stands between a number and its unit, and between the two parts. A negative length is 0.
    """
    rest, parts = max(seconds, 0), []
    for size, unit in _UNITS:
        count, rest = divmod(rest, size)
        parts.append((count, unit.text(language)))
    while len(parts) > 1 and parts[0][0] == 0:
        parts.pop(0)
    return apart.join(f"{count}{apart}{unit}" for count, unit in parts[:2] if count or len(parts) == 1)
