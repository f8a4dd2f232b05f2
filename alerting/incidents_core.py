"""What is wrong, as incidents: one row a cause, from opened to closed. Pure.

A `Book` holds the incidents that the process looks at in one pass and notes each decision with its reason. Rules
(stations here, the pipeline in `alerting.pipeline`) write into it; the shell stores what became of it.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Literal

import msgspec

STATION_OFFLINE: Final = "station_offline"
PIPELINE_BLIND: Final = "pipeline_blind"

Status = Literal["open", "acknowledged", "closed"]


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong. A negative `id` is not stored yet."""

    id: int
    kind: str
    key: str
    status: Status
    began_at: datetime
    opened_at: datetime
    station: str | None = None
    area: str | None = None
    shard: str | None = None
    closed_at: datetime | None = None
    # When the fault itself was over, which is earlier than when we saw it.
    ended_at: datetime | None = None
    # The incident of the common cause; while it has one, it pages nobody itself.
    parent: int | None = None
    detail: dict[str, Any] = {}

    @property
    def is_open(self) -> bool:
        return self.status != "closed"


class Action(StrEnum):
    OPENED = "opened"
    UPDATED = "updated"
    CLOSED = "closed"
    IGNORED = "ignored"


class Decision(msgspec.Struct, frozen=True):
    """What was decided about an incident and why; an ignored one has no incident."""

    action: Action
    key: str
    reason: str
    incident: int | None = None


class Book:
    """The incidents of one pass, keyed by id; at most one of a key is not closed."""

    def __init__(self, known: Iterable[Incident] = ()) -> None:
        self._incidents: dict[int, Incident] = {}
        self._open: dict[str, int] = {}
        self._by_key: dict[str, list[int]] = {}
        self._before: dict[int, Incident] = {}
        self.decisions: list[Decision] = []
        for incident in known:
            self._put(incident)
            self._before[incident.id] = incident

    def open_of(self, key: str) -> Incident | None:
        """The one incident of a key that is not closed."""
        found = self._open.get(key)
        return None if found is None else self._incidents[found]

    def all_of(self, key: str) -> list[Incident]:
        """Every known incident of a key, closed ones too."""
        return [self._incidents[found] for found in self._by_key.get(key, ())]

    def open(self, incident: Incident, reason: str) -> Incident:
        """Add an incident; its id is given here until it is stored."""
        if self.open_of(incident.key) is not None:
            raise ValueError(f"an incident {incident.key} is open already")
        new = msgspec.structs.replace(incident, id=-1 - len(self._incidents))
        self._put(new)
        self._note(Action.OPENED, new, reason)
        return new

    def add_closed(self, incident: Incident, reason: str) -> Incident:
        """Add an incident that was over before anybody knew of it, beside one that may be open."""
        new = msgspec.structs.replace(incident, id=-1 - len(self._incidents), status="closed")
        self._put(new)
        self._note(Action.OPENED, new, reason)
        self._note(Action.CLOSED, new, "already_over")
        return new

    def update(self, incident: Incident, reason: str) -> Incident:
        """Replace what is known of an incident; nothing is noted when nothing changed."""
        if self._incidents[incident.id] != incident:
            self._put(incident)
            self._note(Action.UPDATED, incident, reason)
        return incident

    def close(self, incident: Incident, *, ended_at: datetime, now: datetime, reason: str) -> Incident:
        """Close an incident at `now`; it cannot have ended before it began."""
        closed = msgspec.structs.replace(
            incident, status="closed", closed_at=now, ended_at=max(ended_at, incident.began_at)
        )
        self._put(closed)
        self._note(Action.CLOSED, closed, reason)
        return closed

    def ignore(self, key: str, reason: str) -> None:
        self.decisions.append(Decision(Action.IGNORED, key, reason))

    @property
    def opened(self) -> list[Incident]:
        """New incidents as they are at the end of the pass."""
        return [incident for incident in self._incidents.values() if incident.id not in self._before]

    @property
    def changed(self) -> list[Incident]:
        """Stored incidents that are not as they were."""
        return [self._incidents[i] for i, before in self._before.items() if self._incidents[i] != before]

    def notifications(self) -> list[tuple[int, str]]:
        """(incident, phase) people are to be told: opened, closed, or passed for one that was over when found.

        A child pages nobody, neither when it opens nor when it closes; one that loses its parent while open does.
        """
        told = [(new.id, "opened" if new.is_open else "passed") for new in self.opened if new.parent is None]
        for old in self.changed:
            before = self._before[old.id]
            if old.parent is None and before.is_open and not old.is_open:
                told.append((old.id, "closed"))
            elif old.parent is None and before.parent is not None and old.is_open:
                told.append((old.id, "opened"))
        return told

    def _put(self, incident: Incident) -> None:
        if incident.id not in self._incidents:
            self._by_key.setdefault(incident.key, []).append(incident.id)
        self._incidents[incident.id] = incident
        if incident.is_open:
            self._open[incident.key] = incident.id
        elif self._open.get(incident.key) == incident.id:
            del self._open[incident.key]

    def _note(self, action: Action, incident: Incident, reason: str) -> None:
        self.decisions.append(Decision(action, incident.key, reason, incident.id))


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A station's own transition, as far as incidents ask."""

    station: str
    before: str
    after: str
    at: datetime
    reason: str
    seen_at: datetime | None = None
    shard: str | None = None


