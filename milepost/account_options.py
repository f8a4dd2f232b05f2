"""The arguments of `milepost users` and `milepost tokens`. It imports no other module of ours, so help appears fast."""

import argparse
from collections.abc import Callable

Say = Callable[[str, str], str]
ROLES = ("admin", "supervisor", "technician", "auditor")
"""The roles of access/roles.py, which a test compares."""


def users(parser: argparse.ArgumentParser, say: Say) -> list[argparse.ArgumentParser]:
    """Arguments of `milepost users`; the parsers of its actions."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    def action(name: str, en: str, zh: str) -> argparse.ArgumentParser:
        text = say(en, zh)
        made = actions.add_parser(name, help=text, description=text + say(".", "。"))
        if name != "list":
            made.add_argument("login", metavar="LOGIN", help=say("login or id of the account", "账户的登录名或编号"))
        return made

    listing = action("list", "list all accounts", "列出所有账户")
    add = action("add", "create an account without a password", "新建账户（没有密码）")
    add.add_argument("--name", metavar="NAME", help=say("name to show (default LOGIN)", "显示的姓名（默认为登录名）"))
    _role(add, say, required=True)
    _scope(add, say, required=True)
    change = action("set", "change name, role or scope of an account", "更改账户的姓名、角色或范围")
    change.add_argument("--name", metavar="NAME", help=say("name to show", "显示的姓名"))
    _role(change, say)
    _scope(change, say)
    password = action("password", "give an account a password", "设置账户的密码")
    password.add_argument(
        "--password-stdin",
        action="store_true",
        help=say(
            "read the password from the first line of standard input instead of the terminal",
            "从标准输入的第一行读取密码，而不是在终端输入",
        ),
    )
    disable = action(
        "disable", "end the sessions of an account and refuse its tokens", "停用账户：会话结束，令牌不再有效"
    )
    enable = action("enable", "enable a disabled account", "启用已停用的账户")
    link = action("link", "print a one-use link that signs the person in", "生成供本人登录的一次性链接")
    link.add_argument(
        "--forget-password",
        action="store_true",
        help=say(
            "also make the password void, so that the person chooses another one",
            "同时作废原密码，由本人重新设置",
        ),
    )
    return [listing, add, change, password, disable, enable, link]


def tokens(parser: argparse.ArgumentParser, say: Say) -> list[argparse.ArgumentParser]:
    """Arguments of `milepost tokens`; the parsers of its actions."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    def action(name: str, en: str, zh: str) -> argparse.ArgumentParser:
        text = say(en, zh)
        return actions.add_parser(name, help=text, description=text + say(".", "。"))

    listing = action("list", "list API tokens", "列出 API 令牌")
    listing.add_argument(
        "--all", action="store_true", help=say("also expired and revoked tokens", "包括已过期和已吊销的令牌")
    )
    new = action("new", "create an API token and print it once", "新建 API 令牌，只显示一次")
    new.add_argument("name", metavar="NAME", help=say("purpose of the token", "令牌的用途"))
    new.add_argument(
        "--account",
        default="admin",
        metavar="LOGIN",
        help=say("account that acts when the token is used (default admin)", "使用令牌时以哪个账户操作（默认 admin）"),
    )
    _role(new, say, required=True)
    _scope(new, say, required=True)
    new.add_argument(
        "--days", type=int, metavar="N", help=say("days until it expires (default 90)", "有效天数（默认 90）")
    )
    revoke = action("revoke", "revoke an API token", "吊销 API 令牌")
    rotate = action(
        "rotate", "replace an API token by a new one with the same rights", "用权限相同的新令牌替换 API 令牌"
    )
    for one in (revoke, rotate):
        one.add_argument("token", metavar="ID", help=say("id of the token", "令牌编号"))
    rotate.add_argument(
        "--overlap",
        type=float,
        default=0.0,
        metavar="HOURS",
        help=say("hours for which the old token goes on (default 0)", "旧令牌继续有效的小时数（默认 0）"),
    )
    return [listing, new, revoke, rotate]


def _role(parser: argparse.ArgumentParser, say: Say, *, required: bool = False) -> None:
    parser.add_argument(
        "--role", choices=ROLES, required=required, help=say("what it may do within its scope", "在其范围内的权限")
    )


def _scope(parser: argparse.ArgumentParser, say: Say, *, required: bool = False) -> None:
    scope = parser.add_mutually_exclusive_group(required=required)
    scope.add_argument(
        "--scope",
        nargs="+",
        action="extend",
        metavar="CODE",
        help=say("areas with all below them, by their codes", "区划代码，包括其下所有区划"),
    )
    scope.add_argument("--whole", action="store_true", help=say("everything", "全部"))
