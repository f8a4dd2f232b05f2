"""Stations: what is judged of them now."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import asyncpg
from fastapi import APIRouter, Path, Query

from alerting.stations.expected import Cover
from alerting.stations.snapshot import UNPROVEN
from alerting.stations.verdict import LIVE, UP, Clock, Clocks, Verdict, judge
from api.context import QUERIES, Context, Shared, load_clocks, load_cover
from api.http.filters import AreaFilter
from api.http.paging import AfterStation, PageOf
from api.http.problems import not_found
from api.http.work import WorkRoute
from api.read.schemas import Listing, Station, Terminal
from store.pool import Connection

router = APIRouter(tags=["stations"], route_class=WorkRoute)

Row = asyncpg.Record
StationId = Annotated[str, Path(max_length=64, description="the station's id")]

_TIMED: Final = frozenset({"online", "away", "conflicting"})
_NEVER: Final = datetime.min.replace(tzinfo=UTC)
_MOST_CODES: Final = 5000
MOST_TERMINALS: Final = 4000
"""Terminals of an answer: a page ends earlier when its stations have more."""
_LONGEST_S: Final = 7 * 86_400.0


@router.get("/stations")
async def list_stations(
    context: Shared,
    page: PageOf,
    area: AreaFilter = None,
    verdict: Annotated[Verdict | None, Query(description="only those that are so now")] = None,
    q: Annotated[str | None, Query(max_length=64, description="part of an id or name")] = None,
    retired: Annotated[
        bool | None, Query(description="true: only retired ones; false: none of them, as the counts of areas have it")
    ] = None,
) -> Listing[Station]:
    """Stations in the order of their ids: they are no events, so none is newest."""
    after = page.after(AfterStation, AfterStation("")).id
    async with context.database.snapshot() as connection:
        clocks = await load_clocks(connection)
        # Who is excused is asked of all stations only to find those of a verdict.
        cover = Cover() if verdict is None else await load_cover(connection)
        rows = await connection.fetch(
            QUERIES.list_stations,
            after,
            clocks.sound,
            [clock.partition for clock in clocks.partly_sound],
            [clock.shard for clock in clocks.partly_sound],
            *await _subtree(connection, area),
            verdict,
            page.limit + 1,
            (q or "").strip() or None,
            *cover.arguments,
            retired,
            await _maybe_unknown(connection, after, clocks) if verdict is Verdict.UNKNOWN else None,
        )
        terminals, full = await terminals_of(connection, rows[: page.limit])
        cover = await load_cover(connection, rows)
    shown, following = page.shorter(full).cut(rows, lambda row: AfterStation(row["id"]))
    things = len(shown) + sum(map(len, terminals.values()))
    items = await context.work.do(things, lambda: documents_of(shown, terminals, clocks, cover))
    return Listing(items=items, next=following)


async def _maybe_unknown(connection: Connection, after: str, clocks: Clocks) -> list[str] | None:
    """All stations that can read `unknown`, if they are few. None: with a clock in doubt they are so many that reading
    all stations in their order finds some soon."""
    sound = set(clocks.sound)
    if any(clock.partition not in sound for clock in clocks.all):
        return None
    rows = await connection.fetch(QUERIES.maybe_unknown, after, clocks.sound, _MOST_CODES + 1)
    return None if len(rows) > _MOST_CODES else [row["station"] for row in rows]


async def _subtree(connection: Connection, area: list[str] | None) -> tuple[list[str] | None, list[str] | None]:
    """An area for list_stations: all codes of its subtree, or its own where those would be too many."""
    if area is None:
        return None, None
    codes = [row["code"] for row in await connection.fetch(QUERIES.subtree, area, _MOST_CODES + 1)]
    return (None, area) if len(codes) > _MOST_CODES else (codes, None)


@router.get("/stations/{id}")
async def get_station(context: Shared, id: StationId) -> Station:  # noqa: A002 -- the path's own name for it
    """One station, in the same shape as in the list."""
    async with context.database.snapshot() as connection:
        row = await require_station(connection, id)
        clocks, cover = await load_clocks(connection), await load_cover(connection, [row])
        return (await complete(connection, [row], clocks, cover))[0]


async def some_stations(context: Context, ids: Sequence[str]) -> dict[str, Station]:
    """The documents of those of the stations that are there, by id."""
    async with context.database.snapshot() as connection:
        rows = await connection.fetch(QUERIES.get_stations, list(ids))
        clocks, cover = await load_clocks(connection), await load_cover(connection, rows)
        return {station.id: station for station in await complete(connection, rows, clocks, cover)}


async def require_station(connection: Connection, station: str) -> Row:
    """The station's row, or 404."""
    row: Row | None = await connection.fetchrow(QUERIES.get_stations, [station])
    if row is None:
        raise not_found("station", station)
    return row


