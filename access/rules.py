"""Decisions about accounts: actors, grants, acts that need a second person, and acceptable passwords. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec

from access.roles import OF_THE_WHOLE, PERMISSIONS, Permission, Role, grants, may
from access.scope import AreaScope
from contract.errors import RemedyError
from contract.glossary import word

ADMIN: Final = "admin"
"""The account of the admin token."""
OPERATOR: Final = "operator"
"""The account of commands that are given on the machine itself."""
SYSTEM: Final = "system"
"""The account of acts of Milepost itself."""
BUILT_IN: Final = frozenset({ADMIN, OPERATOR, SYSTEM})
LEAST_PASSWORD: Final = 10
MOST_PASSWORD: Final = 256
"""Characters of a password: the hashing of a longer one would cost memory and time."""


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """An account of a person or of a program. Histories name the account by `id`, which never changes."""

    id: str
    login: str
    name: str
    role: Role
    scope: AreaScope
    has_password: bool = False
    created_at: datetime
    disabled_at: datetime | None = None

    @property
    def is_enabled(self) -> bool:
        """Whether the account may sign in and act."""
        return self.disabled_at is None


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """The account, or the token of an account, that sends a request, and its permissions and scope."""

    account: str
    permissions: frozenset[Permission]
    scope: AreaScope
    token: str | None = None

    def may(self, permission: Permission) -> bool:
        """Whether the request has a permission; what concerns every area needs the scope of everything too."""
        return permission in self.permissions and (self.scope.whole or permission not in OF_THE_WHOLE)


def actor_of(account: Account, *, wall: bool = False) -> Actor:
    """The actor of a session; `wall`: the session of a wall display, which changes nothing."""
    allowed = frozenset(one for one in PERMISSIONS[account.role] if may(account.role, one, wall=wall))
    return Actor(account=account.id, permissions=allowed, scope=account.scope)


def token_actor(
    token: str, role: Role, scope: AreaScope, account: Account, paths: Mapping[str, Sequence[str]]
) -> Actor:
    """The actor of a request with a token. Token and account must both have a permission and cover an area, so a
    narrowed account narrows its tokens. `paths` has the path of each area of both scopes."""
    return Actor(
        account=account.id,
        permissions=PERMISSIONS[role] & PERMISSIONS[account.role],
        scope=scope.meet(account.scope, paths),
        token=token,
    )


def require_grant(
    granting: Role, own: AreaScope, role: Role, scope: AreaScope, paths: Mapping[str, Sequence[str]]
) -> None:
    """Raise RemedyError if an account would grant a role or a scope wider than its own."""
    if not grants(granting, role):
        raise RemedyError(
            f"an account of the role {granting} cannot grant the role {role}: ask an account that has it",
            f"{word('role', granting, 'zh-CN')}账户不能授予{word('role', role, 'zh-CN')}角色：请由具有该角色的账户操作",
        )
    if not scope.within(own, paths):
        raise RemedyError(
            "the scope reaches beyond your own: name areas within it",
            "该范围超出您自己的范围：请指定范围内的区划",
        )


def require_second_person(first: str | None, second: str) -> None:
    """Raise RemedyError if one account would both request and confirm an act that takes two persons."""
    if first == second:
        raise RemedyError(
            "your account asked for this, so another person must confirm it: ask a colleague who may, or an "
            "administrator for a further account",
            "此操作由您的账户提出，须由另一人确认：请让有权限的同事用自己的账户确认，没有这样的同事时，请管理员新建账户",
        )


def require_password(password: str, login: str) -> None:
    """Raise RemedyError for a password that is too short or too long, has too few different characters, or contains the
    login of its account."""
    if len(password) < LEAST_PASSWORD:
        raise RemedyError(
            f"the password has {len(password)} characters: use at least {LEAST_PASSWORD}",
            f"密码只有 {len(password)} 个字符：请至少使用 {LEAST_PASSWORD} 个",
        )
    if len(password) > MOST_PASSWORD:
        raise RemedyError(
            f"the password is too long: use at most {MOST_PASSWORD} characters",
            f"密码过长：最多 {MOST_PASSWORD} 个字符",
        )
    if len(set(password)) < LEAST_PASSWORD // 2 or login.casefold() in password.casefold():
        raise RemedyError(
            "the password repeats a few characters or contains the login: choose another one",
            "密码由少数字符重复组成，或包含登录名：请另选一个",
        )
