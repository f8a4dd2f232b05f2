"""Declare, approve and withdraw closures.

Approval takes a second account. `by` of a request is the person on whose behalf the account acts, as the client says.
"""

from typing import Annotated, Literal

from fastapi import Request
from pydantic import BaseModel, Field

from access.roles import Permission
from api.actions.actor import author_of
from api.actions.people import with_own
from api.actions.photos import put_closure_photo
from api.actions.settle import settle
from api.context import Context
from api.http.permissions import require
from api.http.problems import Problem
from api.http.times import parse_stored_time
from api.read.closures import closure_document, require_closure
from api.read.schemas import ClosureDocument
from registry.closures import store as closure_store
from registry.closures.rules import Closure, NewClosure, OwnApprovalError
from registry.photos.rules import Photo
from store.pool import Connection

_Name = Annotated[str | None, Field(min_length=1, max_length=64)]


class Declaration(BaseModel):
    """Exactly one of station, area and programme; times are ISO 8601. `by`: on whose behalf the
    account declares it."""

    station: _Name = None
    area: _Name = None
    programme: _Name = None
    begin: str = Field(alias="from", max_length=64)
    until: str = Field(max_length=64)
    reason: str = Field(min_length=1, max_length=500)
    kind: Literal["closure", "maintenance"] = "closure"
    by: _Name = None


class Approval(BaseModel):
    """`by`: on whose behalf the account approves. `evidence`: a document's number or address."""

    evidence: str | None = Field(default=None, max_length=1000)
    by: _Name = None


class Withdrawal(BaseModel):
    """`by`: on whose behalf the account withdraws the closure."""

    by: _Name = None


async def declare_closure(
    context: Context, request: Request, said: Declaration, photo: Photo | None = None
) -> ClosureDocument:
    """Declare a closure, with a photo as its evidence. Raises a Problem (422)."""
    author = author_of(request, said.by)
    new = NewClosure(
        kind=said.kind,
        station=said.station,
        area=said.area,
        programme=said.programme,
        from_at=parse_stored_time("from", said.begin),
        until_at=parse_stored_time("until", said.until),
        reason=said.reason,
        declared_by=author.account,
        remark=author.remark,
    )

    async def declare(connection: Connection) -> Closure:
        made = await closure_store.declare(connection, new)
        if photo is not None:
            await put_closure_photo(connection, made.id, author, photo)
        return made

    return closure_document(await settle(context, declare, 422))


async def approve_closure(context: Context, request: Request, number: int, given: Approval) -> ClosureDocument:
    """Approve a closure; the first approval stands.

    Raises a Problem (404; 409 when it was withdrawn, or declared by the same account, which the ledger then records).
    """
    author = author_of(request, given.by)
    try:
        found = await settle(
            context, lambda connection: closure_store.approve(connection, number, by=author, evidence=given.evidence)
        )
    except Problem as exc:
        if isinstance(exc.__cause__, OwnApprovalError):
            async with with_own(context).database.transaction() as connection:
                await closure_store.record_refusal(connection, number, by=author)
        raise
    return require_closure(number, found)


async def withdraw_closure(context: Context, request: Request, number: int, given: Withdrawal) -> ClosureDocument:
    """Withdraw a closure; the first withdrawal stands. Raises a Problem.

    404: there is no such closure; 403: another account declared it, and this one may not approve closures."""
    author = author_of(request, given.by)

    async def withdraw(connection: Connection) -> Closure | None:
        found = await closure_store.load_closure(connection, number)
        if found is not None and found.declared_by != author.account:
            require(context.actor, Permission.APPROVE_CLOSURE)
        return await closure_store.withdraw(connection, number, by=author)

    return require_closure(number, await settle(context, withdraw))
