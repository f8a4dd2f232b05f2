"""A row of the database as pure code takes it. Pure."""

from collections.abc import Iterable
from typing import Any, Protocol


class DatabaseRow(Protocol):
    """The columns of a row by name; an asyncpg.Record is one."""

    def __getitem__(self, column: str, /) -> Any: ...

    def keys(self) -> Iterable[str]:
        """The names of the columns."""
