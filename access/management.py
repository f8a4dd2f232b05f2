"""The acts of who administers accounts and tokens, with their rules: the same for commands, API and console.

Each is one transaction. Whether an account or a token may be seen at all is decided before, by `access.listing`.
"""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

import msgspec

from access import store as access_store
from access.administration import (
    FIRST_LINK,
    AdminsLeft,
    is_whole_admin,
    overlap_of,
    require_admin_left,
    require_holder,
    require_lifetime,
    require_login,
    require_name,
    require_other,
    require_own_session,
    require_person,
    require_room,
    require_within,
    span_of,
    widens,
)
from access.listing import load_token
from access.roles import Role
from access.rules import BUILT_IN, Account, Actor
from access.scope import AreaScope
from access.store import StoredToken, load_paths
from access.tokens import NewToken, expiry, new_token
from contract.errors import RemedyError
from store.pool import Connection
from store.sql import queries_beside

QUERIES: Final = queries_beside(__file__)
_SECRET_BYTES: Final = 32


class AccountChange(msgspec.Struct, frozen=True, kw_only=True):
    """What changes of an account; None stays as it is."""

    name: str | None = None
    role: Role | None = None
    scope: AreaScope | None = None


class IssuedToken(msgspec.Struct, frozen=True):
    """A token that was just made, with its text, which is shown once."""

    text: str
    token: StoredToken


class IssuedCode(msgspec.Struct, frozen=True):
    """The code of a one-use link, and until when it can be used."""

    code: str
    until: datetime


async def create_account(
    connection: Connection, actor: Actor, *, login: str, name: str, role: Role, scope: AreaScope
) -> Account:
    """Make an account without a password. Raises RemedyError."""
    require_login(login)
    require_name(name)
    await _require_within(connection, actor, role, scope)
    return await access_store.add_account(
        connection, login=login, name=name.strip(), role=role, scope=scope, by=actor.account
    )


async def change_account(
    connection: Connection, actor: Actor, account: Account, change: AccountChange, *, has_admin_token: bool
) -> None:
    """Change name, role or scope. Raises RemedyError, also where nobody could administer Milepost afterwards.

    Wider rights end the sessions and one-use links of the account, because a person without the power to give these
    rights may hold one of them.
    """
    require_person(account)
    if change.name is not None:
        require_name(change.name)
    async with connection.transaction():
        if change.role is not None or change.scope is not None:
            await _lock_admins(connection)  # first of all, as it locks accounts in the order of their ids
        account = await _hold(connection, account)
        role, scope = change.role or account.role, change.scope or account.scope
        await _require_within(connection, actor, account.role, account.scope)
        paths = await _require_within(connection, actor, role, scope)
        has_new_rights = (role, scope) != (account.role, account.scope)
        if has_new_rights and not is_whole_admin(msgspec.structs.replace(account, role=role, scope=scope)):
            await _require_admin_left(connection, account, has_admin_token=has_admin_token)
        if change.name is not None and change.name.strip() != account.name:
            await access_store.rename_account(connection, account.id, change.name.strip(), by=actor.account)
        if has_new_rights:
            await access_store.set_rights(connection, account.id, role, scope, by=actor.account)
            if widens(account, role, scope, paths):
                await access_store.sign_out(connection, account.id)


async def disable_account(connection: Connection, actor: Actor, account: Account, *, has_admin_token: bool) -> bool:
    """Disable an account. False: it was disabled already. Raises RemedyError."""
    require_person(account)
    require_other(actor, account)
    async with connection.transaction():
        await _lock_admins(connection)  # first of all, as it locks accounts in the order of their ids
        account = await _hold(connection, account)
        await _require_within(connection, actor, account.role, account.scope)
        await _require_admin_left(connection, account, has_admin_token=has_admin_token)
        return await access_store.disable_account(connection, account.id, by=actor.account)


async def enable_account(connection: Connection, actor: Actor, account: Account) -> bool:
    """Enable an account. False: it was not disabled. Raises RemedyError."""
    async with connection.transaction():
        account = await _hold(connection, account)
        await _require_within(connection, actor, account.role, account.scope)
        return await access_store.enable_account(connection, account.id, by=actor.account)


async def new_link(
    connection: Connection, actor: Actor, account: Account, now: datetime, *, forget_password: bool = False
) -> IssuedCode:
    """The code of a one-use link that signs its person in, for FIRST_LINK; an earlier link ends.

    An account without a password may choose one when it is signed in. `forget_password`: the password is void from
    now on, and all sessions end. Raises RemedyError.
    """
    require_person(account)
    require_own_session(actor, account)
    code, until = secrets.token_urlsafe(_SECRET_BYTES), now + FIRST_LINK
    async with connection.transaction():
        account = await _hold(connection, account)
        await _require_within(connection, actor, account.role, account.scope)
        if not account.is_enabled:
            raise RemedyError(
                f"the account {account.login!r} is disabled: enable it first",
                f"账户 {account.login!r} 已停用：请先启用",
            )
        await access_store.void_codes(connection, account.id)
        if forget_password:
            await access_store.forget_password(connection, account.id, by=actor.account)
        await connection.execute(QUERIES.put_code, hashlib.sha256(code.encode()).digest(), account.id, until)
        await access_store.record_link(connection, account.id, until, by=actor.account)
    return IssuedCode(code, until)


