"""The facts of the registry in the database: reading them, and taking a cut. Triggers append them (ADR 25)."""

import asyncio
from collections.abc import Collection
from typing import Any, Final

import asyncpg
import msgspec

from registry.facts.model import FactKind, RegistryFact
from registry.facts.successions import AreaSuccessions
from store.pool import Connection
from store.sql import queries_beside

QUERIES: Final = queries_beside(__file__)
_AGAIN: Final = 0.05


async def load_facts(connection: Connection, stations: Collection[str], cut: int | None = None) -> list[RegistryFact]:
    """All facts up to a cut (None: until now) that say anything of some stations: their own, those of their areas, and
    those that any station may follow."""
    return [fact_of(row) for row in await connection.fetch(QUERIES.load_facts, list(stations), cut)]


async def load_successions(connection: Connection, cut: int | None = None) -> AreaSuccessions:
    """The areas that follow others, as known at a cut (None: now)."""
    return AreaSuccessions(fact_of(row) for row in await connection.fetch(QUERIES.load_succession_facts, cut))


async def load_area_facts(
    connection: Connection, levels: Collection[str], cut: int | None = None
) -> list[RegistryFact]:
    """All facts up to a cut (None: until now) about the areas that are of some levels now."""
    return [fact_of(row) for row in await connection.fetch(QUERIES.load_area_facts, list(levels), cut)]


async def take_cut(connection: Connection, *, within: float = 300.0) -> int:
    """A number up to which all facts are committed, so that no further fact will ever have such a number.

    Waits until no writer is at work, without making one wait. Raises TimeoutError after `within` seconds, and
    AssertionError within a transaction, whose snapshot may be older than the last commit.
    """
    if connection.is_in_transaction():
        raise AssertionError("a cut is taken outside a transaction")
    clock = asyncio.get_running_loop().time
    ends = clock() + within
    while True:
        async with connection.transaction():
            if await connection.fetchval(QUERIES.try_alone):
                return int(await connection.fetchval(QUERIES.newest_fact))
        # Between two attempts: a cancelled attempt would leave the connection in its transaction.
        if clock() >= ends:
            raise TimeoutError(f"writers of the registry left no moment for a cut in {within} s")
        await asyncio.sleep(_AGAIN)


def fact_of(row: asyncpg.Record) -> RegistryFact:
    """A fact from its columns."""
    fields: Any = row["fields"]
    return RegistryFact(
        id=row["id"],
        kind=FactKind(row["kind"]),
        subject=row["subject"],
        effective_at=row["effective_at"],
        whole=row["whole"],
        fields=msgspec.json.decode(fields) if isinstance(fields, str) else fields,
    )
