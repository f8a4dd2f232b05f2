"""Closures and maintenance windows in the database; every change is announced as one of the registry."""

from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import asyncpg

from contract.errors import RemedyError
from registry.closures.rules import Closure, ClosureStatus, NewClosure, require_sound
from registry.model import DeclaredClosure
from registry.store import QUERIES as REGISTRY
from store.pool import Connection
from store.sql import load_queries

QUERIES = load_queries(Path(__file__).with_name("queries.sql"))

MAX_PAGE: Final = 1000


async def declare(connection: Connection, new: NewClosure) -> Closure:
    """Declare a closure or maintenance window. Raises RemedyError for one that cannot be declared (`require_sound`), or
    whose station, area or programme does not exist."""
    require_sound(new)
    try:
        async with connection.transaction():
            row = await connection.fetchrow(
                QUERIES.declare_closure,
                *(new.kind, new.station, new.area, new.programme),
                *(new.from_at, new.until_at, new.reason, new.declared_by),
            )
            await connection.execute(REGISTRY.announce)
    except asyncpg.ForeignKeyViolationError as exc:
        named = new.station or new.area or new.programme
        raise RemedyError(
            f"there is no station, area or programme {named}: correct it", f"没有服务点、区划或工程 {named}：请改正"
        ) from exc
    return Closure(**dict(row or {}))


async def approve(connection: Connection, closure: int, *, by: str, evidence: str | None = None) -> Closure | None:
    """Approve a declared closure; None when there is none of this id. A second approval changes nothing.

    Raises RemedyError for a closure that was withdrawn.
    """
    return await _settle(connection, closure, QUERIES.approve_closure, by, evidence)


async def withdraw(connection: Connection, closure: int, *, by: str) -> Closure | None:
    """Withdraw a closure: it ends now, or is never in force; None when there is none of this id. A second withdrawal
    changes nothing."""
    return await _settle(connection, closure, QUERIES.withdraw_closure, by)


async def _settle(connection: Connection, closure: int, query: str, by: str, *more: str | None) -> Closure | None:
    async with connection.transaction():
        done = await connection.execute(query, closure, by, *more)
        if done != "UPDATE 0":
            await connection.execute(REGISTRY.announce)
        found = await load_closure(connection, closure)
    if query == QUERIES.approve_closure and found is not None and found.status is ClosureStatus.WITHDRAWN:
        raise RemedyError(
            f"closure {closure} was withdrawn by {found.withdrawn_by}: declare it again",
            f"报备 {closure} 已由 {found.withdrawn_by} 撤回：请重新申报",
        )
    return found


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
    connection: Connection, *, new: Sequence[DeclaredClosure], changed: Sequence[DeclaredClosure], at: datetime
) -> None:
    """Write closures as declared at `at`, and as approved then where `approved_by` is given. Needs a transaction."""
    for query, closures in ((QUERIES.import_closures, new), (QUERIES.change_closures, changed)):
        if closures:
            await connection.execute(query, *(_column(closures, name) for name in _COLUMNS), at)
    if new or changed:
        await connection.execute(REGISTRY.announce)


_COLUMNS: Final = ("station", "from_at", "until_at", "reason", "declared_by", "approved_by")


def _column(closures: Sequence[DeclaredClosure], name: str) -> list[Any]:
    return [getattr(closure, name) for closure in closures]
