"""Make, change, disable and enable accounts, and links for their persons: the same for routes and pages."""

from datetime import UTC, datetime

from pydantic import BaseModel

from access import management
from access.listing import name_areas, read_scope
from access.management import AccountChange
from access.roles import Role
from access.store import load_account
from api.actions.people import AreaCodes, NameField, RoleName, acting, scope_asked, settle_anew
from api.actions.settle import settle
from api.context import Context
from api.http.problems import not_found
from api.read.people.documents import account_document
from api.read.people.listing import require_account
from api.read.people.schemas import AccountDocument, AccountLink
from store.pool import Connection


class NewAccount(BaseModel):
    """Everything (`whole`) or `areas`, by their codes, with all below them."""

    login: NameField
    name: NameField
    role: RoleName
    whole: bool = False
    areas: AreaCodes = []


class AccountPatch(BaseModel):
    """What is not named stays. `whole` or `areas` is the whole new scope."""

    name: NameField | None = None
    role: RoleName | None = None
    whole: bool | None = None
    areas: AreaCodes | None = None


class LinkRequest(BaseModel):
    """`forget_password`: the password is void from now on, all sessions end, and the person chooses another one."""

    forget_password: bool = False


async def create_account(context: Context, said: NewAccount) -> AccountDocument:
    """Make an account without a password. Raises a Problem (422)."""
    actor = acting(context)

    async def create(connection: Connection) -> AccountDocument:
        scope = await read_scope(connection, said.areas, whole=said.whole)
        made = await management.create_account(
            connection, actor, login=said.login, name=said.name, role=Role(said.role), scope=scope
        )
        return account_document(made, await name_areas(connection, [made.scope]))

    return await settle(context, create, 422)


async def change_account(context: Context, account: str, said: AccountPatch) -> AccountDocument:
    """Change name, role or scope. Raises a Problem (404, 422)."""
    actor = acting(context)

    async def change(connection: Connection) -> AccountDocument:
        found = await require_account(connection, actor, account)
        await management.change_account(
            connection,
            actor,
            found,
            AccountChange(
                name=said.name,
                role=None if said.role is None else Role(said.role),
                scope=await scope_asked(connection, said.whole, said.areas),
            ),
            has_admin_token=_has_admin_token(context),
        )
        return await _document(connection, account)

    return await settle_anew(context, change, 422)


async def disable_account(context: Context, account: str) -> AccountDocument:
    """Disable an account; one that is disabled stays so. Raises a Problem (404, 409)."""
    actor = acting(context)

    async def disable(connection: Connection) -> AccountDocument:
        found = await require_account(connection, actor, account)
        await management.disable_account(connection, actor, found, has_admin_token=_has_admin_token(context))
        return await _document(connection, account)

    return await settle_anew(context, disable, 409)


async def enable_account(context: Context, account: str) -> AccountDocument:
    """Enable an account; one that is enabled stays so. Raises a Problem (404, 409)."""
    actor = acting(context)

    async def enable(connection: Connection) -> AccountDocument:
        await management.enable_account(connection, actor, await require_account(connection, actor, account))
        return await _document(connection, account)

    return await settle_anew(context, enable, 409)


async def new_account_link(context: Context, account: str, said: LinkRequest) -> AccountLink:
    """A one-use link for the person of an account. Raises a Problem (404, 409)."""
    actor = acting(context)

    async def link(connection: Connection) -> AccountLink:
        found = await require_account(connection, actor, account)
        issued = await management.new_link(
            connection, actor, found, datetime.now(UTC), forget_password=said.forget_password
        )
        return AccountLink(link=f"{context.config.url.rstrip('/')}/signin?code={issued.code}", until=issued.until)

    return await settle_anew(context, link, 409)


async def _document(connection: Connection, account: str) -> AccountDocument:
    found = await load_account(connection, account)
    if found is None:
        raise not_found("account", account)
    return account_document(found, await name_areas(connection, [found.scope]))


def _has_admin_token(context: Context) -> bool:
    return bool(context.token.current())
