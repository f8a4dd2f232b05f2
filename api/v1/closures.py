"""Closures and maintenance windows: what is declared silences alerts, what is approved excuses being offline."""

import re
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Body, Path, Query, Request
from pydantic import BaseModel, Field

from api.context import QUERIES, Context, Shared
from api.http.filters import AreaFilter
from api.http.paging import MAX_ID, AfterClosure, PageOf
from api.http.problems import Problem, not_found
from api.http.times import parse_stored_time, parse_time
from api.http.work import WorkRoute
from api.read.schemas import ClosureDocument, ClosureStatus, Listing
from api.v1.incidents import actor_of
from contract.errors import RemedyError
from registry.closures import store
from registry.closures.rules import Closure, NewClosure
from store.pool import Connection

router = APIRouter(tags=["closures"], route_class=WorkRoute)

ClosureId = Annotated[int, Path(ge=0, le=MAX_ID, description="the closure's number")]
_Name = Annotated[str | None, Field(min_length=1, max_length=64)]


class Declaration(BaseModel):
    """Exactly one of station, area and programme; times are ISO 8601. `by` declares it, if not the administrator."""

    station: _Name = None
    area: _Name = None
    programme: _Name = None
    begin: str = Field(alias="from", max_length=64)
    until: str = Field(max_length=64)
    reason: str = Field(min_length=1, max_length=500)
    kind: Literal["closure", "maintenance"] = "closure"
    by: _Name = None


class Approval(BaseModel):
    """`by` approves it, if not the administrator; `evidence`: a document's number or address."""

    evidence: str | None = Field(default=None, max_length=1000)
    by: _Name = None


class Withdrawal(BaseModel):
    by: _Name = None


@router.get("/closures")
async def list_closures(
    context: Shared,
    page: PageOf,
    area: AreaFilter = None,
    station: Annotated[str | None, Query(max_length=64, description="also those of its areas and programmes")] = None,
    status: Annotated[ClosureStatus | None, Query(description="only those that are so now")] = None,
) -> Listing[ClosureDocument]:
    """Closures, the last declared first."""
    after = page.after(AfterClosure, AfterClosure(MAX_ID)).id
    async with context.database.snapshot() as connection:
        rows = await connection.fetch(QUERIES.list_closures, after, area, station, status, page.limit + 1)
    shown, following = page.cut(rows, lambda row: AfterClosure(row["id"]))
    items = await context.work.do(len(shown), lambda: [closure_document(Closure(**row)) for row in shown])
    return Listing(items=items, next=following)


@router.get("/closures/{id}")
async def get_closure(context: Shared, id: ClosureId) -> ClosureDocument:  # noqa: A002 -- the path's own name for it
    """One closure."""
    async with context.database.snapshot() as connection:
        return _found(id, await store.load_closure(connection, id))


@router.post("/closures", status_code=201)
async def declare(context: Shared, request: Request, said: Declaration) -> ClosureDocument:
    """Declare one: from now on its stations page nobody while it is in force, and nothing is excused yet."""
    new = NewClosure(
        kind=said.kind,
        station=said.station,
        area=said.area,
        programme=said.programme,
        from_at=parse_stored_time("from", said.begin),
        until_at=parse_stored_time("until", said.until),
        reason=said.reason,
        declared_by=actor_of(request, said.by),
    )
    return closure_document(await settle(context, lambda connection: store.declare(connection, new), 422))


@router.post("/closures/{id}/approve")
async def approve(
    context: Shared,
    request: Request,
    id: ClosureId,  # noqa: A002
    said: Annotated[Approval | None, Body()] = None,
) -> ClosureDocument:
    """Let it excuse being offline. The first approval stands; 409 when it was withdrawn."""
    given = said or Approval()
    actor = actor_of(request, given.by)
    return _found(
        id,
        await settle(
            context,
            lambda connection: store.approve(connection, id, by=actor, evidence=given.evidence),
        ),
    )


@router.post("/closures/{id}/withdraw")
async def withdraw(
    context: Shared,
    request: Request,
    id: ClosureId,  # noqa: A002
    said: Annotated[Withdrawal | None, Body()] = None,
) -> ClosureDocument:
    """End it now; one that has not begun never holds."""
    actor = actor_of(request, (said or Withdrawal()).by)
    return _found(id, await settle(context, lambda connection: store.withdraw(connection, id, by=actor)))


async def settle(context: Context, action: Callable[[Connection], Awaitable[Any]], status: int = 409) -> Any:
    """Do something to a closure; what a person must mend becomes a problem with `status`."""
    async with context.database.connection() as connection:
        try:
            return await action(connection)
        except RemedyError as exc:
            raise Problem(status, str(exc)) from exc


def _found(number: int, closure: Closure | None) -> ClosureDocument:
    if closure is None:
        raise not_found("closure", number)
    return closure_document(closure)


def closure_document(closure: Closure) -> ClosureDocument:
    """A closure as the API and the pages show it."""
    names = set(ClosureDocument.model_fields) - {"begin", "until", "status"}
    return ClosureDocument(
        begin=closure.from_at,
        until=closure.until_at,
        status=closure.status.value,
        **{name: getattr(closure, name) for name in names},
    )


def beijing(name: str, text: str) -> str:
    """A time as browsers send it from a form, which says no zone, as one in Beijing. Raises a Problem."""
    return parse_time(name, f"{text.strip()}+08:00" if _WITHOUT_ZONE.fullmatch(text.strip()) else text).isoformat()


_WITHOUT_ZONE: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?")
