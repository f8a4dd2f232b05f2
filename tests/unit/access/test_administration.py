"""Who changes which account, who makes which token, and what lists say of them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access import administration
from access.administration import AccountState, AdminsLeft, TokenState
from access.roles import PERMISSIONS, Permission, Role
from access.rules import BUILT_IN, Account, actor_of, token_actor
from access.scope import NOTHING, WHOLE, AreaScope
from contract.errors import RemedyError
from milepost.account_options import ROLES
from tests.unit.access.test_scope import PATHS, SCOPES

NOW = datetime(2026, 11, 27, tzinfo=UTC)


def account(role: Role = Role.SUPERVISOR, scope: AreaScope = WHOLE, account_id: str = "a-1", **more: object) -> Account:
    return Account(id=account_id, login="li", name="李", role=role, scope=scope, created_at=NOW, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "login", ["", "li si", "li\n", "l" * 65, "li\x00", "\u3000", "a-3f9a2c71d0b4", "A-3F9A2C71D0B4"]
)
def test_a_login_that_nobody_types_is_refused(login: str) -> None:
    with pytest.raises(RemedyError, match="the login"):
        administration.require_login(login)


@pytest.mark.parametrize("login", ["li", "李四", "li.si@x", "l" * 64])
def test_a_login_that_is_good(login: str) -> None:
    administration.require_login(login)


@pytest.mark.parametrize("name", ["", "  ", "x" * 65, "a\nb", "a\x00"])
def test_a_name_that_cannot_be_shown_is_refused(name: str) -> None:
    with pytest.raises(RemedyError, match="the name"):
        administration.require_name(name)


@pytest.mark.parametrize("built_in", sorted(BUILT_IN))
def test_what_belongs_to_milepost_does_not_change(built_in: str) -> None:
    with pytest.raises(RemedyError, match="belongs to Milepost"):
        administration.require_person(account(account_id=built_in))
    with pytest.raises(RemedyError, match="belongs to Milepost"):
        administration.require_new_password(account(account_id=built_in), "correct horse battery")


@given(st.sampled_from(Role), st.sampled_from(Role), SCOPES, SCOPES)
def test_nobody_gives_more_than_he_has(own: Role, role: Role, own_scope: AreaScope, scope: AreaScope) -> None:
    """The permission of an office is not width: whoever gives it without having it gives nothing, see the next test."""
    actor = actor_of(account(own, own_scope))
    wider = not PERMISSIONS[role] - {Permission.MAKE_FINDING} <= PERMISSIONS[own] or not scope.within(own_scope, PATHS)
    try:
        administration.require_within(actor, role, scope, PATHS)
        refused = False
    except RemedyError:
        refused = True
    assert refused is wider
    holder = account(own, own_scope)
    if wider:
        with pytest.raises(RemedyError, match="wider than its account"):
            administration.require_holder(holder, role, scope, PATHS)
    else:
        administration.require_holder(holder, role, scope, PATHS)


@pytest.mark.parametrize("own", Role)
@pytest.mark.parametrize("role", Role)
def test_a_token_has_nothing_that_its_account_has_not(own: Role, role: Role) -> None:
    found = token_actor("t", role, WHOLE, account(own), {})
    assert found.permissions == PERMISSIONS[own] & PERMISSIONS[role]
    assert (Permission.MAKE_FINDING in found.permissions) is ({own, role} <= {Role.ADMIN, Role.AUDITOR})


def test_a_wall_and_a_narrow_token_give_only_what_they_have() -> None:
    wall = actor_of(account(Role.ADMIN), wall=True)
    with pytest.raises(RemedyError, match="may do what you may not"):
        administration.require_within(wall, Role.TECHNICIAN, WHOLE, {})


def test_an_area_that_is_not_there_is_answered_like_one_outside() -> None:
    actor = actor_of(account(scope=AreaScope(areas=frozenset({"63"}))))
    said = set()
    for code in ("64", "no such area"):
        with pytest.raises(RemedyError) as refused:
            administration.require_within(actor, Role.TECHNICIAN, AreaScope(areas=frozenset({code})), {"64": ("64",)})
        said.add(str(refused.value))
    assert len(said) == 1
    assert "64" not in said.pop()


@pytest.mark.parametrize(
    ("others", "token", "refused"), [(0, False, True), (1, False, False), (0, True, False), (2, True, False)]
)
def test_the_last_administrator_stays(others: int, token: bool, refused: bool) -> None:
    left = AdminsLeft(others=others, has_admin_token=token)
    if refused:
        with pytest.raises(RemedyError, match=r"last administrator.*MILEPOST_ADMIN_TOKEN_FILE"):
            administration.require_admin_left(account(Role.ADMIN), left)
    else:
        administration.require_admin_left(account(Role.ADMIN), left)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(account(Role.SUPERVISOR), id="no admin"),
        pytest.param(account(Role.ADMIN, AreaScope(areas=frozenset({"63"}))), id="of a part"),
        pytest.param(account(Role.ADMIN, account_id="admin"), id="the account of the admin token"),
        pytest.param(account(Role.ADMIN, disabled_at=NOW), id="disabled"),
    ],
)
def test_others_are_no_administrators_of_the_whole(other: Account) -> None:
    administration.require_admin_left(other, AdminsLeft(others=0, has_admin_token=False))


def test_nobody_disables_himself() -> None:
    with pytest.raises(RemedyError, match="own account"):
        administration.require_other(actor_of(account()), account())
    administration.require_other(actor_of(account(account_id="a-2")), account())


@pytest.mark.parametrize(
    ("expires", "revoked", "state", "left"),
    [
        (NOW + timedelta(days=90), None, TokenState.VALID, 90),
        (NOW + timedelta(days=14), None, TokenState.ENDING, 14),
        (NOW + timedelta(hours=1), None, TokenState.ENDING, 0),
        (NOW, None, TokenState.EXPIRED, 0),
        (NOW + timedelta(days=90), NOW, TokenState.REVOKED, 90),
    ],
)
def test_what_a_list_says_of_a_token(expires: datetime, revoked: datetime | None, state: TokenState, left: int) -> None:
    assert administration.token_state(expires, revoked, NOW) is state
    assert administration.days_left(expires, NOW) == left


def test_what_a_list_says_of_an_account() -> None:
    assert administration.state_of(account()) is AccountState.NO_PASSWORD
    assert administration.state_of(account(has_password=True)) is AccountState.ENABLED
    assert administration.state_of(account(account_id="operator")) is AccountState.ENABLED
    assert administration.state_of(account(disabled_at=NOW)) is AccountState.DISABLED


@pytest.mark.parametrize("hours", [-1, 169])
def test_an_overlap_has_a_bound(hours: float) -> None:
    with pytest.raises(RemedyError, match="0 to 168 hours"):
        administration.overlap_of(hours)


def test_the_validity_of_a_new_token_is_that_of_the_old() -> None:
    assert administration.span_of(NOW, NOW + timedelta(days=30)) == 30
    assert administration.span_of(NOW, NOW + timedelta(hours=2)) == 1
    assert administration.overlap_of(1.5) == timedelta(hours=1.5)


def test_an_account_that_is_disabled_gets_no_token() -> None:
    with pytest.raises(RemedyError, match="enable it first"):
        administration.require_holder(account(disabled_at=NOW), Role.TECHNICIAN, NOTHING, {})


def test_the_command_line_knows_the_roles() -> None:
    assert tuple(Role) == ROLES
