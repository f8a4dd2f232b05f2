"""`milepost tokens`: API tokens, as the account `operator`."""

import argparse
import asyncio
import sys
from datetime import UTC, datetime
from typing import Final

from access import management
from access.administration import TokenState, days_left, token_state
from access.listing import TokenPlace, list_visible_tokens, load_token, read_scope
from access.management import IssuedToken
from access.roles import Role
from access.rules import Actor
from access.store import StoredToken, load_account, revoke_token
from contract.errors import RemedyError
from contract.home import HOME
from contract.said import Said
from milepost.commands.account_database import open_accounts, require_account, scope_text, table, word_of
from milepost.language import of_here, show
from milepost.settings import Settings
from store.pool import Connection

_AT_ONCE: Final = 1000


class _Logins:
    """The logins of accounts, each read once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[str, str] = {}

    async def of(self, account: str) -> str:
        """The login of the account with an id."""
        if account not in self._known:
            found = await load_account(self._connection, account)
            self._known[account] = account if found is None else found.login
        return self._known[account]


async def run(settings: Settings, stop: asyncio.Event, arguments: argparse.Namespace) -> None:
    """Do one action. Raises RemedyError."""
    async with open_accounts(settings.database_url) as (connection, actor):
        match arguments.action:
            case "list":
                await _list(connection, actor, ended=arguments.all)
            case "new":
                await _new(connection, actor, arguments)
            case "revoke":
                await _revoke(connection, actor, arguments.token)
            case _:
                await _rotate(connection, actor, arguments.token, arguments.overlap)


async def _list(connection: Connection, actor: Actor, *, ended: bool) -> None:
    rows: list[tuple[Said | str, ...]] = [
        (
            Said("ID", "编号"),
            Said("NAME", "用途"),
            Said("ACCOUNT", "账户"),
            Said("ROLE", "角色"),
            Said("SCOPE", "范围"),
            Said("STATE", "状态"),
            Said("EXPIRES", "到期"),
            Said("DAYS LEFT", "剩余天数"),
            Said("LAST USED", "最近使用"),
        )
    ]
    after, now = None, datetime.now(UTC)
    good_at = None if ended else now
    logins = _Logins(connection)
    while found := await list_visible_tokens(connection, actor, after=after, limit=_AT_ONCE, good_at=good_at):
        rows += [_row(token, await logins.of(token.account), now) for token in found]
        after = TokenPlace(found[-1].created_at, found[-1].id)
    show(table(rows))


def _row(token: StoredToken, login: str, now: datetime) -> tuple[Said | str, ...]:
    state = token_state(token.expires_at, token.revoked_at, now)
    return (
        token.id,
        token.name,
        login,
        word_of("role", token.role),
        scope_text(token.scope),
        word_of("token_state", state),
        _time(token.expires_at),
        str(days_left(token.expires_at, now)) if state in {TokenState.VALID, TokenState.ENDING} else "-",
        Said("never", "从未") if token.used_at is None else _time(token.used_at),
    )


async def _new(connection: Connection, actor: Actor, given: argparse.Namespace) -> None:
    account = await require_account(connection, given.account)
    issued = await management.make_token(
        connection,
        actor,
        account,
        name=given.name,
        role=Role(given.role),
        scope=await read_scope(connection, given.scope or (), whole=given.whole),
        days=given.days,
        now=datetime.now(UTC),
    )
    _print(issued, Said("", ""))


async def _revoke(connection: Connection, actor: Actor, token: str) -> None:
    await _require_token(connection, token)
    done = await revoke_token(connection, token, by=actor.account)
    show(
        Said(f"token {token} is revoked", f"令牌 {token} 已吊销")
        if done
        else Said(f"token {token} was revoked already", f"令牌 {token} 此前已吊销")
    )


async def _rotate(connection: Connection, actor: Actor, token: str, hours: float) -> None:
    old = await _require_token(connection, token)
    account = await require_account(connection, old.account)
    issued = await management.rotate_token(connection, actor, account, old, overlap_hours=hours, now=datetime.now(UTC))
    left = await _require_token(connection, token)
    _print(
        issued,
        Said(f"; token {token} is revoked", f"；令牌 {token} 已吊销")
        if left.revoked_at
        else Said(
            f"; token {token} is good until {_time(left.expires_at)} Beijing time",
            f"；令牌 {token} 有效至北京时间 {_time(left.expires_at)}",
        ),
    )


async def _require_token(connection: Connection, token: str) -> StoredToken:
    found = await load_token(connection, token)
    if found is None:
        raise RemedyError(
            f"there is no token {token!r}: `milepost tokens list` shows the ids",
            f"没有编号为 {token!r} 的令牌：`milepost tokens list` 列出编号",
        )
    return found


def _print(issued: IssuedToken, more: Said) -> None:
    """The token alone on standard output, so that a pipe gets nothing else; the rest on standard error."""
    sys.stdout.write(f"{issued.text}\n")
    until = _time(issued.token.expires_at)
    said = Said(
        f"token {issued.token.id}, good until {until} Beijing time; it is shown only now{more.en}",
        f"令牌 {issued.token.id}，有效至北京时间 {until}；仅此一次显示{more.zh}",
    )
    sys.stderr.write(f"{said.text(of_here())}\n")


def _time(at: datetime) -> str:
    """A time in Beijing time, as the console shows it."""
    return at.astimezone(HOME).strftime("%Y-%m-%d %H:%M")
