"""One query for all requests of about the same time and of one scope."""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

import asyncpg

from access.scope import WHOLE, AreaScope
from api.http.problems import DatabaseAwayError

logger = logging.getLogger(__name__)

LOOK_EVERY: float = 1.0
"""Seconds for which a result is used again."""
_QUICK = 0.25
_REST = 5.0
_FIRST = 3.0
MOST_SCOPES: Final = 50
"""Scopes, beside the whole, for which something is kept: those that asked last."""
_T = TypeVar("_T")


class SharedQuery(Generic[_T]):
    """The result of `look`, at most LOOK_EVERY (or `every`) seconds old; `look` never runs twice at once."""

    def __init__(self, look: Callable[[], Awaitable[_T]], every: float | None = None) -> None:
        self._look, self._every = look, every
        self._lock = asyncio.Lock()
        # Until when the result is used, and the result.
        self._found: tuple[float, _T] | None = None
        self._took = 0.0
        self._background: asyncio.Task[None] | None = None
        self._rests_until = 0.0

    async def __call__(self) -> _T:
        async with self._lock:
            now = time.monotonic()
            if self._found is None or now > self._found[0]:
                found = await self._look()
                self._took = time.monotonic() - now
                self._found = (now + self._lasts(self._took), found)
            return self._found[1]

    async def lately(self) -> _T | None:
        """The same without a long wait: returns a stale result while the refresh continues in the background. None when
        there is no result in time; never raises for the database."""
        if (self._background is None or self._background.done()) and time.monotonic() >= self._rests_until:
            self._background = asyncio.create_task(self._look_quietly(), name="api look")
        if self._background is not None:
            await asyncio.wait({self._background}, timeout=self._patience())
        return None if self._found is None else self._found[1]

    def _patience(self) -> float:
        if self._found is None:
            return _FIRST
        return _QUICK if self._took <= _QUICK else 0.0

    async def _look_quietly(self) -> None:
        began = time.monotonic()
        try:
            await self()
        except (DatabaseAwayError, asyncpg.PostgresError) as exc:
            logger.warning("a shared query of the database failed: %s", exc)
            self._found = None
            self._rests_until = time.monotonic() + self._lasts(time.monotonic() - began)

    def _lasts(self, took: float) -> float:
        """Seconds for which a result is used that took so long to find. A slow query is repeated less often, so that
        the process has time for other work."""
        every = LOOK_EVERY if self._every is None else self._every
        return max(every, _REST * (took - _QUICK))

    def close(self) -> None:
        """Cancel the refresh in the background."""
        if self._background is not None:
            self._background.cancel()


class ByScope(Generic[_T]):
    """One thing for each scope, made when the scope first asks, so that no scope gets what was made for another. The
    thing of the whole is always kept. `drop` ends a thing that is no longer kept."""

    def __init__(self, make: Callable[[AreaScope], _T], drop: Callable[[_T], object]) -> None:
        self._make, self._drop = make, drop
        self._whole = make(WHOLE)
        self._others: OrderedDict[AreaScope, _T] = OrderedDict()

    def of(self, scope: AreaScope) -> _T:
        """The thing of a scope."""
        if scope.whole:
            return self._whole
        found = self._others.pop(scope, None)
        if found is None:
            found = self._make(scope)
        self._others[scope] = found
        if len(self._others) > MOST_SCOPES:
            self._drop(self._others.popitem(last=False)[1])
        return found

    def close(self) -> None:
        """End all."""
        for one in (self._whole, *self._others.values()):
            self._drop(one)
        self._others.clear()
