"""Accounts and tokens as a request may see them: those of its scope, and its own."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import msgspec

from access.roles import Permission
from access.rules import Account, Actor
from access.scope import AreaScope, scope_of
from access.store import StoredToken, load_account, load_paths, scoped
from store.pool import Connection
from store.sql import queries_beside

QUERIES: Final = queries_beside(__file__)


class AreaName(msgspec.Struct, frozen=True):
    """The name of an area in Chinese, and in English if it has one."""

    name: str
    name_en: str | None


class TokenPlace(msgspec.Struct, frozen=True):
    """The place of a token in a list, the newest first."""

    created_at: datetime
    id: str


async def find_account(connection: Connection, named: str) -> Account | None:
    """The account of a login, in whatever case it is typed, or of an id; disabled or not."""
    found: str | None = await connection.fetchval(QUERIES.find_named, named)
    return None if found is None else await load_account(connection, found)


async def visible_account(connection: Connection, actor: Actor, account: str) -> Account | None:
    """An account by its id; None also if it lies outside the actor's scope."""
    found = await load_account(connection, account)
    return found if found is not None and await _is_visible(connection, actor, found) else None


async def _is_visible(connection: Connection, actor: Actor, account: Account) -> bool:
    return actor.account == account.id or await _lies_within(connection, actor, account)


async def _lies_within(connection: Connection, actor: Actor, account: Account) -> bool:
    if actor.scope.whole:
        return True
    paths = await load_paths(connection, account.scope)
    return bool(account.scope.areas) and account.scope.within(actor.scope, paths)


async def list_visible_accounts(
    connection: Connection, actor: Actor, *, after: str = "", limit: int = 100
) -> list[Account]:
    """Accounts in the actor's scope, and its own, in the order of their logins, after a login."""
    rows = await connection.fetch(
        QUERIES.list_visible_accounts, actor.scope.whole, sorted(actor.scope.areas), actor.account, after, limit
    )
    return [scoped(row, Account) for row in rows]


async def visible_token(connection: Connection, actor: Actor, token: str) -> StoredToken | None:
    """A token by its id; None also if the actor may not see it. A token that is narrower than its account is shown no
    other token of it."""
    found = await load_token(connection, token)
    if found is None or token == actor.token or (found.account == actor.account and actor.token is None):
        return found
    account = await load_account(connection, found.account) if actor.may(Permission.MANAGE_ACCOUNTS) else None
    return found if account is not None and await _lies_within(connection, actor, account) else None


async def load_token(connection: Connection, token: str) -> StoredToken | None:
    """A token by its id, expired and revoked or not."""
    row = await connection.fetchrow(QUERIES.stored_token, token)
    return None if row is None else scoped(row, StoredToken)


async def list_visible_tokens(
    connection: Connection,
    actor: Actor,
    *,
    after: TokenPlace | None = None,
    limit: int = 100,
    account: str | None = None,
    good_at: datetime | None = None,
) -> list[StoredToken]:
    """Tokens, the newest first: the actor's own; who manages accounts sees those of all accounts in the scope.

    A request with a token sees of its own account only this token.

    `account`: only the tokens of this account; `good_at`: without those that ended before.
    """
    manages = actor.may(Permission.MANAGE_ACCOUNTS)
    rows = await connection.fetch(
        QUERIES.list_visible_tokens,
        manages and actor.scope.whole,
        sorted(actor.scope.areas) if manages else [],
        actor.account if actor.token is None else None,
        actor.token,
        account,
        None if after is None else after.created_at,
        None if after is None else after.id,
        good_at,
        limit,
    )
    return [scoped(row, StoredToken) for row in rows]


async def name_areas(connection: Connection, scopes: Iterable[AreaScope]) -> dict[str, AreaName]:
    """The names of the areas of scopes, by code; one that is not there is left out."""
    codes = sorted(frozenset().union(*(scope.areas for scope in scopes)))
    rows = await connection.fetch(QUERIES.area_names, codes) if codes else []
    return {row["code"]: AreaName(row["name"], row["name_en"]) for row in rows}


async def read_scope(connection: Connection, areas: Iterable[str], *, whole: bool) -> AreaScope:
    """A scope as a person names it, with short codes such as 63 for 630000000000. A code without an area stays.
    Raises RemedyError for the whole with areas, for neither, for too many."""
    named = scope_of(areas, whole=whole)
    rows = await connection.fetch(QUERIES.known_areas, sorted(named.areas))
    return AreaScope(named.whole, frozenset(row["code"] or row["given"] for row in rows))
