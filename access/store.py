"""Accounts and API tokens in the database. Permissions are checked before, by `access.rules`."""

import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, TypeVar

import asyncpg
import msgspec

from access.roles import Role
from access.rules import OPERATOR, Account, Actor, token_actor
from access.scope import AreaScope
from access.tokens import NewToken, key_of
from contract.errors import RemedyError
from store.ledger import LedgerEntry, append_entries, ms_of
from store.ledger_kinds import LedgerKind, hashed
from store.pool import Connection
from store.sql import queries_beside

QUERIES: Final = queries_beside(__file__)
_ID_BYTES: Final = 6

T = TypeVar("T")


class Login(msgspec.Struct, frozen=True):
    """The account that a login names, and the hash of its password; None: it has none."""

    account: str
    password: str | None


class StoredToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token in a list, without its secret, which is not stored."""

    id: str
    account: str
    name: str
    role: Role
    scope: AreaScope
    created_at: datetime
    created_by: str
    expires_at: datetime
    revoked_at: datetime | None
    used_at: datetime | None = None
    """When it was last used, to about five minutes."""


async def load_account(connection: Connection, account: str) -> Account | None:
    """The account of an id, disabled or not."""
    row = await connection.fetchrow(QUERIES.find_account, account)
    return None if row is None else scoped(row, Account)


async def find_login(connection: Connection, login: str) -> Login | None:
    """The enabled account of a login, in whatever case it is typed."""
    row = await connection.fetchrow(QUERIES.find_login, login)
    return None if row is None else Login(row["id"], row["password"])


async def list_accounts(connection: Connection, after: str = "", limit: int = 100) -> list[Account]:
    """Accounts in the order of their ids."""
    return [scoped(row, Account) for row in await connection.fetch(QUERIES.list_accounts, after, limit)]


async def require_acting(connection: Connection, named: str | None) -> str:
    """The id of the account by whose login or id a command acts; `operator` without one.

    Raises RemedyError for an account that is not there or is disabled.
    """
    found = await connection.fetchval(QUERIES.find_acting, named or OPERATOR)
    if found is None:
        raise RemedyError(
            f"no enabled account has the login {named!r}: correct it, or leave out --account",
            f"没有登录名为 {named!r} 的可用账户：请更正，或不加 --account",
        )
    return str(found)


async def sign_out(connection: Connection, account: str, *, keep: bytes | None = None) -> None:
    """End the sessions of an account, except the one of the key `keep`, and its one-use links."""
    await connection.execute(QUERIES.end_sessions, account, keep)
    await connection.execute(QUERIES.void_codes, account)


async def load_paths(connection: Connection, *scopes: AreaScope) -> dict[str, tuple[str, ...]]:
    """The path of each area that the scopes name; one that does not exist is left out."""
    codes = sorted(frozenset().union(*(scope.areas for scope in scopes)))
    return {row["code"]: tuple(row["path"]) for row in await connection.fetch(QUERIES.area_paths, codes)}


async def add_account(
    connection: Connection, *, login: str, name: str, role: Role, scope: AreaScope, by: str
) -> Account:
    """Make an account without a password. Raises RemedyError for a login that is taken or an area that is not there."""
    account = f"a-{secrets.token_hex(_ID_BYTES)}"
    async with connection.transaction():
        made = await connection.fetchval(QUERIES.add_account, account, login, name, role, scope.whole, by)
        if made is None:
            raise RemedyError(
                f"the login {login!r} is taken: choose another one", f"登录名 {login!r} 已被使用：请另选一个"
            )
        await _put_areas(connection, account, scope.areas)
        body = {**_rights(role, scope), **hashed(login=login, name=name)}
        await _record(connection, LedgerKind.ACCOUNT_MADE, account, by, body)
    found = await load_account(connection, account)
    assert found is not None  # noqa: S101 -- it was just made
    return found


async def set_rights(connection: Connection, account: str, role: Role, scope: AreaScope, *, by: str) -> None:
    """Give an account another role and scope. Its sessions have the new rights from their next request on."""
    async with connection.transaction():
        await connection.execute(QUERIES.set_role, account, role, scope.whole)
        await connection.execute(QUERIES.clear_areas, account)
        await _put_areas(connection, account, scope.areas)
        await _record(connection, LedgerKind.ACCOUNT_RIGHTS, account, by, _rights(role, scope))


async def rename_account(connection: Connection, account: str, name: str, *, by: str) -> None:
    """Give an account another name to show. Its id and its login stay."""
    async with connection.transaction():
        await connection.execute(QUERIES.rename_account, account, name)
        await _record(connection, LedgerKind.ACCOUNT_RENAMED, account, by, hashed(name=name))


async def set_password(
    connection: Connection, account: str, password_hash: str, *, by: str, keep: bytes | None = None
) -> None:
    """Give an account a password; all its sessions end, except the one of the key `keep`, and all its one-use links."""
    async with connection.transaction():
        await connection.execute(QUERIES.set_password, account, password_hash)
        await sign_out(connection, account, keep=keep)
        await _record(connection, LedgerKind.ACCOUNT_PASSWORD, account, by, {"set": True})


async def change_password(
    connection: Connection, account: str, password_hash: str, *, before: str | None, keep: bytes | None, by: str
) -> bool:
    """Give an account a password instead of the one with the hash `before`, None for none; its other sessions and all
    its one-use links end. False: it has another one meanwhile."""
    async with connection.transaction():
        if await connection.fetchval(QUERIES.hold_password, account, before) is None:
            return False
        await set_password(connection, account, password_hash, by=by, keep=keep)
    return True


async def renew_hash(connection: Connection, account: str, before: str, after: str) -> None:
    """Replace the hash of a password by another one of the same password."""
    await connection.execute(QUERIES.renew_hash, account, before, after)


async def forget_password(connection: Connection, account: str, *, by: str) -> None:
    """Take the password from an account; all its sessions and one-use links end."""
    async with connection.transaction():
        await connection.execute(QUERIES.forget_password, account)
        await sign_out(connection, account)
        await _record(connection, LedgerKind.ACCOUNT_PASSWORD, account, by, {"set": False})


async def void_codes(connection: Connection, account: str) -> None:
    """End the one-use links of an account."""
    await connection.execute(QUERIES.void_codes, account)


async def disable_account(connection: Connection, account: str, *, by: str) -> bool:
    """Disable an account: its sessions end, its tokens are refused. False: the account was disabled already."""
    async with connection.transaction():
        disabled = await connection.fetchval(QUERIES.disable_account, account, by)
        await sign_out(connection, account)
        if disabled is not None:
            await _record(connection, LedgerKind.ACCOUNT_DISABLED, account, by, {})
    return disabled is not None


async def enable_account(connection: Connection, account: str, *, by: str) -> bool:
    """Enable a disabled account. False: the account was not disabled."""
    async with connection.transaction():
        enabled = await connection.fetchval(QUERIES.enable_account, account)
        if enabled is not None:
            await _record(connection, LedgerKind.ACCOUNT_ENABLED, account, by, {})
    return enabled is not None


async def add_token(
    connection: Connection, new: NewToken, *, account: str, name: str, role: Role, scope: AreaScope, by: str,
    expires_at: datetime,
) -> None:  # fmt: skip
    """Keep a new token, without its secret."""
    body = {"account": account, **_rights(role, scope), "expires_ms": ms_of(expires_at), **hashed(name=name)}
    async with connection.transaction():
        await connection.execute(
            QUERIES.add_token, new.id, new.key, account, name, role, scope.whole, sorted(scope.areas), by, expires_at
        )
        await append_entries(connection, [_token_entry(LedgerKind.TOKEN_MADE, new.id, by, body)])


async def find_token(connection: Connection, text: str, now: datetime) -> Actor | None:
    """The actor of a token; None if the token is unknown, expired or revoked, or if its account is disabled."""
    row = await connection.fetchrow(QUERIES.find_token, key_of(text), now)
    account = None if row is None else await load_account(connection, row["account"])
    if row is None or account is None or not account.is_enabled:
        return None
    scope = _scope(row)
    paths = await load_paths(connection, scope, account.scope)
    return token_actor(row["id"], Role(row["role"]), scope, account, paths)


async def is_known_token(connection: Connection, text: str) -> bool:
    """Whether a token was made here, also one that has expired or was revoked."""
    return await connection.fetchval(QUERIES.is_known_token, key_of(text)) is not None


async def list_tokens(connection: Connection, after: str = "", limit: int = 100) -> list[StoredToken]:
    """Tokens in the order of their ids, with expired and revoked ones."""
    return [scoped(row, StoredToken) for row in await connection.fetch(QUERIES.list_tokens, after, limit)]


async def revoke_token(connection: Connection, token: str, *, by: str) -> bool:
    """Revoke a token. False: there is no token of this id, or it was revoked already."""
    async with connection.transaction():
        revoked = await connection.fetchval(QUERIES.revoke_token, token, by)
        if revoked is not None:
            await append_entries(connection, [_token_entry(LedgerKind.TOKEN_REVOKED, token, by, {})])
    return revoked is not None


async def shorten_token(connection: Connection, token: str, until: datetime, *, by: str) -> None:
    """Let a token expire at `until`, unless it expires earlier. `by`: the account that replaced it."""
    async with connection.transaction():
        await connection.execute(QUERIES.shorten_token, token, until)
        entry = _token_entry(LedgerKind.TOKEN_SHORTENED, token, by, {"expires_ms": ms_of(until)})
        await append_entries(connection, [entry])


async def note_token_use(connection: Connection, token: str, now: datetime, not_since: datetime) -> None:
    """Record that a token was used, unless a use after `not_since` is recorded."""
    await connection.execute(QUERIES.note_token_use, token, now, not_since)


async def record_link(connection: Connection, account: str, until: datetime, *, by: str) -> None:
    """Record in the ledger that a one-use link was made, which signs a browser in as the account until then."""
    await _record(connection, LedgerKind.SIGNIN_LINK_MADE, account, by, {"until_ms": ms_of(until)})


async def _record(connection: Connection, kind: LedgerKind, account: str, by: str, body: Mapping[str, Any]) -> None:
    entry = LedgerEntry(kind=kind, subject=f"account/{account}", actor=by, body=body)
    await append_entries(connection, [entry])


def _token_entry(kind: LedgerKind, token: str, by: str, body: Mapping[str, Any]) -> LedgerEntry:
    return LedgerEntry(kind=kind, subject=f"token/{token}", actor=by, body=body)


def _rights(role: Role, scope: AreaScope) -> dict[str, Any]:
    """A role and a scope in the body of an entry."""
    return {"role": role.value, "whole": scope.whole, "areas": sorted(scope.areas)}


async def _put_areas(connection: Connection, account: str, areas: Iterable[str]) -> None:
    codes = sorted(areas)
    known = {row["code"] for row in await connection.fetch(QUERIES.area_paths, codes)}
    unknown = [code for code in codes if code not in known]
    if unknown:
        raise RemedyError(
            f"no area has the code {unknown[0]!r}: import the areas first, or correct the code",
            f"没有代码为 {unknown[0]!r} 的区划：请先导入区划，或更正代码",
        )
    await connection.execute(QUERIES.add_areas, account, codes)


def _scope(row: asyncpg.Record) -> AreaScope:
    return AreaScope(row["whole"], frozenset(row["areas"]))


def scoped(row: asyncpg.Record, kind: type[T]) -> T:
    """A row with `whole` and `areas` as a struct with a scope: an Account or a StoredToken."""
    return msgspec.convert({**dict(row), "scope": {"whole": row["whole"], "areas": row["areas"]}}, kind)
