"""From what fires to incidents: which of it is anybody's business, and when that is over. Pure.

A rule fires for a terminal whoever it belongs to; an incident it is only at a station in service and at a terminal that
is registered, and none begins in a closure. Critical ones are told; the others are quiet: listed for whoever looks.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, Final, Protocol

import msgspec

from alerting.health.rule_fields import version_text
from alerting.incidents.book import Book, Incident
from alerting.stations.snapshot import Standing
from contract.kinds import IncidentKind

_TOLD: Final = frozenset({"critical"})

Place = tuple[str, str]
"""(station, terminal)"""
Subject = tuple[str, str, str, str]
"""(station, terminal, rule, subject); the last is empty where a terminal has only one."""


class Firing(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that fires, as of the record that told it. See the table health_state."""

    since: datetime
    as_of: datetime
    field: str | None = None
    severity: str | None = None
    threshold: float | None = None
    value: float | None = None


class HealthChange(msgspec.Struct, frozen=True, kw_only=True):
    """A row of health_change: a rule fires from now on, or no longer."""

    subject: Subject
    firing: bool
    reason: str
    told: Firing


class OpenHealthIncident(msgspec.Struct, frozen=True):
    subject: Subject
    firing: Firing
    area: str | None


class CloseHealthIncident(msgspec.Struct, frozen=True):
    """`ended_at` None: now."""

    subject: Subject
    reason: str
    ended_at: datetime | None = None


HealthIntent = OpenHealthIncident | CloseHealthIncident


class StandingLookup(Protocol):
    """The field, as far as it is asked here."""

    def standing(self, station: str) -> Standing | None: ...


def health_key(subject: Subject) -> str:
    station, terminal, rule, name = subject
    key = f"{IncidentKind.HEALTH}:{rule}:{station}:{terminal}"
    return f"{key}:{name}" if name else key


def subject_of(incident: Incident) -> Subject:
    """The inverse, from what the incident keeps."""
    detail = incident.detail
    return (incident.station or "", detail["terminal"], detail["rule"], detail.get("subject", ""))


class HealthBoard:
    """What fires everywhere, and which of it is handled: has an incident that goes on."""

    def __init__(self, stations: StandingLookup) -> None:
        self._stations = stations
        self._firing: dict[str, dict[Subject, Firing]] = {}
        self._handled: dict[str, set[Subject]] = {}
        self._strange: Collection[Place] = frozenset()

    def restore_firing(self, firing: Mapping[Subject, Firing], handled: Iterable[Subject]) -> None:
        """Take up the work with what fired at the last pass that was committed, and the incidents open then."""
        for subject, told in firing.items():
            self._firing.setdefault(subject[0], {})[subject] = told
        for subject in handled:
            self._handled.setdefault(subject[0], set()).add(subject)

    @property
    def places(self) -> set[Place]:
        """The terminals for which something fires."""
        return {(subject[0], subject[1]) for each in self._firing.values() for subject in each}

    def set_unregistered(self, places: Collection[Place]) -> None:
        """Those of them that are not registered."""
        self._strange = places

    def follow_changes(self, changes: Iterable[HealthChange]) -> list[HealthIntent]:
        """Take changes in, in the order of their partition."""
        found: list[HealthIntent] = []
        for change in changes:
            firing = self._firing.setdefault(change.subject[0], {})
            if change.firing:
                firing[change.subject] = change.told
                found += self._look(change.subject)
            else:
                firing.pop(change.subject, None)
                found += self._end(change.subject, change.reason, change.told.as_of)
            if not firing:
                del self._firing[change.subject[0]]
        return found

    def look_at_stations(self, stations: Iterable[str]) -> list[HealthIntent]:
        """Look again at stations that may stand otherwise than before."""
        found: list[HealthIntent] = []
        for station in stations:
            subjects = self._handled.get(station, set()) | self._firing.get(station, {}).keys()
            for subject in sorted(subjects):
                found += self._look(subject)
        return found

    def look_at_all(self) -> list[HealthIntent]:
        return self.look_at_stations(sorted({*self._firing, *self._handled}))

    def _look(self, subject: Subject) -> list[HealthIntent]:
        standing = self._stations.standing(subject[0])
        firing = self._firing.get(subject[0], {}).get(subject)
        if subject in self._handled.get(subject[0], ()):
            over = self._why_over(subject, standing) if firing else "cleared"
            return self._end(subject, over, None) if over else []
        if firing is None or standing is None or standing.silenced or self._why_over(subject, standing):
            return []
        self._handled.setdefault(subject[0], set()).add(subject)
        return [OpenHealthIncident(subject, firing, standing.area)]

    def _why_over(self, subject: Subject, standing: Standing | None) -> str | None:
        """Why what fires is nobody's business."""
        if standing is None:
            return "deleted"
        if not standing.in_service:
            return standing.lifecycle
        return "terminal_removed" if subject[:2] in self._strange else None

    def _end(self, subject: Subject, reason: str, at: datetime | None) -> list[HealthIntent]:
        handled = self._handled.get(subject[0], set())
        if subject not in handled:
            return []
        handled.discard(subject)
        if not handled:
            del self._handled[subject[0]]
        return [CloseHealthIncident(subject, reason, at)]


def write_health(book: Book, intents: Iterable[HealthIntent], now: datetime) -> None:
    """Take what is wanted into the book, in its order. It holds the newest incident of each key."""
    for intent in intents:
        key = health_key(intent.subject)
        known = book.open_of(key)
        if isinstance(intent, OpenHealthIncident):
            if known is not None:
                book.ignore(key, "already_open")
            else:
                book.open(_incident(intent, now), intent.subject[2])
        elif known is None:
            book.ignore(key, "not_open")
        else:
            book.close(known, ended_at=intent.ended_at or now, now=now, reason=intent.reason)


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
    """Why, in machine words; a version as text, everything else as a number."""
    number: Any = version_text if firing.field == "agent" else float
    detail = {
        "rule": subject[2],
        "terminal": subject[1],
        "subject": subject[3] or None,
        "field": firing.field,
        "severity": firing.severity,
        # Of a flag there is no more to be said than that it is not as it should be.
        "value": None if firing.value is None or firing.threshold is None else number(firing.value),
        "threshold": None if firing.threshold is None else number(firing.threshold),
        "as_of": firing.as_of,
        "quiet": None if firing.severity in _TOLD else True,
    }
    return {name: value for name, value in detail.items() if value is not None}
