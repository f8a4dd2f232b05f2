"""Lookups that the checks of an import need."""

from collections.abc import Collection

from registry.importing.lost_zeros import ZeroIds
from registry.importing.places import Middle, Surroundings
from store.pool import Connection
from store.sql import queries_beside

QUERIES = queries_beside(__file__)


async def load_surroundings(connection: Connection, areas: Collection[str], without: Collection[str]) -> Surroundings:
    """The areas above `areas`, and the middle of the stations of each; stations `without` do not count."""
    above = await connection.fetch(QUERIES.areas_above, list(areas))
    middles = await connection.fetch(QUERIES.area_middles, [row["code"] for row in above], list(without))
    return Surroundings(
        paths={row["code"]: tuple(row["path"]) for row in above},
        levels={row["code"]: row["level"] for row in above},
        middles={row["code"]: Middle(row["stations"], row["lat"], row["lon"]) for row in middles},
    )


async def load_zero_ids(connection: Connection, ids: Collection[str], areas: Collection[str]) -> ZeroIds:
    """Known ids with leading zeros: those that equal one of `ids` but for the zeros, and the longest of each area."""
    same = await connection.fetch(QUERIES.ids_with_zeros, list(ids))
    longest = await connection.fetch(QUERIES.longest_zero_ids, list(areas))
    return ZeroIds({row["bare"]: row["id"] for row in same}, {row["area"]: row["id"] for row in longest})
