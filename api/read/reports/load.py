"""The facts of a report of an area's uptime, read in one snapshot by the functions that the pages and routes use."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time
from typing import Final

import asyncpg

from api.http.paging import Page
from api.http.problems import Problem
from api.read.reports.queries import QUERIES
from api.read.scope import asked_areas
from api.read.uptime.load import FoundUptime, list_station_uptime, load_area_uptime
from api.read.uptime.period import UptimePeriod, period_named
from audit.days.day_store import figures_of
from audit.days.figures import Figures, total
from audit.ledger.store import read_head
from audit.reports.reasons import LostDays
from audit.reports.uptime_report import PeriodFacts, ReportedPlace, UptimeFacts
from contract.home import HOME
from store.made_up import load_made_up
from store.pool import Connection

_STEP: Final = 1_000
_WORST_DAYS: Final = 3
"""So many days of a station are named."""

Progress = Callable[[int], None]
"""Takes the number of stations that were read so far."""


async def load_uptime_facts(
    connection: Connection,
    area: list[str] | None,
    period: UptimePeriod,
    language: str,
    *,
    most: int | None = None,
    progress: Progress | None = None,
) -> UptimeFacts:
    """The facts of a report of an area with all areas below it, or of everything in the scope (`area` None).

    Raises a Problem: 404 for an unknown area, 422 for more than `most` stations.
    """
    found = await load_area_uptime(connection, area, period)
    before = await load_area_uptime(connection, area, period_named(period.before))
    rows = await load_stations(connection, area, period, most, progress)
    codes = {
        code for code in (found.area, *(part for _, part, _ in found.parts), *(row["area"] for row in rows)) if code
    }
    names = await load_area_names(connection, codes, language)
    stations = [row["station"] for row in rows]
    incidents = await _incidents(connection, stations, period)
    lost = {} if period.is_year else await _lost_days(connection, stations, found.area, period)
    later = None if found.later is None else sum_of_parts(found.later)
    figures = sum_of_parts(found.parts)
    return UptimeFacts(
        about=await period_facts(connection, found, None if found.area is None else (found.area, names[found.area])),
        figures=figures,
        later=None if later == figures else later,
        before=(period.before, sum_of_parts(before.parts)),
        areas=[
            ReportedPlace(
                id=code, name=names[code], figures=sum_of_parts(part for part in found.parts if part[1] == code)
            )
            for code in sorted({part for _, part, _ in found.parts if part is not None})
        ],
        stations=[
            _place(row, names, incidents.get(row["station"]), lost.get(row["station"]), language) for row in rows
        ],
        parts=parts_of(found),
    )


async def period_facts(connection: Connection, found: FoundUptime, place: tuple[str, str] | None) -> PeriodFacts:
    """The facts about the place and the period of a report, without figures."""
    head = await read_head(connection)
    period, frozen = found.period, found.frozen.get(found.period.begin)
    return PeriodFacts(
        place=place,
        period=period.name,
        is_year=period.is_year,
        last=_last(period) if found.kept is None else found.kept[1],
        kept=found.kept,
        frozen=None if period.is_year or frozen is None else frozen.astimezone(HOME).date(),
        checkpoint=None if head is None else head.note,
        made_up=await load_made_up(connection) is not None,
    )


def named(row: Mapping[str, str | None] | asyncpg.Record, language: str) -> str:
    """The name of a station or an area in the reader's language."""
    return (None if language == "zh-CN" else row["name_en"]) or row["name"] or ""


async def load_stations(
    connection: Connection, area: list[str] | None, period: UptimePeriod, most: int | None, progress: Progress | None
) -> list[asyncpg.Record]:
    """The stations of a report with their figures, by id. Raises a Problem: 422 for more than `most`."""
    rows: list[asyncpg.Record] = []
    async for piece in _pieces(connection, area, period):
        rows += piece
        if most is not None and len(rows) > most:
            raise Problem(
                422, f"the report has more than {most} stations: ask for a smaller area, or run `milepost report`"
            )
        if progress is not None:
            progress(len(rows))
    return rows


async def _pieces(
    connection: Connection, area: list[str] | None, period: UptimePeriod
) -> AsyncIterator[Sequence[asyncpg.Record]]:
    page = Page(_STEP, None)
    while True:
        found = await list_station_uptime(connection, area, period, page)
        yield found.rows
        if found.next is None:
            return
        page = Page(_STEP, found.next)


async def load_area_names(connection: Connection, codes: Iterable[str], language: str) -> dict[str, str]:
    """The names of areas by code; the code for an area without a name."""
    asked = list(codes)
    rows = await connection.fetch(QUERIES.area_names, asked)
    return {code: code for code in asked} | {row["code"]: named(row, language) for row in rows}


async def _incidents(connection: Connection, stations: list[str], period: UptimePeriod) -> dict[str, asyncpg.Record]:
    begin, end = (datetime.combine(day, time(), tzinfo=HOME) for day in (period.begin, period.end))
    found: dict[str, asyncpg.Record] = {}
    for place in range(0, len(stations), _STEP):
        rows = await connection.fetch(QUERIES.incidents_of_stations, stations[place : place + _STEP], begin, end)
        found |= {row["station"]: row for row in rows}
    return found


async def _lost_days(
    connection: Connection, stations: list[str], area: str | None, period: UptimePeriod
) -> dict[str, LostDays]:
    """The days on which each station lost time."""
    areas = await asked_areas(connection, None if area is None else [area])
    found: dict[str, LostDays] = {}
    for place in range(0, len(stations), _STEP):
        piece = stations[place : place + _STEP]
        rows = await connection.fetch(
            QUERIES.lost_days_of_stations, piece, period.begin, period.end, areas, _WORST_DAYS
        )
        found |= {
            row["station"]: LostDays(row["number"], tuple(zip(row["days"], row["lost"], strict=True))) for row in rows
        }
    return found


def _place(
    row: asyncpg.Record,
    names: Mapping[str, str],
    incidents: asyncpg.Record | None,
    lost: LostDays | None,
    language: str,
) -> ReportedPlace:
    return ReportedPlace(
        id=row["station"],
        name=named(row, language),
        figures=figures_of(row),
        area=names.get(row["area"] or "", ""),
        incidents=0 if incidents is None else incidents["incidents"],
        causes=() if incidents is None else tuple(incidents["causes"]),
        unexplained=0 if incidents is None else incidents["unexplained"],
        lost=lost,
    )


def parts_of(found: FoundUptime) -> list[tuple[date, Figures]]:
    """The figures by day, in a year by month. Days of a frozen month include later revisions, as on the page."""
    shown = found.parts if found.later is None or found.period.is_year else found.later
    sums: dict[date, Figures] = {}
    for day, _, figures in shown:
        part = day.replace(day=1) if found.period.is_year else day
        sums[part] = sums.get(part, Figures()) + figures
    return sorted(sums.items())


def sum_of_parts(parts: Iterable[tuple[date, str | None, Figures]]) -> Figures:
    """The figures of all parts together."""
    return total(figures for _, _, figures in parts)


def _last(period: UptimePeriod) -> date:
    return date.fromordinal(period.end.toordinal() - 1)
