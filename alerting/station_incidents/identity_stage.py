"""Identity conflicts in the incident process: follows the judges' transitions, and periodically reads shared boots."""

from collections.abc import Sequence

from alerting.incidents import store
from alerting.incidents.book import Book
from alerting.station_incidents.identity_rules import (
    CONFLICTING,
    Sender,
    conflict_key,
    follow_judges,
    follow_service,
    follow_shared_boots,
    sending_as_one,
)
from alerting.station_incidents.store import QUERIES
from alerting.stations.model import StationChange
from alerting.stations.snapshot import Pairs, PassTime
from alerting.stations.table import Field
from contract.kinds import IncidentKind
from store.pool import Connection

_READ_EVERY = 120.0


class ConflictWatch:
    """Opens and closes identity conflicts in each pass; reads shared boots every `_READ_EVERY` seconds."""

    def __init__(self, field: Field) -> None:
        self._field = field
        self._due = 0.0

    async def follow(
        self, connection: Connection, book: Book, terminals: Sequence[StationChange], changes: Pairs, moment: PassTime,
        mono: float,
    ) -> None:  # fmt: skip
        """Open and close conflicts in the book; `terminals`: the transitions of terminals in this pass, `mono`: the
        monotonic clock in seconds."""
        involved = [c for c in terminals if CONFLICTING in (c.before, c.after)]
        if involved:
            keys = {conflict_key(change.station, change.terminal or "") for change in involved}
            await store.learn_newest(connection, book, keys)
            follow_judges(book, involved, self._field, moment.now)
        left = _out_of_service(changes)
        if left:
            book.learn(await store.load_open_of(connection, left, IncidentKind.IDENTITY_CONFLICT))
            follow_service(book, left, moment.now)
        if mono >= self._due:
            self._due = mono + _READ_EVERY
            await self._follow_shared_boots(connection, book, moment)

    async def _follow_shared_boots(self, connection: Connection, book: Book, moment: PassTime) -> None:
        rows = await connection.fetch(QUERIES.shared_boots)
        shared = sending_as_one(Sender(**dict(row)) for row in rows)
        book.learn(await store.load_open_of_kind(connection, IncidentKind.IDENTITY_CONFLICT))
        await store.learn_newest(connection, book, {sender.key for group in shared for sender in group})
        follow_shared_boots(book, shared, self._field, moment.now)


def _out_of_service(changes: Pairs) -> set[str]:
    return {
        before.station
        for before, after in changes
        if before is not None and before.in_service and (after is None or not after.in_service)
    }
