"""What each route needs: a permission of the actor, or nothing. A route without a row is not served.

A path with `{action}` has a row for each action, because each may need another permission.
"""

from collections.abc import Iterable, Mapping
from typing import Final, Literal

from fastapi import Request

from access.roles import Permission
from access.rules import Actor
from api.http.middleware import ACTOR, V1, route_template
from api.http.problems import Problem, not_found

OPEN: Final = "open"
"""The need of a route that answers every client, also an anonymous one."""
Need = Permission | Literal["open"]
Route = tuple[str, str]
"""Method and template of the path."""
_ACTION: Final = "{action}"

_PROBES: Final[Mapping[Route, Need]] = {
    ("GET", "/healthz"): OPEN,
    ("GET", "/readyz"): OPEN,
    ("GET", "/metrics"): OPEN,
    ("GET", "/openapi.json"): OPEN,
    ("GET", "/docs"): OPEN,
}
_PAGES: Final[Mapping[Route, Need]] = {
    ("GET", "/signin"): OPEN,
    ("POST", "/signin"): OPEN,
    ("POST", "/signout"): OPEN,
    # Links of persons: whoever has the token acts as its contact, for one incident.
    ("GET", "/i/{token}"): OPEN,
    ("POST", "/i/{token}"): OPEN,
    ("GET", "/password"): Permission.READ,
    ("POST", "/password"): Permission.READ,
    ("GET", "/"): Permission.READ,
    ("GET", "/stations"): Permission.READ,
    ("GET", "/stations/{id}"): Permission.READ,
    ("GET", "/stations/{id}/remove"): Permission.EDIT_REGISTRY,
    ("POST", "/stations/{id}/remove"): Permission.EDIT_REGISTRY,
    ("GET", "/stations/{id}/restore"): Permission.READ,
    ("POST", "/stations/{id}/restore"): Permission.EDIT_REGISTRY,
    ("GET", "/areas"): Permission.READ,
    ("GET", "/areas/{code}"): Permission.READ,
    ("GET", "/blind-spots"): Permission.READ,
    ("GET", "/incidents"): Permission.READ,
    ("GET", "/incidents/{id}"): Permission.READ,
    ("GET", "/incidents/{id}/{action}"): Permission.READ,
    ("POST", "/incidents/{id}/ack"): Permission.ACKNOWLEDGE,
    ("POST", "/incidents/{id}/assign"): Permission.HAND_OVER,
    ("POST", "/incidents/{id}/note"): Permission.NOTE,
    ("POST", "/incidents/{id}/resolve"): Permission.RESOLVE,
    ("GET", "/uptime"): Permission.READ,
    ("GET", "/assessments"): Permission.READ,
    ("GET", "/assessments/{id}"): Permission.READ,
    ("GET", "/effect"): Permission.READ,
    ("GET", "/programmes"): Permission.READ,
    ("GET", "/work"): Permission.READ,
    ("GET", "/response"): Permission.READ_HISTORY,
    ("POST", "/incidents/{id}/repair"): Permission.REPAIR,
    ("POST", "/incidents/{id}/photos"): Permission.NOTE,
    ("GET", "/photos/{id}"): Permission.READ,
    ("GET", "/findings"): Permission.READ,
    ("POST", "/findings"): Permission.MAKE_FINDING,
    ("GET", "/findings/{id}"): Permission.READ,
    ("POST", "/findings/{id}/answer"): Permission.ANSWER_FINDING,
    ("POST", "/findings/{id}/close"): Permission.CLOSE_FINDING,
    ("GET", "/findings/{id}/photos"): Permission.READ,
    ("POST", "/findings/{id}/photos"): Permission.CLOSE_FINDING,
    ("POST", "/disputes"): Permission.DISPUTE,
    ("GET", "/corrections"): Permission.READ,
    ("POST", "/corrections"): Permission.CORRECT,
    ("GET", "/corrections/{id}"): Permission.READ,
    ("POST", "/corrections/{id}/approve"): Permission.CORRECT,
    ("POST", "/corrections/{id}/refuse"): Permission.CORRECT,
    ("GET", "/closures"): Permission.READ,
    ("POST", "/closures"): Permission.DECLARE_CLOSURE,
    ("GET", "/closures/{id}"): Permission.READ,
    ("GET", "/closures/{id}/photos"): Permission.READ,
    ("POST", "/closures/{id}/photos"): Permission.DECLARE_CLOSURE,
    ("POST", "/closures/{id}/approve"): Permission.APPROVE_CLOSURE,
    ("POST", "/closures/{id}/withdraw"): Permission.DECLARE_CLOSURE,
    ("GET", "/silences"): Permission.READ,
    ("POST", "/silences"): Permission.SILENCE,
    ("GET", "/silences/{id}"): Permission.READ,
    ("POST", "/silences/{id}/end"): Permission.SILENCE,
    ("GET", "/contacts"): Permission.READ,
    ("POST", "/contacts"): Permission.EDIT_ROUTES,
    ("GET", "/contacts/{id}"): Permission.READ,
    ("POST", "/contacts/{id}"): Permission.EDIT_ROUTES,
    ("POST", "/contacts/{id}/retire"): Permission.EDIT_ROUTES,
    ("POST", "/contacts/{id}/end-links"): Permission.EDIT_ROUTES,
    ("GET", "/routes"): Permission.READ,
    ("POST", "/routes"): Permission.EDIT_ROUTES,
    ("GET", "/routes/{id}"): Permission.READ,
    ("POST", "/routes/{id}"): Permission.EDIT_ROUTES,
    ("POST", "/routes/{id}/remove"): Permission.EDIT_ROUTES,
    ("GET", "/who-is-told"): Permission.READ,
    ("GET", "/gaps"): Permission.READ,
    ("GET", "/templates"): Permission.READ,
    ("GET", "/templates/{name}/{language}"): Permission.READ,
    ("POST", "/templates/{name}/{language}"): Permission.MANAGE_PLATFORM,
    ("POST", "/templates/{name}/{language}/reset"): Permission.MANAGE_PLATFORM,
    ("GET", "/duty"): Permission.READ,
    ("POST", "/duty"): Permission.EDIT_ROUTES,
    ("POST", "/duty/{id}/remove"): Permission.EDIT_ROUTES,
    ("POST", "/substitutes"): Permission.EDIT_ROUTES,
    ("POST", "/substitutes/{id}/remove"): Permission.EDIT_ROUTES,
    # The account that asks, its own sessions and tokens.
    ("GET", "/account"): Permission.READ,
    ("POST", "/account/sessions/end"): Permission.READ,
    ("POST", "/account/sessions/{id}/end"): Permission.READ,
    ("POST", "/account/tokens"): Permission.READ,
    ("POST", "/account/tokens/{id}/rotate"): Permission.READ,
    ("POST", "/account/tokens/{id}/revoke"): Permission.READ,
    ("GET", "/accounts"): Permission.MANAGE_ACCOUNTS,
    ("POST", "/accounts"): Permission.MANAGE_ACCOUNTS,
    ("GET", "/accounts/{id}"): Permission.MANAGE_ACCOUNTS,
    ("POST", "/accounts/{id}"): Permission.MANAGE_ACCOUNTS,
    ("POST", "/accounts/{id}/link"): Permission.MANAGE_ACCOUNTS,
    ("POST", "/accounts/{id}/forget"): Permission.MANAGE_ACCOUNTS,
    ("POST", "/accounts/{id}/disable"): Permission.MANAGE_ACCOUNTS,
    ("POST", "/accounts/{id}/enable"): Permission.MANAGE_ACCOUNTS,
}
_V1: Final[Mapping[Route, Need]] = {
    ("GET", "/stations"): Permission.READ,
    ("GET", "/stations/{id}"): Permission.READ,
    ("POST", "/stations/{id}/remove"): Permission.EDIT_REGISTRY,
    ("POST", "/stations/{id}/restore"): Permission.EDIT_REGISTRY,
    ("GET", "/stations/{id}/schedule"): Permission.READ,
    ("GET", "/stations/{id}/timeline"): Permission.READ,
    ("GET", "/stations/{id}/health"): Permission.READ,
    ("GET", "/stations/{id}/usage"): Permission.READ,
    ("GET", "/stations/{id}/health/figures"): Permission.READ,
    ("GET", "/stations/{id}/usage/figures"): Permission.READ,
    ("GET", "/areas/{code}"): Permission.READ,
    ("GET", "/blind-spots"): Permission.READ,
    ("GET", "/findings"): Permission.READ,
    ("POST", "/findings"): Permission.MAKE_FINDING,
    ("GET", "/findings/{id}"): Permission.READ,
    ("POST", "/findings/{id}/answer"): Permission.ANSWER_FINDING,
    ("POST", "/findings/{id}/close"): Permission.CLOSE_FINDING,
    ("GET", "/findings/{id}/photos"): Permission.READ,
    ("POST", "/findings/{id}/photos"): Permission.CLOSE_FINDING,
    ("POST", "/disputes"): Permission.DISPUTE,
    ("GET", "/corrections"): Permission.READ,
    ("POST", "/corrections"): Permission.CORRECT,
    ("GET", "/corrections/{id}"): Permission.READ,
    ("POST", "/corrections/{id}/approve"): Permission.CORRECT,
    ("POST", "/corrections/{id}/refuse"): Permission.CORRECT,
    ("GET", "/closures"): Permission.READ,
    ("POST", "/closures"): Permission.DECLARE_CLOSURE,
    ("GET", "/closures/{id}"): Permission.READ,
    ("POST", "/closures/{id}/approve"): Permission.APPROVE_CLOSURE,
    ("POST", "/closures/{id}/withdraw"): Permission.DECLARE_CLOSURE,
    ("GET", "/silences"): Permission.READ,
    ("POST", "/silences"): Permission.SILENCE,
    ("GET", "/silences/{id}"): Permission.READ,
    ("POST", "/silences/{id}/end"): Permission.SILENCE,
    ("GET", "/routes"): Permission.READ,
    ("GET", "/gaps"): Permission.READ,
    ("GET", "/routes/{id}"): Permission.READ,
    ("PUT", "/routes/{id}"): Permission.EDIT_ROUTES,
    ("DELETE", "/routes/{id}"): Permission.EDIT_ROUTES,
    ("GET", "/stations/{id}/routing"): Permission.READ,
    ("GET", "/areas/{code}/routing"): Permission.READ,
    ("GET", "/duty"): Permission.READ,
    ("GET", "/duty/now"): Permission.READ,
    ("POST", "/duty"): Permission.EDIT_ROUTES,
    ("DELETE", "/duty/{id}"): Permission.EDIT_ROUTES,
    ("GET", "/substitutes"): Permission.READ,
    ("POST", "/substitutes"): Permission.EDIT_ROUTES,
    ("DELETE", "/substitutes/{id}"): Permission.EDIT_ROUTES,
    ("GET", "/contacts"): Permission.READ,
    ("POST", "/contacts"): Permission.EDIT_ROUTES,
    ("GET", "/contacts/{id}"): Permission.READ,
    ("PATCH", "/contacts/{id}"): Permission.EDIT_ROUTES,
    ("POST", "/contacts/{id}/retire"): Permission.EDIT_ROUTES,
    ("POST", "/contacts/{id}/end-links"): Permission.EDIT_ROUTES,
    ("GET", "/incidents"): Permission.READ,
    ("GET", "/incidents/{id}"): Permission.READ,
    ("POST", "/incidents/{id}/ack"): Permission.ACKNOWLEDGE,
    ("POST", "/incidents/{id}/assign"): Permission.HAND_OVER,
    ("POST", "/incidents/{id}/note"): Permission.NOTE,
    ("POST", "/incidents/{id}/resolve"): Permission.RESOLVE,
    ("GET", "/uptime"): Permission.READ,
    ("GET", "/uptime/stations"): Permission.READ,
    ("GET", "/reports/uptime"): Permission.READ,
    ("GET", "/reports/effect"): Permission.READ,
    ("GET", "/reports/programme"): Permission.READ,
    ("GET", "/reports/stations/{id}"): Permission.READ,
    ("GET", "/reports/assessments/{id}"): Permission.READ,
    ("GET", "/assessments"): Permission.READ,
    ("POST", "/assessments"): Permission.ASSESS,
    ("GET", "/assessments/{id}"): Permission.READ,
    ("GET", "/assessments/{id}/places"): Permission.READ,
    ("GET", "/work"): Permission.READ,
    ("GET", "/response"): Permission.READ_HISTORY,
    ("GET", "/incidents/{id}/repairs"): Permission.READ,
    ("POST", "/incidents/{id}/repairs"): Permission.REPAIR,
    ("GET", "/incidents/{id}/photos"): Permission.READ,
    ("POST", "/incidents/{id}/photos"): Permission.NOTE,
    ("GET", "/closures/{id}/photos"): Permission.READ,
    ("POST", "/closures/{id}/photos"): Permission.DECLARE_CLOSURE,
    ("GET", "/photos/{id}"): Permission.READ,
    ("GET", "/photos/{id}/jpeg"): Permission.READ,
    ("GET", "/pipeline"): Permission.READ_HISTORY,
    ("POST", "/pipeline/shards/{shard}/trust"): Permission.MANAGE_PLATFORM,
    ("POST", "/pipeline/restarts"): Permission.MANAGE_PLATFORM,
    ("GET", "/deadletters"): Permission.READ_HISTORY,
    ("GET", "/unregistered"): Permission.READ_HISTORY,
    ("GET", "/ledger/checkpoint"): Permission.READ_LEDGER,
    ("GET", "/ledger/entries"): Permission.READ_LEDGER,
    ("GET", "/ledger/entries/{id}/proof"): Permission.READ_LEDGER,
    ("GET", "/ledger/export"): Permission.EXPORT,
    ("GET", "/stream"): Permission.READ,
    ("POST", "/signin-links"): Permission.READ,
    # The account that asks, its own sessions and tokens; the routes themselves look up which these are.
    ("GET", "/account"): Permission.READ,
    ("POST", "/account/password"): Permission.READ,
    ("GET", "/account/sessions"): Permission.READ,
    ("DELETE", "/account/sessions"): Permission.READ,
    ("DELETE", "/account/sessions/{id}"): Permission.READ,
    ("GET", "/tokens"): Permission.READ,
    ("POST", "/tokens"): Permission.READ,
    ("DELETE", "/tokens/{id}"): Permission.READ,
    ("POST", "/tokens/{id}/rotate"): Permission.READ,
    ("GET", "/accounts"): Permission.MANAGE_ACCOUNTS,
    ("POST", "/accounts"): Permission.MANAGE_ACCOUNTS,
    ("GET", "/accounts/{id}"): Permission.MANAGE_ACCOUNTS,
    ("PATCH", "/accounts/{id}"): Permission.MANAGE_ACCOUNTS,
    ("POST", "/accounts/{id}/disable"): Permission.MANAGE_ACCOUNTS,
    ("POST", "/accounts/{id}/enable"): Permission.MANAGE_ACCOUNTS,
    ("POST", "/accounts/{id}/link"): Permission.MANAGE_ACCOUNTS,
}
NEEDS: Final[Mapping[Route, Need]] = {
    **_PROBES,
    **_PAGES,
    **{(method, V1 + path): need for (method, path), need in _V1.items()},
}
"""The need of every route."""


