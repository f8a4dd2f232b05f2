"""Errors as people and programs read them: RFC 9457 ``application/problem+json``, always."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import asyncpg
import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):  # noqa: N818 -- RFC 9457's word
    """An answer that is not the one asked for: status, one sentence, and further members of the document."""

    def __init__(
        self, status: int, detail: str, *, headers: Mapping[str, str] | None = None, **members: str | list[Any]
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers, self.members = status, detail, headers, members


class DatabaseAwayError(Exception):
    """The database cannot be asked now."""


def not_found(kind: str, name: object) -> Problem:
    """404 that names what is not there."""
    return Problem(404, f"there is no {kind} {name!r}" if isinstance(name, str) else f"there is no {kind} {name}")


def bad_parameter(name: str, detail: str, status: int = 422) -> Problem:
    """422 (or `status`) that names the parameter."""
    return Problem(status, f"{name}: {detail}", parameter=name)


def problem_response(problem: Problem, path: str) -> Response:
    """The answer with the problem document; `path`: of the request."""
    document = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        "instance": path,
        **problem.members,
    }
    return Response(
        msgspec.json.encode(document),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers={"Cache-Control": "no-store", **(problem.headers or {})},
    )


def _of_http(exc: HTTPException) -> Problem:
    details = {
        404: "there is nothing at this address; /docs lists what there is",
        405: "this address does not take that method",
        413: "the request body is too large: at most 64 KiB",
    }
    detail = details.get(exc.status_code, str(exc.detail))
    return Problem(exc.status_code, detail, headers=exc.headers)


def _of_validation(exc: RequestValidationError) -> Problem:
    errors = [
        {"parameter": ".".join(str(part) for part in error["loc"][1:]) or str(error["loc"][0]), "detail": error["msg"]}
        for error in exc.errors()
    ]
    detail = "; ".join(f"{error['parameter']}: {error['detail']}" for error in errors)
    return Problem(422, detail, parameter=errors[0]["parameter"], errors=errors)


def _of_database(exc: asyncpg.PostgresError) -> Problem:
    if isinstance(exc, asyncpg.UndefinedTableError | asyncpg.UndefinedColumnError):
        return Problem(503, "the database has not this version's schema: run `milepost migrate`")
    if isinstance(exc, asyncpg.CharacterNotInRepertoireError | asyncpg.UntranslatableCharacterError):
        return Problem(400, "a value of the request cannot be looked up: it holds a character that no text may have")
    logger.error("the database refused a query: %s", exc)
    return Problem(500, "the server failed at this; its log says why")


def to_problem(exc: Exception) -> Problem:
    """Any error as an answer that reveals no internals."""
    match exc:
        case Problem():
            return exc
        case RequestValidationError():
            return _of_validation(exc)
        case HTTPException():
            return _of_http(exc)
        case DatabaseAwayError():
            return Problem(503, str(exc), headers={"Retry-After": "2"})
        case asyncpg.PostgresError():
            return _of_database(exc)
        case _:
            return Problem(500, "the server failed at this; its log says why")


async def _answer(request: Request, exc: Exception) -> Response:
    return problem_response(to_problem(exc), request.url.path)


def install(app: FastAPI) -> None:
    """Answer every known error of the app with a problem document; the middleware does so for all others."""
    for kind in (
        Problem,
        DatabaseAwayError,
        RequestValidationError,
        HTTPException,
        asyncpg.PostgresError,
    ):
        app.add_exception_handler(kind, _answer)
