"""Makes the figures of records by hour and day, and deletes old records."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from store.pool import Connection
from store.sql import queries_beside

QUERIES: Final = queries_beside(__file__)
MOST_FORGOTTEN: Final = 5000
"""Maximum number of rows of a kind that one transaction deletes; on TimescaleDB it drops whole chunks instead."""


async def roll_up(connection: Connection) -> bool:
    """Make the figures of hours that ended at least five minutes ago, those of one day in one transaction. Returns
    whether there are more. On TimescaleDB a job of the database does this."""
    if await connection.fetchval(QUERIES.database_rolls_up):
        return False
    await connection.execute(QUERIES.roll_up)
    return bool(await connection.fetchval(QUERIES.is_more_due))


async def forget_boots(connection: Connection, after: str, most: int = MOST_FORGOTTEN) -> str | None:
    """Forget old boots of the stations after a station, in the order of their ids, looking at some `most` boots.
    Returns the last station that was looked at; None: there are no more."""
    last: str | None = await connection.fetchval(QUERIES.forget_boots, after, most)
    return last


async def forget_old(
    connection: Connection, keep: Mapping[str, timedelta], most: int = MOST_FORGOTTEN
) -> dict[str, int]:
    """Delete a batch of rows that are older than `keep` allows, in one transaction for each kind. Returns the number of
    deleted rows (chunks on TimescaleDB) by kind. The database refuses to delete rows younger than 184 days."""
    gone = {kind: await connection.fetchval(QUERIES.forget, kind, age, most) for kind, age in keep.items()}
    return {kind: number for kind, number in gone.items() if number}
