"""Actions on an incident."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from api.context import Context
from api.read.moment import load_now
from store.pool import Connection

IncidentAction = Callable[[Connection, datetime], Awaitable[None]]
"""What is done to an incident, at a time of the database."""


async def act_on_incident(context: Context, action: IncidentAction) -> None:
    """Do to an incident what `action` says, now by the database's time. Raises ActionRefusedError."""
    async with context.database.transaction() as connection:
        await action(connection, await load_now(connection))
