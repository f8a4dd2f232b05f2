"""Areas: how many stations of a subtree are how, and where its blind spots are."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Path

from alerting.stations.expected import Cover
from alerting.stations.verdict import Clocks, Verdict
from api.context import QUERIES, Context, Shared, load_clocks, load_cover
from api.http.filters import area_codes
from api.http.paging import MAX_ID
from api.http.problems import not_found
from api.http.work import WorkRoute
from api.read.counting import Row, Totals, are_kept, counts_document, grounds, kept_row, tally
from api.read.schemas import Area, AreaChild, Counts
from api.v1.blind_spots import spot_document
from store.pool import Connection

router = APIRouter(tags=["areas"], route_class=WorkRoute)

_MOST_BLIND_SPOTS: Final = 1000
MOST_CHILDREN: Final = 1000
"""Parts of an area that are listed; a level of 1,000 is one that somebody forgot to divide."""
_NAMES: Final = ("code", "name", "name_en", "name_bo", "level")
_NOBODY: Final = Counts()
_MOST_ROOTS: Final = 200


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


class Whole(msgspec.Struct, frozen=True):
    """All stations, those of each root (an area that lies in no other), and how many lie in no area."""

    counts: Counts
    roots: list[AreaChild]
    nowhere: int


async def get_whole(context: Context) -> Whole:
    """All stations together, in one snapshot."""
    async with context.database.snapshot() as connection:
        roots = await connection.fetch(QUERIES.list_roots, _MOST_ROOTS)
        clocks, cover = await load_clocks(connection), await load_cover(connection)
        nowhere = tally(await connection.fetch(QUERIES.count_nowhere, *grounds(clocks, cover)), clocks)
        if await are_kept(connection, clocks):
            totals = {row["area"]: kept_row(row) for row in await connection.fetch(QUERIES.kept_roots)}
        else:
            totals = await _counted_roots(connection, clocks, cover)
    return Whole(
        counts=counts_document(_sum([nowhere, *totals.values()])),
        roots=[
            AreaChild(**{name: root[name] for name in _NAMES}, counts=counts_document(totals.get(root["code"], {})))
            for root in roots
        ],
        nowhere=sum(nowhere.values()),
    )


async def _counted_roots(connection: Connection, clocks: Clocks, cover: Cover) -> dict[str, Totals]:
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in await connection.fetch(QUERIES.count_roots, *grounds(clocks, cover)):
        groups[row["root"]].append(row)
    return {root: tally(rows, clocks) for root, rows in groups.items()}


def _sum(parts: Iterable[Totals]) -> Totals:
    totals: dict[Verdict, int] = defaultdict(int)
    for part in parts:
        for verdict, number in part.items():
            totals[verdict] += number
    return dict(totals)
