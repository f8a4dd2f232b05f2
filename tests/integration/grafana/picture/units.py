"""Numbers and moments as Grafana's units show them. Pure."""

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

from contract.home import HOME

_DAY: Final = 86_400


def formatted(value: float, unit: str, decimals: int | None = None) -> str:
    """A number in a unit. Raises KeyError for a unit that is not known here."""
    if unit.startswith("suffix:"):
        return f"{_fixed(value, decimals)} {unit.removeprefix('suffix:')}"
    return _UNITS[unit](value, decimals)


def _fixed(value: float, decimals: int | None = None) -> str:
    """As many decimals as asked for, else about three digits that count."""
    if decimals is None:
        if value == int(value):
            return str(int(value))
        decimals = max(0, 2 - math.floor(math.log10(abs(value))))
        return f"{value:.{decimals}f}".rstrip("0").rstrip(".")
    return f"{value:.{decimals}f}"


def _scaled(value: float, decimals: int | None, steps: Mapping[str, float]) -> str:
    """In the largest unit of which there is at least one."""
    name, size = next(((name, size) for name, size in steps.items() if abs(value) >= size), list(steps.items())[-1])
    return f"{_fixed(value / size, decimals)} {name}"


def _clock(value: float, _decimals: int | None) -> str:
    days, rest = divmod(int(value), _DAY)
    return f"{f'{days} d ' if days else ''}{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"


def _percent(value: float, decimals: int | None) -> str:
    return f"{_fixed(value * 100, decimals)}%"


def _moment(value: float, _decimals: int | None) -> str:
    """A moment in ms since 1970, as a browser in China shows it."""
    return f"{datetime.fromtimestamp(value / 1000, UTC).astimezone(HOME):%Y-%m-%d %H:%M:%S}"


_UNITS: Final[Mapping[str, Callable[[float, int | None], str]]] = {
    "none": _fixed,
    "percentunit": _percent,
    "dateTimeAsIso": _moment,
    "dtdhms": _clock,
    "bytes": lambda value, decimals: _scaled(
        value, decimals, {"TiB": 2.0**40, "GiB": 2.0**30, "MiB": 2.0**20, "KiB": 2.0**10, "B": 1}
    ),
    "celsius": lambda value, decimals: f"{_fixed(value, decimals)} °C",
    "ms": lambda value, decimals: _scaled(value, decimals, {"s": 1000, "ms": 1}),
}
