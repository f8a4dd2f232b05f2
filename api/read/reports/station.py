"""The facts of a report of a station, read in one snapshot by the functions that the pages and routes use."""

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Final

import asyncpg

from api.http.problems import not_found
from api.read.reports.load import named, parts_of, period_facts, sum_of_parts
from api.read.reports.queries import QUERIES
from api.read.uptime.load import load_station_uptime
from api.read.uptime.period import UptimePeriod, period_named
from api.read.uptime.schemas import DayRevised
from audit.days.figures import Figures
from audit.days.local_days import source_window
from audit.days.recorded import NOTHING_RECORDED, days_between, hourly_figures
from audit.days.source_store import load_recorded
from audit.reports.station_report import ReportedIncident, ReportedRevision, StationFacts
from audit.sheets.proof_store import load_station_proof
from contract.home import HOME
from registry.facts.as_of import RegistryAsOf
from registry.facts.store import load_facts
from registry.hours.opening_text import ScheduleError
from store.pool import Connection

_MOST_INCIDENTS: Final = 1_000

DayHours = tuple[date, Sequence[Figures]]


async def load_station_facts(connection: Connection, station: str, period: UptimePeriod, language: str) -> StationFacts:
    """The facts of a report of a station. Raises a Problem (404)."""
    row = await connection.fetchrow(QUERIES.station_of_report, station)
    if row is None:
        raise not_found("station", station)
    found = await load_station_uptime(connection, station, period)
    before = await load_station_uptime(connection, station, period_named(period.before))
    figures = sum_of_parts(found.parts)
    later = None if found.later is None else sum_of_parts(found.later)
    return StationFacts(
        about=await period_facts(connection, found, (station, named(row, language))),
        area=named({"name": row["area_name"], "name_en": row["area_name_en"]}, language),
        figures=figures,
        later=None if later == figures else later,
        before=(period.before, sum_of_parts(before.parts)),
        parts=parts_of(found),
        hours=[] if period.is_year or found.kept is None else await _hours(connection, station, found.kept),
        incidents=await _incidents(connection, station, period),
        revisions=[_revision(day, one) for day, revisions in sorted(found.revisions.items()) for one in revisions],
        proof=None
        if period.is_year or found.kept is None
        else await load_station_proof(connection, station, period.name, *found.kept),
    )


async def _hours(connection: Connection, station: str, kept: tuple[date, date]) -> list[DayHours]:
    """The hours of the kept days; empty for a station whose rules cannot be read. A day of which sources are deleted
    has none."""
    first, last = kept
    first = max(first, await connection.fetchval(QUERIES.days_with_sources) or first)
    if first > last:
        return []
    registry = RegistryAsOf(await load_facts(connection, [station]))
    recorded = (await load_recorded(connection, [station], *source_window(first, last))).get(station, NOTHING_RECORDED)
    try:
        days = days_between(registry, station, first, last)
        return [(day.day, hourly_figures(registry, station, recorded, day)) for day in days]
    except ScheduleError:
        return []


async def _incidents(connection: Connection, station: str, period: UptimePeriod) -> list[ReportedIncident]:
    begin, end = (datetime.combine(day, time(), tzinfo=HOME) for day in (period.begin, period.end))
    rows = await connection.fetch(QUERIES.incidents_of_station, station, begin, end, _MOST_INCIDENTS)
    return [_incident(row) for row in rows]


def _incident(row: asyncpg.Record) -> ReportedIncident:
    return ReportedIncident(
        id=row["id"],
        kind=row["kind"],
        began=_minute(row["began_at"]),
        closed=_minute(row["closed_at"]),
        cause=row["cause"],
    )


def _revision(day: date, one: DayRevised) -> ReportedRevision:
    return ReportedRevision(
        day=day,
        number=one.revision,
        recorded=one.recorded_at.astimezone(HOME).date(),
        causes=tuple(map(str, one.causes)),
        addendum=one.addendum,
        difference=Figures(**one.difference),
    )


def _minute(at: datetime | None) -> str:
    return "" if at is None else f"{at.astimezone(HOME):%Y-%m-%d %H:%M}"
