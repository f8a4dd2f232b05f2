"""Deletes pages, notifications and links of incidents that closed long ago, with messages, attempts and deliveries."""

from datetime import timedelta
from typing import Final

from store.pool import Connection
from store.sql import queries_beside

QUERIES: Final = queries_beside(__file__)
MOST_FORGOTTEN: Final = 500
"""Rows of each table in one transaction."""


async def forget_old_pages(connection: Connection, keep: timedelta, most: int = MOST_FORGOTTEN) -> int:
    """Delete settled pages that are older than `keep` and whose incidents closed longer ago than `keep`, messages
    without pages, notifications and links: at most `most` rows of each table. Returns the number of deleted rows."""
    async with connection.transaction():
        pages = await connection.fetch(QUERIES.forget_pages, keep, most)
        messages = await connection.fetch(QUERIES.forget_messages, keep, most)
        others = await connection.fetchval(QUERIES.forget_notifications_and_links, keep, most)
    return len(pages) + len(messages) + int(others)
