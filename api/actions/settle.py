"""One action of a person on a connection of its own."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from api.context import Context
from api.http.problems import Problem
from contract.errors import RemedyError
from store.pool import Connection

_T = TypeVar("_T")


async def settle(context: Context, action: Callable[[Connection], Awaitable[_T]], status: int = 409) -> _T:
    """What `action` gives; a RemedyError becomes a Problem with `status`."""
    async with context.database.transaction() as connection:
        try:
            return await action(connection)
        except RemedyError as exc:
            raise Problem(status, str(exc)) from exc
