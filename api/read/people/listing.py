"""Accounts and tokens that a request may see, with the names of their areas."""

from datetime import UTC, datetime
from typing import Final

from access.listing import (
    TokenPlace,
    list_visible_accounts,
    list_visible_tokens,
    name_areas,
    visible_account,
    visible_token,
)
from access.rules import Account, Actor
from access.store import StoredToken, load_account
from api.http.paging import AfterAccount, AfterToken, Page
from api.http.problems import Problem, not_found
from api.http.session_rules import Session
from api.http.sessions import sessions_of
from api.read.people.documents import account_document, scope_document, session_document, token_document
from api.read.people.schemas import AccountDocument, OwnAccount, SessionDocument, TokenDocument
from api.read.schemas import Listing
from store.pool import Connection

_FIRST: Final = datetime.max.replace(tzinfo=UTC)
"""Later than every token."""


async def list_accounts(connection: Connection, actor: Actor, page: Page) -> Listing[AccountDocument]:
    """Accounts in the actor's scope, by login. Raises a Problem for a cursor that is not ours."""
    after = page.after(AfterAccount, AfterAccount("")).login
    found = await list_visible_accounts(connection, actor, after=after, limit=page.limit + 1)
    shown, following = page.cut(found, lambda account: AfterAccount(account.login))
    names = await name_areas(connection, [account.scope for account in shown])
    return Listing(items=[account_document(account, names) for account in shown], next=following)


async def require_account(connection: Connection, actor: Actor, account: str) -> Account:
    """An account by its id. Raises a Problem (404) for one that is not there or lies outside the scope."""
    found = await visible_account(connection, actor, account)
    if found is None:
        raise not_found("account", account)
    return found


async def load_account_document(connection: Connection, actor: Actor, account: str) -> AccountDocument:
    """The document of an account. Raises a Problem (404)."""
    found = await require_account(connection, actor, account)
    return account_document(found, await name_areas(connection, [found.scope]))


async def list_tokens(
    connection: Connection, actor: Actor, page: Page, *, account: str | None = None, good_at: datetime | None = None
) -> Listing[TokenDocument]:
    """Tokens that the actor may see, the newest first. Raises a Problem for a cursor that is not ours."""
    after = page.after(AfterToken, AfterToken(_FIRST, ""))
    place = TokenPlace(after.created_at, after.id)
    found = await list_visible_tokens(
        connection, actor, after=place, limit=page.limit + 1, account=account, good_at=good_at
    )
    shown, following = page.cut(found, lambda token: AfterToken(token.created_at, token.id))
    names, now = await name_areas(connection, [token.scope for token in shown]), datetime.now(UTC)
    return Listing(items=[token_document(token, names, now) for token in shown], next=following)


async def require_token(connection: Connection, actor: Actor, token: str) -> StoredToken:
    """A token by its id. Raises a Problem (404) for one that is not there or that the actor may not see."""
    found = await visible_token(connection, actor, token)
    if found is None:
        raise not_found("token", token)
    return found


async def list_sessions(connection: Connection, account: str, current: Session | None) -> list[SessionDocument]:
    """The sessions of an account that have not ended, the last used first."""
    found = await sessions_of(connection, account, datetime.now(UTC).timestamp())
    return [session_document(one, current) for one in found]


async def load_own_account(connection: Connection, actor: Actor, session: Session | None) -> OwnAccount:
    """Who asks. Raises a Problem (401) for an account that has just gone."""
    account = await load_account(connection, actor.account)
    if account is None:
        raise Problem(401, "this account is not there any more: sign in again")
    token = None if actor.token is None else await visible_token(connection, actor, actor.token)
    scopes = [account.scope, actor.scope, *([] if token is None else [token.scope])]
    names = await name_areas(connection, scopes)
    return OwnAccount(
        account=account_document(account, names),
        permissions=sorted(one for one in actor.permissions if actor.may(one)),
        scope=scope_document(actor.scope, names),
        session=None if session is None else session_document(session, session),
        token=None if token is None else token_document(token, names, datetime.now(UTC)),
    )
