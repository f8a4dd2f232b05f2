"""Records whose id is stored already: repetitions, or other content that must not be lost.

An agent sends records again until an ack arrives, and a replayed log repeats everything: both find the stored record at
the same time. Only other content, or a time that is corrected differently today, needs a search through the history of
the station, which is limited.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Final

from contract.entries import Refusal, not_compared, other_content
from contract.messages import Event, Health, Inventory, Presence, Record, Usage
from ingest.rows import Repeat, columns_of
from store.pool import Connection
from store.sql import queries_beside

QUERIES = queries_beside(__file__)

NEAR: Final = (timedelta(minutes=15), timedelta(days=1))
"""Windows around the time of a record; the second is for records that are not found in the first. An anchor improves by
as long as the first message of a boot waited in a broker, and a time derived from the receipt alone moves with it."""
FAR: Final = timedelta(days=400)
"""The largest accepted distance between the time of a record and its receipt."""
FAR_EVERY: Final = 1.0
"""Seconds between two searches through a history."""
FAR_RECORDS: Final = 5
"""Records that one search looks for."""

_COMPARE: Final[Mapping[type[Record], str]] = {
    Health: QUERIES.compare_health,
    Usage: QUERIES.compare_usage,
    Inventory: QUERIES.compare_inventory,
    Presence: QUERIES.compare_presence,
    Event: QUERIES.compare_event,
}


class Repeats:
    """Compares repeated records with what is stored; `clock` gives monotonic seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._next_far = 0.0

    async def find_differing(
        self, connection: Connection, log: str, repeats: Mapping[type[Record], Sequence[Repeat]]
    ) -> list[Refusal]:
        """Dead letters for records that do not equal the stored record; the caller writes them. `log`: its identity."""
        letters: list[Refusal] = []
        for kind, records in repeats.items():
            differing, missing = await _look_near(connection, kind, records)
            if missing and self._may_look_far():
                others, absent = await _look_far(connection, kind, missing[:FAR_RECORDS])
                differing, missing = differing + others, absent + missing[FAR_RECORDS:]
            letters += [other_content(log, one.unit, one.record) for one in differing]
            letters += [not_compared(log, one.unit, one.record) for one in missing]
        return letters

    def _may_look_far(self) -> bool:
        now = self._clock()
        if now < self._next_far:
            return False
        self._next_far = now + FAR_EVERY
        return True


async def _compare(
    connection: Connection, kind: type[Record], records: Sequence[Repeat], window: timedelta
) -> tuple[list[Repeat], list[Repeat]]:
    """The records that are stored with other content, and the records that are not found."""
    columns = columns_of(kind, [one.row for one in records])
    same: dict[int, bool] = {}
    for place, is_same in await connection.fetch(_COMPARE[kind], *columns, window):
        same[place] = same.get(place, False) or is_same
    differing = [one for place, one in enumerate(records, 1) if same.get(place) is False]
    return differing, [one for place, one in enumerate(records, 1) if place not in same]


async def _look_near(
    connection: Connection, kind: type[Record], records: Sequence[Repeat]
) -> tuple[list[Repeat], list[Repeat]]:
    differing: list[Repeat] = []
    missing = list(records)
    for window in NEAR:
        if missing:
            others, missing = await _compare(connection, kind, missing, window)
            differing += others
    return differing, missing


async def _look_far(
    connection: Connection, kind: type[Record], records: Sequence[Repeat]
) -> tuple[list[Repeat], list[Repeat]]:
    """Like `_look_near`, within 400 days and among records of all kinds."""
    differing, missing = await _compare(connection, kind, records, FAR)
    if not missing:
        return differing, []
    keys = [(*one.row[:4], one.record.id) for one in missing]
    found = {row["place"] for row in await connection.fetch(QUERIES.find_elsewhere, *zip(*keys, strict=True), FAR)}
    differing += [one for place, one in enumerate(missing, 1) if place in found]
    return differing, [one for place, one in enumerate(missing, 1) if place not in found]
