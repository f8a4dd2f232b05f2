"""Writes the incidents of dead channels into the book of incidents. Pure."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from alerting.channels.model import DeadChannel
from alerting.channels.rules import CloseDeadChannel, OpenDeadChannel
from alerting.incidents.book import Book, Incident
from contract.kinds import IncidentKind


def write_dead_channels(book: Book, intents: Iterable[OpenDeadChannel | CloseDeadChannel], now: datetime) -> None:
    """Open and close incidents in the book, which must have learnt their keys."""
    for intent in intents:
        known = book.open_of(intent.key)
        if isinstance(intent, OpenDeadChannel):
            if known is None:
                book.open(_incident(intent.channel, now), intent.channel.reason)
        elif known is not None:
            book.close(known, ended_at=now, now=now, reason=intent.reason)


def _incident(channel: DeadChannel, now: datetime) -> Incident:
    # Of a contact the incident has the id only: names of persons stay in the contact.
    detail: dict[str, Any] = {
        "contact": channel.contact,
        "contacts": channel.contacts if channel.contacts > 1 else None,
        "channel": channel.channel,
        "reason": channel.reason,
        "answer": channel.why,
    }
    return Incident(
        id=0,
        kind=IncidentKind.CHANNEL_DEAD,
        key=channel.key,
        status="open",
        area=channel.area,
        began_at=min(channel.failing_since, now),
        opened_at=now,
        detail={name: value for name, value in detail.items() if value},
    )
