"""The entries of the ledger about kept days, written in the transaction of the figures and compared with them."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import Final

import asyncpg
import msgspec

from audit.days.day_store import figures_of
from audit.days.sealed.exported import AreaFigures
from audit.days.sealed.trees import AreaTree, DayLine, Path, QuietGroup, area_trees
from store.ledger import LedgerEntry, append_entries, canonical
from store.ledger_kinds import LedgerKind
from store.pool import Connection
from store.sql import queries_beside

QUERIES: Final = queries_beside(__file__)
AREAS_AT_ONCE: Final = 100
"""Maximum number of areas whose stations are in memory at the same time."""
_ACTOR: Final = "system"
OF_DAYS: Final = (LedgerKind.DAYS_CLOSED, LedgerKind.DAYS_REVISED)
"""The kinds of entries about days."""

AreaDay = tuple[date, Path]
"""A day, and the path of an area: the area and all areas above it."""


async def seal_day(connection: Connection, day: date) -> None:
    """Write the entries of a day that closes, in the caller's transaction."""
    rows = await connection.fetch(QUERIES.areas_of_day, day)
    await _seal(connection, LedgerKind.DAYS_CLOSED, [(day, tuple(row["path"])) for row in rows])


async def revised_areas(connection: Connection, days: Iterable[tuple[str, date]]) -> set[AreaDay]:
    """The areas whose entries change because of revisions of station days, also areas for which these days counted
    before."""
    pairs = list(days)
    rows = await connection.fetch(QUERIES.revised_areas, [pair[0] for pair in pairs], [pair[1] for pair in pairs])
    return {(row["day"], tuple(row["path"])) for row in rows}


async def seal_revisions(connection: Connection, areas: Collection[AreaDay]) -> None:
    """Write the entries of days that were revised, in the caller's transaction."""
    await _seal(connection, LedgerKind.DAYS_REVISED, sorted(areas))


async def seal_month(connection: Connection, month: date) -> None:
    """Write the entries of a month that is frozen, in the caller's transaction."""
    await append_entries(connection, [frozen_entry(month, row) for row in await _frozen(connection, month)])


async def figures_of_areas(connection: Connection, areas: Iterable[AreaDay]) -> AsyncIterator[list[AreaFigures]]:
    """The current figures of the stations of areas and days, several areas at a time, in the order of `areas`, which is
    the order of days. An area without stations has no lines."""
    for day, paths in _batches(areas):
        wanted = ["/".join(path) for path in paths]
        groups = [_group(row) for row in await connection.fetch(QUERIES.groups_of_areas, day, wanted)]
        lines = [_line(row) for row in await connection.fetch(QUERIES.lines_of_areas, day, wanted)]
        yield await asyncio.to_thread(_by_area, day, paths, groups, lines)


async def load_trees(connection: Connection, areas: Iterable[AreaDay]) -> AsyncIterator[list[AreaTree]]:
    """The trees over the current figures of areas and days, several at a time; an area without lines has no tree."""
    async for some in figures_of_areas(connection, areas):
        yield await asyncio.to_thread(_trees, some)


def _trees(figures: Sequence[AreaFigures]) -> list[AreaTree]:
    found = (area_trees(each.day, each.groups, each.lines) for each in figures)
    return [tree for each, own in zip(figures, found, strict=True) for tree in own if tree.path == each.path]


def _by_area(
    day: date, paths: Sequence[Path], groups: Sequence[QuietGroup], lines: Sequence[DayLine]
) -> list[AreaFigures]:
    """The figures of each area: its groups, and all lines of stations with a line in the area or once in its groups."""
    of_station: dict[str, list[DayLine]] = {}
    for line in lines:
        of_station.setdefault(line.station, []).append(line)
    own_groups: dict[Path, list[QuietGroup]] = {path: [] for path in paths}
    own_lines: dict[Path, list[DayLine]] = {path: [] for path in paths}
    for group in groups:
        quiet = [station for station in group.stations if station not in of_station]
        if quiet:
            own_groups[group.path].append(msgspec.structs.replace(group, stations=quiet))
    for revisions in of_station.values():
        for path in {line.path for line in revisions} & own_lines.keys():
            own_lines[path] += revisions
    return [
        AreaFigures(day=day, path=path, groups=tuple(own_groups[path]), lines=tuple(own_lines[path])) for path in paths
    ]


