"""Make, rotate and revoke API tokens: the same for routes and pages."""

from datetime import UTC, datetime

from pydantic import BaseModel, Field

from access import management
from access.listing import name_areas
from access.roles import Permission, Role
from access.store import revoke_token
from api.actions.people import AreaCodes, NameField, RoleName, acting, scope_asked, settle_anew, with_own
from api.actions.settle import settle
from api.context import Context
from api.http.problems import not_found
from api.read.people.documents import new_token_document, token_document
from api.read.people.listing import require_account, require_token
from api.read.people.schemas import NewTokenDocument, TokenDocument
from store.pool import Connection


class NewTokenRequest(BaseModel):
    """`account`: whose token it is, the own without it. Role and scope: those of the account unless they are named."""

    name: NameField
    account: NameField | None = None
    role: RoleName | None = None
    whole: bool | None = None
    areas: AreaCodes | None = None
    days: int | None = Field(default=None, ge=1, le=400)


class Rotation(BaseModel):
    """`overlap_hours`: for how long the old token goes on beside the new one."""

    overlap_hours: float = Field(default=0.0, ge=0, le=168)


async def create_token(context: Context, said: NewTokenRequest) -> NewTokenDocument:
    """Make a token of the own account, or of another one in the scope. Raises a Problem (403, 404, 422)."""
    actor, now = acting(context), datetime.now(UTC)
    context = with_own(context)
    named = said.account or actor.account
    if named != actor.account and not actor.may(Permission.MANAGE_ACCOUNTS):
        raise not_found("account", named)

    async def create(connection: Connection) -> NewTokenDocument:
        account = await require_account(connection, actor, named)
        role = account.role if said.role is None else Role(said.role)
        scope = await scope_asked(connection, said.whole, said.areas)
        issued = await management.make_token(
            connection, actor, account, name=said.name, role=role, scope=scope or account.scope, days=said.days, now=now
        )
        names = await name_areas(connection, [issued.token.scope])
        return new_token_document(issued.text, issued.token, names, now)

    return await settle(context, create, 422)


async def rotate_token(context: Context, token: str, said: Rotation) -> NewTokenDocument:
    """Replace a token by a new one. Raises a Problem (404, 409)."""
    actor, now = acting(context), datetime.now(UTC)
    context = with_own(context)

    async def rotate(connection: Connection) -> NewTokenDocument:
        old = await require_token(connection, actor, token)
        account = await require_account(connection, actor, old.account)
        issued = await management.rotate_token(
            connection, actor, account, old, overlap_hours=said.overlap_hours, now=now
        )
        return new_token_document(issued.text, issued.token, await name_areas(connection, [old.scope]), now)

    return await settle_anew(context, rotate, 409)


async def end_token(context: Context, token: str) -> TokenDocument:
    """Revoke a token; one that was revoked stays so. Raises a Problem (404)."""
    actor, now = acting(context), datetime.now(UTC)
    context = with_own(context)

    async def revoke(connection: Connection) -> TokenDocument:
        await require_token(connection, actor, token)
        await revoke_token(connection, token, by=actor.account)
        ended = await require_token(connection, actor, token)
        return token_document(ended, await name_areas(connection, [ended.scope]), now)

    return await settle_anew(context, revoke, 409)
