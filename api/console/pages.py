"""What the pages have in common, and the API's description. Pages load nothing from other servers."""

import hashlib
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import asyncpg
from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from jinja2 import Environment, PackageLoader, StrictUndefined
from pydantic import ValidationError
from starlette.responses import HTMLResponse

from access.roles import Permission
from access.rules import BUILT_IN, Actor
from api.console.station_map import SHAPES, outline
from api.console.texts import LANGUAGES, Words, choose, language_of
from api.context import Context
from api.http.accept import is_browser, is_program
from api.http.forms import MOST_PERSON
from api.http.middleware import ACTOR, AWAY, SESSION, is_guarded, is_wall
from api.http.openapi import describe
from api.http.problems import DatabaseAwayError, Problem, problem_response, to_problem
from api.http.session_rules import ends_at, own_path
from api.http.work import WorkPage, finished
from contract.said import BilingualError, Said, capital, said_by
from registry.removal import MAX_REASON

STATIC: Final = Path(__file__).with_name("static")
LANGUAGE_COOKIE: Final = "milepost_language"
_A_YEAR: Final = 365 * 86_400
_TEMPLATES: Final = Environment(
    loader=PackageLoader("api.console"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters["capital"] = capital
_TEMPLATES.globals.update(
    SHAPES=SHAPES, outline=outline, BUILT_IN=BUILT_IN, MOST_PERSON=MOST_PERSON, MOST_REASON=MAX_REASON
)


def asset(name: str) -> str:
    """The address of a static file with its version, so that a browser may cache the file for a year."""
    return f"/static/{name}?v={_VERSIONS[name]}"


_VERSIONS: Final = {
    path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:8] for path in STATIC.iterdir() if path.is_file()
}
_TEMPLATES.globals.update(asset=asset)

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class OpenPageRoute(APIRoute):
    """A page that needs no session; an error is shown as a page too."""

    def get_route_handler(self) -> Handler:
        """As FastAPI's, with errors answered as pages."""
        handle = super().get_route_handler()

        async def page(request: Request) -> Response:
            try:
                return await finished(await handle(request), request.app.state.context.work)
            except (Problem, RequestValidationError, DatabaseAwayError, asyncpg.PostgresError) as exc:
                return _failure(request, to_problem(exc))

        return page


class PageRoute(OpenPageRoute):
    """A page for people who are signed in."""

    def get_route_handler(self) -> Handler:
        """The same; without a session the form to sign in is the answer."""
        handle = super().get_route_handler()

        async def page(request: Request) -> Response:
            if AWAY in request.scope:
                return _failure(request, to_problem(request.scope[AWAY]))
            if request.scope[ACTOR] is None:
                return signin_page(request, 401)
            return await handle(request)

        return page


def page_router() -> APIRouter:
    """A router of pages for people who are signed in."""
    return APIRouter(include_in_schema=False, route_class=PageRoute)


router = APIRouter(include_in_schema=False)

_FAILURES: Final = {403: "foreign", 404: "missing", 503: "away"}


def _failure(request: Request, problem: Problem) -> Response:
    if is_program(request.headers.get("accept", "")):
        return problem_response(problem, request.url.path)
    if problem.status == HTTPStatus.UNAUTHORIZED:
        return signin_page(request, problem.status, wrong="signin_over")
    name = _FAILURES.get(problem.status, "unclear" if problem.status < 500 else "away")
    if problem.status == 403 and is_wall(request.scope):
        name = "only_looks"
    elif "permission" in problem.members:
        name = "not_permitted"
    retry = name == "away" and request.method == "GET"
    cause = problem.__cause__
    said = cause.said if name == "unclear" and isinstance(cause, BilingualError) else None
    return message(request, problem.status, f"{name}_title", [name], said=said, retry=retry)


async def answer_unknown(request: Request, exc: Exception) -> Response:
    """The answer to an address without a router: a page for a browser, the problem document for a program."""
    problem = to_problem(exc)
    if is_guarded(request.scope) or not is_browser(request.headers.get("accept", "")):
        return problem_response(problem, request.url.path)
    name = "no_page" if problem.status == HTTPStatus.NOT_FOUND else "unclear"
    return message(request, problem.status, "missing_title" if name == "no_page" else "unclear_title", [name])


def words_for(request: Request) -> Words:
    """The language that `?lang=` asks for, else the one chosen before, else the browser's, else the server's."""
    context: Context = request.app.state.context
    asked = language_of(request.query_params.get("lang", "")) or request.cookies.get(LANGUAGE_COOKIE)
    return Words(choose(asked, request.headers.get("accept-language", ""), context.config.language))


def link(path: str, /, **query: object) -> str:
    """An address of ours; parameters that are None or empty are left out."""
    given = {name: value for name, value in query.items() if value not in (None, "")}
    return f"{path}?{urlencode(given)}" if given else path


def compile_templates() -> None:
    """Read all templates at the start, so that the first request does not wait for that."""
    for name in _TEMPLATES.list_templates():
        _TEMPLATES.get_template(name)


def render(template: str, values: Mapping[str, Any]) -> str:
    """The HTML of a template."""
    return _TEMPLATES.get_template(template).render(values)


def frame(request: Request, words: Words) -> dict[str, Any]:
    """What every page is given: the words, the present address, and the link to the other language."""
    other = next(language for language in LANGUAGES if language != words.language)
    query = {name: value for name, value in request.query_params.items() if name != "lang"}
    return {
        "words": words,
        "path": request.url.path,
        "here": link(request.url.path, **query),
        "other": other,
        "other_link": link(request.url.path, **query, lang=other),
        "link": link,
        "made_up": request.app.state.context.made_up,
        "may_act": not is_wall(request.scope),
        "may": lambda permission: _may(request, permission),
    }


def _may(request: Request, permission: str) -> bool:
    """Whether the reader has a permission; without it a page does not show what needs it."""
    actor: Actor | None = request.scope[ACTOR]
    return actor is not None and actor.may(Permission(permission))


def answer(request: Request, words: Words, html: str | Callable[[], str], status: int = 200) -> Response:
    """A page, of its HTML or of how the HTML is made, which a worker thread does. A language that was chosen by
    `?lang=` is kept in a cookie."""
    headers = {"Content-Language": words.language, "Vary": "Accept, Accept-Language, Cookie"}
    page = HTMLResponse(html, status, headers) if isinstance(html, str) else WorkPage(html, status, headers)
    if language_of(request.query_params.get("lang", "")):
        page.set_cookie(LANGUAGE_COOKIE, words.language, max_age=_A_YEAR, samesite="lax", httponly=True)
    return page


def show(request: Request, template: str, code: int = 200, **values: Any) -> Response:
    """A page of a template in the reader's language; `code`: the HTTP status."""
    words = words_for(request)
    return answer(request, words, partial(render, template, {**frame(request, words), **values}), code)


def message(
    request: Request, status: int, heading: str, texts: list[str], *, said: Said | None = None, retry: bool = False
) -> Response:
    """A page with some sentences, by the names of their texts; `said`: another sentence before them; `retry`: the
    browser asks again after a while."""
    return show(request, "message.html", status, heading=heading, texts=texts, said=said, retry=retry)


def signin_page(
    request: Request, status: int = 200, *, code: str = "", goes_to: str | None = None, wrong: str = "", **values: Any
) -> Response:
    """The form to sign in, which then leads to the page that was asked for. `wrong`: why the last try was refused;
    `values`: what else the template takes."""
    if goes_to is None:
        goes_to = link(request.url.path, **request.query_params) if request.method == "GET" else "/"
    session = request.scope[SESSION]
    until = None if session is None else datetime.fromtimestamp(ends_at(session), UTC)
    return show(
        request,
        "signin.html",
        status,
        session=session,
        until=until,
        link_code=code,
        goes_to=own_path(goes_to),
        wrong=wrong,
        **{"account": None, "login": "", "wait": None, "by_token": False, **values},
    )


@router.get("/docs")
async def docs(request: Request) -> Response:
    """The API's description, written from /openapi.json."""
    words = Words("en")
    context: Context = request.app.state.context
    values = frame(request, words)
    html = await context.work.make_page(lambda: render("docs.html", values | describe(request.app.openapi())))
    return answer(request, words, html)


def why_refused(exc: Exception, words: Words, labels: Mapping[str, str], otherwise: str) -> str:
    """Why a form was refused, in the reader's language: the labels of the fields that do not fit, or the message of the
    error. `labels`: {field: text name}; `otherwise`: the text name for any other field of the form."""
    if isinstance(exc, ValidationError):
        fields = [str(error["loc"][0]) for error in exc.errors() if error["loc"]]
        shown = dict.fromkeys(words(labels.get(field, otherwise)) for field in fields)
        return words("unfit", fields=words("comma").join(shown))
    if isinstance(exc, Problem) and "parameter" in exc.members:
        return words("unfit_time", field=words(labels.get(str(exc.members["parameter"]), "times_how")))
    return said_by(exc.__cause__ or exc).text(words.language)
