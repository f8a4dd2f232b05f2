"""What the routers share: made once by the service, found on the app."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Final

import asyncpg
import msgspec
from fastapi import Depends, Request

from alerting.stations.expected import CalendarNow, ClosureNow, Cover
from alerting.stations.verdict import Clock, Clocks
from api.config import ApiConfig
from api.http.database import Database
from api.http.guesses import Guesses
from api.http.metrics import Metrics
from api.http.session import AdminToken
from api.http.sessions import Sessions
from api.http.work import Work
from api.live.event_hub import Hub
from store.pool import Connection
from store.sql import queries_beside

QUERIES = queries_beside(__file__)
_FEW: Final = 500


class Context(msgspec.Struct, frozen=True, kw_only=True):
    config: ApiConfig
    database: Database
    token: AdminToken
    sessions: Sessions
    guesses: Guesses
    hub: Hub
    metrics: Metrics
    work: Work


def _context(request: Request) -> Context:
    found: Context = request.app.state.context
    return found


Shared = Annotated[Context, Depends(_context)]


async def load_clocks(connection: Connection) -> Clocks:
    """The pipeline clocks and the database's time, of the connection's snapshot."""
    now = await connection.fetchval(QUERIES.now)
    rows = await connection.fetch(QUERIES.clocks)
    return Clocks((Clock(**row) for row in rows), now)


async def load_cover(connection: Connection, stations: Sequence[asyncpg.Record] | None = None) -> Cover:
    """Opening hours and closures at the moment of the connection's snapshot; `stations`: the rows of those of which
    alone it is asked, for there may be as many closures as stations."""
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