def need_of(method: str, template: str, action: str = "") -> Need | None:
    """The need of a route, or of one action of it; None: it has no such action."""
    exact = NEEDS.get((method, template))
    return exact or NEEDS.get((method, template.replace(_ACTION, action)))


def require_needs(routes: Iterable[Route]) -> None:
    """Raise ValueError for a route without a row: every client might use it."""
    for method, template in routes:
        before, is_act, _ = template.partition(_ACTION)
        acts = is_act and any(known == method and path.startswith(before) for known, path in NEEDS)
        if (method, template) not in NEEDS and not acts:
            raise ValueError(f"{method} {template} has no row in api/http/permissions.py: say what it needs")


async def require_permission(request: Request) -> None:
    """The dependency of every route: raise the Problem of an actor who lacks its permission."""
    action = str(request.path_params.get("action", ""))
    need = need_of(request.method, route_template(request.scope), action)
    if need is None:
        raise not_found("action", action)
    if need != OPEN:
        require(request.scope[ACTOR], need)


def require(actor: Actor | None, permission: Permission) -> None:
    """Raise the Problem (401, 403) of an actor who lacks a permission."""
    if actor is None:
        raise Problem(401, "this needs a token or a session: sign in", headers={"WWW-Authenticate": "Bearer"})
    if not actor.may(permission):
        raise Problem(
            403,
            f"this needs the permission {permission!s}, which your account or token does not have, or not for every "
            "area: ask a person with this permission, or an administrator for another role or scope",
            permission=str(permission),
        )
