"""Areas: how many stations of a subtree are how, and where its blind spots are."""

from collections import defaultdict
from typing import Annotated, Final

from fastapi import APIRouter, Path

from api.context import QUERIES, Shared, load_clocks
from api.counting import Row, counts_document, soundness, tally
from api.filters import area_codes
from api.problems import not_found
from api.shapes import Area, AreaChild, BlindSpot

router = APIRouter(tags=["areas"])

_MOST_BLIND_SPOTS: Final = 1000
_NAMES: Final = ("code", "name", "name_en", "name_bo", "level")


@router.get("/areas/{code}")
async def get_area(
    context: Shared, code: Annotated[str, Path(max_length=64, description="63 means 630000000000")]
) -> Area:
    """Counts by verdict and open blind spots of the whole subtree, and the counts of each child's."""
    async with context.database.snapshot() as connection:
        area = await connection.fetchrow(QUERIES.find_area, area_codes(code))
        if area is None:
            raise not_found("area", code)
        clocks = await load_clocks(connection)
        groups: dict[str | None, list[Row]] = defaultdict(list)
        for row in await connection.fetch(QUERIES.count_area, *soundness(clocks), area["code"], area["depth"]):
            groups[row["child"]].append(row)
        children = await connection.fetch(QUERIES.list_children, area["code"])
        spots = await connection.fetch(QUERIES.area_blind_spots, area["code"], _MOST_BLIND_SPOTS)
    return Area(
        **{name: area[name] for name in (*_NAMES, "parent")},
        counts=counts_document(tally((row for rows in groups.values() for row in rows), clocks)),
        blind_spots=[_blind_spot(row) for row in spots],
        children=[
            AreaChild(
                **{name: child[name] for name in _NAMES},
                counts=counts_document(tally(groups.get(child["code"], []), clocks)),
            )
            for child in children
        ],
    )


def _blind_spot(row: Row) -> BlindSpot:
    return BlindSpot(
        id=row["id"],
        kind=str(row["detail"].get("kind", row["kind"])),
        area=row["area"],
        station=row["station"],
        since=row["began_at"],
        detail=row["detail"],
    )
