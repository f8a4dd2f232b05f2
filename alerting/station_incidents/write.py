"""Writes the intents of the station rules into the book of incidents. Pure."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from alerting.incidents.book import Book, Incident
from alerting.incidents.repaired import closes_later, note_end, note_return
from alerting.station_incidents.rules import Closes, Intent, Opens, station_rule_key
from contract.kinds import IncidentKind

NOT_OPEN: Final = "not_open"
"""Reason: an end is ignored, because no incident of that key goes on."""


def write_intents(book: Book, intents: Iterable[Intent], now: datetime) -> list[Intent]:
    """Write the intents of the station rules into the book, in order.

    The book must hold the newest incident of each key. Returns the intents for later stages: all but the openings of
    incidents that were open already.
    """
    followed: list[Intent] = []
    for intent in intents:
        if isinstance(intent, Closes):
            _close(book, intent, now)
            followed.append(intent)
        elif _open(book, intent, now):
            followed.append(intent)
    return followed


def _open(book: Book, intent: Opens, now: datetime) -> bool:
    """Whether an incident was opened, or the fault of one came back that was thought to be repaired."""
    key, want = station_rule_key(intent.kind, intent.station), intent.want
    standing = book.open_of(key)
    if standing is not None and note_return(book, standing, want.began_at):
        return True
    if standing is not None:
        book.ignore(key, "already_open")
        return False
    book.open(
        Incident(
            id=0,
            kind=intent.kind,
            key=key,
            status="open",
            station=intent.station,
            area=intent.area,
            began_at=want.began_at,
            opened_at=now,
            detail=_detail(intent),
        ),
        want.reason,
        intent.at,
    )
    return True


def _detail(intent: Opens) -> dict[str, Any]:
    """The reason, the last heartbeat, and the beginning of the fault if it is not the beginning of the incident.

    An incident of a station that was never seen is quiet (listed, without notifications): no visitor lost a service,
    and an import adds such stations by the hundred.
    """
    want = intent.want
    detail: dict[str, Any] = {"reason": want.reason, "seen_at": intent.seen_at}
    if intent.kind == IncidentKind.NEVER_SEEN:
        detail["quiet"] = True
    if want.fault_at != want.began_at:
        detail["unusable_since" if intent.kind == IncidentKind.UNUSABLE else "offline_since"] = want.fault_at
    return {name: value for name, value in detail.items() if value is not None}


def _close(book: Book, intent: Closes, now: datetime) -> None:
    key = station_rule_key(intent.kind, intent.station)
    standing = book.open_of(key)
    if standing is None:
        book.ignore(key, NOT_OPEN, intent.at)
    elif intent.ended_at is not None and closes_later(standing):
        note_end(book, standing, intent.ended_at)
    else:
        book.close(standing, ended_at=intent.ended_at or now, now=now, reason=intent.reason, as_of=intent.at)
