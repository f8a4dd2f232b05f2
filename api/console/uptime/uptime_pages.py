"""The page of uptime: rates of a station or an area in a month or a year."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import Request, Response

from api.console.area_choice import AreaFound, find_area
from api.console.name_lookup import PlaceNames, load_names_of
from api.console.pages import page_router, show, words_for
from api.console.texts import Words
from api.console.uptime.rows import COLUMNS, figure_row, revision_lines
from api.context import Shared
from api.http.paging import Page
from api.http.parameters import Text
from api.http.problems import Problem
from api.http.times import as_form_time
from api.read.found import FoundPage
from api.read.uptime.load import (
    FoundUptime,
    list_station_uptime,
    load_area_uptime,
    load_local_days,
    load_station_uptime,
    usual_period,
)
from api.read.uptime.period import UptimePeriod, period_named
from api.read.uptime.schemas import UptimeDocument, UptimeOfStation
from audit.days.local_days import LocalDay
from store.pool import Connection

router = page_router()

MOST_STATIONS: Final = 200
_PERIOD: Final = re.compile(r"(19|20|21)\d\d(-(0[1-9]|1[0-2]))?")


@router.get("/uptime")
async def show_uptime(
    request: Request, context: Shared, area: Text = "", station: Text = "", period: Text = ""
) -> Response:
    """Figures of a station, an area or everything, with its parts."""
    words = words_for(request)
    async with context.database.snapshot() as connection:
        asked, bad = await _period(connection, period.strip())
        where_asked = await find_area(connection, request, area, words)
        try:
            found = await _load(connection, where_asked, station.strip(), asked)
            stations = await _stations(connection, found, where_asked, station, asked)
            days = await load_local_days(connection, found)
        except Problem as exc:
            if exc.status != 404:
                raise
            found, stations, days = None, None, {}
        named = await load_names_of(connection, words, _places(found, station.strip()))
    shown = None if found is None else await found.document(context.work)
    listed = [] if stations is None else await stations.documents(context.work)
    return show(
        request,
        "uptime.html",
        200 if found is not None else 404,
        shown=shown,
        title=_title(words, named, shown),
        tables=[] if shown is None else _tables(words, named, shown, listed, days),
        columns=COLUMNS,
        period=asked,
        bad_period=bad,
        area=area,
        station=station,
        where_asked=where_asked,
        more=stations is not None and stations.next is not None,
        most=MOST_STATIONS,
    )


async def _period(connection: Connection, text: str) -> tuple[UptimePeriod, bool]:
    """The period that is asked for, else the usual one; and whether the text names none."""
    if _PERIOD.fullmatch(text):
        return period_named(text), False
    return await usual_period(connection), bool(text)


async def _load(connection: Connection, area: AreaFound, station: str, period: UptimePeriod) -> FoundUptime:
    if station:
        return await load_station_uptime(connection, station, period)
    return await load_area_uptime(connection, [area.code] if area.code else area.codes and area.codes[:1], period)


async def _stations(
    connection: Connection, found: FoundUptime, area: AreaFound, station: str, period: UptimePeriod
) -> FoundPage[UptimeOfStation] | None:
    """The stations of an area that has no areas below it; None: others are looked for by their area."""
    if station or not area.code or any(part is not None for _, part, _ in found.parts):
        return None
    return await list_station_uptime(connection, [area.code], period, Page(MOST_STATIONS, None))


def _places(found: FoundUptime | None, station: str) -> Sequence[tuple[str | None, str | None]]:
    if found is None:
        return []
    return [(station or None, found.area), *((None, part) for part in {part for _, part, _ in found.parts})]


def _title(words: Words, named: PlaceNames, shown: UptimeDocument | None) -> str:
    if shown is None:
        return words("uptime")
    name = named.station(shown.station) or named.area(shown.area)
    return words("uptime_of", place=name) if name else words("uptime")


def _tables(
    words: Words,
    named: PlaceNames,
    shown: UptimeDocument,
    stations: Sequence[UptimeOfStation],
    days: Mapping[str, LocalDay],
) -> list[tuple[str, list[dict[str, Any]]]]:
    """(name of the text, rows) of each table that has rows."""
    totals = [figure_row(words, words("uptime_total"), shown.figures)]
    if shown.with_addenda is not None:
        totals.append(figure_row(words, words("uptime_with_addenda"), shown.with_addenda))
    by_part = "uptime_by_month" if len(shown.period) == len("2026") else "uptime_by_day"
    tables = [
        ("uptime_sum", totals),
        (
            "uptime_by_area",
            [figure_row(words, named.area(one.area) or one.area, one.figures, code=one.area) for one in shown.areas],
        ),
        ("uptime_by_station", [_of_station(words, one) for one in stations]),
        (
            by_part,
            [
                figure_row(
                    words,
                    part.at,
                    part.figures,
                    revisions=revision_lines(words, part.revisions),
                    day=_day_query(days.get(part.at)),
                )
                for part in shown.parts
            ],
        ),
    ]
    return [(name, rows) for name, rows in tables if rows]


def _day_query(day: LocalDay | None) -> dict[str, str] | None:
    """The times of a local day, as the page of findings takes them in its address."""
    return None if day is None else {"from": as_form_time(day.begin), "until": as_form_time(day.end)}


def _of_station(words: Words, one: UptimeOfStation) -> dict[str, Any]:
    return figure_row(words, words.pick(one.name, one.name_en), one.figures, station=one.station)
