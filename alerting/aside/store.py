"""Reads how long things have been set aside."""

from datetime import datetime
from typing import Final

from store.pool import Connection
from store.sql import queries_beside

QUERIES: Final = queries_beside(__file__)


async def load_aside_since(connection: Connection) -> datetime | None:
    """Since when the oldest thing has been set aside; None: nothing is set aside."""
    found: datetime | None = await connection.fetchval(QUERIES.aside_since)
    return found
