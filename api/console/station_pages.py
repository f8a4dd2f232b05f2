"""Pages about stations: all that fit a filter, and one."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Final

from fastapi import Request, Response

from alerting.stations.verdict import Clocks, Verdict
from api.console.area_choice import find_area
from api.console.name_lookup import Described, describe_stations, load_account_names, load_area_path
from api.console.names import Name, name_of, name_of_row
from api.console.pages import page_router, show, words_for
from api.console.station_map import ORDER
from api.console.texts import Words
from api.console.timeline_bar import PARTS, segments, sums
from api.context import Shared
from api.http.paging import Page
from api.http.parameters import Cursor, StationId, Text
from api.http.problems import Problem
from api.http.work import Work
from api.read.history import list_health, list_usage, load_timeline, load_usage_figures
from api.read.incidents import list_incidents
from api.read.moment import load_clocks, load_cover
from api.read.routing.silences import load_silences_here
from api.read.rows import DatabaseRow
from api.read.schedule import load_calendar, load_lifecycles, load_station_closures
from api.read.schemas import FiguresUnit, HealthSample, StationClosure, StationDocument, UsageTotal
from api.read.stations import complete_stations, list_stations, require_station
from api.read.timeline_documents import TimelineRows, timeline_document
from contract.home import HOME
from registry.hours.calendar import ALWAYS, Calendar
from store.pool import Connection

router = page_router()

_PAGE: Final = 50
_DAY: Final = timedelta(hours=24)
_RETIRED: Final = "retired"
"""Asks for the retired stations, where otherwise a verdict stands."""
_SPANS: Final = {"1h": timedelta(hours=1), "24h": _DAY, "7d": timedelta(days=7)}
"""How much of the past a station's bar shows, by the value of `?span=`."""
_SAMPLES: Final = 100
_INCIDENTS: Final = 20
_MOST_ROWS: Final = 60


@router.get("/stations")
async def show_stations(
    request: Request,
    context: Shared,
    q: Text = "",
    verdict: Text = "",
    area: Text = "",
    cursor: Cursor = "",
    removed: Text = "",
) -> Response:
    """Stations by id, filtered, a page at a time; retired ones only where they are asked for. `removed`: the id of one
    that was just removed."""
    words = words_for(request)
    wanted = Verdict(verdict) if verdict in set(Verdict) else None
    async with context.database.snapshot() as connection:
        where_asked = await find_area(connection, request, area, words)
        found = await list_stations(
            connection,
            Page(_PAGE, cursor or None),
            area=where_asked.codes,
            verdict=wanted,
            text=q,
            retired=verdict == _RETIRED,
        )
        described = await describe_stations(connection, found.rows)
    return show(
        request,
        "stations.html",
        q=q,
        verdict=wanted.value if wanted else _RETIRED if verdict == _RETIRED else "",
        removed=removed,
        area=area,
        where_asked=where_asked,
        verdicts=[one.value for one in (Verdict.ONLINE, *(one for one in ORDER if one is not Verdict.ONLINE))],
        rows=station_rows(await found.documents(context.work), described, words),
        next=found.next,
        cursor=cursor,
    )


def station_rows(found: Sequence[StationDocument], described: Described, words: Words) -> list[dict[str, Any]]:
    """Stations as a list of a page shows them: with their names in the reader's language, and their areas'."""
    return [_row(station, described, words) for station in found]


def _row(station: StationDocument, described: Described, words: Words) -> dict[str, Any]:
    area = described.areas.get(station.area or "")
    return {
        "station": station,
        "name": _station_name(words, station, described.stations.get(station.id)),
        "area": name_of_row(words, area).main if area else station.area,
    }


def _station_name(words: Words, station: StationDocument, facts: DatabaseRow | None) -> Name:
    return name_of(words, station.name, facts["name_en"] if facts else None, facts["name_bo"] if facts else None)


