"""From firing health rules to incidents: which of them open an incident, and when it closes. Pure.

A rule may fire for any terminal. An incident opens only for a registered terminal of a station in service, and not in a
closure. Critical incidents are notified; the others are quiet, which means only listed.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Protocol

import msgspec

from alerting.incidents.book import Incident
from alerting.stations.snapshot import Standing
from contract.kinds import IncidentKind

Place = tuple[str, str]
"""(station, terminal)"""
Subject = tuple[str, str, str, str]
"""(station, terminal, rule, subject); the last is empty where a terminal has only one."""


class Firing(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that fires, as of its newest record. A row of the table health_state."""

    since: datetime
    as_of: datetime
    field: str | None = None
    severity: str | None = None
    threshold: float | None = None
    value: float | None = None


class HealthChange(msgspec.Struct, frozen=True, kw_only=True):
    """A row of health_change: a rule begins or stops to fire. `state`: the rule as it fires, or fired."""

    subject: Subject
    firing: bool
    reason: str
    state: Firing


class OpenHealthIncident(msgspec.Struct, frozen=True):
    """Open an incident for a rule that fires; `area`: where its station lies."""

    subject: Subject
    firing: Firing
    area: str | None


class CloseHealthIncident(msgspec.Struct, frozen=True):
    """Close the incident of a rule. `ended_at`: when the fault was over; None: now."""

    subject: Subject
    reason: str
    ended_at: datetime | None = None


HealthIntent = OpenHealthIncident | CloseHealthIncident


class StandingLookup(Protocol):
    """The part of the field of stations that is needed here."""

    def standing(self, station: str) -> Standing | None:
        """How a station stands; None when it is not registered."""


def health_key(subject: Subject) -> str:
    """The key of the incident of a subject."""
    station, terminal, rule, name = subject
    key = f"{IncidentKind.HEALTH}:{rule}:{station}:{terminal}"
    return f"{key}:{name}" if name else key


def subject_of(incident: Incident) -> Subject:
    """The subject of an incident, from its detail."""
    detail = incident.detail
    return (incident.station or "", detail["terminal"], detail["rule"], detail.get("subject", ""))


class HealthBoard:
    """All rules that fire, and which of them are handled: have an incident that is open."""

    def __init__(self, stations: StandingLookup) -> None:
        self._stations = stations
        self._firing: dict[str, dict[Subject, Firing]] = {}
        self._handled: dict[str, set[Subject]] = {}
        self._unregistered: Collection[Place] = frozenset()

    def restore_firing(self, firing: Mapping[Subject, Firing], handled: Iterable[Subject]) -> None:
        """Begin with the rules that fired at the last committed pass, and the subjects of incidents open then."""
        for subject, state in firing.items():
            self._firing.setdefault(subject[0], {})[subject] = state
        for subject in handled:
            self._handled.setdefault(subject[0], set()).add(subject)

    @property
    def places(self) -> set[Place]:
        """The terminals for which a rule fires."""
        return {(subject[0], subject[1]) for each in self._firing.values() for subject in each}

    def set_unregistered(self, places: Collection[Place]) -> None:
        """Set which of these terminals are not registered."""
        self._unregistered = places

    def follow_changes(self, changes: Iterable[HealthChange]) -> list[HealthIntent]:
        """Take changes, in the order of their partition; returns the incidents to open and close."""
        found: list[HealthIntent] = []
        for change in changes:
            firing = self._firing.setdefault(change.subject[0], {})
            if change.firing:
                firing[change.subject] = change.state
                found += self._judge(change.subject)
            else:
                firing.pop(change.subject, None)
                found += self._end(change.subject, change.reason, change.state.as_of)
            if not firing:
                del self._firing[change.subject[0]]
        return found

    def judge_stations(self, stations: Iterable[str]) -> list[HealthIntent]:
        """Judge again the subjects of stations whose standing may have changed."""
        found: list[HealthIntent] = []
        for station in stations:
            subjects = self._handled.get(station, set()) | self._firing.get(station, {}).keys()
            for subject in sorted(subjects):
                found += self._judge(subject)
        return found

    def judge_all(self) -> list[HealthIntent]:
        """Judge again the subjects of all stations with a rule that fires or an open incident."""
        return self.judge_stations(sorted({*self._firing, *self._handled}))

    def _judge(self, subject: Subject) -> list[HealthIntent]:
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
        """Why a rule that fires has no incident; None when it has one."""
        if standing is None:
            return "deleted"
        if not standing.in_service:
            return standing.lifecycle
        return "terminal_removed" if subject[:2] in self._unregistered else None

    def _end(self, subject: Subject, reason: str, at: datetime | None) -> list[HealthIntent]:
        handled = self._handled.get(subject[0], set())
        if subject not in handled:
            return []
        handled.discard(subject)
        if not handled:
            del self._handled[subject[0]]
        return [CloseHealthIncident(subject, reason, at)]
