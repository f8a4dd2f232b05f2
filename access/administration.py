"""Decisions about the administration of accounts and tokens: who changes which account, who makes which token. Pure."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec

from access.roles import PERMISSIONS, Role, is_wider
from access.rules import BUILT_IN, OPERATOR, SYSTEM, Account, Actor, require_password
from access.scope import AreaScope
from contract.errors import RemedyError
from contract.glossary import word

MOST_NAME: Final = 64
"""Characters of a login, and of the name of an account or of a token."""
LOGIN_PATTERN: Final = r"[^\s\x00-\x1f\x7f-\x9f]{1,64}"
ID_PATTERN: Final = r"a-[0-9a-f]{12}"
"""The id of an account of a person, in whatever case; no login looks like it."""
MOST_TOKENS: Final = 100
"""Tokens of one account that are valid at the same time."""
LONGEST_OVERLAP: Final = timedelta(hours=168)
"""How long the old token may go on at most after a rotation."""
USE_NOTED_EVERY: Final = timedelta(minutes=5)
"""Between two recorded uses of a token."""
FIRST_LINK: Final = timedelta(hours=24)
"""How long a one-use link for another person can be used: it has to reach the person first."""


SOON: Final = timedelta(days=14)
"""How long before its expiry a token is called out."""


class AccountState(StrEnum):
    """What a list of accounts says of one."""

    ENABLED = "enabled"
    NO_PASSWORD = "no_password"  # noqa: S105 -- a state
    DISABLED = "disabled"


class TokenState(StrEnum):
    """What a list of tokens says of one."""

    VALID = "valid"
    ENDING = "ending"
    EXPIRED = "expired"
    REVOKED = "revoked"


class AdminsLeft(msgspec.Struct, frozen=True, kw_only=True):
    """Who could still administer Milepost without one account. `others`: other enabled accounts of the role admin for
    the whole; `has_admin_token`: there is an admin token, whose holder acts as the account `admin`."""

    others: int
    has_admin_token: bool


def require_login(login: str) -> None:
    """Raise RemedyError for a login that nobody could type, or that looks like the id of an account."""
    if not re.fullmatch(LOGIN_PATTERN, login):
        raise RemedyError(
            f"the login {login!r} does not fit: use 1 to {MOST_NAME} characters without spaces",
            f"登录名 {login!r} 不合要求：请使用 1 至 {MOST_NAME} 个字符，不含空格",
        )

    if re.fullmatch(ID_PATTERN, login.lower()):
        raise RemedyError(
            f"the login {login!r} looks like the id of an account: choose another one",
            f"登录名 {login!r} 与账户编号的形式相同：请另选一个",
        )


def require_name(name: str) -> None:
    """Raise RemedyError for an empty or too long name of an account or a token, or one that is not printed."""
    if not name.strip() or len(name) > MOST_NAME or not name.isprintable():
        raise RemedyError(
            f"the name {name!r} does not fit: use 1 to {MOST_NAME} printable characters",
            f"名称 {name!r} 不合要求：请使用 1 至 {MOST_NAME} 个可显示的字符",
        )


def require_person(account: Account) -> None:
    """Raise RemedyError for an account that Milepost itself made, because these never change."""
    if account.id in BUILT_IN:
        raise RemedyError(
            f"the account {account.id!r} belongs to Milepost and does not change: make an account for each person",
            f"账户 {account.id!r} 属于 Milepost 本身，不能更改：请为每个人新建账户",
        )


def require_new_password(account: Account, password: str) -> None:
    """Raise RemedyError for a password that an account may not have."""
    require_person(account)
    require_password(password, account.login)


def require_other(actor: Actor, account: Account) -> None:
    """Raise RemedyError if an account would disable itself."""
    if actor.account == account.id:
        raise RemedyError(
            "you cannot disable your own account: ask another administrator",
            "不能停用自己的账户：请由另一位管理员操作",
        )


def require_within(actor: Actor, role: Role, scope: AreaScope, paths: Mapping[str, Sequence[str]]) -> None:
    """Raise RemedyError if a request would give a role or a scope wider than its own. `paths` has the path of each area
    of `scope`; an area that does not exist is answered like one outside."""
    if is_wider(role, actor.permissions):
        raise RemedyError(
            f"the role {role} may do what you may not: name a role within your own",
            f"{word('role', role, 'zh-CN')}角色的权限超出您的权限：请选择不超出您权限的角色",
        )
    if not scope.within(actor.scope, paths):
        raise RemedyError(
            "the scope reaches beyond your own: name areas within it",
            "该范围超出您自己的范围：请指定范围内的区划",
        )


def require_own_session(actor: Actor, account: Account) -> None:
    """Raise RemedyError if a token would sign a browser in as its own account: a session has the account's rights, and
    goes on after the token."""
    if actor.token is not None and actor.account == account.id:
        raise RemedyError(
            "an API token makes no link for its own account: sign in as a person, or ask another administrator",
            "API 令牌不能为自己的账户生成登录链接：请以本人身份登录，或由另一位管理员操作",
        )


def require_lifetime(expires: datetime, own: datetime | None) -> None:
    """Raise RemedyError for a token that would expire later than the token that makes it; None: no token makes it."""
    if own is not None and expires > own:
        raise RemedyError(
            "the new token would expire later than the token that makes it: name fewer days, or sign in as a person",
            "新令牌的到期时间会晚于用来创建它的令牌：请减少天数，或以本人身份登录",
        )


def widens(account: Account, role: Role, scope: AreaScope, paths: Mapping[str, Sequence[str]]) -> bool:
    """Whether a role or a scope reaches beyond what the account has. `paths` has the path of each area of `scope`."""
    return is_wider(role, PERMISSIONS[account.role]) or not scope.within(account.scope, paths)


def require_holder(account: Account, role: Role, scope: AreaScope, paths: Mapping[str, Sequence[str]]) -> None:
    """Raise RemedyError for a token that is wider than the account that acts when it is used, and for one of an account
    that nobody has to himself."""
    if account.id in (OPERATOR, SYSTEM):
        raise RemedyError(
            f"the account {account.id!r} has no tokens: make one of the account of a person or a program",
            f"账户 {account.id!r} 不能有令牌：请为个人或程序的账户新建令牌",
        )
    if not account.is_enabled:
        raise RemedyError(
            f"the account {account.login!r} is disabled: enable it first", f"账户 {account.login!r} 已停用：请先启用"
        )
    if is_wider(role, PERMISSIONS[account.role]) or not scope.within(account.scope, paths):
        raise RemedyError(
            f"the token would be wider than its account {account.login!r}: name a role and areas within those of the "
            "account",
            f"令牌会超出其账户 {account.login!r} 的权限或范围：请指定该账户权限和范围以内的角色和区划",
        )


def require_room(valid: int) -> None:
    """Raise RemedyError if an account with so many valid tokens would get another one."""
    if valid >= MOST_TOKENS:
        raise RemedyError(
            f"the account has {MOST_TOKENS} valid tokens, and no more are possible: revoke those that nobody uses",
            f"该账户已有 {MOST_TOKENS} 个有效令牌，不能再增加：请吊销不用的令牌",
        )


def require_admin_left(account: Account, left: AdminsLeft) -> None:
    """Raise RemedyError if nobody could administer Milepost after `account` is disabled or narrowed."""
    if is_whole_admin(account) and left.others == 0 and not left.has_admin_token:
        raise RemedyError(
            f"{account.login!r} is the last administrator, and there is no admin token file: create another "
            "administrator first, or name the file in MILEPOST_ADMIN_TOKEN_FILE",
            f"{account.login!r} 是最后一位管理员，且没有管理令牌文件：请先另建一位管理员，"
            "或在 MILEPOST_ADMIN_TOKEN_FILE 中指定该文件",
        )


def is_whole_admin(account: Account) -> bool:
    """Whether a person can administer all of Milepost with the account."""
    return account.role is Role.ADMIN and account.scope.whole and account.is_enabled and account.id not in BUILT_IN


def state_of(account: Account) -> AccountState:
    """What a list says of an account."""
    if not account.is_enabled:
        return AccountState.DISABLED
    return AccountState.ENABLED if account.has_password or account.id in BUILT_IN else AccountState.NO_PASSWORD


def token_state(expires: datetime, revoked: datetime | None, now: datetime) -> TokenState:
    """What a list says of a token."""
    if revoked is not None:
        return TokenState.REVOKED
    if expires <= now:
        return TokenState.EXPIRED
    return TokenState.ENDING if expires - now <= SOON else TokenState.VALID


def days_left(expires: datetime, now: datetime) -> int:
    """Whole days until a token expires; 0 on its last day and afterwards."""
    return max(0, (expires - now) // timedelta(days=1))


def span_of(created: datetime, expires: datetime) -> int:
    """The validity of a token in days, for the token that replaces it."""
    return max(1, round((expires - created) / timedelta(days=1)))


def overlap_of(hours: float) -> timedelta:
    """How long the old token goes on after a rotation. Raises RemedyError for more than LONGEST_OVERLAP."""
    most = LONGEST_OVERLAP // timedelta(hours=1)
    if not 0 <= hours <= most:
        raise RemedyError(
            f"the old token may go on for 0 to {most} hours, not for {hours:g}: name fewer",
            f"旧令牌可继续使用 0 至 {most} 小时，不能是 {hours:g} 小时：请缩短",
        )
    return timedelta(hours=hours)
