"""Figures by hour and day of the records that a bench has written."""

from store.pool import Connection


async def roll_up(connection: Connection) -> None:
    """Make all of them: on plain PostgreSQL, one call takes one day."""
    while await connection.fetchval("SELECT EXISTS (SELECT FROM rollup_touch)"):
        await connection.execute('CALL roll_up_records(0, \'{"until": "2100-01-01"}\')', timeout=600)
