"""Pages about areas: all of them together, and one with its parts, its stations and its blind spots."""

from typing import Annotated, Any, Final

from fastapi import Path, Request, Response
from starlette.responses import RedirectResponse

from api.console.blind_spot_pages import spot_row
from api.console.board import verdicts
from api.console.name_lookup import describe_stations, load_area_path, load_names
from api.console.names import Name, name_of
from api.console.pages import page_router, show, words_for
from api.console.station_pages import station_rows
from api.console.texts import Words
from api.context import Shared
from api.http.paging import Page
from api.http.parameters import Cursor
from api.read.areas import load_all_areas, load_area
from api.read.routing.silences import load_silences_here
from api.read.schemas import AreaChild, AreaDocument
from api.read.stations import list_stations

router = page_router()

_STATIONS: Final = 20
_SPOTS: Final = 10


@router.get("/areas")
async def show_roots(request: Request, context: Shared) -> Response:
    """All stations together, and those of each area that lies in no other; of a single one, its own page."""
    words = words_for(request)
    async with context.database.snapshot() as connection:
        whole = await load_all_areas(connection)
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
    cursor: Cursor = "",
) -> Response:
    """The stations of an area by verdict, the same of each part of it, its stations, and its blind spots."""
    words = words_for(request)
    async with context.database.snapshot() as connection:
        found = await load_area(connection, code)
        listed = await list_stations(
            connection, Page(_STATIONS, cursor or None), area=[found.area["code"]], retired=False
        )
        above = await load_area_path(connection, words, found.area["code"])
        silences = await load_silences_here(connection, None, found.area["code"])
        named = await load_names(connection, words, found.spots[:_SPOTS])
        described = await describe_stations(connection, listed.rows)
    area = await found.document(context.work)
    return show(
        request,
        "area.html",
        area=area,
        name=_area_name(words, area),
        above=above[:-1],
        silences=silences,
        verdicts=verdicts(area.counts),
        spots=[spot_row(spot, named, words) for spot in area.blind_spots[:_SPOTS]],
        children=[_child(words, child) for child in area.children],
        stations=station_rows(await listed.documents(context.work), described, words),
        next=listed.next,
        cursor=cursor,
    )


def _child(words: Words, child: AreaChild) -> dict[str, Any]:
    return {
        "code": child.code,
        "name": _area_name(words, child),
        "verdicts": verdicts(child.counts),
        "counts": child.counts,
    }


def _area_name(words: Words, area: AreaDocument | AreaChild) -> Name:
    return name_of(words, area.name, area.name_en, area.name_bo)