class StationFacts(msgspec.Struct, frozen=True):
    """What the registry says of a station."""

    lifecycle: str
    area: str | None = None


class StandingOffline(msgspec.Struct, frozen=True):
    """A commissioned station that is offline and has no incident for it."""

    station: str
    area: str | None
    since: datetime


def station_key(station: str) -> str:
    return f"{STATION_OFFLINE}:{station}"


def follow_stations(book: Book, changes: Iterable[Change], facts: Mapping[str, StationFacts], now: datetime) -> None:
    """Take station transitions, in their order, into the book."""
    for change in changes:
        if change.after == "offline":
            _fell(book, change, facts.get(change.station), now)
        else:
            _left_offline(book, change, now)


def _fell(book: Book, change: Change, facts: StationFacts | None, now: datetime) -> None:
    key = station_key(change.station)
    if facts is None or facts.lifecycle != "commissioned":
        book.ignore(key, "not_registered" if facts is None else "not_commissioned")
    elif book.open_of(key) is not None:
        book.ignore(key, "already_open")
    elif change.before == "offline":
        book.ignore(key, "already_offline")
    else:
        detail = {"reason": change.reason, "seen_at": change.seen_at}
        book.open(_station_incident(change.station, facts.area, change.at, now, detail), change.reason)


def _left_offline(book: Book, change: Change, now: datetime) -> None:
    standing = book.open_of(station_key(change.station))
    if standing is None:
        book.ignore(station_key(change.station), "not_open")
    else:
        book.close(standing, ended_at=change.at, now=now, reason=change.after)


def follow_registry(
    book: Book, *, no_longer: Mapping[str, str | None], standing: Iterable[StandingOffline], now: datetime
) -> None:
    """Take registry changes into the book.

    `no_longer`: stations with an open incident that are not commissioned any more, with their lifecycle (None:
    deleted). `standing`: commissioned ones that were offline before they were commissioned.
    """
    for station, lifecycle in no_longer.items():
        open_one = book.open_of(station_key(station))
        if open_one is not None:
            book.close(open_one, ended_at=now, now=now, reason=lifecycle or "deleted")
    for found in standing:
        if book.open_of(station_key(found.station)) is None:
            detail = {"reason": "commissioned_offline"}
            book.open(_station_incident(found.station, found.area, found.since, now, detail), "commissioned_offline")


def _station_incident(
    station: str, area: str | None, began_at: datetime, now: datetime, detail: dict[str, Any]
) -> Incident:
    return Incident(
        id=0,
        kind=STATION_OFFLINE,
        key=station_key(station),
        status="open",
        station=station,
        area=area,
        began_at=began_at,
        opened_at=now,
        detail={name: value for name, value in detail.items() if value is not None},
    )


class Refusal(StrEnum):
    """Why a person's action on an incident is refused."""

    NOT_FOUND = "not_found"
    CLOSED = "closed"
    ALREADY_ACKNOWLEDGED = "already_acknowledged"
    EMPTY = "empty"
    TOO_LONG = "too_long"


MAX_TEXT: Final = 4000
"""Characters of a note."""

_WHEN_CLOSED: Final = frozenset({"note"})
_NEEDS_TEXT: Final = frozenset({"note", "assigned"})


def refusal(action: str, status: Status | None, text: str | None) -> Refusal | None:
    """Why `action` (acknowledged, assigned, note, resolved) cannot be done to an incident; None when it can.

    Notes may be added to a closed incident; nothing else may. `status` None: there is no such incident.
    """
    if status is None:
        return Refusal.NOT_FOUND
    if status == "closed" and action not in _WHEN_CLOSED:
        return Refusal.CLOSED
    if status == "acknowledged" and action == "acknowledged":
        return Refusal.ALREADY_ACKNOWLEDGED
    if action in _NEEDS_TEXT and not (text or "").strip():
        return Refusal.EMPTY
    return Refusal.TOO_LONG if len(text or "") > MAX_TEXT else None
