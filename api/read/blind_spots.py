"""Blind spots that are open."""

from api.http.paging import MAX_ID, AfterIncident, Page
from api.read.found import FoundPage
from api.read.queries import QUERIES
from api.read.rows import DatabaseRow
from api.read.schemas import BlindSpot
from store.pool import Connection


async def list_blind_spots(
    connection: Connection, page: Page, *, area: list[str] | None = None, kind: str | None = None
) -> FoundPage[BlindSpot]:
    """Open blind spots, the last found first. `area`: codes of which the whole subtrees are meant. Raises a Problem
    for a cursor that is not ours."""
    after = page.after(AfterIncident, AfterIncident(MAX_ID)).id
    rows = await connection.fetch(QUERIES.list_blind_spots, after, area, kind, page.limit + 1)
    shown, following = page.cut(rows, lambda row: AfterIncident(row["id"]))
    return FoundPage(rows=shown, next=following, document=spot_document, things=len(shown))


def spot_document(row: DatabaseRow) -> BlindSpot:
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
