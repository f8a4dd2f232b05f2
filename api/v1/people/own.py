"""Who asks: the own account, its password and its sessions."""

from typing import Annotated

from fastapi import APIRouter, Path, Request

from api.actions.own_access import (
    PasswordChange,
    change_own_password,
    end_other_sessions,
    end_own_session,
    list_own_sessions,
)
from api.actions.people import acting, session_of, with_own
from api.context import Shared
from api.http.work import WorkRoute
from api.read.people import listing
from api.read.people.documents import session_document
from api.read.people.schemas import EndedSessions, OwnAccount, OwnSessions

router = APIRouter(tags=["account"], route_class=WorkRoute)


@router.get("/account")
async def get_own_account(context: Shared, request: Request) -> OwnAccount:
    """Who you are: account, role, scope, permissions, and when the session or the token ends."""
    async with with_own(context).database.snapshot() as connection:
        return await listing.load_own_account(connection, acting(context), session_of(request))


@router.post("/account/password")
async def put_own_password(context: Shared, request: Request, said: PasswordChange) -> EndedSessions:
    """Change the own password. All other sessions end, and one-use links."""
    return EndedSessions(ended=await change_own_password(context, request, said))


@router.get("/account/sessions")
async def get_own_sessions(context: Shared, request: Request) -> OwnSessions:
    """The browsers in which you are signed in, the last used first."""
    current = session_of(request)
    return OwnSessions(items=[session_document(one, current) for one in await list_own_sessions(context)])


@router.delete("/account/sessions/{id}")
async def end_session(
    context: Shared,
    id: Annotated[str, Path(max_length=64, description="the session's id")],  # noqa: A002 -- the path's own name
) -> EndedSessions:
    """End one of your sessions."""
    await end_own_session(context, id)
    return EndedSessions(ended=1)


@router.delete("/account/sessions")
async def end_sessions(context: Shared, request: Request) -> EndedSessions:
    """End all your sessions but the one that asks."""
    return EndedSessions(ended=await end_other_sessions(context, request))
