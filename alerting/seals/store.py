"""Since when rows wait for the seal of the ledger."""

from datetime import datetime
from typing import Final

from store.pool import Connection
from store.sql import queries_beside

QUERIES: Final = queries_beside(__file__)


async def load_waiting_since(connection: Connection) -> datetime | None:
    """When the oldest row was written that is not sealed; None: none waits, or there is no ledger yet."""
    found: datetime | None = await connection.fetchval(QUERIES.waiting_since)
    return found
