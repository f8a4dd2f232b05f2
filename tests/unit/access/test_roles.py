"""What each role may do."""

import pytest

from access.roles import PERMISSIONS, Permission, Role, grants, may

MATRIX = """
                  admin supervisor technician auditor
read              x     x          x          x
read_history      x     x          .          x
read_ledger       x     x          .          x
export            x     x          .          x
acknowledge       x     x          x          .
hand_over         x     x          x          .
note              x     x          x          .
repair            x     x          x          .
declare_closure   x     x          x          .
resolve           x     x          .          .
assign            x     x          .          .
approve_closure   x     x          .          .
dispute           x     x          x          .
make_finding      x     .          .          x
answer_finding    x     x          .          .
close_finding     x     x          x          x
correct           x     x          .          .
assess            x     x          .          .
edit_registry     x     x          .          .
silence           x     x          .          .
edit_routes       x     x          .          .
command           x     x          .          .
manage_platform   x     .          .          .
manage_accounts   x     .          .          .
manage_keys       x     .          .          .
"""
HEAD, *LINES = [line.split() for line in MATRIX.strip().splitlines()]
CASES = [(role, line[0], mark == "x") for line in LINES for role, mark in zip(HEAD, line[1:], strict=True)]


@pytest.mark.parametrize(("role", "permission", "allowed"), CASES)
def test_the_matrix(role: str, permission: str, allowed: bool) -> None:
    assert may(Role(role), Permission(permission)) is allowed


def test_every_permission_has_its_line() -> None:
    assert [line[0] for line in LINES] == [permission.value for permission in Permission]
    assert set(HEAD) == {role.value for role in Role} == {role.value for role in PERMISSIONS}


@pytest.mark.parametrize("role", Role)
def test_a_wall_display_changes_nothing(role: Role) -> None:
    assert may(role, Permission.READ, wall=True)
    changes = [one for one in Permission if one.value not in {"read", "read_history", "read_ledger"}]
    assert not any(may(role, one, wall=True) for one in changes)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("granted", Role)
def test_only_an_admin_grants(role: Role, granted: Role) -> None:
    assert grants(role, granted) is (role == Role.ADMIN)
