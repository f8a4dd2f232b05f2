"""Closures and maintenance windows in the database; every change is announced as one of the registry, and has an entry
in the ledger."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import asyncpg

from contract.errors import RemedyError
from contract.home import HOME
from registry.closures.rules import (
    Closure,
    ClosureStatus,
    NewClosure,
    require_approvable,
    require_sound,
    scope_of,
)
from registry.edits import registry_edit
from registry.model import DeclaredClosure
from registry.store import QUERIES as REGISTRY
from store.author import Author
from store.ledger import LedgerEntry, append_entries, ms_of
from store.ledger_kinds import LedgerKind, hashed
from store.pool import Connection
from store.sql import load_queries

QUERIES = load_queries(Path(__file__).with_name("queries.sql"))

MAX_PAGE: Final = 1000


async def declare(connection: Connection, new: NewClosure) -> Closure:
    """Declare a closure or maintenance window. Raises RemedyError for one that cannot be declared (`require_sound`), or
    whose station, area or programme does not exist or is outside the scope, which is answered alike."""
    require_sound(new)
    try:
        async with registry_edit(connection, Author(new.declared_by, new.remark), new.reason):
            row = await connection.fetchrow(
                QUERIES.declare_closure,
                *(new.kind, new.station, new.area, new.programme),
                *(new.from_at, new.until_at, new.reason, new.declared_by, new.remark),
            )
            made = Closure(**dict(row or {}))
            await append_entries(connection, [declared_entry(made)])
            await connection.execute(REGISTRY.announce)
    except (asyncpg.ForeignKeyViolationError, asyncpg.InsufficientPrivilegeError) as exc:
        named = new.station or new.area or new.programme
        raise RemedyError(
            f"there is no station, area or programme {named}: correct it", f"没有服务点、区划或工程 {named}：请改正"
        ) from exc
    return made


async def approve(connection: Connection, closure: int, *, by: Author, evidence: str | None = None) -> Closure | None:
    """Approve a declared closure; None when there is none of this id. A second approval changes nothing.

    Raises RemedyError for a closure that was withdrawn, OwnApprovalError for one that the same account declared.
    """
    async with connection.transaction():
        found = await _lock_closure(connection, closure)
        if found is None:
            return None
        require_approvable(found, by.account)
        if found.status is not ClosureStatus.DECLARED:
            return found
        async with registry_edit(connection, by, evidence):
            await connection.execute(QUERIES.approve_closure, closure, by.account, by.remark, evidence)
        body = {**await _declarer(connection, found), **hashed(evidence=evidence)}
        return await _settled(connection, found, LedgerKind.CLOSURE_APPROVED, by, body)


async def _declarer(connection: Connection, found: Closure) -> dict[str, Any]:
    """The declarer of a closure in the body of an entry: an account, or the hash of free text from before accounts."""
    if await connection.fetchval(QUERIES.is_account, found.declared_by):
        return {"declared_by": found.declared_by}
    return {**hashed(declared_by=found.declared_by)}


async def record_refusal(connection: Connection, closure: int, *, by: Author) -> None:
    """Record in the ledger that an account tried to approve its own closure; the refusal itself rolled back. It is
    recorded once for each closure and account."""
    entry = _entry(LedgerKind.CLOSURE_APPROVAL_REFUSED, closure, by, {"declared_by": by.account})
    async with connection.transaction():
        await _lock_closure(connection, closure)
        if not await connection.fetchval(QUERIES.has_entry, entry.kind, entry.subject, entry.actor):
            await append_entries(connection, [entry])


async def withdraw(connection: Connection, closure: int, *, by: Author) -> Closure | None:
    """Withdraw a closure: it ends now, or is never in force; None when there is none of this id. A second withdrawal
    changes nothing."""
    async with connection.transaction():
        found = await _lock_closure(connection, closure)
        if found is None or found.status is ClosureStatus.WITHDRAWN:
            return found
        async with registry_edit(connection, by):
            await connection.execute(QUERIES.withdraw_closure, closure, by.account, by.remark)
        return await _settled(connection, found, LedgerKind.CLOSURE_WITHDRAWN, by, {})


async def _settled(
    connection: Connection, before: Closure, kind: LedgerKind, by: Author, body: Mapping[str, Any]
) -> Closure | None:
    await append_entries(connection, [_entry(kind, before.id, by, body)])
    await connection.execute(REGISTRY.announce)
    return await load_closure(connection, before.id)


def declared_entry(made: Closure) -> LedgerEntry:
    """The entry of a closure that was declared."""
    scope, name = scope_of(made)
    body = {
        "kind": made.kind,
        scope: name,
        "from_ms": ms_of(made.from_at),
        "until_ms": ms_of(made.until_at),
        **hashed(reason=made.reason),
    }
    return _entry(LedgerKind.CLOSURE_DECLARED, made.id, Author(made.declared_by, made.declared_remark), body)


def _entry(kind: LedgerKind, closure: int, by: Author, body: Mapping[str, Any]) -> LedgerEntry:
    body = {**body, **by.remarked}
    return LedgerEntry(kind=kind, subject=f"closure/{closure}", actor=by.account, body=body)


async def _lock_closure(connection: Connection, closure: int) -> Closure | None:
    row = await connection.fetchrow(QUERIES.lock_closure, closure)
    return None if row is None else Closure(**dict(row))


async def load_closure(connection: Connection, closure: int) -> Closure | None:
    """The closure of this id."""
    row = await connection.fetchrow(QUERIES.load_closure, closure)
    return None if row is None else Closure(**dict(row))


async def load_closures(connection: Connection, *, since: datetime) -> list[Closure]:
    """All closures of any station, area or programme that were declared to end after `since`."""
    return [Closure(**dict(row)) for row in await connection.fetch(QUERIES.load_closures, since)]


async def list_closures(
    connection: Connection,
    *,
    before: int | None = None,
    station: str | None = None,
    area: str | None = None,
    limit: int = 100,
) -> list[Closure]:
    """Up to `limit` (at most MAX_PAGE) closures, newest first, with ids below `before`.

    Of a station: also those of its areas and programmes. Of an area: all in it, and of the stations in it.
    """
    rows = await connection.fetch(QUERIES.list_closures, before, station, area, min(limit, MAX_PAGE))
    return [Closure(**dict(row)) for row in rows]


async def stored_closures(connection: Connection, stations: Collection[str]) -> dict[str, DeclaredClosure]:
    """The closures of stations that were not withdrawn, by their key in import files."""
    rows = await connection.fetch(QUERIES.station_closures, list(stations))
    return {closure.id: closure for closure in (DeclaredClosure(**dict(row)) for row in rows)}


async def import_closures(
    connection: Connection, *, new: Sequence[DeclaredClosure], changed: Sequence[DeclaredClosure], at: datetime, by: str
) -> None:
    """Write closures as declared at `at` by the account `by`. Needs a transaction.

    Who declared a closure by the file stays beside the account as a remark. An import approves nothing: an account that
    is not the importing one has to. Raises RemedyError if a closure to change is not there unapproved any more.
    """
    for query, closures in ((QUERIES.import_closures, new), (QUERIES.change_closures, changed)):
        if closures:
            columns = (_column(closures, name) for name in _COLUMNS)
            written = [Closure(**dict(row)) for row in await connection.fetch(query, *columns, at, by)]
            _require_written(closures, written)
            await append_entries(connection, [declared_entry(closure) for closure in written])
    if new or changed:
        await connection.execute(REGISTRY.announce)


def _require_written(closures: Sequence[DeclaredClosure], written: Sequence[Closure]) -> None:
    there = {(closure.station, closure.from_at) for closure in written}
    missed = next((closure for closure in closures if (closure.station, closure.from_at) not in there), None)
    if missed is not None:
        name = f"{missed.station} {missed.from_at.astimezone(HOME):%Y-%m-%d %H:%M}"
        raise RemedyError(
            f"closure {name} was approved or withdrawn during the import, of which nothing is written: import again",
            f"报备 {name} 在导入期间被批准或撤回，本次没有导入任何内容：请重新导入",
        )


_COLUMNS: Final = ("station", "from_at", "until_at", "reason", "declared_by")


def _column(closures: Sequence[DeclaredClosure], name: str) -> list[Any]:
    return [getattr(closure, name) for closure in closures]
