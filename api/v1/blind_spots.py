"""Blind spots: where nobody is served or nobody can tell, since when, and what would change that."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.context import QUERIES, Shared
from api.http.filters import AreaFilter
from api.http.paging import MAX_ID, AfterIncident, PageOf
from api.http.work import WorkRoute
from api.read.counting import Row
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
    after = page.after(AfterIncident, AfterIncident(MAX_ID)).id
    async with context.database.snapshot() as connection:
        rows = await connection.fetch(QUERIES.list_blind_spots, after, area, kind, page.limit + 1)
    shown, following = page.cut(rows, lambda row: AfterIncident(row["id"]))
    items = await context.work.do(len(shown), lambda: [spot_document(row) for row in shown])
    return Listing(items=items, next=following)


def spot_document(row: Row) -> BlindSpot:
    """A blind spot from the row of its incident."""
    clears = row["detail"].get("clears")
    return BlindSpot(
        id=row["id"],
        kind=str(row["detail"].get("kind", row["kind"])),
        area=row["area"],
        station=row["station"],
        since=row["began_at"],
        clears=clears if isinstance(clears, str) else None,
        status=row["status"],
        detail=row["detail"],
    )
