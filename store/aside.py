"""The table of things that a service has set aside because it cannot process them; the console shows it."""

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Final, TypeVar

import asyncpg

from store.pool import UNREACHABLE, Connection
from store.sql import queries_beside
from store.troubles import MOST, Thing

log = logging.getLogger(__name__)

QUERIES = queries_beside(__file__)

POISON: Final = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
    ValueError,  # raised by asyncpg for an argument that does not fit its type, or a result that cannot be decoded
    OverflowError,
    RecursionError,
)
"""Errors of the database or its driver for a value that they never accept."""


_T = TypeVar("_T")


def is_poison(error: Exception) -> bool:
    """Whether the same work on the same values fails every time, so that they must be set aside.

    False for a database that is away, full or busy, and for an error in a query.
    """
    return isinstance(error, POISON) or not isinstance(error, UNREACHABLE)


async def write_apart(
    connection: Connection,
    rows: Sequence[_T],
    write: Callable[[Sequence[_T]], Awaitable[object]],
    refuse: Callable[[_T, Exception], None],
) -> None:
    """Write rows in the caller's transaction, without those that the database refuses."""
    try:
        async with connection.transaction():
            await write(rows)
    except POISON as exc:
        if len(rows) == 1:
            refuse(rows[0], exc)
            return
        middle = len(rows) // 2
        for half in (rows[:middle], rows[middle:]):
            await write_apart(connection, half, write, refuse)


async def name_aside(
    connection: Connection, service: str, kind: str, troubles: Mapping[str, str], *, processed: Collection[str]
) -> None:
    """Name things of a kind that cannot be processed, {subject: why}, and take back others that were `processed` now.
    For things that several processes share, of which none knows all."""
    if troubles:
        rows = [(kind, subject, why) for subject, why in troubles.items()]
        await connection.execute(QUERIES.set_aside, service, *zip(*rows, strict=True), MOST)
        for subject, why in troubles.items():
            log.error("set aside", extra={"service": service, "what": kind, "subject": subject, "why": why})
    fine = [subject for subject in processed if subject not in troubles]
    if fine:
        await connection.execute(QUERIES.take_back, service, [kind] * len(fine), fine)


class Aside:
    """Things that one service has set aside, of `kinds` that only this process writes; where several processes share
    these, of subjects that begin with `prefix`."""

    def __init__(self, service: str, kinds: Collection[str], prefix: str = "") -> None:
        self._service = service
        self._kinds = list(kinds)
        self._prefix = prefix
        self._stored: dict[Thing, str] | None = None

    def forget(self) -> None:
        """A transaction may have been rolled back: read the table again before the next `save`."""
        self._stored = None

    async def save(self, connection: Connection, wanted: Mapping[Thing, str]) -> None:
        """Write the things that are set aside now into the table, and changes into the log."""
        stored = self._stored
        if stored is None:
            rows = await connection.fetch(QUERIES.load_set_aside, self._service, self._kinds, self._prefix)
            stored = {(row["kind"], row["subject"]): row["why"] for row in rows}
        new = [(*thing, why) for thing, why in wanted.items() if stored.get(thing) != why]
        gone = stored.keys() - wanted.keys()
        if new:
            await connection.execute(QUERIES.set_aside, self._service, *zip(*new, strict=True), MOST)
        if gone:
            await connection.execute(QUERIES.take_back, self._service, *zip(*gone, strict=True))
        self._stored = dict(wanted)
        for kind, subject, why in new:
            log.error("set aside", extra={"service": self._service, "what": kind, "subject": subject, "why": why})
        for kind, subject in sorted(gone):
            log.info("no longer set aside", extra={"service": self._service, "what": kind, "subject": subject})
