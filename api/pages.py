"""What the pages have in common, signing in, and the API's description. Nothing comes from elsewhere."""

import time
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlencode

import asyncpg
from fastapi import APIRouter, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, RedirectResponse

from api.atlas import SHAPES, outline
from api.context import Context, Shared
from api.gate import ACTOR, AS_HEAD, COOKIE, is_right
from api.openapi import describe
from api.problems import DatabaseAwayError, Problem, to_problem
from api.session import SESSION_SECONDS, redeem
from api.texts import LANGUAGES, Words, choose, language_of

STATIC: Final = Path(__file__).with_name("static")
LANGUAGE_COOKIE: Final = "milepost_language"
_A_YEAR: Final = 365 * 86_400
_TEMPLATES: Final = Environment(
    loader=PackageLoader("api"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_TEMPLATES.globals.update(SHAPES=SHAPES, outline=outline)

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class PageRoute(APIRoute):
    """A page for people who are signed in; what goes wrong is told as a page too."""

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()

        async def page(request: Request) -> Response:
            if request.scope[ACTOR] is None:
                return message(request, 401, "signin_title", ["signin_how", "signin_new"], again=True)
            try:
                return await handle(request)
            except (Problem, RequestValidationError, DatabaseAwayError, asyncpg.PostgresError) as exc:
                return _failure(request, to_problem(exc).status)

        return page


def page_router() -> APIRouter:
    return APIRouter(include_in_schema=False, route_class=PageRoute)


router = APIRouter(include_in_schema=False)

_FAILURES: Final = {403: "foreign", 404: "missing", 503: "away"}


def _failure(request: Request, status: int) -> Response:
    name = _FAILURES.get(status, "unclear" if status < 500 else "away")
    return message(request, status, f"{name}_title", [name], retry=name == "away" and request.method == "GET")


def words_for(request: Request) -> Words:
    """The language that `?lang=` asks for, else the one chosen before, else the browser's, else the server's."""
    context: Context = request.app.state.context
    asked = language_of(request.query_params.get("lang", "")) or request.cookies.get(LANGUAGE_COOKIE)
    return Words(choose(asked, request.headers.get("accept-language", ""), context.config.language))


def link(path: str, **query: object) -> str:
    """An address of ours; parameters that are None or empty are left out."""
    given = {name: value for name, value in query.items() if value not in (None, "")}
    return f"{path}?{urlencode(given)}" if given else path


def compile_templates() -> None:
    """Read them all, so that nobody's first page has to wait for it."""
    for name in _TEMPLATES.list_templates():
        _TEMPLATES.get_template(name)


def render(template: str, values: Mapping[str, Any]) -> str:
    return _TEMPLATES.get_template(template).render(values)


def frame(request: Request, words: Words) -> dict[str, Any]:
    """What every page is given: the words, where we are, and the way to the other language."""
    other = next(language for language in LANGUAGES if language != words.language)
    query = {name: value for name, value in request.query_params.items() if name != "lang"}
    return {
        "words": words,
        "path": request.url.path,
        "here": link(request.url.path, **query),
        "other": other,
        "other_link": link(request.url.path, **query, lang=other),
        "link": link,
    }


def answer(request: Request, words: Words, html: str, status: int = 200) -> Response:
    """A page; a language that was asked for is remembered."""
    page = HTMLResponse(
        html, status_code=status, headers={"Content-Language": words.language, "Vary": "Accept-Language, Cookie"}
    )
    if language_of(request.query_params.get("lang", "")):
        page.set_cookie(LANGUAGE_COOKIE, words.language, max_age=_A_YEAR, samesite="lax", httponly=True)
    return page


def show(request: Request, template: str, code: int = 200, **values: Any) -> Response:
    words = words_for(request)
    return answer(request, words, render(template, {**frame(request, words), **values}), code)


def message(
    request: Request, status: int, heading: str, texts: list[str], *, again: bool = False, retry: bool = False
) -> Response:
    return show(request, "message.html", status, heading=heading, texts=texts, again=again, retry=retry)


@router.get("/signin")
async def sign_in(request: Request, context: Shared, code: Annotated[str, Query(max_length=256)] = "") -> Response:
    """Turn the one-use code into a session."""
    if request.scope.get(AS_HEAD):
        return Response()  # a client's preview must not use the code up
    if not is_right(context.guesses, request.scope, code.encode(), lambda _: redeem(context.config.signin_file, code)):
        return message(request, 403, "signin_used_title", ["signin_used", "signin_new"], again=True)
    to_board = RedirectResponse("/", status_code=303)
    to_board.set_cookie(
        COOKIE,
        context.token.new_session(time.time()),
        max_age=SESSION_SECONDS,
        httponly=True,
        samesite="strict",
        secure=context.config.url.startswith("https:"),
    )
    return to_board


@router.get("/docs")
async def docs(request: Request) -> Response:
    """The API's description, written from /openapi.json."""
    words = Words("en")
    return answer(request, words, render("docs.html", {"words": words, **describe(request.app.openapi())}))
