"""What happens to stations in some months, at whole seconds: the input of the figures and of their oracle. Pure.

All times are seconds since the beginning of the first day in China. `told` is when the platform learns of a thing.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Final

import msgspec

BEGIN: Final = datetime(2025, 10, 31, 16, tzinfo=UTC)
"""The beginning of the first day: a Saturday in China."""
FIRST_WEEKDAY: Final = 5
DAY: Final = 86_400
COUNTIES: Final = ("632122", "632123", "632126")
PARTITIONS: Final = 4

Hours = tuple[tuple[int, ...], tuple[tuple[float, float], ...]]
RULES: Final[dict[str, Hours]] = {
    "Mo-Su 09:00-17:00": (tuple(range(7)), ((9, 17),)),
    "Mo-Fr 08:30-12:00,14:00-18:00": (tuple(range(5)), ((8.5, 12), (14, 18))),
    "Tu-Su 19:00-02:00": (tuple(range(1, 7)), ((19, 26),)),
    "Mo-Su 00:00-24:00": (tuple(range(7)), ((0, 24),)),
}
"""Rules, and what these say: weekdays (0 is Monday) and hours of these."""


def _days(*dates: str) -> frozenset[int]:
    """Numbers of days (0 is the first day) of dates like 02-16 in 2026."""
    return frozenset((date.fromisoformat(f"2026-{each}") - date(2025, 11, 1)).days for each in dates)


HOLIDAYS: Final = _days(
    "01-01", "01-02", "02-16", "02-17", "02-18", "02-19", "02-20", "02-23", "04-06", "05-01", "05-04", "05-05",
    "06-19", "09-25", "10-01", "10-02", "10-05", "10-06", "10-07",
)  # fmt: skip
"""The days from Monday to Friday that the State Council announced as holidays, written down by hand."""
WORKED: Final = _days("01-04", "02-14", "02-28", "05-09", "09-20", "10-10")
"""The days of weekends that are worked instead."""


class Decided(msgspec.Struct, frozen=True):
    """A decision of the judge, in the order in which they were made; `at` may lie before earlier ones."""

    told: int
    at: int
    state: str
    usable: bool | None


class During(msgspec.Struct, frozen=True):
    """Something from `begin` to `end`: `word` says more."""

    told: int
    begin: int
    end: int
    word: str = ""


class Since(msgspec.Struct, frozen=True):
    """Another lifecycle or area; an area counts from the next midnight on."""

    told: int
    at: int
    word: str


class StationTruth(msgspec.Struct, frozen=True, kw_only=True):
    """All that happens to a station. `ran`: yes, no or nothing said; `corrections` in the order of their approval."""

    name: str
    partition: int
    area: str
    rules: str
    off: tuple[int, ...]
    decisions: tuple[Decided, ...]
    doubts: tuple[During, ...]
    ran: tuple[During, ...]
    closures: tuple[During, ...]
    corrections: tuple[During, ...]
    lifecycles: tuple[Since, ...]
    moves: tuple[Since, ...]


class UptimeTruth(msgspec.Struct, frozen=True, kw_only=True):
    """All stations, and the gaps of each partition."""

    days: int
    stations: tuple[StationTruth, ...]
    gaps: tuple[tuple[During, ...], ...]


def moment(second: int) -> datetime:
    """A second as a time."""
    return BEGIN + timedelta(seconds=second)


def make_truth(stations: int, days: int, seed: int) -> UptimeTruth:
    """Stations that live through some days; the same seed gives the same."""
    dice = Random(seed)
    gaps = tuple(tuple(_during(dice, days, days // 12 + 1, 20_000, late=0)) for _ in range(PARTITIONS))
    return UptimeTruth(days=days, stations=tuple(_station(dice, n, days) for n in range(stations)), gaps=gaps)


def _station(dice: Random, number: int, days: int) -> StationTruth:
    rules = dice.choice(list(RULES))
    overnight = RULES[rules][1][-1][1] > 24
    return StationTruth(
        name=f"{number:010}",
        partition=number % PARTITIONS,
        area=dice.choice(COUNTIES),
        rules=rules,
        off=() if overnight else tuple(sorted(dice.sample(range(days), days // 30))),
        decisions=tuple(_decisions(dice, days)),
        doubts=tuple(_apart(_during(dice, days, days // 60 + 1, 30_000, late=0))),
        ran=tuple(_during(dice, days, days // 10, 60_000, late=30, words=("yes", "yes", "no", ""))),
        closures=tuple(_during(dice, days, days // 60 + 1, 3 * DAY, late=10, words=("approved", "approved", ""))),
        corrections=tuple(
            _during(
                dice, days, days // 90 + 1, 2 * DAY, late=40, words=("up", "down", "unknown", "excused", "observed")
            )
        ),
        lifecycles=tuple(_lifecycles(dice, days)),
        moves=tuple(_moves(dice, days)),
    )


def _decisions(dice: Random, days: int) -> Iterator[Decided]:
    told = dice.randrange(DAY)
    while told < days * DAY:
        state = dice.choice(["online", "online", "online", "offline", "offline", "away", "unproven"])
        usable = dice.choice([True, True, True, False, None]) if state == "online" else None
        yield Decided(told, max(0, told - dice.choice([0, 0, 90, 1_200, 50_000])), state, usable)
        told += dice.choice([600, 7_200, 40_000, 4 * DAY, 20 * DAY]) + dice.randrange(1, 3_600)


def _during(
    dice: Random, days: int, many: int, longest: int, *, late: int, words: tuple[str, ...] = ("",)
) -> Iterator[During]:
    """Times of which the platform learns up to `late` days after their end, in the order of that."""
    found: list[During] = []
    for _ in range(many):
        begin = dice.randrange(days * DAY)
        end = begin + dice.randrange(1, longest)
        told = end + (dice.randrange(late * DAY) if late and dice.random() < 0.6 else 0)
        found.append(During(told, begin, end, dice.choice(words)))
    return iter(sorted(found, key=lambda each: each.told))


def _apart(found: Iterator[During]) -> Iterator[During]:
    """Those that do not begin before the end of the one before."""
    end = -1
    for each in sorted(found, key=lambda each: each.begin):
        if each.begin > end:
            end = each.end
            yield each


def _lifecycles(dice: Random, days: int) -> Iterator[Since]:
    """Most are in service throughout; some begin later, rest for a while, or are closed for good."""
    at = sorted(dice.randrange(DAY, days * DAY) for _ in range(3))
    late = dice.randrange(20) * DAY
    kind = dice.randrange(8)
    if kind == 0:
        yield Since(0, 0, "planned")
        yield Since(at[0] + late, at[0], "commissioned")
    if kind == 1:
        yield Since(at[1] + late, at[1], "suspended")
        yield Since(at[1] + late + 1, at[2], "commissioned")
    if kind == 2:
        yield Since(at[2] + late, at[2], "retired")


def _moves(dice: Random, days: int) -> Iterator[Since]:
    if dice.random() < 0.2:
        at = dice.randrange(days * DAY)
        yield Since(at + dice.randrange(15) * DAY, at, dice.choice(COUNTIES))
