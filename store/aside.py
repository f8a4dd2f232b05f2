"""What a service has set aside, in a table that people read."""

import logging
from collections.abc import Collection, Mapping
from typing import Final

import asyncpg

from store.pool import Connection
from store.sql import queries_beside
from store.troubles import MOST, Thing

log = logging.getLogger(__name__)

QUERIES = queries_beside(__file__)

POISON: Final = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
    ValueError,  # asyncpg's own word for an argument that does not fit its type, or an answer that fits none of ours
    OverflowError,
    RecursionError,
)
"""What the database, or the driver before it, says of a value that it will never take."""


class Aside:
    """What one service has set aside, of the `kinds` that this process looks after and no other at the same time."""

    def __init__(self, service: str, kinds: Collection[str]) -> None:
        self._service = service
        self._kinds = list(kinds)
        self._stored: dict[Thing, str] | None = None

    def forget(self) -> None:
        """What was written may have been taken back: read it again before the next `save`."""
        self._stored = None

    async def save(self, connection: Connection, wanted: Mapping[Thing, str]) -> None:
        """Let the table say what is set aside now, and the log what is new."""
        stored = self._stored
        if stored is None:
            rows = await connection.fetch(QUERIES.load_set_aside, self._service, self._kinds)
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
