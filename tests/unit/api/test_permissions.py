"""Every route says what it needs, and who lacks that is refused."""

from datetime import UTC, datetime

import pytest

from access.roles import Permission, Role
from access.rules import Account, Actor, actor_of
from access.scope import WHOLE, AreaScope
from api.app import routes
from api.http.middleware import V1
from api.http.permissions import NEEDS, OPEN, need_of, require, require_needs
from api.http.problems import Problem

OPEN_TO_ALL = {
    "GET /docs", "GET /healthz", "GET /metrics", "GET /openapi.json", "GET /readyz", "GET /signin", "POST /signin",
    "POST /signout", "GET /i/{token}", "POST /i/{token}",
}  # fmt: skip
READ_BY_POST = {
    "POST /password", "POST /api/v1/signin-links", "POST /api/v1/account/password", "DELETE /api/v1/account/sessions",
    "DELETE /api/v1/account/sessions/{id}", "POST /api/v1/tokens", "DELETE /api/v1/tokens/{id}",
    "POST /api/v1/tokens/{id}/rotate", "POST /account/sessions/end", "POST /account/sessions/{id}/end",
    "POST /account/tokens", "POST /account/tokens/{id}/rotate", "POST /account/tokens/{id}/revoke",
}  # fmt: skip
"""A link gives no more rights than the account that asks for it has; the others are about the account that asks."""


def test_every_row_is_of_a_route() -> None:
    served = {(method, path.partition("{action}")[0]) for method, path in routes() if path.endswith("{action}")}
    unknown = [
        row for row in NEEDS
        if row not in routes() and row != ("GET", "/openapi.json")
        and (row[0], row[1].rpartition("/")[0] + "/") not in served
    ]  # fmt: skip
    assert unknown == []


@pytest.mark.parametrize("route", [("GET", "/api/v1/secrets"), ("DELETE", "/stations/{id}"), ("POST", "/x/{action}")])
def test_a_route_without_a_row_is_not_served(route: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="has no row"):
        require_needs([*routes(), route])


def test_what_is_open_to_all_is_listed_here_too() -> None:
    assert {" ".join(route) for route, need in NEEDS.items() if need == OPEN} == OPEN_TO_ALL


def test_what_changes_something_needs_more_than_to_read() -> None:
    reads = {Permission.READ, Permission.READ_HISTORY, Permission.READ_LEDGER}
    loose = {" ".join(route) for route, need in NEEDS.items() if route[0] not in ("GET", "HEAD") and need in reads}
    assert loose == READ_BY_POST


def test_a_page_needs_what_its_route_of_v1_needs() -> None:
    both = [(method, path) for method, path in NEEDS if not path.startswith(V1) and (method, V1 + path) in NEEDS]
    assert len(both) > 10
    assert [one for one in both if NEEDS[one] != NEEDS[one[0], V1 + one[1]]] == []


def test_each_action_has_its_own_need() -> None:
    template = "/incidents/{id}/{action}"
    assert need_of("POST", template, "note") == Permission.NOTE
    assert need_of("POST", template, "resolve") == Permission.RESOLVE
    assert need_of("POST", template, "explode") is None
    assert need_of("GET", template, "explode") == Permission.READ


def actor(role: Role, *, wall: bool = False, scope: AreaScope = WHOLE) -> Actor:
    account = Account(id="a", login="a", name="A", role=role, scope=scope, created_at=datetime(2026, 11, 1, tzinfo=UTC))
    return actor_of(account, wall=wall)


COUNTY = actor(Role.ADMIN, scope=AreaScope(areas=frozenset({"632122000000"})))


@pytest.mark.parametrize(
    ("who", "permission", "status"),
    [
        pytest.param(None, Permission.READ, 401, id="nobody"),
        pytest.param(actor(Role.TECHNICIAN), Permission.RESOLVE, 403, id="a technician resolves"),
        pytest.param(actor(Role.TECHNICIAN), Permission.NOTE, 0, id="a technician notes"),
        pytest.param(actor(Role.TECHNICIAN), Permission.READ_HISTORY, 403, id="a technician reads dead letters"),
        pytest.param(actor(Role.AUDITOR), Permission.NOTE, 403, id="an auditor notes"),
        pytest.param(actor(Role.SUPERVISOR), Permission.MANAGE_PLATFORM, 403, id="a supervisor trusts a shard"),
        pytest.param(actor(Role.ADMIN), Permission.MANAGE_PLATFORM, 0, id="an admin trusts a shard"),
        pytest.param(COUNTY, Permission.MANAGE_PLATFORM, 403, id="an admin of a county trusts a shard"),
        pytest.param(COUNTY, Permission.MANAGE_ACCOUNTS, 0, id="an admin of a county makes an account"),
        pytest.param(actor(Role.ADMIN, wall=True), Permission.RESOLVE, 403, id="a wall display of an admin"),
    ],
)
def test_who_lacks_a_permission_is_refused(who: Actor | None, permission: Permission, status: int) -> None:
    try:
        require(who, permission)
    except Problem as refused:
        assert refused.status == status
    else:
        assert status == 0
