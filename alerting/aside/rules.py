"""Opens and closes the incident of data that is set aside. Pure.

A service that cannot process a row or a message sets it aside, names it in the table `set_aside` and goes on. Mostly a
person must mend the data. One incident stands for all things, because one mistake may concern a thousand of them; the
list of the pipeline names each thing with its reason.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec

from alerting.incidents.book import Book, Incident
from contract.kinds import IncidentKind

KEY: Final = "set_aside"


class AsideReason(StrEnum):
    """Why the incident opens or ends; words of the family `reason`."""

    KEPT = "kept_aside"
    PROCESSED = "processed_again"


class AsideSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`after`: seconds for which a thing may be set aside before the incident opens. A part of a service that failed on
    its data tries again within a minute, so a failure that passes is no incident."""

    after: float = 300.0


def follow_aside(book: Book, since: datetime | None, now: datetime, settings: AsideSettings) -> bool:
    """Open or close the incident in the book, which must know the key of the incident. `since`: when the oldest thing
    was set aside, None for nothing. Returns whether the incident goes on."""
    known = book.open_of(KEY)
    if since is None:
        if known is not None:
            book.close(known, ended_at=now, now=now, reason=AsideReason.PROCESSED)
        return False
    if known is None and now - since >= timedelta(seconds=settings.after):
        book.open(_incident(since, now), AsideReason.KEPT)
    return book.open_of(KEY) is not None


def _incident(since: datetime, now: datetime) -> Incident:
    return Incident(
        id=0,
        kind=IncidentKind.SET_ASIDE,
        key=KEY,
        status="open",
        began_at=since,
        opened_at=now,
        detail={"reason": AsideReason.KEPT},
    )
