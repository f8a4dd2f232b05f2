"""Removes stations without a history and retires the others; the history and the ledger record by whom and why."""

from typing import Any

from registry.edits import registry_edit
from registry.removal import RETIRED, Removal, lifecycle_again, removal_of, require_removable, require_retired
from registry.store import QUERIES
from store.author import Author
from store.ledger import LedgerEntry, append_entries
from store.ledger_kinds import LedgerKind, hashed
from store.pool import Connection


async def find_removal(connection: Connection, station: str) -> Removal:
    """The outcome that a removal of this station would have now."""
    return removal_of(has_history=await connection.fetchval(QUERIES.has_history, station))


async def remove_station(connection: Connection, station: str, *, by: Author, reason: str) -> Removal | None:
    """Remove or retire a station; None when it is not registered. Raises RemedyError when it is retired already."""
    async with connection.transaction():
        lifecycle = await connection.fetchval(QUERIES.lock_station, station)
        if lifecycle is None:
            return None
        require_removable(station, lifecycle)
        async with registry_edit(connection, by, reason):
            removed = await connection.fetchval(QUERIES.remove_untouched, station)
            if not removed:
                await connection.execute(QUERIES.set_lifecycle, station, RETIRED)
        kind = LedgerKind.STATION_REMOVED if removed else LedgerKind.STATION_RETIRED
        await _record(connection, kind, station, by, reason, {} if removed else {"before": lifecycle})
        return removal_of(has_history=not removed)


async def restore_station(connection: Connection, station: str, *, by: Author, reason: str) -> str | None:
    """Restore a retired station; the lifecycle that it has again, None when the station is not registered.

    Raises RemedyError when it is not retired.
    """
    async with connection.transaction():
        lifecycle = await connection.fetchval(QUERIES.lock_station, station)
        if lifecycle is None:
            return None
        require_retired(station, lifecycle)
        again = lifecycle_again(await connection.fetchval(QUERIES.lifecycle_before, station))
        async with registry_edit(connection, by, reason):
            await connection.execute(QUERIES.set_lifecycle, station, again)
        await _record(connection, LedgerKind.STATION_RESTORED, station, by, reason, {"after": again})
        return again


async def _record(
    connection: Connection, kind: LedgerKind, station: str, by: Author, reason: str, more: dict[str, Any]
) -> None:
    body = {**more, **hashed(reason=reason), **by.remarked}
    entry = LedgerEntry(kind=kind, subject=f"station/{station}", actor=by.account, body=body)
    await append_entries(connection, [entry])
    await connection.execute(QUERIES.announce)
