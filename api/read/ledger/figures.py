"""Figures of days in an export of the ledger: bounded, because all of them are read in one snapshot."""

from datetime import date, timedelta
from typing import Annotated, Final

import msgspec
from fastapi import Depends, Query

from api.http.problems import Problem, bad_parameter, not_found
from api.read.areas import find_area_row
from audit.days.sealed.exported import ExportedFigures
from audit.days.sealed.figure_export_store import WantedFigures, count_stations, export_compared
from store.pool import Connection

MOST_DAYS: Final = 31
MOST_STATION_DAYS: Final = 100_000
"""Station days in an export by HTTP; `milepost ledger export` has no such limit."""


class FigureFiles(msgspec.Struct, frozen=True, kw_only=True):
    """The figures for the manifest, and their files."""

    exported: ExportedFigures
    files: tuple[tuple[str, bytes], ...]


def _days(
    begin: Annotated[date | None, Query(alias="from", description="the first day with figures: 2026-11-01")] = None,
    end: Annotated[date | None, Query(alias="to", description="the last day with figures; at most 31 days")] = None,
) -> tuple[date, date] | None:
    if begin is None and end is None:
        return None
    if begin is None or end is None:
        raise bad_parameter("from" if begin is None else "to", "name the first and the last day: `from` and `to`")
    if not timedelta() <= end - begin < timedelta(days=MOST_DAYS):
        raise bad_parameter("to", f"the days must be at least 1 and at most {MOST_DAYS}: ask for one month")
    return begin, end


FigureDays = Annotated[tuple[date, date] | None, Depends(_days)]


async def load_figures(
    connection: Connection, days: tuple[date, date] | None, area: list[str] | None, size: int, *, is_whole: bool
) -> FigureFiles | None:
    """The figures of days for a log of `size` leaves; None: the request names no days, or no day is kept. Raises a
    Problem: 403 for a scope of areas, 404 for an unknown area, 422 for too many stations."""
    if days is None:
        return None
    if not is_whole:
        raise Problem(
            403,
            "figures are in exports of the whole only: the tree of an area also has stations that moved away; ask for "
            "the proofs of stations (format=proof of their reports)",
        )
    wanted = WantedFigures(first=days[0], last=days[1], area=await _code(connection, area))
    stations = await count_stations(connection, wanted)
    if stations * ((days[1] - days[0]).days + 1) > MOST_STATION_DAYS:
        raise Problem(
            422,
            f"{stations} stations and these days are more than {MOST_STATION_DAYS} days of stations: ask for an area "
            "or fewer days, or run `milepost ledger export`",
        )
    files: list[tuple[str, bytes]] = []
    exported = await export_compared(connection, wanted, size, lambda name, raw: files.append((name, raw)))
    return None if exported is None else FigureFiles(exported=exported, files=tuple(files))


async def _code(connection: Connection, area: list[str] | None) -> str | None:
    if area is None:
        return None
    row = await find_area_row(connection, area[0])
    if row is None:
        raise not_found("area", area[0])
    return str(row["code"])
