"""Declare, approve and withdraw closures."""

from typing import Annotated, Literal

from fastapi import Request
from pydantic import BaseModel, Field

from api.actions.actor import actor_of
from api.actions.settle import settle
from api.context import Context
from api.http.times import parse_stored_time
from api.read.closures import closure_document, require_closure
from api.read.schemas import ClosureDocument
from registry.closures import store as closure_store
from registry.closures.rules import NewClosure

_Name = Annotated[str | None, Field(min_length=1, max_length=64)]


class Declaration(BaseModel):
    """Exactly one of station, area and programme; times are ISO 8601. `by`: the person who declares, if
    it is not the administrator."""

    station: _Name = None
    area: _Name = None
    programme: _Name = None
    begin: str = Field(alias="from", max_length=64)
    until: str = Field(max_length=64)
    reason: str = Field(min_length=1, max_length=500)
    kind: Literal["closure", "maintenance"] = "closure"
    by: _Name = None


class Approval(BaseModel):
    """`by`: the person who approves, if it is not the administrator. `evidence`: a document's number or address."""

    evidence: str | None = Field(default=None, max_length=1000)
    by: _Name = None


class Withdrawal(BaseModel):
    """`by`: the person who withdraws the closure, if it is not the administrator."""

    by: _Name = None


async def declare_closure(context: Context, request: Request, said: Declaration) -> ClosureDocument:
    """Declare a closure. Raises a Problem (422)."""
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
    return closure_document(await settle(context, lambda connection: closure_store.declare(connection, new), 422))


async def approve_closure(context: Context, request: Request, number: int, given: Approval) -> ClosureDocument:
    """Approve a closure; the first approval stands. Raises a Problem (404; 409 when it was withdrawn)."""
    actor = actor_of(request, given.by)
    found = await settle(
        context, lambda connection: closure_store.approve(connection, number, by=actor, evidence=given.evidence)
    )
    return require_closure(number, found)


async def withdraw_closure(context: Context, request: Request, number: int, given: Withdrawal) -> ClosureDocument:
    """Withdraw a closure; the first withdrawal stands. Raises a Problem (404)."""
    actor = actor_of(request, given.by)
    found = await settle(context, lambda connection: closure_store.withdraw(connection, number, by=actor))
    return require_closure(number, found)
