"""Give and remove duties and substitutes."""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Annotated, TypeVar

from fastapi import Request
from pydantic import BaseModel, Field

from api.actions.actor import author_of
from api.actions.settle import settle
from api.context import Context
from api.http.problems import Problem
from api.http.times import parse_stored_time
from api.read.routing.duty import duty_document, require_removed, substitute_document
from api.read.routing.schemas import DutyDocument, SubstituteDocument
from contract.said import SaidError
from registry.duty import store as duty_store
from registry.duty.model import Duty, Substitute
from store.pool import Connection

_T = TypeVar("_T")
_Contact = Annotated[str, Field(min_length=1, max_length=64)]


class GivenDuty(BaseModel):
    """A duty; without an area it is everywhere, without times always."""

    area: Annotated[str | None, Field(min_length=1, max_length=64)] = None
    role: str = Field(min_length=1, max_length=32)
    contact: _Contact
    times: str = Field(default="24x7", max_length=2000)
    weeks: int = Field(default=1, ge=1, le=53)
    week: int = Field(default=1, ge=1, le=53)
    valid_from: date | None = None
    valid_to: date | None = None


class GivenSubstitute(BaseModel):
    """A substitute; times are ISO 8601."""

    contact: _Contact
    substitute: _Contact
    begin: str = Field(alias="from", max_length=64)
    until: str = Field(max_length=64)
    reason: Annotated[str | None, Field(min_length=1, max_length=500)] = None


async def give_duty(context: Context, request: Request, said: GivenDuty) -> DutyDocument:
    """Give a contact a duty. Raises a Problem (422)."""
    duty, by = Duty(**said.model_dump()), author_of(request, None)
    return await _settle(context, lambda connection: duty_store.give_duty(connection, duty, by=by), duty_document)


async def remove_duty(context: Context, request: Request, number: int) -> DutyDocument:
    """Remove a duty. Raises a Problem (404)."""
    by = author_of(request, None)

    async def remove(connection: Connection) -> Duty:
        gone: Duty = require_removed("duty", number, await duty_store.remove_duties(connection, [number], by=by))
        return gone

    return await _settle(context, remove, duty_document)


async def give_substitute(context: Context, request: Request, said: GivenSubstitute) -> SubstituteDocument:
    """Give a contact a substitute. Raises a Problem (422)."""
    absence = Substitute(
        contact=said.contact,
        substitute=said.substitute,
        from_at=parse_stored_time("from", said.begin),
        until_at=parse_stored_time("until", said.until),
        reason=said.reason,
    )
    by = author_of(request, None)
    return await _settle(
        context, lambda connection: duty_store.give_substitute(connection, absence, by=by), substitute_document
    )


async def remove_substitute(context: Context, request: Request, number: int) -> SubstituteDocument:
    """Remove a substitute. Raises a Problem (404)."""
    by = author_of(request, None)

    async def remove(connection: Connection) -> Substitute:
        found = await duty_store.remove_substitutes(connection, [number], by=by)
        gone: Substitute = require_removed("substitute", number, found)
        return gone

    return await _settle(context, remove, substitute_document)


_D = TypeVar("_D")


async def _settle(context: Context, action: Callable[[Connection], Awaitable[_T]], document: Callable[[_T], _D]) -> _D:
    try:
        return document(await settle(context, action, 422))
    except SaidError as exc:
        raise Problem(422, str(exc)) from exc