async def make_token(
    connection: Connection, actor: Actor, account: Account, *,
    name: str, role: Role, scope: AreaScope, days: int | None, now: datetime,
) -> IssuedToken:  # fmt: skip
    """Make a token of an account. Raises RemedyError for one wider than the account or than the request, or for one
    that would go on after the token that asks; without `days` it ends with that token at the latest."""
    require_name(name)
    expires = expiry(now, days)
    own = None if actor.token is None else await load_token(connection, actor.token)
    if own is not None and days is None:
        expires = min(expires, own.expires_at)
    require_lifetime(expires, None if own is None else own.expires_at)
    async with connection.transaction():
        account = await _hold(connection, account)
        paths = await _require_within(connection, actor, role, scope)
        require_holder(account, role, scope, paths)
        _require_known(scope.areas, paths)
        require_room(await connection.fetchval(QUERIES.count_valid_tokens, account.id, now))
        return await _issue(connection, actor, account.id, name.strip(), role, scope, expires)


async def rotate_token(
    connection: Connection, actor: Actor, account: Account, old: StoredToken, *, overlap_hours: float, now: datetime
) -> IssuedToken:
    """Replace a token by a new one with the same name, role, scope and validity. The old one goes on for some hours, or
    ends at once. Raises RemedyError."""
    overlap = overlap_of(overlap_hours)
    async with connection.transaction():
        account = await _hold(connection, account)
        await connection.execute(QUERIES.lock_token, old.id)
        old = await load_token(connection, old.id) or old
        if old.revoked_at is not None:
            raise RemedyError(f"the token {old.id} was revoked: make a new one", f"令牌 {old.id} 已被吊销：请新建令牌")
        paths = await _require_within(connection, actor, old.role, old.scope)
        require_holder(account, old.role, old.scope, paths)
        goes_on = overlap > timedelta(0) and old.expires_at > now
        if goes_on or old.expires_at <= now:
            require_room(await connection.fetchval(QUERIES.count_valid_tokens, account.id, now))
        expires = expiry(now, span_of(old.created_at, old.expires_at))
        made = await _issue(connection, actor, old.account, old.name, old.role, old.scope, expires)
        if goes_on:
            await access_store.shorten_token(connection, old.id, now + overlap, by=actor.account)
        else:
            await access_store.revoke_token(connection, old.id, by=actor.account)
    return made


async def _issue(
    connection: Connection, actor: Actor, account: str, name: str, role: Role, scope: AreaScope, expires: datetime
) -> IssuedToken:
    new: NewToken = new_token()
    await access_store.add_token(
        connection, new, account=account, name=name, role=role, scope=scope, by=actor.account, expires_at=expires
    )
    stored = await load_token(connection, new.id)
    assert stored is not None  # noqa: S101 -- it was just made
    return IssuedToken(new.text, stored)


async def _hold(connection: Connection, account: Account) -> Account:
    """The account as it is now; other changes of it wait for the end of the transaction."""
    await connection.execute(QUERIES.lock_account, account.id)
    found = await access_store.load_account(connection, account.id)
    if found is None:
        raise RemedyError(
            "the account was moved out of your scope just now: ask another administrator",
            "该账户刚刚被移出您的范围：请联系其他管理员",
        )
    return found


async def _require_within(
    connection: Connection, actor: Actor, role: Role, scope: AreaScope
) -> dict[str, tuple[str, ...]]:
    """Raise RemedyError for a role or a scope beyond the actor's; the paths of the scope's areas."""
    paths = await load_paths(connection, scope)
    require_within(actor, role, scope, paths)
    return paths


def _require_known(areas: Iterable[str], paths: dict[str, tuple[str, ...]]) -> None:
    unknown = sorted(set(areas) - set(paths))
    if unknown:
        raise RemedyError(
            f"no area has the code {unknown[0]!r}: import the areas first, or correct the code",
            f"没有代码为 {unknown[0]!r} 的区划：请先导入区划，或更正代码",
        )


async def _require_admin_left(connection: Connection, account: Account, *, has_admin_token: bool) -> None:
    admins = await _lock_admins(connection)
    left = AdminsLeft(others=len(admins - {account.id}), has_admin_token=has_admin_token)
    require_admin_left(account, left)


async def _lock_admins(connection: Connection) -> set[str]:
    return {row["id"] for row in await connection.fetch(QUERIES.lock_admins, sorted(BUILT_IN))}
