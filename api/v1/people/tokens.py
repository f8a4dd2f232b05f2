"""API tokens: everybody's own, and those of the accounts of the scope for who manages accounts."""

from typing import Annotated

from fastapi import APIRouter, Body, Path, Query

from api.actions.people import acting, with_own
from api.actions.tokens import NewTokenRequest, Rotation, create_token, end_token
from api.actions.tokens import rotate_token as rotate
from api.context import Shared
from api.http.paging import PageOf
from api.http.work import WorkRoute
from api.read.people import listing
from api.read.people.schemas import NewTokenDocument, TokenDocument
from api.read.schemas import Listing

router = APIRouter(tags=["tokens"], route_class=WorkRoute)

TokenId = Annotated[str, Path(max_length=64, description="the token's id")]


@router.get("/tokens")
async def list_tokens(
    context: Shared,
    page: PageOf,
    account: Annotated[str | None, Query(max_length=64, description="only those of this account")] = None,
) -> Listing[TokenDocument]:
    """Your tokens, and for who manages accounts those of the accounts of the scope; also ended ones."""
    async with with_own(context).database.snapshot() as connection:
        return await listing.list_tokens(connection, acting(context), page, account=account)


@router.post("/tokens", status_code=201)
async def make_token(context: Shared, said: NewTokenRequest) -> NewTokenDocument:
    """Make a token, at most as wide as the account and as you. Its text is in this answer only."""
    return await create_token(context, said)


@router.delete("/tokens/{id}")
async def revoke_token(context: Shared, id: TokenId) -> TokenDocument:  # noqa: A002 -- the path's own name for it
    """Revoke a token. Another process of the API may accept it for five seconds more."""
    return await end_token(context, id)


@router.post("/tokens/{id}/rotate", status_code=201)
async def rotate_token(
    context: Shared,
    id: TokenId,  # noqa: A002
    said: Annotated[Rotation | None, Body()] = None,
) -> NewTokenDocument:
    """Replace a token by a new one with the same name, role, scope and validity. The old one is revoked, or goes on for
    some hours."""
    return await rotate(context, id, said or Rotation())
