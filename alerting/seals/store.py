"""Reads how long rows have waited for the seal of the ledger."""

from datetime import datetime
from typing import Final

from store.pool import Connection
from store.sql import queries_beside

QUERIES: Final = queries_beside(__file__)


async def load_waiting_since(connection: Connection) -> datetime | None:
    """The write time of the oldest row that is not sealed; None: every row is sealed, or there is no ledger yet."""
    found: datetime | None = await connection.fetchval(QUERIES.waiting_since)
    return found
