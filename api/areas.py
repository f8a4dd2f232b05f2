"""Areas: how many stations of a subtree are how, and where its blind spots are."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Path

from alerting.verdict import Clocks
from api.blind_spots import spot_document
from api.context import QUERIES, Shared, load_clocks, load_cover
from api.counting import Row, are_kept, counts_document, grounds, kept_row, tally
from api.filters import area_codes
from api.paging import MAX_ID
from api.problems import not_found
from api.shapes import Area, AreaChild, Counts
from api.work import WorkRoute
from store.pool import Connection

router = APIRouter(tags=["areas"], route_class=WorkRoute)

_MOST_BLIND_SPOTS: Final = 1000
MOST_CHILDREN: Final = 1000
"""Parts of an area that are listed; a level of 1,000 is one that somebody forgot to divide."""
_NAMES: Final = ("code", "name", "name_en", "name_bo", "level")
_NOBODY: Final = Counts()


@router.get("/areas/{code}")
async def get_area(
    context: Shared, code: Annotated[str, Path(max_length=64, description="63 means 630000000000")]
) -> Area:
    """Counts by verdict and open blind spots of the whole subtree, and the counts of each child's."""
    async with context.database.snapshot() as connection:
        area = await connection.fetchrow(QUERIES.find_area, area_codes(code))
        if area is None:
            raise not_found("area", code)
        children = await connection.fetch(QUERIES.list_children, area["code"], MOST_CHILDREN)
        counts = await _counts(connection, area, children)
        spots = await connection.fetch(QUERIES.list_blind_spots, MAX_ID, [area["code"]], None, _MOST_BLIND_SPOTS)
    return await context.work.do(len(children) + len(spots), lambda: _area(area, children, counts, spots))


def _area(area: Row, children: Sequence[Row], counts: Mapping[str, Counts], spots: Sequence[Row]) -> Area:
    return Area(
        **{name: area[name] for name in (*_NAMES, "parent")},
        counts=counts.get(area["code"], _NOBODY),
        blind_spots=[spot_document(row) for row in spots],
        children=[
            AreaChild(**{name: child[name] for name in _NAMES}, counts=counts.get(child["code"], _NOBODY))
            for child in children
        ],
    )


async def _counts(connection: Connection, area: Row, children: Sequence[Row]) -> dict[str, Counts]:
    """Of the area and its children, by code: those that are kept, or where they are not to be had, counted anew."""
    clocks = await load_clocks(connection)
    if await are_kept(connection, clocks):
        codes = [area["code"], *(child["code"] for child in children)]
        rows = await connection.fetch(QUERIES.kept_counts, codes)
        return {row["area"]: counts_document(kept_row(row)) for row in rows}
    return await _counted(connection, area, clocks)


async def _counted(connection: Connection, area: Row, clocks: Clocks) -> dict[str, Counts]:
    cover = await load_cover(connection)
    groups: dict[str | None, list[Row]] = defaultdict(list)
    for row in await connection.fetch(QUERIES.count_area, *grounds(clocks, cover), area["code"], area["depth"]):
        groups[row["child"]].append(row)
    counts = {child: counts_document(tally(rows, clocks)) for child, rows in groups.items() if child is not None}
    return counts | {area["code"]: counts_document(tally((row for rows in groups.values() for row in rows), clocks))}
