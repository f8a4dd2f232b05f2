"""Accounts of the caller's scope, for who manages accounts."""

from typing import Annotated

from fastapi import APIRouter, Body, Path

from api.actions.accounts import (
    AccountPatch,
    LinkRequest,
    NewAccount,
    change_account,
    create_account,
    disable_account,
    enable_account,
    new_account_link,
)
from api.actions.people import acting
from api.context import Shared
from api.http.paging import PageOf
from api.http.work import WorkRoute
from api.read.people import listing
from api.read.people.schemas import AccountDocument, AccountLink
from api.read.schemas import Listing

router = APIRouter(tags=["accounts"], route_class=WorkRoute)

AccountId = Annotated[str, Path(max_length=64, description="the account's id")]


@router.get("/accounts")
async def list_accounts(context: Shared, page: PageOf) -> Listing[AccountDocument]:
    """Accounts whose whole scope lies in yours, by login."""
    async with context.database.snapshot() as connection:
        return await listing.list_accounts(connection, acting(context), page)


@router.get("/accounts/{id}")
async def get_account(context: Shared, id: AccountId) -> AccountDocument:  # noqa: A002 -- the path's own name for it
    """One account."""
    async with context.database.snapshot() as connection:
        return await listing.load_account_document(connection, acting(context), id)


@router.post("/accounts", status_code=201)
async def make_account(context: Shared, said: NewAccount) -> AccountDocument:
    """Make an account without a password; nobody gives a role or a scope wider than the own. A link of
    `POST accounts/{id}/link` lets its person sign in and choose a password."""
    return await create_account(context, said)


@router.patch("/accounts/{id}")
async def patch_account(context: Shared, id: AccountId, said: AccountPatch) -> AccountDocument:  # noqa: A002
    """Change name, role or scope. Tokens go on, with the new rights from their next request on; sessions too, unless
    role or scope become wider: then they end, and one-use links."""
    return await change_account(context, id, said)


@router.post("/accounts/{id}/disable")
async def disable(context: Shared, id: AccountId) -> AccountDocument:  # noqa: A002
    """Disable an account: its sessions end, its tokens are refused. Histories go on naming it."""
    return await disable_account(context, id)


@router.post("/accounts/{id}/enable")
async def enable(context: Shared, id: AccountId) -> AccountDocument:  # noqa: A002
    """Enable a disabled account."""
    return await enable_account(context, id)


@router.post("/accounts/{id}/link", status_code=201)
async def make_account_link(
    context: Shared,
    id: AccountId,  # noqa: A002
    said: Annotated[LinkRequest | None, Body()] = None,
) -> AccountLink:
    """Make a one-use link that signs the person of the account in, within 24 hours; an earlier one ends."""
    return await new_account_link(context, id, said or LinkRequest())
