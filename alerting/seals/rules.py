"""Opens and closes the incident of a late seal of the ledger. Pure.

A change of a row that is not sealed leaves no trace. The incident opens when the oldest such row has waited longer than
the setting allows, and closes when no row has waited that long.
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
    """`late`: seconds for which a row may wait for its seal."""

    late: float = 60.0


def follow_seal(book: Book, waiting_since: datetime | None, now: datetime, settings: SealSettings) -> bool:
    """Open or close the incident in the book, which must know the key of the incident. Returns whether the incident is
    open.

    `waiting_since`: the write time of the oldest row that is not sealed; None: every row is sealed, or there is no
    ledger.
    """
    known = book.open_of(KEY)
    late = waiting_since is not None and now - waiting_since > timedelta(seconds=settings.late)
    if late and waiting_since is not None and known is None:
        book.open(_incident(waiting_since, now), SealReason.LATE)
    elif not late and known is not None:
        book.close(known, ended_at=now, now=now, reason=SealReason.SEALED)
    return late


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
