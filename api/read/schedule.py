"""Opening hours and closures of one station."""

from datetime import datetime
from typing import Final

import asyncpg
import msgspec

from api.read.queries import QUERIES
from api.read.rows import DatabaseRow
from api.read.schemas import StationClosure
from registry.hours.calendar import ALWAYS, Calendar, Definition
from registry.hours.calendar_store import load_day_classes
from store.pool import Connection

_MOST_CLOSURES: Final = 1000


async def load_calendar(connection: Connection, station: DatabaseRow) -> Calendar:
    """The calendar that the station's verdict is judged by; ALWAYS for a station without one."""
    if station["calendar"] is None:
        return ALWAYS
    stored = await connection.fetchval(QUERIES.calendar_definition, station["calendar"])
    return Calendar(msgspec.convert(stored, Definition), await load_day_classes(connection))


async def load_station_closures(
    connection: Connection, station: DatabaseRow, begin: datetime, end: datetime
) -> list[StationClosure]:
    """The closures of a station, its areas and its programmes that touch [begin, end), the first 1000."""
    rows = await connection.fetch(
        QUERIES.station_closures,
        station["id"],
        station["path"] or [],
        station["programmes"],
        begin,
        end,
        _MOST_CLOSURES,
    )
    return [StationClosure(**row) for row in rows]


async def load_lifecycles(connection: Connection, station: str) -> list[asyncpg.Record]:
    """The changes of a station's lifecycle, oldest first."""
    return await connection.fetch(QUERIES.station_lifecycles, station)
