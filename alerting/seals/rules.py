"""Opens and closes the incident of a late seal of the ledger. Pure.

A change of a row that is not sealed leaves no trace. The incident opens when the oldest such row has waited longer than
the setting allows, and closes when no row has waited that long.

The time of a row is the start of its transaction, and other sessions see the row after the commit. So the rows of a
long transaction are late as soon as they are committed, although they are sealed a second later. The incident opens
only after passes saw late rows for some seconds.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec

from alerting.incidents.book import Book, Incident
from contract.kinds import IncidentKind

KEY: Final = "seal_late"


class SealReason(StrEnum):
    """Why the incident opens or ends; words of the family `reason`."""

    LATE = "seal_waits"
    SEALED = "sealed"


class SealSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Times in seconds. `late`: how long a row may wait for its seal; `seen`: how long passes must see late rows before
    the incident opens."""

    late: float = 60.0
    seen: float = 10.0


class WaitingRow(msgspec.Struct, frozen=True, kw_only=True):
    """The oldest row that is not sealed.

    `since`: its write time; `seen_at`: since when each pass saw this row or other late rows; `late`: whether the row
    has waited longer than the setting allows.
    """

    since: datetime
    seen_at: datetime
    late: bool


def see_waiting(
    before: WaitingRow | None, since: datetime | None, now: datetime, settings: SealSettings
) -> WaitingRow | None:
    """The state after a pass; `before`: the state after the pass before. `since`: the write time of the oldest row that
    is not sealed; None: every row is sealed, or there is no ledger."""
    if since is None:
        return None
    late = now - since > timedelta(seconds=settings.late)
    goes_on = before is not None and (since == before.since or (late and before.late))
    return WaitingRow(since=since, seen_at=before.seen_at if before is not None and goes_on else now, late=late)


def follow_seal(book: Book, waiting: WaitingRow | None, now: datetime, settings: SealSettings) -> bool:
    """Open or close the incident in the book, which must know the key of the incident. Returns whether the incident is
    open."""
    known = book.open_of(KEY)
    if waiting is None or not waiting.late:
        if known is not None:
            book.close(known, ended_at=now, now=now, reason=SealReason.SEALED)
        return False
    if known is None and now - waiting.seen_at >= timedelta(seconds=settings.seen):
        book.open(_incident(waiting.since, now), SealReason.LATE)
    return book.open_of(KEY) is not None


def _incident(since: datetime, now: datetime) -> Incident:
    return Incident(
        id=0,
        kind=IncidentKind.SEAL_LATE,
        key=KEY,
        status="open",
        began_at=min(since, now),
        opened_at=now,
        detail={"reason": SealReason.LATE},
    )
