"""The figures of days for an export of the ledger, from the snapshot of the export."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import date
from typing import Final

import msgspec

from audit.days.local_days import source_window
from audit.days.recorded import NOTHING_RECORDED
from audit.days.sealed.exported import FIGURES, RECORDS, AreaFigures, ExportedFigures, FigureFile, StationRecords
from audit.days.sealed.tree_store import QUERIES, figures_of_areas
from audit.days.source_store import load_recorded, untold_stations
from audit.ledger.export_format import digest
from store.pool import Connection

_LINES: Final = 3_000
"""Days of areas in a file."""
_STATIONS: Final = 5_000
Write = Callable[[str, bytes], None]
"""Writes a file with a name and its bytes; this may take a while."""


class WantedFigures(msgspec.Struct, frozen=True, kw_only=True):
    """The days with figures in an export, of an area and all areas below it; None: of everything."""

    first: date
    last: date
    area: str | None = None


async def export_figures(connection: Connection, wanted: WantedFigures, write: Write) -> ExportedFigures | None:
    """Write the files of figures and records; None: no day was ever kept."""
    state = await connection.fetchrow(QUERIES.kept_until)
    if state is None:
        return None
    first, last = max(wanted.first, state["first_day"]), min(wanted.last, state["last_day"])
    figures = [each async for each in _figure_files(connection, first, last, wanted.area, write)]
    records = [each async for each in _record_files(connection, first, last, wanted.area, write)]
    return ExportedFigures(
        first=first,
        last=last,
        area=wanted.area,
        begun=state["first_day"],
        sources_from=state["sources_from"],
        cut=state["cut"],
        waiting=tuple(row["subject"] for row in await connection.fetch(QUERIES.waiting_figures)),
        figures=tuple(figures),
        records=tuple(records),
    )


async def export_compared(
    connection: Connection, wanted: WantedFigures, size: int, write: Write
) -> ExportedFigures | None:
    """Write only the files of figures, to be compared with a log of `size` leaves: for a reader who cannot see which
    stations have new facts. None: no day was ever kept."""
    state = await connection.fetchrow(QUERIES.kept_until)
    if state is None:
        return None
    first, last = max(wanted.first, state["first_day"]), min(wanted.last, state["last_day"])
    waiting = await connection.fetch(QUERIES.unsealed_figures, first, last, wanted.area, size)
    return ExportedFigures(
        first=first,
        last=last,
        area=wanted.area,
        begun=state["first_day"],
        cut=state["cut"],
        waiting=tuple(row["subject"] for row in waiting),
        figures=tuple([each async for each in _figure_files(connection, first, last, wanted.area, write)]),
        records=(),
        whole=False,
    )


async def count_stations(connection: Connection, wanted: WantedFigures) -> int:
    """The number of stations with kept days."""
    return len(await connection.fetch(QUERIES.stations_of_figures, wanted.first, wanted.last, wanted.area))


async def _figure_files(
    connection: Connection, first: date, last: date, area: str | None, write: Write
) -> AsyncIterator[FigureFile]:
    rows = await connection.fetch(QUERIES.areas_of_days, first, last, area)
    areas = [(row["day"], tuple(row["path"])) for row in rows]
    for number, place in enumerate(range(0, len(areas), _LINES)):
        found: list[AreaFigures] = []
        async for some in figures_of_areas(connection, areas[place : place + _LINES]):
            found += some
        yield await asyncio.to_thread(_written, f"{FIGURES}-{number:06d}.ndjson", found, write)


async def _record_files(
    connection: Connection, first: date, last: date, area: str | None, write: Write
) -> AsyncIterator[FigureFile]:
    rows = await connection.fetch(QUERIES.stations_of_figures, first, last, area)
    untold = await untold_stations(connection)
    for number, names in enumerate(_parts([row["station"] for row in rows])):
        recorded = await load_recorded(connection, names, *source_window(first, last))
        every = ((name, recorded.get(name, NOTHING_RECORDED), name in untold) for name in names)
        found = [
            StationRecords(station=name, gaps=own.gaps, presence=own.presence, follows=follows)
            for name, own, follows in every
            if own.gaps or own.presence or follows
        ]
        yield await asyncio.to_thread(_written, f"{RECORDS}-{number:06d}.ndjson", found, write)


def _written(name: str, found: Sequence[AreaFigures | StationRecords], write: Write) -> FigureFile:
    raw = b"".join(msgspec.json.encode(each) + b"\n" for each in found)
    write(name, raw)
    return FigureFile(name=name, sha256=digest(raw))


def _parts(names: Sequence[str]) -> Iterator[list[str]]:
    for place in range(0, len(names), _STATIONS):
        yield list(names[place : place + _STATIONS])
