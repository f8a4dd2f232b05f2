"""The application: routers, error handlers and the middleware, put together."""

from functools import cache
from types import ModuleType
from typing import Any, Final

from fastapi import APIRouter, Depends, FastAPI
from fastapi.security import HTTPBearer
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.routing import Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from access.scope import WHOLE, AreaScope
from api.console import (
    area_pages,
    blind_spot_pages,
    board,
    closure_pages,
    incident_pages,
    pages,
    password_pages,
    removal_pages,
    signin_pages,
    station_pages,
)
from api.console.assessments import assessment_pages
from api.console.evidence import photo_pages, repair_pages
from api.console.findings import correction_pages, finding_pages
from api.console.links import link_pages
from api.console.people import account_pages, contact_pages, own_pages
from api.console.reports import report_pages
from api.console.response import answer_pages, work_pages
from api.console.routing import duty_pages, route_pages, silence_pages, template_pages, told_pages
from api.console.uptime import uptime_pages
from api.context import Context
from api.http import problems
from api.http.middleware import V1, Gate
from api.http.permissions import require_needs, require_permission
from api.http.shared_query import ByScope, SharedQuery
from api.read.counting import survey
from api.v1 import (
    areas,
    blind_spots,
    closures,
    dead_letters,
    history,
    incidents,
    pipeline,
    probes,
    reference,
    removals,
    schedules,
    signin_links,
    silences,
    stations,
    stream,
)
from api.v1.assessments import assessments
from api.v1.evidence import photos
from api.v1.findings import corrections, findings
from api.v1.ledger import entries, exports
from api.v1.people import accounts, own, tokens
from api.v1.probes import Probes
from api.v1.reports import files as report_files
from api.v1.response import answers, repairs, work_of_person
from api.v1.routing import contacts, duty, told
from api.v1.routing import routes as incident_routes
from api.v1.uptime import figures as uptime_figures

_ROUTERS: Final = (
    stations,
    removals,
    schedules,
    history,
    areas,
    blind_spots,
    closures,
    silences,
    duty,
    incident_routes,
    told,
    contacts,
    incidents,
    photos,
    work_of_person,
    uptime_figures,
    report_files,
    assessments,
    answers,
    repairs,
    findings,
    corrections,
    pipeline,
    dead_letters,
    entries,
    exports,
    stream,
    signin_links,
    own,
    accounts,
    tokens,
)
_PAGES: Final = (
    pages,
    signin_pages,
    password_pages,
    board,
    station_pages,
    removal_pages,
    area_pages,
    repair_pages,
    photo_pages,  # before the acts on incidents and closures, which have any name
    incident_pages,
    work_pages,
    uptime_pages,
    assessment_pages,
    report_pages,
    answer_pages,
    blind_spot_pages,
    closure_pages,
    finding_pages,
    correction_pages,
    silence_pages,
    contact_pages,
    duty_pages,
    route_pages,
    template_pages,
    told_pages,
    account_pages,
    own_pages,
    link_pages,
)
_DESCRIPTION: Final = (
    "What Milepost knows of its stations. Send `Authorization: Bearer TOKEN`. Times are ISO 8601 UTC; lists are "
    '{"items": […], "next": cursor or null} and take `cursor` and `limit`; errors are RFC 9457 problem documents.'
)
_FAILURE: Final = {
    "description": "RFC 9457 problem document",
    "content": {problems.MEDIA_TYPE: {"example": reference.PROBLEM}},
}


class KeptFiles(StaticFiles):
    """Static files. A browser keeps them for 5 minutes, or for a year if the address contains their version, because
    the style takes seconds over a line of 20 kbit/s. Static files are compressed, because they hold no secrets; pages
    are not."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """As Starlette's, with the time for which the file may be kept."""
        found = await super().get_response(path, scope)
        named = b"v=" in scope["query_string"]
        found.headers["Cache-Control"] = "public, max-age=31536000, immutable" if named else "public, max-age=300"
        return found


class App(FastAPI):
    """FastAPI, whose description has summaries and examples."""

    def openapi(self) -> dict[str, Any]:
        """The document of /openapi.json, made once."""
        if self.openapi_schema is None:
            self.openapi_schema = reference.described(super().openapi())
        return self.openapi_schema


def create_app(context: Context) -> FastAPI:
    """An app over what the service opened. The app opens and closes nothing itself."""
    app = App(
        title="Milepost",
        version="1",
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        openapi_tags=[dict(tag) for tag in reference.TAGS],
        routes=_router().routes,
    )
    app.state.context = context
    _share_looks(app, context)
    app.mount("/static", GZipMiddleware(KeptFiles(directory=pages.STATIC)), name="static")
    problems.install(app)
    app.add_exception_handler(HTTPException, pages.answer_unknown)
    app.add_middleware(
        Gate,
        identity=context.identity,
        observe=context.metrics.observe,
        secure=context.config.is_https,
    )
    # Outside of all else, so that all else sees the address of the client.
    app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(context.config.trusted_proxies))
    return app


def _share_looks(app: FastAPI, context: Context) -> None:
    """What requests of one scope share; probes are about the platform, and name nothing in it."""

    def board_of(scope: AreaScope) -> board.Board:
        database = context.database.within(scope)
        return board.Board(database, SharedQuery(lambda: survey(database)), context.config.url)

    boards = ByScope(board_of, board.Board.close)
    app.state.boards = boards
    app.state.exports = exports.ExportSlots()
    app.state.probes = Probes(context.database.within(WHOLE), context.hub, context.metrics, boards.of(WHOLE).survey)


@cache
def _router() -> APIRouter:
    """Every route, with the check of its permission; made once, as this takes FastAPI 0.2 s. Raises ValueError for a
    route that says nothing of its permission."""
    router = APIRouter(generate_unique_id_function=lambda route: route.name)
    permitted = Depends(require_permission)
    # The middleware checks the token; HTTPBearer only shows in the description that there is one.
    bearer = Depends(HTTPBearer(auto_error=False))
    v1 = APIRouter(dependencies=[bearer, permitted], responses={"default": _FAILURE})
    for module in _ROUTERS:
        v1.include_router(module.router)
    router.include_router(v1, prefix=V1)
    for module in (probes, *_PAGES):
        router.include_router(module.router, dependencies=[permitted])
    require_needs(routes())
    return router


def routes() -> list[tuple[str, str]]:
    """Method and template of the path of every route of v1, of every page and of every probe."""
    served = [(V1, module) for module in _ROUTERS] + [("", module) for module in (probes, *_PAGES)]
    return [one for prefix, module in served for one in _routes_of(prefix, module)]


def _routes_of(prefix: str, module: ModuleType) -> list[tuple[str, str]]:
    found = [route for route in module.router.routes if isinstance(route, Route)]
    return [(method, prefix + route.path) for route in found for method in sorted(route.methods or ())]
