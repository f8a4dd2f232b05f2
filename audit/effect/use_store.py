"""Figures of use, terminals and content, read for some stations at a time."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from typing import Final

import asyncpg
import msgspec

from audit.effect.figures import Stock, TerminalCount, UseFigures
from contract.home import HOME
from store.pool import Connection
from store.sql import queries_beside

QUERIES: Final = queries_beside(__file__)
_PROPERTIES: Final = ("category", "language")
WORKING_DAYS: Final = 7
"""A terminal works if it sent records in so many days before the end of the period."""
KNOWN_DAYS: Final = 31
"""A terminal is known if it sent records in the period or in so many days before it."""


class UseSpan(msgspec.Struct, frozen=True, kw_only=True):
    """The local days [begin, end), and the areas (None: all) in which a station counts on a day."""

    begin: date
    end: date
    areas: list[str] | None


class FoundUse(msgspec.Struct, kw_only=True):
    """Figures by station, by day, by property ("category", "language") and value, and by package and language. There is
    no property if records of the time are deleted."""

    stations: dict[str, UseFigures] = {}
    days: dict[date, UseFigures] = {}
    properties: dict[str, dict[str, int]] = {}
    terminals: dict[str, TerminalCount] = {}
    packages: dict[tuple[str, str], tuple[int, int]] = {}

    def stock(self) -> list[Stock]:
        """The content by language; a package of two languages counts in both."""
        found: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for (_, language), held in sorted(self.packages.items()):
            found[language].append(held)
        return [
            Stock(
                language=language,
                titles=len(held),
                bytes=sum(size for size, _ in held),
                stations=max(stations for _, stations in held),
            )
            for language, held in sorted(found.items())
        ]


async def load_use(connection: Connection, stations: Sequence[str], span: UseSpan, found: FoundUse) -> None:
    """Add the figures of some stations to `found`; visits only if all their hours are kept, and visits by property only
    if all records are."""
    names = list(stations)
    days = (names, span.begin, span.end, span.areas)
    if await is_kept(connection, "usage_hour", span.begin):
        for row in await connection.fetch(QUERIES.use_of_stations, *days):
            if row["day"] is None:
                found.stations[row["station"]] = use_of(row)
            else:
                found.days[row["day"]] = found.days.get(row["day"], UseFigures()) + use_of(row)
    if await is_kept(connection, "usage", span.begin):
        for name in _PROPERTIES:
            found.properties.setdefault(name, {})
        for row in await connection.fetch(QUERIES.use_by_property, *days):
            sums = found.properties[row["property"]]
            sums[row["value"]] = sums.get(row["value"], 0) + int(row["sessions"])
    await _load_terminals(connection, names, span, found)
    for key, (size, holders) in (await load_packages(connection, names, span.end)).items():
        known, before = found.packages.get(key, (0, 0))
        found.packages[key] = (max(known, size), before + holders)


async def _load_terminals(connection: Connection, stations: list[str], span: UseSpan, found: FoundUse) -> None:
    """Terminals by the days (UTC) of their records."""
    begin, end = (datetime.combine(day, time(), tzinfo=UTC) for day in (span.begin, span.end))
    since, working = begin - timedelta(days=KNOWN_DAYS), end - timedelta(days=WORKING_DAYS)
    for row in await connection.fetch(QUERIES.terminals_of_stations, stations, since, working, end):
        found.terminals[row["station"]] = TerminalCount(known=row["known"], working=row["working"])


async def load_packages(
    connection: Connection, stations: Sequence[str], before: date
) -> dict[tuple[str, str], tuple[int, int]]:
    """{(package, language): (bytes, stations that hold the package)} of the newest inventories before a day."""
    end = datetime.combine(before, time(), tzinfo=HOME)
    rows = await connection.fetch(QUERIES.packages_of_stations, list(stations), end)
    return {(row["id"], row["language"]): (int(row["bytes"]), row["stations"]) for row in rows}


async def is_kept(connection: Connection, kind: str, begin: date) -> bool:
    """Whether nothing of a kind of records or figures is deleted since a day."""
    since: datetime | None = await connection.fetchval(QUERIES.records_kept_since, kind)
    return since is None or since <= datetime.combine(begin, time(), tzinfo=HOME)


def use_of(row: asyncpg.Record) -> UseFigures:
    """The figures of a row; numeric sums are exact."""
    return UseFigures(
        samples=row["samples"],
        sessions=None if row["sessions"] is None else int(row["sessions"]),
        minutes=None if row["minutes"] is None else Fraction(row["minutes"]),
        bytes=None if row["bytes"] is None else int(row["bytes"]),
    )
