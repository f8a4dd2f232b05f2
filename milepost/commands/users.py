"""`milepost users`: accounts of people and programs, as the account `operator`."""

import argparse
import asyncio
import getpass
import sys
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec

from access import management
from access.administration import require_new_password, state_of
from access.listing import list_visible_accounts, read_scope
from access.management import AccountChange
from access.passwords import hash_password
from access.roles import Role
from access.rules import MOST_PASSWORD, Account, Actor
from access.store import set_password
from contract.errors import RemedyError
from contract.said import Said
from milepost.commands.account_database import (
    has_admin_token,
    open_accounts,
    require_account,
    scope_text,
    table,
    word_of,
)
from milepost.language import of_here, show
from milepost.settings import Settings
from store.pool import Connection

_AT_ONCE: Final = 1000


class UsersCommand(msgspec.Struct, frozen=True, kw_only=True):
    """One call of `milepost users`: where it acts, as whom, and what was typed."""

    connection: Connection
    actor: Actor
    given: argparse.Namespace
    has_admin_token: bool
    console_url: str


async def run(settings: Settings, stop: asyncio.Event, arguments: argparse.Namespace) -> None:
    """Do one action. Raises RemedyError."""
    password = _read_password(arguments) if arguments.action == "password" else ""
    async with open_accounts(settings.database_url) as (connection, actor):
        command = UsersCommand(
            connection=connection,
            actor=actor,
            given=arguments,
            has_admin_token=has_admin_token(settings.admin_token_file),
            console_url=settings.console_url,
        )
        if arguments.action == "list":
            await _list(command)
        elif arguments.action == "add":
            await _add(command)
        else:
            account = await require_account(connection, arguments.login)
            if arguments.action == "password":
                await _put_password(command, account, password)
            else:
                await _ACTIONS[arguments.action](command, account)


async def _list(command: UsersCommand) -> None:
    rows: list[tuple[Said | str, ...]] = [
        (
            Said("LOGIN", "登录名"),
            Said("NAME", "姓名"),
            Said("ROLE", "角色"),
            Said("SCOPE", "范围"),
            Said("STATE", "状态"),
            Said("ID", "编号"),
        )
    ]
    after = ""
    while found := await list_visible_accounts(command.connection, command.actor, after=after, limit=_AT_ONCE):
        rows += [_row(account) for account in found]
        after = found[-1].login
    show(table(rows))


def _row(account: Account) -> tuple[Said | str, ...]:
    return (
        account.login,
        account.name,
        word_of("role", account.role),
        scope_text(account.scope),
        word_of("account_state", state_of(account)),
        account.id,
    )


async def _add(command: UsersCommand) -> None:
    given = command.given
    made = await management.create_account(
        command.connection,
        command.actor,
        login=given.login,
        name=given.name or given.login,
        role=Role(given.role),
        scope=await read_scope(command.connection, given.scope or (), whole=given.whole),
    )
    show(
        Said(
            f"account {made.login} ({made.id}) created, without a password. A link for its person: "
            f"milepost users link {made.login}",
            f"账户 {made.login}（{made.id}）已建立，尚无密码。给其本人的登录链接：milepost users link {made.login}",
        )
    )


async def _set(command: UsersCommand, account: Account) -> None:
    given = command.given
    if given.name is None and given.role is None and given.scope is None and not given.whole:
        raise RemedyError(
            "nothing to change: give --name, --role, --scope or --whole",
            "没有要更改的内容：请给出 --name、--role、--scope 或 --whole",
        )
    scope = None
    if given.scope is not None or given.whole:
        scope = await read_scope(command.connection, given.scope or (), whole=given.whole)
    await management.change_account(
        command.connection,
        command.actor,
        account,
        AccountChange(name=given.name, role=None if given.role is None else Role(given.role), scope=scope),
        has_admin_token=command.has_admin_token,
    )
    changed = await require_account(command.connection, account.id)
    role, scope_said = word_of("role", changed.role), scope_text(changed.scope)
    show(
        Said(
            f"account {changed.login}: {changed.name}, {role.en}, {scope_said.en}",
            f"账户 {changed.login}：{changed.name}，{role.zh}，{scope_said.zh}",
        )
    )


async def _put_password(command: UsersCommand, account: Account, password: str) -> None:
    require_new_password(account, password)
    await set_password(command.connection, account.id, hash_password(password), by=command.actor.account)
    show(
        Said(
            f"account {account.login} has a new password; its sessions have ended",
            f"账户 {account.login} 已有新密码；其会话已结束",
        )
    )


async def _disable(command: UsersCommand, account: Account) -> None:
    done = await management.disable_account(
        command.connection, command.actor, account, has_admin_token=command.has_admin_token
    )
    show(
        Said(
            f"account {account.login} is disabled; its sessions have ended and its tokens are refused",
            f"账户 {account.login} 已停用；其会话已结束，令牌不再有效",
        )
        if done
        else Said(f"account {account.login} was disabled already", f"账户 {account.login} 此前已停用")
    )


async def _enable(command: UsersCommand, account: Account) -> None:
    done = await management.enable_account(command.connection, command.actor, account)
    show(
        Said(f"account {account.login} is enabled", f"账户 {account.login} 已启用")
        if done
        else Said(f"account {account.login} was not disabled", f"账户 {account.login} 未被停用")
    )


async def _link(command: UsersCommand, account: Account) -> None:
    """The link alone on standard output, the rest on standard error."""
    issued = await management.new_link(
        command.connection,
        command.actor,
        account,
        datetime.now(UTC),
        forget_password=command.given.forget_password,
    )
    sys.stdout.write(f"{command.console_url}/signin?code={issued.code}\n")
    said = Said(
        f"The link signs {account.login} in once, within 24 hours; earlier links are void.",
        f"此链接可让 {account.login} 登录一次，24 小时内有效；此前的链接已失效。",
    )
    sys.stderr.write(f"{said.text(of_here())}\n")


_ACTIONS: Final[Mapping[str, Callable[[UsersCommand, Account], Awaitable[None]]]] = {
    "set": _set,
    "disable": _disable,
    "enable": _enable,
    "link": _link,
}


def _read_password(arguments: argparse.Namespace) -> str:
    """The password from standard input, or typed twice at a terminal without echo. Raises RemedyError."""
    if arguments.password_stdin:
        return sys.stdin.readline(4 * MOST_PASSWORD).rstrip("\r\n")
    if not sys.stdin.isatty():
        raise RemedyError(
            "standard input is no terminal: give --password-stdin to read the password from it",
            "标准输入不是终端：要从中读取密码，请给出 --password-stdin",
        )
    first = getpass.getpass(Said("New password: ", "新密码：").text(of_here()))
    if getpass.getpass(Said("Again: ", "再次输入：").text(of_here())) != first:
        raise RemedyError("the two passwords differ: type the same twice", "两次输入的密码不同：请输入相同的密码")
    return first
