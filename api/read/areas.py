"""Areas with the counts of their stations: one with its parts and blind spots, and all roots together."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

import asyncpg
import msgspec

from alerting.stations.expected import Cover
from alerting.stations.verdict import Clocks
from api.http.paging import MAX_ID
from api.http.parameters import area_codes
from api.http.problems import not_found
from api.http.work import Work
from api.read.blind_spots import spot_document
from api.read.counting import Totals, are_kept, counts_document, grounds, kept_row, sum_totals, tally
from api.read.moment import load_clocks, load_cover
from api.read.queries import QUERIES
from api.read.rows import DatabaseRow
from api.read.schemas import AreaChild, AreaDocument, VerdictCounts
from api.read.scope import subtree_codes
from store.pool import Connection

_MOST_BLIND_SPOTS: Final = 1000
MOST_CHILDREN: Final = 1000
"""Parts of an area that are listed; a level of 1,000 is one that should have been divided."""
_MOST_ROOTS: Final = 200
_NAMES: Final = ("code", "name", "name_en", "name_bo", "level")
_NO_STATION: Final = VerdictCounts()


class FoundArea(msgspec.Struct, frozen=True):
    """The rows of an area, its parts and its blind spots, and the counts of the area and its parts by code."""

    area: asyncpg.Record
    children: Sequence[asyncpg.Record]
    counts: Mapping[str, VerdictCounts]
    spots: Sequence[asyncpg.Record]

    async def document(self, work: Work) -> AreaDocument:
        """The area as the API answers it. Raises a Problem (503) when too many large answers are being made."""
        return await work.do(len(self.children) + len(self.spots), self._document)

    def _document(self) -> AreaDocument:
        return AreaDocument(
            **{name: self.area[name] for name in (*_NAMES, "parent")},
            counts=self.counts.get(self.area["code"], _NO_STATION),
            blind_spots=[spot_document(row) for row in self.spots],
            children=[_child(row, self.counts.get(row["code"], _NO_STATION)) for row in self.children],
        )


class AllAreas(msgspec.Struct, frozen=True):
    """All stations of the scope, those of each root (an area that lies in no other), and how many lie in no area."""

    counts: VerdictCounts
    roots: list[AreaChild]
    nowhere: int


async def load_area(connection: Connection, code: str) -> FoundArea:
    """An area by its code, short ones too. Raises a Problem (404), also for an area above the scope."""
    area = await find_area_row(connection, code)
    if area is None or not area["in_scope"]:
        raise not_found("area", code)
    children = await connection.fetch(QUERIES.list_children, area["code"], MOST_CHILDREN)
    counts = await _counts(connection, area, children)
    spots = await connection.fetch(QUERIES.list_blind_spots, MAX_ID, [area["code"]], None, _MOST_BLIND_SPOTS)
    return FoundArea(area, children, counts, spots)


async def find_area_row(connection: Connection, code: str) -> asyncpg.Record | None:
    """The row of an area by its code as given, else by the code padded to 12 digits."""
    return await connection.fetchrow(QUERIES.find_area, area_codes(code))


async def load_all_areas(connection: Connection) -> AllAreas:
    """All stations together."""
    roots = await connection.fetch(QUERIES.list_roots, _MOST_ROOTS)
    clocks, cover = await load_clocks(connection), await load_cover(connection)
    nowhere = tally(await connection.fetch(QUERIES.count_nowhere, *grounds(clocks, cover)))
    if await are_kept(connection, clocks):
        totals = {row["area"]: kept_row(row) for row in await connection.fetch(QUERIES.kept_roots)}
    else:
        totals = await _counted_roots(connection, clocks, cover, [root["code"] for root in roots])
    return AllAreas(
        counts=counts_document(sum_totals([nowhere, *totals.values()])),
        roots=[_child(root, counts_document(totals.get(root["code"], {}))) for root in roots],
        nowhere=sum(nowhere.values()),
    )


def _child(row: DatabaseRow, counts: VerdictCounts) -> AreaChild:
    return AreaChild(**{name: row[name] for name in _NAMES}, counts=counts)


async def _counts(
    connection: Connection, area: asyncpg.Record, children: Sequence[asyncpg.Record]
) -> dict[str, VerdictCounts]:
    """Of the area and its children, by code: the kept counts, or counted anew while the kept ones are not current."""
    clocks = await load_clocks(connection)
    if await are_kept(connection, clocks):
        codes = [area["code"], *(child["code"] for child in children)]
        rows = await connection.fetch(QUERIES.kept_counts, codes)
        return {row["area"]: counts_document(kept_row(row)) for row in rows}
    return await _counted(connection, area, clocks)


async def _counted(connection: Connection, area: asyncpg.Record, clocks: Clocks) -> dict[str, VerdictCounts]:
    cover = await load_cover(connection)
    groups: dict[str | None, list[asyncpg.Record]] = defaultdict(list)
    given = (area["code"], area["depth"], await subtree_codes(connection, [area["code"]]))
    for row in await connection.fetch(QUERIES.count_area, *grounds(clocks, cover), *given):
        groups[row["child"]].append(row)
    counts = {child: counts_document(tally(rows)) for child, rows in groups.items() if child is not None}
    return counts | {area["code"]: counts_document(tally(row for rows in groups.values() for row in rows))}


async def _counted_roots(connection: Connection, clocks: Clocks, cover: Cover, roots: list[str]) -> dict[str, Totals]:
    groups: dict[str, list[asyncpg.Record]] = defaultdict(list)
    for row in await connection.fetch(QUERIES.count_roots, *grounds(clocks, cover), roots):
        groups[row["root"]].append(row)
    return {root: tally(rows) for root, rows in groups.items()}