@router.get("/stations/{id}")
async def show_station(request: Request, context: Shared, id: StationId, span: Text = "24h") -> Response:  # noqa: A002
    """One station: now, the last hour, day or week, its terminals, health, usage and incidents."""
    words = words_for(request)
    shown = span if span in _SPANS else "24h"
    async with context.database.snapshot() as connection:
        row = await require_station(connection, id)
        clocks, cover = await load_clocks(connection), await load_cover(connection, [row])
        now = clocks.now
        station = (await complete_stations(connection, [row], clocks, cover))[0]
        described = await describe_stations(connection, [row])
        above = await load_area_path(connection, words, row["area"])
        calendar = await load_calendar(connection, row)
        closures = await load_station_closures(connection, row, now, now + timedelta(seconds=1))
        silences = await load_silences_here(connection, id, row["area"])
        lifecycles = await load_lifecycles(connection, id)
        samples = await list_health(connection, id, now - _DAY, now, Page(_SAMPLES, None))
        usage = await list_usage(connection, id, _midnight(now), now, Page(1, None))
        month = await _load_usage_of_month(connection, id, now)
        wrong = await list_incidents(connection, Page(_INCIDENTS, None), station=id)
        people = [*(row["actor"] for row in lifecycles), *(row["assignee"] for row in wrong.rows)]
        accounts = await load_account_names(connection, words, people)
        past = await _load_past(connection, row, calendar, clocks, _SPANS[shown])
    facts = described.stations.get(id)
    return show(
        request,
        "station.html",
        now=now,
        station=station,
        today=_today(calendar, closures, now),
        silences=silences,
        lifecycles=list(reversed(lifecycles))[:_INCIDENTS],
        who=accounts.shown,
        name=_station_name(words, station, facts),
        facts=facts,
        above=above,
        span=shown,
        spans=list(_SPANS),
        strip=await _timeline_bar(past, words, context.work),
        samples=[_sample(sample) for sample in newest_by_terminal(await samples.documents(context.work))],
        usage=usage.total,
        month=month,
        incidents=await wrong.documents(context.work),
        more_incidents=wrong.next is not None,
    )


def _today(calendar: Calendar, closures: Sequence[StationClosure], now: datetime) -> dict[str, Any]:
    """The opening hours of the day, in Beijing time, and the closures in force."""
    begin = now.astimezone(HOME).replace(hour=0, minute=0, second=0, microsecond=0)
    return {
        "always": calendar is ALWAYS,
        "openings": calendar.openings(begin, begin + timedelta(days=1)),
        "end": begin + timedelta(days=1),
        "provisional": calendar.provisional(begin.date()),
        "closures": closures,
    }


async def _load_usage_of_month(connection: Connection, station: str, now: datetime) -> UsageTotal:
    """The use in the 30 days before the present one (UTC), from the kept figures."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    days = await load_usage_figures(connection, station, FiguresUnit.DAY, today - 30 * _DAY, today)
    return UsageTotal(sessions=sum(day.sessions or 0 for day in days), minutes=sum(day.minutes or 0.0 for day in days))


def _midnight(now: datetime) -> datetime:
    """The last midnight in Beijing, a moment before at midnight itself."""
    begin = now.astimezone(HOME).replace(hour=0, minute=0, second=0, microsecond=0)
    return begin if begin < now else begin - timedelta(days=1)


async def _load_past(
    connection: Connection, station: DatabaseRow, calendar: Calendar, clocks: Clocks, span: timedelta
) -> TimelineRows | None:
    """What the bar of the time up to now is made of; None where too much happened to draw it."""
    try:
        return await load_timeline(connection, station, calendar, clocks, clocks.now - span, clocks.now)
    except Problem as exc:
        if exc.status != HTTPStatus.UNPROCESSABLE_ENTITY:
            raise
        return None


async def _timeline_bar(past: TimelineRows | None, words: Words, work: Work) -> dict[str, Any] | None:
    """The bar of the time up to now; None where too much happened to draw it."""
    if past is None:
        return None
    intervals = (await work.do(past.things, lambda: timeline_document(past))).intervals
    now, span = past.end, past.end - past.begin
    mark = words.hour if span <= _DAY else words.day_hour
    return {
        "parts": PARTS,
        "segments": segments(intervals, now - span, now),
        "sums": sums(intervals),
        "marks": [mark(now - span + span * quarter / 4) for quarter in range(5)],
        "rows": list(reversed(intervals))[:_MOST_ROWS],
        "more": max(len(intervals) - _MOST_ROWS, 0),
    }


def newest_by_terminal(samples: Iterable[HealthSample]) -> list[HealthSample]:
    """The first of each terminal, of samples that come newest first; by terminal."""
    newest: dict[str, HealthSample] = {}
    for sample in samples:
        newest.setdefault(sample.terminal, sample)
    return [newest[terminal] for terminal in sorted(newest)]


_FRACTIONS: Final = {"cpu": "cpu", "memory": "mem", "disk": "disk"}
"""Fields that are fractions, by the names of `contract.glossary`."""


def _sample(sample: HealthSample) -> dict[str, Any]:
    fractions = [(name, getattr(sample, field)) for name, field in _FRACTIONS.items()]
    return {
        "sample": sample,
        "bars": [(name, value, round(value * 100)) for name, value in fractions if value is not None],
        "services": sorted((sample.services or {}).items()),
    }
