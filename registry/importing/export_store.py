"""Reads entries of the registry for a file that `milepost import` reads again."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, Final

from registry.contacts.store import load_contacts
from registry.duty.store import load_duties, load_substitutes
from registry.importing.export import write_csv
from registry.importing.rows import Kind
from registry.model import Station
from registry.routes.store import load_routes
from registry.store import MAX_PAGE, list_areas, list_stations
from registry.target_store import load_successions
from store.pool import Connection


async def _areas(connection: Connection) -> Collection[Any]:
    return (await list_areas(connection)).values()


async def _stations(connection: Connection) -> Collection[Any]:
    found: list[Station] = []
    while page := await list_stations(connection, after=found[-1].id if found else "", limit=MAX_PAGE):
        found += page
    return found


async def _contacts(connection: Connection) -> Collection[Any]:
    return [contact for contact in (await load_contacts(connection)).values() if contact.retired_at is None]


async def _routes(connection: Connection) -> Collection[Any]:
    return (await load_routes(connection)).values()


async def _successions(connection: Connection) -> Collection[Any]:
    return (await load_successions(connection)).values()


EXPORT_KINDS: Final[Mapping[Kind, Callable[[Connection], Awaitable[Collection[Any]]]]] = {
    "areas": _areas,
    "stations": _stations,
    "contacts": _contacts,
    "duty": load_duties,
    "substitutes": load_substitutes,
    "routes": _routes,
    "successions": _successions,
}


async def export_file(connection: Connection, kind: Kind) -> str:
    """The stored entries of a kind as CSV (`write_csv`), read in one snapshot, without addresses of contacts."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        return write_csv(kind, await EXPORT_KINDS[kind](connection))