async def wrong_days(
    connection: Connection, first: date, last: date, area: str | None = None
) -> AsyncIterator[AreaDay]:
    """The days of areas whose figures differ from the ledger.

    Days that were kept before the ledger had such entries are not compared.
    """
    rows = await connection.fetch(QUERIES.areas_of_days, first, last, area)
    async for trees in load_trees(connection, [(row["day"], tuple(row["path"])) for row in rows]):
        newest = await _newest(connection, [tree.subject for tree in trees], OF_DAYS)
        for tree in trees if newest else ():
            if newest.get((tree.subject, tree.path)) != canonical(tree.body):
                yield tree.day, tree.path


async def wrong_months(
    connection: Connection, first: date, last: date, area: str | None = None
) -> AsyncIterator[AreaDay]:
    """The same for frozen months; the date is the first day of the month."""
    for row in await connection.fetch(QUERIES.months_between, first.replace(day=1), last):
        entries = [frozen_entry(row["month"], each) for each in await _frozen(connection, row["month"])]
        subjects = [entry.subject for entry in entries]
        newest = await _newest(connection, subjects, [LedgerKind.MONTH_FROZEN])
        for entry in entries if newest else ():
            body = canonical(entry.body)
            path = path_in(body)
            if (area is None or area in path) and newest.get((entry.subject, path)) != body:
                yield row["month"], path


def frozen_entry(month: date, row: asyncpg.Record) -> LedgerEntry:
    """The entry of the frozen figures of the direct stations of an area."""
    path = list(row["path"])
    figures = msgspec.structs.asdict(figures_of(row))
    return LedgerEntry(
        kind=LedgerKind.MONTH_FROZEN,
        subject=f"area_month/{path[-1]}/{month:%Y-%m}",
        actor=_ACTOR,
        body={"month": f"{month:%Y-%m}", "path": path, "figures": figures},
    )


async def _frozen(connection: Connection, month: date) -> list[asyncpg.Record]:
    return await connection.fetch(QUERIES.frozen_figures, month)


async def _seal(connection: Connection, kind: LedgerKind, areas: Sequence[AreaDay]) -> None:
    async for trees in load_trees(connection, areas):
        entries = [LedgerEntry(kind=kind, subject=tree.subject, actor=_ACTOR, body=tree.body) for tree in trees]
        await append_entries(connection, entries)


async def _newest(
    connection: Connection, subjects: Sequence[str], kinds: Iterable[LedgerKind]
) -> Mapping[tuple[str, Path], bytes]:
    found: dict[tuple[str, Path], bytes] = {}
    for row in await connection.fetch(QUERIES.entries_of, list(subjects), [kind.value for kind in kinds]):
        found.setdefault((row["subject"], path_in(row["body"])), row["body"])
    return found


def path_in(body: bytes) -> Path:
    """The path in an entry; empty for a damaged entry."""
    try:
        return tuple(msgspec.json.decode(body)["path"])
    except (msgspec.MsgspecError, KeyError, TypeError):
        return ()


def _batches(areas: Iterable[AreaDay]) -> Iterator[tuple[date, list[Path]]]:
    for day, own in groupby(areas, key=lambda each: each[0]):
        paths = [path for _, path in own]
        for place in range(0, len(paths), AREAS_AT_ONCE):
            yield day, paths[place : place + AREAS_AT_ONCE]


def _group(row: asyncpg.Record) -> QuietGroup:
    return QuietGroup(path=tuple(row["path"]), figures=figures_of(row), stations=row["stations"])


def _line(row: asyncpg.Record) -> DayLine:
    return DayLine(
        station=row["station"],
        revision=row["revision"],
        path=tuple(row["path"]),
        causes=tuple(row["causes"]),
        addendum=row["addendum"],
        figures=figures_of(row),
    )
