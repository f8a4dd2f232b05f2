"""An edit of the registry: names the account that acts, and writes the facts that it made into the ledger.

Triggers make the facts (ADR 25), so a writer that forgets this leaves facts without an entry; a test finds it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import asyncpg
import msgspec

from registry.fact_entries import MOST_FACTS, WrittenFact, fact_bodies
from store.author import Author
from store.ledger import LedgerEntry, append_entries
from store.ledger_kinds import LedgerKind
from store.pool import Connection
from store.sql import load_queries

QUERIES: Final = load_queries(Path(__file__).with_name("edit_queries.sql"))
_AT_ONCE: Final = 20 * MOST_FACTS


@asynccontextmanager
async def registry_edit(connection: Connection, by: Author, reason: str | None = None) -> AsyncIterator[None]:
    """Everything that the block changes in the registry is by the author, in one transaction (the caller's, if there is
    one) with the ledger's entries of the facts. An edit within an edit is a part of it."""
    async with connection.transaction():
        if await connection.fetchval(QUERIES.is_editing):
            yield
            return
        last: int = (await connection.fetch(QUERIES.begin_edit, by.account, reason, by.remark))[0]["newest"]
        yield
        while rows := await connection.fetch(QUERIES.facts_of_edit, last, _AT_ONCE):
            last = rows[-1]["id"]
            bodies = fact_bodies(map(_written, rows))
            await append_entries(connection, [_entry(by.account, body) for body in bodies])
        await connection.execute(QUERIES.end_edit)


def _entry(actor: str, body: bytes) -> LedgerEntry:
    return LedgerEntry(kind=LedgerKind.REGISTRY_FACTS, subject="registry", actor=actor, body=body)


def _written(row: asyncpg.Record) -> WrittenFact:
    fields: Any = row["fields"]
    return WrittenFact(
        id=row["id"],
        kind=row["kind"],
        subject=row["subject"],
        effective_us=row["effective_us"],
        whole=row["whole"],
        fields=msgspec.json.decode(fields) if isinstance(fields, str) else fields,
    )
