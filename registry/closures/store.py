"""Closures and maintenance windows in the database; every change is announced as one of the registry."""

from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import asyncpg
import msgspec

from contract.bounds import OutOfBoundsError, require_time
from contract.errors import RemedyError
from contract.glossary import WORDS
from registry.closures.rules import KINDS, Closure, Closures, ClosureStatus
from registry.model import DeclaredClosure
from registry.store import QUERIES as REGISTRY
from store.pool import Connection
from store.sql import load_queries

QUERIES = load_queries(Path(__file__).with_name("queries.sql"))

MAX_PAGE: Final = 1000
MAX_REASON: Final = 500


class NewClosure(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody declares; exactly one of station, area and programme."""

    kind: str = "closure"
    station: str | None = None
    area: str | None = None
    programme: str | None = None
    from_at: datetime
    until_at: datetime
    reason: str
    declared_by: str


async def declare(connection: Connection, new: NewClosure) -> Closure:
    """Declare a closure or maintenance window. Raises RemedyError for one that makes no sense or names nobody."""
    _check(new)
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


def _check(new: NewClosure) -> None:
    if new.kind not in KINDS:
        raise RemedyError(
            f"{new.kind[:40]!r} is not a kind of closure: use one of {', '.join(KINDS)}",
            f"“{new.kind[:40]}”不是报备类别：请用{'、'.join(WORDS['closure'][kind].zh for kind in KINDS)}",
        )
    if sum(scope is not None for scope in (new.station, new.area, new.programme)) != 1:
        raise RemedyError(
            "a closure is of a station, an area or a programme: name exactly one",
            "报备针对一个服务点、一个区划或一项工程：请只填写其中一个",
        )
    for name, at in (("from", new.from_at), ("until", new.until_at)):
        try:
            require_time(at)
        except OutOfBoundsError as exc:
            raise RemedyError(f"{name}: {exc}", exc.said.zh) from exc
    if new.until_at <= new.from_at:
        raise RemedyError(
            "a closure must end after it begins: correct its times", "报备的结束时间须晚于开始时间：请改正时间"
        )
    if not new.reason.strip() or len(new.reason) > MAX_REASON:
        raise RemedyError(
            f"a closure needs a reason of up to {MAX_REASON} characters: give one",
            f"请填写事由，最多 {MAX_REASON} 字",
        )


async def approve(connection: Connection, closure: int, *, by: str, evidence: str | None = None) -> Closure | None:
    """Approve a declared closure; None when there is none of this id. The first approval stands.

    Raises RemedyError for one that was withdrawn.
    """
    return await _settle(connection, closure, QUERIES.approve_closure, by, evidence)


async def withdraw(connection: Connection, closure: int, *, by: str) -> Closure | None:
    """Withdraw a closure: it ends now, or never held; None when there is none of this id. The first one stands."""
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


async def load_closures(connection: Connection, *, since: datetime | None = None) -> Closures:
    """All closures that were to end after `since`, whoever they are about."""
    return Closures(Closure(**dict(row)) for row in await connection.fetch(QUERIES.load_closures, since))


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
    """The closures of stations that were not withdrawn, by what tells them apart in import files."""
    rows = await connection.fetch(QUERIES.station_closures, list(stations))
    return {closure.id: closure for closure in (DeclaredClosure(**dict(row)) for row in rows)}


async def import_closures(
    connection: Connection, *, new: Sequence[DeclaredClosure], changed: Sequence[DeclaredClosure], at: datetime
) -> None:
    """Write closures as declared at `at`, and as approved then where somebody is named. Needs a transaction."""
    for query, closures in ((QUERIES.import_closures, new), (QUERIES.change_closures, changed)):
        if closures:
            await connection.execute(query, *(_column(closures, name) for name in _COLUMNS), at)
    if new or changed:
        await connection.execute(REGISTRY.announce)


_COLUMNS: Final = ("station", "from_at", "until_at", "reason", "declared_by", "approved_by")


def _column(closures: Sequence[DeclaredClosure], name: str) -> list[Any]:
    return [getattr(closure, name) for closure in closures]
