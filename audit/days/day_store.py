"""The kept days in the database: figures, groups of quiet stations, sums of areas."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, Protocol

import asyncpg
import msgspec

from audit.days.figures import Figures
from audit.days.revisions import DayRevision
from audit.days.shares import QuietPlace
from audit.days.station_days import StationDay
from store.pool import Connection
from store.sql import queries_beside

QUERIES: Final = queries_beside(__file__)
FIGURES: Final = Figures.__struct_fields__


class FiguresRow(Protocol):
    """A row with the columns of `FIGURES`, for example an asyncpg.Record."""

    def __getitem__(self, column: str, /) -> Any: ...


class DayState(msgspec.Struct, frozen=True, kw_only=True):
    """How far days are kept: from the first to the last one, with the facts of the registry up to `cut`.

    `sources_from`: some sources of earlier days are deleted, so that these cannot be computed again; None: of no day.
    """

    cut: int
    first_day: date
    last_day: date
    sources_from: date | None = None

    @property
    def first_computable(self) -> date:
        """The first kept day with all its sources; it may be after the last kept day."""
        return self.first_day if self.sources_from is None else max(self.first_day, self.sources_from)


async def lock_state(connection: Connection) -> DayState | None:
    """The state, locked until the transaction ends; None: no day was ever kept."""
    row = await connection.fetchrow(QUERIES.lock_state)
    return None if row is None else DayState(**dict(row))


async def write_days(
    connection: Connection,
    days: Iterable[StationDay],
    cut: int,
    *,
    causes: Mapping[tuple[str, date], Sequence[str]] | None = None,
    frozen: Sequence[date] = (),
) -> None:
    """Write revisions of days. `frozen`: the first days of the months that are frozen."""
    why = causes or {}
    rows = [
        (
            *(day.station, day.day, day.revision, "/".join(day.path)),
            *figures_row(day.figures),
            " ".join(why.get((day.station, day.day), ())),
            day.day.replace(day=1) in frozen,
        )
        for day in days
    ]
    if rows:
        await connection.execute(QUERIES.add_figures, *map(list, zip(*rows, strict=True)), cut)


async def load_kept(
    connection: Connection, stations: Sequence[str], first: date, last: date
) -> dict[tuple[str, date], StationDay]:
    """The newest revisions of days of stations."""
    rows = await connection.fetch(QUERIES.kept_days, list(stations), first, last)
    return {(row["station"], row["day"]): station_day_of(row) for row in rows}


async def add_to_areas(connection: Connection, revised: Iterable[tuple[StationDay, StationDay]]) -> None:
    """Follow in the sums of areas that days (before, after) have other figures or other areas."""
    sums: dict[tuple[date, tuple[str, ...]], Figures] = {}
    for before, after in revised:
        for path, figures in ((before.path, Figures() - before.figures), (after.path, after.figures)):
            if path:
                sums[after.day, path] = sums.get((after.day, path), Figures()) + figures
    rows = [(day, "/".join(path), *figures_row(figures)) for (day, path), figures in sorted(sums.items())]
    if rows:
        await connection.execute(QUERIES.add_differences, *map(list, zip(*rows, strict=True)))


async def put_to_sleep(connection: Connection, places: Mapping[str, QuietPlace], since: date) -> None:
    """From a day on, stations are in their groups."""
    names, found = list(places), list(places.values())
    keys, paths = [place.key for place in found], ["/".join(place.path) for place in found]
    await connection.execute(QUERIES.put_to_sleep, names, keys, paths, since)


async def write_shares(connection: Connection, day: date, shares: Mapping[int, Figures]) -> None:
    """Write the figures that all stations of a group have on a day."""
    rows = [(share, day, *figures_row(figures)) for share, figures in shares.items()]
    await connection.copy_records_to_table("share_day", records=rows, columns=("share", "day", *FIGURES))


async def load_clocks(connection: Connection) -> tuple[datetime | None, tuple[datetime, ...]]:
    """The slowest pipeline clock, and when gaps began that go on; None: no clock was ever written."""
    row = await connection.fetchrow(QUERIES.clocks)
    assert row is not None  # noqa: S101 -- an aggregate always gives a row
    return row["clock"], tuple(row["gaps"])


def figures_row(figures: Figures) -> tuple[int, ...]:
    """The figures in the order of their columns."""
    return tuple(getattr(figures, name) for name in FIGURES)


def figures_of(row: FiguresRow) -> Figures:
    """The figures of a row; what no row sums is 0."""
    return Figures(**{name: int(row[name] or 0) for name in FIGURES})


def station_day_of(row: asyncpg.Record) -> StationDay:
    """A kept day of a station."""
    return StationDay(
        station=row["station"],
        day=row["day"],
        path=tuple(row["path"]),
        revision=row["revision"],
        figures=figures_of(row),
    )


def revised_days(revisions: Iterable[DayRevision]) -> dict[tuple[str, date], tuple[str, ...]]:
    """The causes of revisions as they are written."""
    return {(each.day.station, each.day.day): tuple(map(str, each.causes)) for each in revisions}
