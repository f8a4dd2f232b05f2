"""Who may grant what, what a token may do, and what needs two persons."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access.roles import PERMISSIONS, Permission, Role
from access.rules import Account, actor_of, require_grant, require_second_person, token_actor
from access.scope import WHOLE, AreaScope
from contract.errors import RemedyError
from tests.unit.access.test_scope import PATHS, SCOPES

NOW = datetime(2026, 11, 27, tzinfo=UTC)


def account(role: Role = Role.SUPERVISOR, *areas: str) -> Account:
    scope = AreaScope(areas=frozenset(areas)) if areas else WHOLE
    return Account(id="a-1", login="li", name="李", role=role, scope=scope, created_at=NOW)


def test_a_session_may_what_its_role_may_and_a_wall_only_looks() -> None:
    actor = actor_of(account(Role.TECHNICIAN, "63"))
    assert actor.permissions == PERMISSIONS[Role.TECHNICIAN]
    assert actor.scope.areas == {"63"}
    assert actor_of(account(Role.ADMIN), wall=True).permissions == {
        Permission.READ,
        Permission.READ_HISTORY,
        Permission.READ_LEDGER,
    }


@given(st.sampled_from(Role), st.sampled_from(Role), SCOPES, SCOPES)
def test_a_token_may_no_more_than_it_and_its_account(
    role: Role, own: Role, scope: AreaScope, account_scope: AreaScope
) -> None:
    holder = Account(id="a-1", login="li", name="李", role=own, scope=account_scope, created_at=NOW)
    actor = token_actor("t1", role, scope, holder, PATHS)
    assert actor.permissions == PERMISSIONS[role] & PERMISSIONS[own]
    for path in (*PATHS.values(), None):
        assert actor.scope.covers(path) == (scope.covers(path) and account_scope.covers(path))


GRANTS = {
    "an admin of the whole grants anything": (Role.ADMIN, [], Role.ADMIN, [], None),
    "an area of the own scope": (Role.ADMIN, ["63"], Role.TECHNICIAN, ["632122"], None),
    "the whole from an area": (Role.ADMIN, ["63"], Role.TECHNICIAN, [], "reaches beyond"),
    "a neighbour": (Role.ADMIN, ["63"], Role.AUDITOR, ["64"], "reaches beyond"),
    "an area above": (Role.ADMIN, ["632122"], Role.AUDITOR, ["63"], "reaches beyond"),
    "an area that is not there": (Role.ADMIN, ["63"], Role.AUDITOR, ["99"], "reaches beyond"),
    "a supervisor grants nothing": (Role.SUPERVISOR, [], Role.TECHNICIAN, ["63"], "cannot grant"),
}


@pytest.mark.parametrize(("role", "own", "granted", "areas", "why"), GRANTS.values(), ids=GRANTS)
def test_nobody_grants_more_than_they_have(
    role: Role, own: list[str], granted: Role, areas: list[str], why: str | None
) -> None:
    mine, theirs = account(role, *own).scope, account(granted, *areas).scope
    if why is None:
        require_grant(role, mine, granted, theirs, PATHS)
        return
    with pytest.raises(RemedyError, match=why):
        require_grant(role, mine, granted, theirs, PATHS)


def test_two_persons_are_two_accounts() -> None:
    require_second_person("a-1", "a-2")
    require_second_person(None, "a-2")
    with pytest.raises(RemedyError, match="another person must confirm it"):
        require_second_person("a-1", "a-1")
