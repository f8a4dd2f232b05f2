"""The page about blind spots: where, of which kind, since when, and what would clear them."""

from typing import Annotated, Any, Final

from fastapi import Query, Request, Response

from api.console.area_choice import find_area
from api.console.name_lookup import Names, names_of
from api.console.names import topic_of, where
from api.console.pages import page_router, show, words_for
from api.console.texts import Words
from api.context import QUERIES, Context, Shared
from api.http.paging import MAX_CURSOR, Page
from api.read.schemas import BlindSpot
from api.v1 import blind_spots
from contract.glossary import WORDS
from contract.kinds import IncidentKind

router = page_router()

KINDS: Final = tuple(WORDS["spot"])
_PAGE: Final = 100

Text = Annotated[str, Query(max_length=64)]


@router.get("/blind-spots")
async def show_blind_spots(
    request: Request,
    context: Shared,
    kind: Text = "",
    area: Text = "",
    cursor: Annotated[str, Query(max_length=MAX_CURSOR)] = "",
) -> Response:
    """Blind spots, the last found first, and how many there are of each kind."""
    words = words_for(request)
    where_asked = await find_area(context, request, area, words)
    asked = where_asked.codes
    wanted = kind if kind in KINDS else None
    found = await blind_spots.list_blind_spots(context, Page(_PAGE, cursor or None), asked, wanted)
    now, counted, named = await _around(context, words, asked, found.items)
    return show(
        request,
        "blind_spots.html",
        now=now,
        counts=[(one, counted.get(one, 0)) for one in KINDS],
        rows=[spot_row(spot, named, words) for spot in found.items],
        next=found.next,
        cursor=cursor,
        kind=wanted or "",
        area=area,
        where_asked=where_asked,
        kinds=KINDS,
    )


async def _around(
    context: Context, words: Words, area: list[str] | None, spots: list[BlindSpot]
) -> tuple[Any, dict[str, int], Names]:
    """The time, how many spots there are of each kind, and the names of what some of them are about."""
    async with context.database.snapshot() as connection:
        now = await connection.fetchval(QUERIES.now)
        counted = {row["kind"]: row["spots"] for row in await connection.fetch(QUERIES.count_blind_spots, area)}
        return now, counted, await names_of(connection, words, spots)


def spot_row(spot: BlindSpot, named: Names, words: Words) -> dict[str, Any]:
    """What a page says of a blind spot."""
    area = named.area(spot.area)
    return {
        "spot": spot,
        "kind": topic_of(words, IncidentKind.BLIND_SPOT, spot.detail) or words.named("kind", IncidentKind.BLIND_SPOT),
        "what": named.station(spot.station) or area or "",
        "where": where(*([area, spot.station] if spot.station else [spot.area])),
        "clears": words.named("clears", spot.clears) if spot.clears else None,
    }
