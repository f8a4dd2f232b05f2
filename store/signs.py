"""Signs of life: a row that a service writes from the very loop that does its work, for whoever watches it.

A loop that hangs gives none, however well the rest of its process lives.
"""

import time
from collections.abc import Mapping
from typing import Any, Final, Literal

from store.pool import Connection
from store.sql import queries_beside

QUERIES = queries_beside(__file__)
EVERY: Final = 10.0
"""Seconds between two signs."""

Role = Literal["working", "leading", "standby"]


class Signs:
    """The signs of one process of a service."""

    def __init__(self, service: str, instance: str, *, every: float = EVERY) -> None:
        self._service = service
        self._instance = instance
        self._every = every
        self._given: tuple[float, Role] | None = None

    def due(self, role: Role) -> bool:
        """Whether it is time for one; a new role is told at once."""
        return self._given is None or self._given[1] != role or time.monotonic() - self._given[0] >= self._every

    async def give(self, connection: Connection, role: Role, detail: Mapping[str, Any] | None = None) -> None:
        """Write one if it is due. Raises what the database raises."""
        if self.due(role):
            await connection.execute(QUERIES.give_sign, self._service, self._instance, role, dict(detail or {}))
            self._given = time.monotonic(), role
