"""Removes stations without a history and retires the others; the history records by whom and why."""

from registry.removal import RETIRED, Removal, lifecycle_again, removal_of, require_removable, require_retired
from registry.store import QUERIES
from store.pool import Connection


async def find_removal(connection: Connection, station: str) -> Removal:
    """The outcome that a removal of this station would have now."""
    return removal_of(has_history=await connection.fetchval(QUERIES.has_history, station))


async def remove_station(connection: Connection, station: str, *, by: str, reason: str) -> Removal | None:
    """Remove or retire a station; None when it is not registered. Raises RemedyError when it is retired already."""
    async with connection.transaction():
        lifecycle = await connection.fetchval(QUERIES.lock_station, station)
        if lifecycle is None:
            return None
        require_removable(station, lifecycle)
        await connection.execute(QUERIES.name_deed, by, reason)
        removed = await connection.fetchval(QUERIES.remove_untouched, station)
        if not removed:
            await connection.execute(QUERIES.set_lifecycle, station, RETIRED)
        await connection.execute(QUERIES.announce)
        return removal_of(has_history=not removed)


async def restore_station(connection: Connection, station: str, *, by: str, reason: str) -> str | None:
    """Restore a retired station; the lifecycle that it has again, None when the station is not registered.

    Raises RemedyError when it is not retired.
    """
    async with connection.transaction():
        lifecycle = await connection.fetchval(QUERIES.lock_station, station)
        if lifecycle is None:
            return None
        require_retired(station, lifecycle)
        again = lifecycle_again(await connection.fetchval(QUERIES.lifecycle_before, station))
        await connection.execute(QUERIES.name_deed, by, reason)
        await connection.execute(QUERIES.set_lifecycle, station, again)
        await connection.execute(QUERIES.announce)
        return again
