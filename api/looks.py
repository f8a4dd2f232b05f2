"""One look at the database for all who ask at about the same time, where asking needs no token."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

LOOK_EVERY: float = 1.0
"""Seconds for which a look serves."""
_T = TypeVar("_T")


class Look(Generic[_T]):
    """What `look` found, at most LOOK_EVERY (or `every`) seconds ago; two never look at once."""

    def __init__(self, look: Callable[[], Awaitable[_T]], every: float | None = None) -> None:
        self._look, self._every = look, every
        self._lock = asyncio.Lock()
        self._found: tuple[float, _T] | None = None

    async def __call__(self) -> _T:
        async with self._lock:
            every = LOOK_EVERY if self._every is None else self._every
            if self._found is None or time.monotonic() - self._found[0] > every:
                self._found = (time.monotonic(), await self._look())
            return self._found[1]
