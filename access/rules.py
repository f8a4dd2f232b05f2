"""Who may grant what, and what needs a second person. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec

from access.roles import PERMISSIONS, Permission, Role, grants, may
from access.scope import AreaScope
from contract.errors import RemedyError

ADMIN: Final = "admin"
"""The account of the admin token."""
OPERATOR: Final = "operator"
"""The account of commands that are given on the machine itself."""
SYSTEM: Final = "system"
"""What no person did."""
BUILT_IN: Final = frozenset({ADMIN, OPERATOR, SYSTEM})


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may sign in or act. `id` never changes and is what histories hold."""

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
        """Whether it may sign in and act."""
        return self.disabled_at is None


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """Who acts in one request, and what it may do: an account, or a token of one."""

    account: str
    permissions: frozenset[Permission]
    scope: AreaScope
    token: str | None = None

    def may(self, permission: Permission) -> bool:
        """Whether it has a permission."""
        return permission in self.permissions


def actor_of(account: Account, *, wall: bool = False) -> Actor:
    """Who acts in a session; `wall`: of a wall display, which changes nothing."""
    allowed = frozenset(one for one in PERMISSIONS[account.role] if may(account.role, one, wall=wall))
    return Actor(account=account.id, permissions=allowed, scope=account.scope)


def token_actor(
    token: str, role: Role, scope: AreaScope, account: Account, paths: Mapping[str, Sequence[str]]
) -> Actor:
    """Who acts by a token: no more than both the token and its account may, so that a narrowed account narrows its
    tokens. `paths` has the path of each area of both scopes."""
    return Actor(
        account=account.id,
        permissions=PERMISSIONS[role] & PERMISSIONS[account.role],
        scope=scope.meet(account.scope, paths),
        token=token,
    )


def require_grant(
    granting: Role, own: AreaScope, role: Role, scope: AreaScope, paths: Mapping[str, Sequence[str]]
) -> None:
    """Raise RemedyError where an account would grant a role or a scope wider than its own."""
    if not grants(granting, role):
        raise RemedyError(
            f"an account of the role {granting} cannot grant the role {role}: ask an account that has it",
            f"{granting} 角色的账户不能授予 {role} 角色：请由具有该角色的账户操作",
        )
    if not scope.within(own, paths):
        raise RemedyError(
            "the scope reaches beyond your own: name areas within it",
            "该范围超出您自己的范围：请指定范围内的区划",
        )


def require_second_person(first: str | None, second: str) -> None:
    """Raise RemedyError where the same account would do both halves of what takes two persons."""
    if first == second:
        raise RemedyError(
            "this takes two persons, and you are the first: ask another account to confirm it",
            "此操作需要两个人完成，而您是第一位：请由另一个账户确认",
        )
