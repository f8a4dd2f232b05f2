"""One look at the database for all who ask at about the same time, where asking needs no token."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import asyncpg

from api.http.problems import DatabaseAwayError

logger = logging.getLogger(__name__)

LOOK_EVERY: float = 1.0
"""Seconds for which a look serves."""
_QUICK = 0.25
_REST = 5.0
_FIRST = 3.0
_T = TypeVar("_T")


class Look(Generic[_T]):
    """What `look` found, at most LOOK_EVERY (or `every`) seconds ago; two never look at once."""

    def __init__(self, look: Callable[[], Awaitable[_T]], every: float | None = None) -> None:
        self._look, self._every = look, every
        self._lock = asyncio.Lock()
        # Until when it serves, and what was found.
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
        """The same for those who would rather have something older than wait: a look that takes long goes on behind
        their backs. None when nothing is found in time; it never fails."""
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
            logger.warning("a look at the database failed: %s", exc)
            self._found = None
            self._rests_until = time.monotonic() + self._lasts(time.monotonic() - began)

    def _lasts(self, took: float) -> float:
        """Seconds for which a look serves that took so long: a slow one longer, so that looking is never all we do."""
        every = LOOK_EVERY if self._every is None else self._every
        return max(every, _REST * (took - _QUICK))

    def close(self) -> None:
        """End what goes on in the background."""
        if self._background is not None:
            self._background.cancel()
