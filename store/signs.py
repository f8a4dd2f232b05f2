"""Signs of life: a row that a service writes from the loop that does its work, for `milepost watch`.

A loop that hangs writes none, even if the rest of its process runs.
"""

import time
from collections.abc import Mapping
from typing import Any, Final, Literal

from store.pool import Connection
from store.sql import queries_beside

QUERIES = queries_beside(__file__)
EVERY: Final = 10.0
"""Seconds between two signs of life."""

Role = Literal["working", "leading", "standby"]


class Signs:
    """The signs of one process of a service."""

    def __init__(self, service: str, instance: str, *, every: float = EVERY) -> None:
        self._service = service
        self._instance = instance
        self._every = every
        self._given: tuple[float, Role] | None = None

    def due(self, role: Role) -> bool:
        """Whether a sign is due; a new role is written at once."""
        return self._given is None or self._given[1] != role or time.monotonic() - self._given[0] >= self._every

    async def give(self, connection: Connection, role: Role, detail: Mapping[str, Any] | None = None) -> None:
        """Write a sign if one is due. Raises the errors of the database."""
        if self.due(role):
            await connection.execute(QUERIES.give_sign, self._service, self._instance, role, dict(detail or {}))
            self._given = time.monotonic(), role