async def complete(connection: Connection, rows: Sequence[Row], clocks: Clocks, cover: Cover) -> list[Station]:
    """The documents of a few station rows, their terminals looked up together."""
    terminals, _ = await terminals_of(connection, rows)
    return documents_of(rows, terminals, clocks, cover)


async def terminals_of(connection: Connection, rows: Sequence[Row]) -> tuple[Mapping[str, Sequence[Row]], int]:
    """The terminals of some stations (by id), by station, at most MOST_TERMINALS; and for how many of the stations, but
    for one at least, that was enough."""
    terminals: dict[str, list[Row]] = {row["id"]: [] for row in rows}
    found = await connection.fetch(QUERIES.list_terminals, list(terminals), MOST_TERMINALS + 1)
    for terminal in found[:MOST_TERMINALS]:
        terminals[terminal["station"]].append(terminal)
    if len(found) <= MOST_TERMINALS:
        return terminals, len(rows)
    return terminals, max(list(terminals).index(found[-1]["station"]), 1)


def documents_of(
    rows: Sequence[Row], terminals: Mapping[str, Sequence[Row]], clocks: Clocks, cover: Cover
) -> list[Station]:
    """The documents of stations whose terminals are at hand."""
    return [station_document(row, terminals[row["id"]], clocks, cover) for row in rows]


def heard_through(terminals: Sequence[Row]) -> str | None:
    """The shard through which one of the terminals was heard last; the lesser id decides between equals."""
    heard = [row for row in terminals if row["shard"] is not None]
    last = max(heard, key=lambda row: row["seen_at"] or _NEVER, default=None)
    return None if last is None else last["shard"]


def station_document(row: Row, terminals: Sequence[Row], clocks: Clocks, cover: Cover) -> Station:
    """A station from its row, its terminals' rows (by id), the clocks, opening hours and closures."""
    clock = clocks.of(row["partition"], row["shard"] or heard_through(terminals))
    place = (row["id"], row["path"] or (), row["programmes"])
    hours, calendar = cover.hours(*place, row["calendar"]), cover.calendar(row["calendar"])
    judged = judge(
        lifecycle=row["lifecycle"],
        state=row["state"],
        usable=row["usable"],
        since=row["since"],
        clock=clock,
        now=clocks.now,
        hours=hours,
    )
    seen = [terminal["seen_at"] for terminal in terminals if terminal["seen_at"] is not None]
    documents = [terminal_document(terminal, clocks) for terminal in terminals]
    return Station(
        id=row["id"],
        name=row["name"],
        area=row["area"],
        verdict=judged.verdict,
        since=judged.since,
        last_seen=max(seen, default=None),
        usable=row["usable"] if judged.verdict in LIVE else None,
        deadline=_falls_at(judged.verdict, documents, row["quorum"]),
        lifecycle=row["lifecycle"],
        terminals=documents,
        open=hours.open,
        opens_at=calendar.changes_at if calendar and not hours.open else None,
        closes_at=calendar.changes_at if calendar and hours.open else None,
        closure=next((closure.id for closure in cover.closures(*place)), None),
        flapping=row["flapping"],
        unknown_because=judged.why if judged.verdict is Verdict.UNKNOWN else None,
    )


def terminal_document(row: Row, clocks: Clocks) -> Terminal:
    state = row["state"] or "never_seen"
    clock = clocks.of(row["partition"], row["shard"])
    if state == UNPROVEN or (state != "never_seen" and (clock is None or not clocks.is_sound(clock))):
        state = "unknown"
    return Terminal(
        id=row["id"],
        type=row["type"],
        counts=row["counts"],
        state=state,
        since=row["since"] if state != "unknown" else None,
        last_seen=row["seen_at"],
        usable=row["usable"] if state != "unknown" else None,
        users=row["users"],
        every=row["every"],
        deadline=_wall(clock, row["deadline"]) if clock is not None and state in _TIMED else None,
        installed_at=row["installed_at"],
        refresh_due=row["refresh_due"],
    )


def _wall(clock: Clock, deadline: float) -> datetime | None:
    """When the pipeline clock will show `deadline` if it goes on counting."""
    left = deadline - clock.clock
    if not math.isfinite(left) or abs(left) > _LONGEST_S:
        return None
    return clock.tick_at + timedelta(seconds=left)


def _falls_at(verdict: Verdict, terminals: Sequence[Terminal], quorum: int) -> datetime | None:
    """When too few counting terminals are left: the quorum-th of the deadlines, the latest first."""
    if verdict not in UP and verdict is not Verdict.AWAY:
        return None
    times = sorted((t.deadline for t in terminals if t.counts and t.deadline is not None), reverse=True)
    place = quorum - 1 if verdict in UP else 0
    return times[place] if place < len(times) else None
