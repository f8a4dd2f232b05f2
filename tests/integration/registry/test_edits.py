"""Edits of the registry: every fact has an entry in the ledger, by the account that edits."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import asyncpg
import msgspec
import pytest

from registry.edits import registry_edit
from registry.fact_entries import MOST_FACTS
from registry.store import add_terminals, register_stations
from store.pool import Connection, Pool

NOW = datetime(2026, 3, 1, 2, tzinfo=UTC)


async def entries(connection: Connection) -> list[tuple[str, dict[str, Any]]]:
    """(actor, body) of the entries of facts, in their order."""
    rows = await connection.fetch("SELECT actor, body FROM ledger_entry WHERE kind = 'registry.facts' ORDER BY id")
    return [(row["actor"], msgspec.json.decode(row["body"])) for row in rows]


async def without_entry(connection: Connection) -> list[str]:
    """Facts whose entry is missing, or says something else or another account."""
    told = {
        fact["id"]: (actor, fact["kind"], fact["subject"], fact.get("whole", False), fact.get("fields"))
        for actor, body in await entries(connection)
        for fact in body["facts"]
    }
    rows = await connection.fetch("SELECT id, recorded_by, kind, subject, whole, fields FROM registry_fact ORDER BY id")
    facts = {row["id"]: (*list(row)[1:5], _plain(row["fields"])) for row in rows}
    assert facts
    return [str(fact) for number, fact in facts.items() if told.get(number) != fact]


def _plain(fields: Any) -> Any:
    return msgspec.json.decode(fields) if isinstance(fields, str) else fields


async def _heard(connection: Connection) -> None:
    await register_stations(connection, {"6321220001": ["001", "002"], "b": []}, at=NOW)
    await add_terminals(connection, {"b": ["003"], "nobody": ["001"]})


WRITERS: dict[str, Callable[[Connection], Awaitable[Any]]] = {"stations that were heard": _heard}


@pytest.mark.parametrize("writer", WRITERS)
async def test_every_fact_has_its_entry(pool: Pool, writer: str) -> None:
    async with pool.acquire() as connection:
        await WRITERS[writer](connection)
        assert await without_entry(connection) == []


async def test_a_writer_that_forgets_its_edit_is_found(pool: Pool) -> None:
    async with pool.acquire() as connection:
        await connection.execute("INSERT INTO station (id, name) VALUES ('a', 'A')")
        assert len(await without_entry(connection)) == 1


async def test_an_edit_within_an_edit_is_a_part_of_it(pool: Pool) -> None:
    async with pool.acquire() as connection:
        async with registry_edit(connection, "operator", "flood"):
            await connection.execute("INSERT INTO station (id, name) VALUES ('a', 'A')")
            await add_terminals(connection, {"a": ["001"]})
            await connection.execute("UPDATE station SET lifecycle = 'suspended'")
        async with registry_edit(connection, "admin"):
            await connection.execute("UPDATE station SET lifecycle = 'retired'")
        assert await without_entry(connection) == []
        said = [(actor, [fact["kind"] for fact in body["facts"]]) for actor, body in await entries(connection)]
    assert said == [("operator", ["station", "terminal", "station"]), ("admin", ["station"])]


async def test_edits_of_one_transaction_and_their_rollbacks(pool: Pool) -> None:
    async with pool.acquire() as connection, connection.transaction():
        async with registry_edit(connection, "operator"):
            await connection.execute("INSERT INTO station (id, name) VALUES ('a', 'A')")
        with pytest.raises(asyncpg.UniqueViolationError):
            async with registry_edit(connection, "admin"):
                await connection.execute("INSERT INTO station (id, name) VALUES ('b', 'B')")
                await connection.execute("INSERT INTO station (id, name) VALUES ('a', 'A')")
        async with registry_edit(connection, "system"):
            await connection.execute("UPDATE station SET quorum = 2")
        assert await without_entry(connection) == []
        assert [actor for actor, _ in await entries(connection)] == ["operator", "system"]


async def test_a_large_edit_has_several_entries(pool: Pool) -> None:
    async with pool.acquire() as connection:
        async with registry_edit(connection, "operator"):
            await connection.execute(
                "INSERT INTO station (id, name) SELECT 's' || n, 'S' FROM generate_series(1, $1::int) AS n",
                25 * MOST_FACTS,
            )
        assert await without_entry(connection) == []
        assert len(await entries(connection)) >= 25


async def test_an_edit_that_changes_nothing_has_no_entry(pool: Pool) -> None:
    async with pool.acquire() as connection:
        async with registry_edit(connection, "operator"):
            await connection.execute("UPDATE station SET quorum = 2")
        assert await entries(connection) == []
