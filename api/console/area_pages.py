"""Pages about areas: all of them together, and one with its parts, its stations and its blind spots."""

from typing import Annotated, Any, Final

from fastapi import Path, Query, Request, Response
from starlette.responses import RedirectResponse

from api.console.blind_spot_pages import spot_row
from api.console.board import verdicts
from api.console.name_lookup import names_of
from api.console.names import Name, name_of, name_of_row
from api.console.pages import page_router, show, words_for
from api.console.station_pages import station_rows
from api.console.texts import Words
from api.context import QUERIES, Shared
from api.http.paging import MAX_CURSOR, Page
from api.read.schemas import Area, AreaChild
from api.v1 import areas, stations

router = page_router()

_STATIONS: Final = 20
_SPOTS: Final = 10


@router.get("/areas")
async def show_roots(request: Request, context: Shared) -> Response:
    """All stations together, and those of each area that lies in no other; of a single one, its own page."""
    words = words_for(request)
    whole = await areas.get_whole(context)
    if len(whole.roots) == 1 and not whole.nowhere:
        return RedirectResponse(f"/areas/{whole.roots[0].code}", status_code=303)
    return show(
        request,
        "areas.html",
        counts=whole.counts,
        verdicts=verdicts(whole.counts),
        nowhere=whole.nowhere,
        roots=[_child(words, root) for root in whole.roots],
    )


@router.get("/areas/{code}")
async def show_area(
    request: Request,
    context: Shared,
    code: Annotated[str, Path(max_length=64)],
    cursor: Annotated[str, Query(max_length=MAX_CURSOR)] = "",
) -> Response:
    """How many stations of an area are how, the same of each part of it, its stations, and its blind spots."""
    words = words_for(request)
    area = await areas.get_area(context, code)
    found = await stations.list_stations(context, Page(_STATIONS, cursor or None), [area.code], retired=False)
    async with context.database.snapshot() as connection:
        above = await connection.fetch(QUERIES.area_path, area.code)
        spots = area.blind_spots[:_SPOTS]
        named = await names_of(connection, words, spots)
    return show(
        request,
        "area.html",
        area=area,
        name=_area_name(words, area),
        above=[(row["code"], name_of_row(words, row).main) for row in above[:-1]],
        verdicts=verdicts(area.counts),
        spots=[spot_row(spot, named, words) for spot in spots],
        children=[_child(words, child) for child in area.children],
        stations=await station_rows(context, found.items, words),
        next=found.next,
        cursor=cursor,
    )


def _child(words: Words, child: AreaChild) -> dict[str, Any]:
    return {
        "code": child.code,
        "name": _area_name(words, child),
        "verdicts": verdicts(child.counts),
        "counts": child.counts,
    }


def _area_name(words: Words, area: Area | AreaChild) -> Name:
    return name_of(words, area.name, area.name_en, area.name_bo)
