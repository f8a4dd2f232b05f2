"""Blind spots: places without service or without knowledge about it, since when, and what would change that."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.context import Shared
from api.http.paging import PageOf
from api.http.parameters import AreaFilter
from api.http.work import WorkRoute
from api.read import blind_spots
from api.read.schemas import BlindSpot, Listing

router = APIRouter(tags=["blind spots"], route_class=WorkRoute)


@router.get("/blind-spots")
async def list_blind_spots(
    context: Shared,
    page: PageOf,
    area: AreaFilter = None,
    kind: Annotated[
        str | None,
        Query(max_length=64, description="uncovered, dark, shut, idle, stale, no_wifi or area_dark"),
    ] = None,
) -> Listing[BlindSpot]:
    """Blind spots that are open now, the last found first."""
    async with context.database.snapshot() as connection:
        found = await blind_spots.list_blind_spots(connection, page, area=area, kind=kind)
    return await found.listing(context.work)
