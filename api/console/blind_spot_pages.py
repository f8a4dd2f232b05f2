"""The page about blind spots: where, of which kind, since when, and what would clear them."""

from typing import Any, Final

from fastapi import Request, Response

from api.console.area_choice import find_area
from api.console.name_lookup import PlaceNames, load_names
from api.console.names import topic_of, where
from api.console.pages import page_router, show, words_for
from api.console.queries import QUERIES
from api.console.texts import Words
from api.context import Shared
from api.http.paging import Page
from api.http.parameters import Cursor, Text
from api.read.blind_spots import list_blind_spots
from api.read.moment import load_now
from api.read.schemas import BlindSpot
from contract.glossary import WORDS
from contract.kinds import IncidentKind

router = page_router()

KINDS: Final = tuple(WORDS["spot"])
_PAGE: Final = 100


@router.get("/blind-spots")
async def show_blind_spots(
    request: Request,
    context: Shared,
    kind: Text = "",
    area: Text = "",
    cursor: Cursor = "",
) -> Response:
    """Blind spots, the last found first, and how many there are of each kind."""
    words = words_for(request)
    wanted = kind if kind in KINDS else None
    async with context.database.snapshot() as connection:
        where_asked = await find_area(connection, request, area, words)
        asked = where_asked.codes
        found = await list_blind_spots(connection, Page(_PAGE, cursor or None), area=asked, kind=wanted)
        now = await load_now(connection)
        counted = {row["kind"]: row["spots"] for row in await connection.fetch(QUERIES.count_blind_spots, asked)}
        named = await load_names(connection, words, found.rows)
    return show(
        request,
        "blind_spots.html",
        now=now,
        counts=[(one, counted.get(one, 0)) for one in KINDS],
        rows=[spot_row(spot, named, words) for spot in await found.documents(context.work)],
        next=found.next,
        cursor=cursor,
        kind=wanted or "",
        area=area,
        where_asked=where_asked,
        kinds=KINDS,
    )


def spot_row(spot: BlindSpot, named: PlaceNames, words: Words) -> dict[str, Any]:
    """What a page says of a blind spot."""
    area = named.area(spot.area)
    return {
        "spot": spot,
        "kind": topic_of(words, IncidentKind.BLIND_SPOT, spot.detail) or words.named("kind", IncidentKind.BLIND_SPOT),
        "what": named.station(spot.station) or area or "",
        "where": where(*([area, spot.station] if spot.station else [spot.area])),
        "clears": words.named("clears", spot.clears) if spot.clears else None,
    }
