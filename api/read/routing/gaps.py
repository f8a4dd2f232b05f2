"""Where and when no person would be told of an incident."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import asyncpg
import msgspec

from api.http.problems import Problem, bad_parameter
from api.read.moment import load_now
from api.read.queries import QUERIES
from api.read.routing.route_schemas import GapIncident, GapsDocument, SpanDocument, UntoldGapDocument
from contract.bounds import OutOfBoundsError, require_time
from registry.routes.gaps import NOWHERE, GapQuestion, UntoldGap, find_gaps
from registry.routes.routing import Routing
from registry.routes.store import load_routing
from store.pool import Connection

MOST_GAPS: Final = 200
MOST_SHOWN: Final = 200
"""Areas, and spans, of one gap in an answer."""


class AskedGaps(msgspec.Struct, frozen=True, kw_only=True):
    """Which areas and times are asked about, and everything that decides who is told. `area`: codes of which the whole
    subtrees are meant; None: the scope."""

    question: GapQuestion
    area: list[str] | None
    routing: Routing
    rows: Sequence[asyncpg.Record]

    def document(self) -> GapsDocument:
        """The gaps; this takes seconds of a country. Raises a Problem (404) for an area that is not there or outside
        the scope."""
        paths = _paths(self.rows, self.area, self.routing)
        if self.area is not None and not paths:
            raise Problem(404, f"there is no area {self.area[0]!r}")
        levels = {row["code"]: row["level"] for row in self.rows}
        return _document(find_gaps(self.routing, paths, levels, self.question), self.question, len(paths))


async def load_gaps_asked(
    connection: Connection, *, area: list[str] | None, begin: datetime | None, days: int
) -> AskedGaps:
    """What gaps in subtrees follow from, for some days from a time (None: now)."""
    since = (begin or await load_now(connection)).replace(second=0, microsecond=0)
    question = GapQuestion(begin=since, end=_end(since, days))
    routing = await load_routing(connection, since=since)
    return AskedGaps(question=question, area=area, routing=routing, rows=await connection.fetch(QUERIES.area_paths))


def _end(since: datetime, days: int) -> datetime:
    try:
        return require_time(since + timedelta(days=days))
    except (OutOfBoundsError, OverflowError) as exc:
        raise bad_parameter("from", "is too late: name an earlier time") from exc


def _paths(rows: Sequence[asyncpg.Record], area: list[str] | None, routing: Routing) -> dict[str, tuple[str, ...]]:
    """The paths of the areas that are asked about; of those above the scope only the names are seen."""
    paths = {row["code"]: tuple(row["path"]) for row in rows}
    if routing.scope is not None:
        paths = {code: path for code, path in paths.items() if not routing.scope.isdisjoint(path)}
    elif area is None:
        return {NOWHERE: (), **paths}
    if area is None:
        return paths
    return {code: path for code, path in paths.items() if not set(area).isdisjoint(path)}


def _document(gaps: Sequence[UntoldGap], question: GapQuestion, asked: int) -> GapsDocument:
    return GapsDocument(
        begin=question.begin,
        until=question.end,
        area_count=asked,
        gaps=[_gap(gap) for gap in gaps[:MOST_GAPS]],
        more=max(len(gaps) - MOST_GAPS, 0),
    )


def _gap(gap: UntoldGap) -> UntoldGapDocument:
    hours = sum((until - since for since, until in gap.spans), timedelta()) / timedelta(hours=1)
    return UntoldGapDocument(
        areas=[None if code == NOWHERE else code for code in gap.areas[:MOST_SHOWN]],
        area_count=len(gap.areas),
        spans=[SpanDocument(begin=since, until=until) for since, until in gap.spans[:MOST_SHOWN]],
        hours=round(hours, 2),
        incidents=[GapIncident(kind=kind, severity=severity) for kind, severity in gap.incidents],  # type: ignore[arg-type]
        route=gap.route,
        why=gap.why,  # type: ignore[arg-type]
        programme=gap.programme,
        station_kind=gap.station_kind,
    )
