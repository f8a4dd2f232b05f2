"""The areas that a list is about. The policies of the database keep every query within its scope; a query names the
areas all the same, because the planner cannot see them in a policy."""

from typing import Final

from api.read.queries import QUERIES
from store.pool import Connection

MOST_CODES: Final = 5000
"""Areas that are given to a query one by one."""


async def asked_areas(connection: Connection, area: list[str] | None) -> list[str] | None:
    """Those asked for, else those of the scope that lie in no other of it; None: all there are."""
    found: list[str] | None = await connection.fetchval(QUERIES.asked_areas, area)
    return found


async def subtree_codes(connection: Connection, areas: list[str]) -> list[str] | None:
    """The codes within the scope of some areas and of all below them; None when they are more than MOST_CODES."""
    codes = [row["code"] for row in await connection.fetch(QUERIES.subtree, areas, MOST_CODES + 1)]
    return None if len(codes) > MOST_CODES else codes


async def scope_codes(connection: Connection) -> list[str] | None:
    """The codes of all areas in the scope; None for the whole, or for more than MOST_CODES."""
    areas = await asked_areas(connection, None)
    return None if areas is None else await subtree_codes(connection, areas)
