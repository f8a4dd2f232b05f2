"""Routes: a filtered list and one."""

from api.http.paging import AfterRoute, Page
from api.http.problems import not_found
from api.read.found import FoundPage
from api.read.queries import QUERIES
from api.read.routing.route_schemas import RouteDocument, RouteStepDocument
from registry.routes.model import Route, RouteStep
from registry.routes.steps import steps_text
from registry.routes.store import load_routes, route_of
from store.pool import Connection


async def list_routes(connection: Connection, page: Page, *, area: list[str] | None) -> FoundPage[RouteDocument]:
    """Routes by id. `area`: codes of which the whole subtrees are meant. Raises a Problem for a cursor that is not
    ours."""
    after = page.after(AfterRoute, AfterRoute("")).id
    rows = await connection.fetch(QUERIES.list_routes, after, area, page.limit + 1)
    shown, following = page.cut(rows, lambda row: AfterRoute(row["id"]))
    return FoundPage(rows=shown, next=following, document=lambda row: route_document(route_of(row)), things=len(shown))


async def load_route(connection: Connection, name: str) -> RouteDocument:
    """One route. Raises a Problem (404)."""
    return route_document(await require_route(connection, name))


async def require_route(connection: Connection, name: str) -> Route:
    """One route as it is stored. Raises a Problem (404)."""
    found = (await load_routes(connection, [name])).get(name)
    if found is None:
        raise not_found("route", name)
    return found


async def may_edit_route(connection: Connection, name: str) -> bool | None:
    """Whether a route lies in the scope; one above it is seen only. None: there is none that is seen."""
    found: bool | None = await connection.fetchval(QUERIES.may_edit_route, name)
    return found


def route_document(route: Route) -> RouteDocument:
    """A route as the API and the pages show it."""
    names = ("id", "name", "area", "programme", "station_kind", "tell_past")
    return RouteDocument(
        kinds=list(route.kinds),  # type: ignore[arg-type]
        severities=list(route.severities),  # type: ignore[arg-type]
        steps=[_step(step) for step in route.steps],
        rule=steps_text(route.steps),
        **{name: getattr(route, name) for name in names},
    )


def _step(step: RouteStep) -> RouteStepDocument:
    return RouteStepDocument(role=step.role, level=step.level, after=int(step.after), clock=step.clock, most=step.most)
