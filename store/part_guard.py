"""Steps of a service that must not stop the service when they fail on their data."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from contract.errors import RemedyError
from store.aside import is_poison, name_aside
from store.pool import Pool
from store.troubles import said

log = logging.getLogger(__name__)

PART: Final = "part"
_FIRST_REST: Final = 1.0
_LONGEST_REST: Final = 60.0


class PartGuard:
    """Runs the steps of one part of a service. When a step fails on its data, the part is named in the table set_aside
    and rests, twice as long after each failure, at most a minute; the other parts go on. Several processes may run the
    same part."""

    def __init__(self, pool: Pool, service: str, part: str) -> None:
        self._pool = pool
        self._service = service
        self._part = part
        self._rest = 0.0
        # Perhaps an earlier process named it.
        self._named = True

    async def run(self, step: Callable[[], Awaitable[object]]) -> None:
        """Run a step. Raises what is no matter of data: an error of the database that may pass, a RemedyError."""
        try:
            await step()
        except Exception as exc:
            if isinstance(exc, RemedyError) or not is_poison(exc):
                raise
            log.exception("a part failed on its data, and rests", extra={"part": self._part})
            self._rest = min(max(2 * self._rest, _FIRST_REST), _LONGEST_REST)
            self._named = True
            await self._name({self._part: said(exc)})
            await asyncio.sleep(self._rest)
        else:
            self._rest = 0.0
            if self._named:
                await self._name({})
                self._named = False

    async def _name(self, troubles: dict[str, str]) -> None:
        async with self._pool.acquire() as connection:
            await name_aside(connection, self._service, PART, troubles, processed=[self._part])
