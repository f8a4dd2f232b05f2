"""The figures of records of a made-up history, which a session of its own makes while the history goes on."""

import asyncio
from types import TracebackType
from typing import Self

from audit.rollups.rollup_store import roll_up
from milepost.history.judging import QUERIES
from store.pool import Connection


class RollingUp:
    """Use it in `async with`, which at its end waits for the figures; `connection`: a session for nothing else."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._connection.execute(QUERIES.wait_for_no_disk)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, _: object, __: TracebackType | None) -> None:
        if self._task is not None and kind is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        elif self._task is not None:
            await self._task

    async def begin(self) -> None:
        """Begin to make the figures of the records that have arrived, once those that were begun before are made."""
        if self._task is not None:
            await self._task
        self._task = asyncio.create_task(self._roll_up(), name="roll up")

    async def _roll_up(self) -> None:
        while await roll_up(self._connection):
            pass
        await self._connection.execute(QUERIES.sweep_touches)
