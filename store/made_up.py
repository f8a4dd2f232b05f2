"""Whether the history of a database was made up for a demonstration (`milepost up --history`)."""

from datetime import datetime

import msgspec

from store.pool import Connection
from store.sql import queries_beside

QUERIES = queries_beside(__file__)


class MadeUp(msgspec.Struct, frozen=True):
    """From when to when everything was made up."""

    from_at: datetime
    until_at: datetime


async def load_made_up(connection: Connection) -> MadeUp | None:
    """The made-up history of the database; None: all of its data is real."""
    row = await connection.fetchrow(QUERIES.made_up_history)
    return None if row is None else MadeUp(**dict(row))
