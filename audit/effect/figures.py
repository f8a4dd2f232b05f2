"""Figures of use, of terminals and of content. Pure.

Visits and minutes come from usage records, whose hours are summed in `usage_hour`. A terminal works if it sent health
or usage records in the last days of the period. None means that nothing was reported, which differs from 0.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum
from fractions import Fraction
from functools import reduce
from operator import add
from typing import Final, TypeVar

import msgspec

from audit.days.figures import Figures
from audit.ranks import ranked

_MINUTE_MS: Final = 60_000
_Amount = TypeVar("_Amount", int, Fraction)


class UseState(StrEnum):
    """What the usage records of a station say about a period."""

    USED = "used"
    #: Usage records arrived, and all of them count no visit and no minute.
    IDLE = "idle"
    #: The station was to be open, and no usage record arrived.
    STALE = "stale"
    #: The station was never to be open.
    NOT_DUE = "not_due"


class UseFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Sums of usage records. `minutes`: of all visits together; `samples`: the number of records."""

    samples: int = 0
    sessions: int | None = None
    minutes: Fraction | None = None
    bytes: int | None = None

    def __add__(self, other: "UseFigures") -> "UseFigures":
        return UseFigures(
            samples=self.samples + other.samples,
            sessions=_sum(self.sessions, other.sessions),
            minutes=_sum(self.minutes, other.minutes),
            bytes=_sum(self.bytes, other.bytes),
        )

    @property
    def used_ms(self) -> int | None:
        """The minutes as whole milliseconds, rounded down."""
        return None if self.minutes is None else int(self.minutes * _MINUTE_MS)


class TerminalCount(msgspec.Struct, frozen=True, kw_only=True):
    """The terminals that sent records in the period or in the days before it, and those that work at its end."""

    known: int = 0
    working: int = 0

    def __add__(self, other: "TerminalCount") -> "TerminalCount":
        return TerminalCount(known=self.known + other.known, working=self.working + other.working)

    @property
    def share(self) -> Fraction | None:
        """The share that works; None without terminals."""
        return Fraction(self.working, self.known) if self.known else None


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """All figures of a station or an area over the same days. They can be added; rates cannot."""

    figures: Figures = Figures()
    use: UseFigures = UseFigures()
    terminals: TerminalCount = TerminalCount()

    def __add__(self, other: "Effect") -> "Effect":
        return Effect(
            figures=self.figures + other.figures,
            use=self.use + other.use,
            terminals=self.terminals + other.terminals,
        )

    @property
    def open_ms(self) -> int:
        """Opening hours without approved closures."""
        return self.figures.scheduled_ms - self.figures.excused_ms

    @property
    def use_rate(self) -> Fraction | None:
        """Time used of the opening hours; above 1 if several visitors use a station together. None: the station was not
        to be open, or no record says anything about minutes."""
        used = self.use.used_ms
        return None if used is None or self.open_ms <= 0 else Fraction(used, self.open_ms)

    @property
    def state(self) -> UseState:
        """What the usage records say."""
        if self.open_ms <= 0:
            return UseState.NOT_DUE
        if not self.use.samples:
            return UseState.STALE
        return UseState.USED if self.use.sessions or self.use.minutes else UseState.IDLE


class StationEffect(msgspec.Struct, frozen=True, kw_only=True):
    """A station with its figures. `area`: the name of its area; `code`: the code of its area."""

    id: str
    name: str
    area: str
    effect: Effect
    code: str | None = None


class Stock(msgspec.Struct, frozen=True, kw_only=True):
    """The content in a language: packages, their bytes (of each package once), and the stations that hold one."""

    language: str
    titles: int
    bytes: int
    stations: int


def total_effect(effects: Iterable[Effect]) -> Effect:
    """The sum of several stations."""
    return reduce(add, effects, Effect())


def least_used_first(stations: Iterable[StationEffect]) -> list[tuple[int | None, StationEffect]]:
    """(rank, station) by use rate, then by visits and id. Equal rates have the same rank. Stations without a rate come
    last and have no rank: first those that were to be open, then those that were not."""
    return ranked(sorted(stations, key=_order), lambda station: station.effect.use_rate)


def _order(station: StationEffect) -> tuple[bool, Fraction, bool, int, str]:
    effect = station.effect
    rate = effect.use_rate
    return (
        rate is None,
        rate or Fraction(),
        effect.state is UseState.NOT_DUE,
        effect.use.sessions or 0,
        station.id,
    )


def split_sums(sums: Mapping[str, int], sessions: int | None) -> list[tuple[str | None, int]]:
    """(value, visits) of a property such as the language, the most visits first; None: the visits of which no record
    has the property. Empty if no record counts visits."""
    if sessions is None:
        return []
    parts: list[tuple[str | None, int]] = sorted(sums.items(), key=lambda item: (-item[1], item[0]))
    rest = sessions - sum(sums.values())
    return [*parts, (None, rest)] if rest > 0 else parts


def by_part(days: Mapping[date, UseFigures], *, is_year: bool) -> dict[date, UseFigures]:
    """The figures by day, in a year by the first days of months."""
    found: dict[date, UseFigures] = {}
    for day, use in sorted(days.items()):
        part = day.replace(day=1) if is_year else day
        found[part] = found.get(part, UseFigures()) + use
    return found


def _sum(one: _Amount | None, other: _Amount | None) -> _Amount | None:
    if one is None:
        return other
    return one if other is None else one + other
