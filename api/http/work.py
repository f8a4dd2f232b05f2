"""Long work is done by a few threads, in small pieces, so that the event loop can answer other requests.

A call that holds Python's global lock stops the event loop too, on any thread. So answers are written item by item.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial, wraps
from inspect import signature
from itertools import islice
from typing import Any, Final, TypeVar

from fastapi import Response
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.responses import HTMLResponse
from starlette.types import Receive, Scope, Send

from api.http.problems import Problem

FEW: Final = 100
"""Number of things up to which work is done on the event loop: some milliseconds."""
MOST_WAITING: Final = 40
"""Maximum number of pieces of work that run or wait for a thread; a further one is refused."""
MOST_SLOW: Final = 4
"""Maximum number of pieces of slow work that run or wait."""
MOST_APART: Final = 16
"""Maximum number of pieces of work that other processes do or that wait for that."""
MOST_PAGES: Final = 100
"""Maximum number of pages whose HTML is made or waits for a thread."""
_THREADS: Final = 2
_SHORT: Final = 10

_T = TypeVar("_T")


class Work:
    """The threads of one server."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="api work")
        self._slow = ThreadPoolExecutor(1, thread_name_prefix="api slow work")
        self._apart = ThreadPoolExecutor(_THREADS, thread_name_prefix="api work apart")
        self._pages = ThreadPoolExecutor(_THREADS, thread_name_prefix="api page")
        self._waiting = self._slow_waiting = self._apart_waiting = self._pages_waiting = 0

    async def do(self, things: int, work: Callable[[], _T]) -> _T:
        """The result of `work`, which goes through `things` things. Raises a Problem (503) when too much work waits."""
        if things <= FEW:
            return work()
        if self._waiting >= MOST_WAITING:
            raise Problem(503, "too many large answers are being made: try again", headers={"Retry-After": "5"})
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1

    async def do_alone(self, work: Callable[[], _T]) -> _T:
        """The result of `work`, which takes seconds: one such at a time. Raises a Problem (503) when others wait."""
        if self._slow_waiting >= MOST_SLOW:
            raise Problem(503, "others are searching: try again", headers={"Retry-After": "5"})
        self._slow_waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._slow, work)
        finally:
            self._slow_waiting -= 1

    async def do_apart(self, work: Callable[[], _T]) -> _T:
        """The result of `work`, for which a thread only waits: another process does it. Raises a Problem (503) when too
        many wait."""
        if self._apart_waiting >= MOST_APART:
            raise Problem(503, "too many photos are being read: try again", headers={"Retry-After": "5"})
        self._apart_waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._apart, work)
        finally:
            self._apart_waiting -= 1

    async def make_page(self, make: Callable[[], str]) -> str:
        """The HTML of a page; its length is not known before. Raises a Problem (503) when too many wait."""
        if self._pages_waiting >= MOST_PAGES:
            raise Problem(503, "too many pages are being made: try again", headers={"Retry-After": "5"})
        self._pages_waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pages, make)
        finally:
            self._pages_waiting -= 1

    def close(self) -> None:
        """Accept no more work, and do not wait for what runs."""
        for threads in (self._threads, self._slow, self._apart, self._pages):
            threads.shutdown(wait=False, cancel_futures=True)


class WorkPage(HTMLResponse):
    """A page whose HTML is made by a worker thread (`finished`), or at last when it is sent. `make`: the HTML."""

    def __init__(self, make: Callable[[], str], status: int, headers: Mapping[str, str]) -> None:
        super().__init__(status_code=status, headers=headers)
        self._make: Callable[[], str] | None = make

    async def finish(self, work: Work) -> None:
        """Make the HTML. Raises a Problem (503) when too many pages wait for a thread."""
        if self._make is not None:
            self._take(await work.make_page(self._make))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._make is not None:
            self._take(self._make())
        await super().__call__(scope, receive, send)

    def _take(self, html: str) -> None:
        self._make = None
        self.body = self.render(html)
        self.headers["Content-Length"] = str(len(self.body))


async def finished(answer: Response, work: Work) -> Response:
    """The answer, a page with its HTML made. Raises a Problem (503) when too many pages wait for a thread."""
    if isinstance(answer, WorkPage):
        await answer.finish(work)
    return answer


class WorkRoute(APIRoute):
    """A route whose endpoint returns a document; a long document is written by a worker thread. The endpoint has a
    parameter `context`, an api.context.Context."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        # FastAPI makes the handler of an included router from the endpoint anew, so the endpoint itself is wrapped.
        super().__init__(path, _written(endpoint, options.get("status_code") or 200), **options)


def _written(endpoint: Callable[..., Awaitable[Any]], status: int) -> Callable[..., Awaitable[Response]]:
    """The endpoint with its document written; its signature is what FastAPI reads. Raises TypeError for an endpoint
    without `context`."""
    if "context" not in signature(endpoint).parameters:
        raise TypeError(f"{endpoint.__name__} needs a parameter context, whose threads write its document")

    @wraps(endpoint)
    async def call(**values: Any) -> Response:
        made = await endpoint(**values)
        if isinstance(made, Response):
            return made
        work: Work = values["context"].work
        body = await work.do(things_in(made), partial(write, made))
        return Response(body, status_code=status, media_type="application/json")

    return call


def things_in(document: BaseModel) -> int:
    """How many documents a document has in its lists and in theirs, counted no further than to one more than FEW."""
    return sum(1 for _ in islice(_inner(document), FEW + 1))


def _inner(document: BaseModel) -> Iterator[object]:
    for value in vars(document).values():
        for one in value if isinstance(value, list) else ():
            yield one
            if isinstance(one, BaseModel):
                yield from _inner(one)


def write(document: BaseModel) -> bytes:
    """A document as JSON, its lists item by item."""
    return b"".join(_pieces(document))


def _pieces(document: BaseModel) -> Iterator[bytes]:
    lists = {name: value for name, value in vars(document).items() if _is_long(value)}
    if not lists:
        yield document.model_dump_json(by_alias=True).encode()
        return
    head = document.model_dump_json(by_alias=True, exclude=set(lists)).encode()
    yield head[:-1]
    separator = b"" if head == b"{}" else b","
    for name, items in lists.items():
        yield separator + b'"' + _alias(type(document).model_fields, name).encode() + b'":['
        for place, item in enumerate(items):
            yield b"," if place else b""
            yield from _pieces(item)
        yield b"]"
        separator = b","
    yield b"}"


def _is_long(value: object) -> bool:
    return isinstance(value, list) and len(value) > _SHORT and isinstance(value[0], BaseModel)


def _alias(fields: Mapping[str, Any], name: str) -> str:
    return fields[name].serialization_alias or name
