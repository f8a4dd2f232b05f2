"""Pages about stations: all that fit a filter, and one."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import Query, Request, Response

from alerting.stations.verdict import Verdict
from api.console.area_choice import find_area
from api.console.names import Facts, Name, name_of, name_of_row
from api.console.pages import page_router, show, words_for
from api.console.station_map import ORDER
from api.console.texts import Words
from api.console.timeline_bar import PARTS, segments, sums
from api.context import QUERIES, Context, Shared
from api.http.paging import MAX_CURSOR, Page
from api.http.problems import Problem
from api.http.times import Asked
from api.read.schemas import HealthSample, Station
from api.v1 import history, incidents, schedules, stations
from api.v1.stations import StationId
from contract.home import HOME
from registry.hours.calendar import ALWAYS
from store.pool import Connection

router = page_router()

_PAGE: Final = 50
_DAY: Final = timedelta(hours=24)
_RETIRED: Final = "retired"
"""Asks for the retired stations, where otherwise a verdict stands."""
_SPANS: Final = {"1h": timedelta(hours=1), "24h": _DAY, "7d": timedelta(days=7)}
"""How much of the past a station's strip shows, by what `?span=` names."""
_SAMPLES: Final = 100
_INCIDENTS: Final = 20
_MOST_ROWS: Final = 60

Text = Annotated[str, Query(max_length=64)]
Cursor = Annotated[str, Query(max_length=MAX_CURSOR)]


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
    where_asked = await find_area(context, request, area, words)
    found = await stations.list_stations(
        context, Page(_PAGE, cursor or None), where_asked.codes, wanted, q.strip() or None, verdict == _RETIRED
    )
    return show(
        request,
        "stations.html",
        q=q,
        verdict=wanted.value if wanted else _RETIRED if verdict == _RETIRED else "",
        removed=removed,
        area=area,
        where_asked=where_asked,
        verdicts=[one.value for one in (Verdict.ONLINE, *(one for one in ORDER if one is not Verdict.ONLINE))],
        rows=await station_rows(context, found.items, words),
        next=found.next,
        cursor=cursor,
    )


async def station_rows(context: Context, found: Sequence[Station], words: Words) -> list[dict[str, Any]]:
    """Stations as a list of a page shows them: with their names in the reader's language, and their areas'."""
    described, named = await _describe(context, found)
    return [_row(station, described, named, words) for station in found]


async def _describe(context: Context, found: Sequence[Station]) -> tuple[dict[str, Facts], dict[str, Facts]]:
    """More of some stations by id, and their areas by code."""
    async with context.database.snapshot() as connection:
        described = await connection.fetch(QUERIES.describe_stations, [station.id for station in found])
        codes = list({station.area for station in found if station.area})
        named = await connection.fetch(QUERIES.name_areas, codes)
    return {row["id"]: row for row in described}, {row["code"]: row for row in named}


def _row(station: Station, described: Mapping[str, Facts], named: Mapping[str, Facts], words: Words) -> dict[str, Any]:
    area = named.get(station.area or "")
    return {
        "station": station,
        "name": _station_name(words, station, described.get(station.id)),
        "area": name_of_row(words, area).main if area else station.area,
    }


def _station_name(words: Words, station: Station, facts: Facts | None) -> Name:
    return name_of(words, station.name, facts["name_en"] if facts else None, facts["name_bo"] if facts else None)


@router.get("/stations/{id}")
async def show_station(request: Request, context: Shared, id: StationId, span: Text = "24h") -> Response:  # noqa: A002
    """One station: now, the last hour, day or week, its terminals, health, usage and incidents."""
    words = words_for(request)
    shown = span if span in _SPANS else "24h"
    station = await stations.get_station(context, id)
    described, _ = await _describe(context, [station])
    async with context.database.snapshot() as connection:
        now = await connection.fetchval(QUERIES.now)
        above = await connection.fetch(QUERIES.area_path, station.area)
        today = await _today(connection, id, now)
        lifecycles = await connection.fetch(QUERIES.station_lifecycles, id)
    facts = described.get(id)
    samples = await history.list_health(context, id, Asked(now - _DAY, now), Page(_SAMPLES, None))
    usage = await history.list_usage(context, id, Asked(_midnight(now), now), Page(1, None))
    wrong = await incidents.list_incidents(context, Page(_INCIDENTS, None), station=id)
    return show(
        request,
        "station.html",
        now=now,
        station=station,
        today=today,
        lifecycles=list(reversed(lifecycles))[:_INCIDENTS],
        name=_station_name(words, station, facts),
        facts=facts,
        above=[(row["code"], name_of_row(words, row).main) for row in above],
        span=shown,
        spans=list(_SPANS),
        strip=await _strip(context, id, now, _SPANS[shown], words),
        samples=[_sample(sample) for sample in newest_by_terminal(samples.items)],
        usage=usage.total,
        incidents=wrong.items,
        more_incidents=wrong.next is not None,
    )


async def _today(connection: Connection, station: str, now: datetime) -> dict[str, Any]:
    """The opening hours of the day, in Beijing time, and the closures in force."""
    row = await stations.require_station(connection, station)
    calendar = await schedules.calendar_of_station(connection, row)
    begin = now.astimezone(HOME).replace(hour=0, minute=0, second=0, microsecond=0)
    closures = await schedules.closures_of(connection, row, now, now + timedelta(seconds=1))
    return {
        "always": calendar is ALWAYS,
        "openings": calendar.openings(begin, begin + timedelta(days=1)),
        "end": begin + timedelta(days=1),
        "provisional": calendar.provisional(begin.date()),
        "closures": closures,
    }


def _midnight(now: datetime) -> datetime:
    """The last midnight in Beijing, a moment before at midnight itself."""
    begin = now.astimezone(HOME).replace(hour=0, minute=0, second=0, microsecond=0)
    return begin if begin < now else begin - timedelta(days=1)


async def _strip(context: Context, station: str, now: datetime, span: timedelta, words: Words) -> dict[str, Any] | None:
    """The strip of the time up to now; None where too much happened to draw it."""
    try:
        timeline = await history.get_timeline(context, station, Asked(now - span, now))
    except Problem as exc:
        if exc.status != HTTPStatus.UNPROCESSABLE_ENTITY:
            raise
        return None
    intervals = timeline.intervals
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
