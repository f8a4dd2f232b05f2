"""What the acts on accounts, tokens and the own access have in common."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Final, Literal, TypeVar

import msgspec
from fastapi import Request
from pydantic import Field

from access.administration import MOST_NAME
from access.listing import read_scope
from access.rules import Actor
from access.scope import MOST_AREAS, WHOLE, AreaScope
from api.actions.settle import settle
from api.context import Context
from api.http.middleware import SESSION
from api.http.problems import Problem
from api.http.session_rules import Session
from store.pool import Connection

_T = TypeVar("_T")
MOST_CODE: Final = 32
NameField = Annotated[str, Field(min_length=1, max_length=MOST_NAME)]
RoleName = Literal["admin", "supervisor", "technician", "auditor"]
AreaCodes = Annotated[list[Annotated[str, Field(max_length=MOST_CODE)]], Field(max_length=MOST_AREAS)]


def acting(context: Context) -> Actor:
    """The actor of a request that has passed the check of its permission."""
    if context.actor is None:
        raise Problem(401, "this needs a token or a session: sign in", headers={"WWW-Authenticate": "Bearer"})
    return context.actor


def with_own(context: Context) -> Context:
    """The same with a database that shows everything, for queries that name the actor's account or check its scope
    themselves. A narrow token belongs to a wider account, and an old token may be wider than its account is now."""
    return msgspec.structs.replace(context, database=context.database.within(WHOLE))


def session_of(request: Request) -> Session | None:
    """The session of the browser that asks, None without one."""
    found: Session | None = request.scope[SESSION]
    return found


async def scope_asked(connection: Connection, whole: bool | None, areas: list[str] | None) -> AreaScope | None:
    """The scope that a body names, None when it names none. Raises RemedyError."""
    if whole is None and areas is None:
        return None
    return await read_scope(connection, areas or [], whole=bool(whole))


async def settle_anew(context: Context, action: Callable[[Connection], Awaitable[_T]], status: int) -> _T:
    """As `settle`; accounts, tokens and sessions are looked up again by the next request."""
    made = await settle(context, action, status)
    context.identity.forget_known()
    return made
