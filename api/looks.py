"""One look at the database for all who ask at about the same time, where asking needs no token."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

LOOK_EVERY: float = 1.0
"""Seconds for which a look serves."""
_QUICK = 0.25
_REST = 5.0
_T = TypeVar("_T")


class Look(Generic[_T]):
    """What `look` found, at most LOOK_EVERY (or `every`) seconds ago; two never look at once."""

    def __init__(self, look: Callable[[], Awaitable[_T]], every: float | None = None) -> None:
        self._look, self._every = look, every
        self._lock = asyncio.Lock()
        # Until when it serves, and what was found.
        self._found: tuple[float, _T] | None = None

    async def __call__(self) -> _T:
        async with self._lock:
            now = time.monotonic()
            if self._found is None or now > self._found[0]:
                found = await self._look()
                self._found = (now + self._lasts(time.monotonic() - now), found)
            return self._found[1]

    def _lasts(self, took: float) -> float:
        """Seconds for which a look serves that took so long: a slow one longer, so that looking is never all we do."""
        every = LOOK_EVERY if self._every is None else self._every
        return max(every, _REST * (took - _QUICK))
