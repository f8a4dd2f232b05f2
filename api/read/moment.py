"""The time of a snapshot, and what holds at it for all stations: pipeline clocks, opening hours, closures."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import asyncpg

from alerting.stations.expected import CalendarNow, ClosureNow, Cover
from alerting.stations.verdict import Clock, Clocks
from api.read.queries import QUERIES
from store.pool import Connection

_FEW: Final = 500
"""Closures that are sorted on the event loop: a few milliseconds."""


async def load_now(connection: Connection) -> datetime:
    """The database's time; within a snapshot always the same."""
    now: datetime = await connection.fetchval(QUERIES.now)
    return now


async def load_clocks(connection: Connection) -> Clocks:
    """The pipeline clocks and the database's time."""
    now = await load_now(connection)
    rows = await connection.fetch(QUERIES.clocks)
    return Clocks((Clock(**row) for row in rows), now)


async def load_cover(connection: Connection, stations: Sequence[asyncpg.Record] | None = None) -> Cover:
    """Opening hours and closures now. `stations`: rows with id, path and programmes; only closures of these stations,
    their areas and their programmes are read then. None: all closures, of which there may be as many as stations."""
    calendars = await connection.fetch(QUERIES.calendars_now)
    closures = await connection.fetch(QUERIES.closures_now, *_scopes(stations))
    if len(closures) <= _FEW:
        return _cover(calendars, closures)
    return await asyncio.to_thread(_cover, calendars, closures)


def _scopes(stations: Sequence[asyncpg.Record] | None) -> tuple[list[str] | None, list[str], list[str]]:
    if stations is None:
        return None, [], []
    areas = {code for row in stations for code in row["path"] or ()}
    programmes = {programme for row in stations for programme in row["programmes"]}
    return [row["id"] for row in stations], list(areas), list(programmes)


def _cover(calendars: Sequence[asyncpg.Record], closures: Sequence[asyncpg.Record]) -> Cover:
    return Cover((CalendarNow(**row) for row in calendars), (ClosureNow(**row) for row in closures))
