"""Long work is done by a few threads, in small pieces, so that the event loop can answer other requests.

A call that holds Python's global lock stops the event loop too, on any thread. So answers are written item by item.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import Any, Final, TypeVar

from fastapi import Response
from fastapi.routing import APIRoute
from pydantic import BaseModel

from api.http.problems import Problem

FEW: Final = 100
"""Number of things up to which work is done on the event loop: some milliseconds."""
MOST_WAITING: Final = 40
"""Maximum number of pieces of work that run or wait for a thread; a further one is refused."""
MOST_SLOW: Final = 4
"""Maximum number of pieces of slow work that run or wait."""
MOST_APART: Final = 16
"""Maximum number of pieces of work that other processes do or that wait for that."""
_THREADS: Final = 2
_SHORT: Final = 10

_T = TypeVar("_T")


class Work:
    """The threads of one server."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="api work")
        self._slow = ThreadPoolExecutor(1, thread_name_prefix="api slow work")
        self._apart = ThreadPoolExecutor(_THREADS, thread_name_prefix="api work apart")
        self._waiting = self._slow_waiting = self._apart_waiting = 0

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

    def close(self) -> None:
        """Accept no more work, and do not wait for what runs."""
        for threads in (self._threads, self._slow, self._apart):
            threads.shutdown(wait=False, cancel_futures=True)


class WorkRoute(APIRoute):
    """A route whose endpoint returns a document; a long document is written by a worker thread."""

    def get_route_handler(self) -> Callable[..., Any]:
        """As FastAPI's, with the document of the endpoint written by a worker thread when it is long."""
        self.dependant.call = _written(self.endpoint, self.status_code or 200)
        return super().get_route_handler()


def _written(endpoint: Callable[..., Awaitable[Any]], status: int) -> Callable[..., Awaitable[Response]]:
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
