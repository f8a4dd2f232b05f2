"""Writes the incidents of health rules into the book of incidents. Pure."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

import msgspec

from alerting.health.incident_rules import Firing, HealthIntent, OpenHealthIncident, Subject, health_key
from alerting.health.rule_fields import version_text
from alerting.incidents.book import Book, Incident
from contract.kinds import IncidentKind

_NOTIFIED: Final = frozenset({"critical"})


class HealthOpened(msgspec.Struct, frozen=True):
    """An incident of a terminal that this pass opened."""

    incident: Incident


class HealthClosed(msgspec.Struct, frozen=True):
    """An incident of a terminal that this pass closed."""

    incident: Incident


HealthEvent = HealthOpened | HealthClosed


def write_health(book: Book, intents: Iterable[HealthIntent], now: datetime) -> list[HealthEvent]:
    """Open and close the incidents in the book, in their order; returns what was opened and closed. The book must have
    learnt their keys."""
    events: list[HealthEvent] = []
    for intent in intents:
        key = health_key(intent.subject)
        known = book.open_of(key)
        if isinstance(intent, OpenHealthIncident):
            if known is not None:
                book.ignore(key, "already_open")
            else:
                events.append(HealthOpened(book.open(_incident(intent, now), intent.subject[2])))
        elif known is None:
            book.ignore(key, "not_open")
        else:
            closed = book.close(known, ended_at=intent.ended_at or now, now=now, reason=intent.reason)
            events.append(HealthClosed(closed))
    return events


def _incident(intent: OpenHealthIncident, now: datetime) -> Incident:
    station = intent.subject[0]
    return Incident(
        id=0,
        kind=IncidentKind.HEALTH,
        key=health_key(intent.subject),
        status="open",
        station=station,
        area=intent.area,
        began_at=min(intent.firing.since, now),
        opened_at=now,
        detail=_detail(intent.subject, intent.firing),
    )


def _detail(subject: Subject, firing: Firing) -> dict[str, Any]:
    """The detail of the incident: rule, terminal and values; a version as text, every other value as a number."""
    number: Any = version_text if firing.field == "agent" else float
    detail = {
        "rule": subject[2],
        "terminal": subject[1],
        "subject": subject[3] or None,
        "field": firing.field,
        "severity": firing.severity,
        # A flag has no value to show beside the rule itself.
        "value": None if firing.value is None or firing.threshold is None else number(firing.value),
        "threshold": None if firing.threshold is None else number(firing.threshold),
        "as_of": firing.as_of,
        "quiet": None if firing.severity in _NOTIFIED else True,
    }
    return {name: value for name, value in detail.items() if value is not None}
