"""Incidents: one row for each fault, from opened to closed. Pure.

A person, or an approved closure, may close an incident while the fault goes on. Such an incident is *shelved*: it is
closed for people, it goes on for the rules, and it opens again at `reopen_at` unless the fault is over before. So the
rules are the same for shelved and open incidents.

A `Book` holds the incidents that one pass reads, and records each decision with its reason. The rules write into the
book; the shell stores the changes.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Literal

import msgspec

Status = Literal["open", "acknowledged", "closed"]


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """One fault. A negative `id`: the incident is not stored yet."""

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
    # The end of the fault itself, which is earlier than the pass that found this end.
    ended_at: datetime | None = None
    # Closed while the fault goes on: when it opens again. None: open, or closed because the fault is over.
    reopen_at: datetime | None = None
    # The id of the parent incident (the common cause). People are not notified of an incident with a parent.
    parent: int | None = None
    detail: dict[str, Any] = {}

    @property
    def is_open(self) -> bool:
        """Whether it is open or acknowledged."""
        return self.status != "closed"

    @property
    def is_shelved(self) -> bool:
        """Whether it was closed by a person or an approved closure while the fault goes on."""
        return self.reopen_at is not None

    @property
    def goes_on(self) -> bool:
        """Whether the fault is not over, as far as the rules know."""
        return self.is_open or self.is_shelved

    @property
    def pages(self) -> bool:
        """Whether people are notified of the incident: it has no parent and is not quiet (only listed)."""
        return self.parent is None and not _is_quiet(self)


class Action(StrEnum):
    """The effect of a decision on an incident."""

    OPENED = "opened"
    UPDATED = "updated"
    CLOSED = "closed"
    SHELVED = "shelved"
    REOPENED = "reopened"
    IGNORED = "ignored"


class Decision(msgspec.Struct, frozen=True):
    """A decision about an incident, with its reason; a decision with the action `ignored` has no incident.

    `as_of`: the moment to which the decision applies; earlier than the pass when the pass catches up.
    """

    action: Action
    key: str
    reason: str
    incident: int | None = None
    as_of: datetime | None = None


class Book:
    """The incidents of one pass, by id; at most one incident of each key goes on."""

    def __init__(self, known: Iterable[Incident] = ()) -> None:
        self._incidents: dict[int, Incident] = {}
        self._going_on: dict[str, int] = {}
        self._by_key: dict[str, list[int]] = {}
        self._before: dict[int, Incident] = {}
        self.decisions: list[Decision] = []
        # By incident: the time until which its notifications wait.
        self.held: dict[int, datetime] = {}
        self.learn(known)

    def learn(self, known: Iterable[Incident]) -> None:
        """Add stored incidents that a rule needs; incidents that are in the book already stay unchanged."""
        for incident in known:
            if incident.id not in self._incidents:
                self._put(incident)
                self._before[incident.id] = incident

    def open_of_kind(self, kind: str) -> list[Incident]:
        """The incidents of a kind in the book that go on, shelved incidents included."""
        found = (self._incidents[number] for number in self._going_on.values())
        return [incident for incident in found if incident.kind == kind]

    def going_on(self) -> list[Incident]:
        """All incidents in the book that go on, shelved incidents included."""
        return [self._incidents[number] for number in self._going_on.values()]

    def round_of(self, incident: int) -> int:
        """How often an incident was reopened: each notification is sent once in each round."""
        return times_reopened(self._incidents[incident])

    def get(self, incident: int) -> Incident | None:
        """The incident with an id; None: it is not in the book."""
        return self._incidents.get(incident)

    def open_of(self, key: str) -> Incident | None:
        """The incident of a key that goes on (open or shelved); None: there is none in the book."""
        found = self._going_on.get(key)
        return None if found is None else self._incidents[found]

    def all_of(self, key: str) -> list[Incident]:
        """All incidents of a key in the book, closed incidents included."""
        return [self._incidents[found] for found in self._by_key.get(key, ())]

    def open(self, incident: Incident, reason: str, as_of: datetime | None = None) -> Incident:
        """Add a new incident, with a temporary negative id until it is stored. Raises ValueError if one goes on."""
        if self.open_of(incident.key) is not None:
            raise ValueError(f"an incident {incident.key} is open already")
        new = msgspec.structs.replace(incident, id=-1 - len(self._incidents))
        self._put(new)
        self._note(Action.OPENED, new, reason, as_of)
        return new

    def add_closed(self, incident: Incident, reason: str) -> Incident:
        """Add an incident that was over when it was found; another incident of the same key may go on."""
        new = msgspec.structs.replace(incident, id=-1 - len(self._incidents), status="closed")
        self._put(new)
        self._note(Action.OPENED, new, reason)
        self._note(Action.CLOSED, new, "already_over")
        return new

    def update(self, incident: Incident, reason: str) -> Incident:
        """Replace an incident; without any change, no decision is recorded.

        A shelved incident that was quiet and is not quiet any more is reopened, because the fault is worse than before.
        """
        before = self._incidents[incident.id]
        if before == incident:
            return incident
        if incident.is_shelved and not _is_quiet(incident) and _is_quiet(before):
            return self.reopen(incident, reason)
        self._put(incident)
        self._note(Action.UPDATED, incident, reason)
        return incident

    def shelve(self, incident: Incident, *, until: datetime, now: datetime, reason: str) -> Incident:
        """Close an incident for people at `now` while its fault goes on; it is reopened at `until`."""
        shelved = msgspec.structs.replace(
            incident, status="closed", closed_at=now, reopen_at=until, detail=incident.detail | {"shelved_by": reason}
        )
        self._put(shelved)
        self._note(Action.SHELVED, shelved, reason)
        return shelved

    def postpone(self, incident: Incident, until: datetime) -> None:
        """Change the time at which a shelved incident is reopened; no decision is recorded."""
        self._put(msgspec.structs.replace(incident, reopen_at=until))

    def reopen(self, incident: Incident, reason: str) -> Incident:
        """Open a shelved incident again; its acknowledgement is deleted, and people are notified again."""
        kept = {name: said for name, said in incident.detail.items() if name not in SHELF_DETAIL}
        detail = kept | {"reopened": times_reopened(incident) + 1}
        opened = msgspec.structs.replace(incident, status="open", closed_at=None, reopen_at=None, detail=detail)
        self._put(opened)
        self._note(Action.REOPENED, opened, reason)
        return opened

    def close(
        self, incident: Incident, *, ended_at: datetime, now: datetime, reason: str, as_of: datetime | None = None
    ) -> Incident:
        """Close an incident whose fault is over. A shelved incident keeps its `closed_at`; `ended_at` is at least
        `began_at`."""
        closed = msgspec.structs.replace(
            incident,
            status="closed",
            closed_at=incident.closed_at if incident.is_shelved else now,
            ended_at=max(ended_at, incident.began_at),
            reopen_at=None,
        )
        self._put(closed)
        self._note(Action.CLOSED, closed, reason, as_of)
        return closed

    def ignore(self, key: str, reason: str, as_of: datetime | None = None) -> None:
        """Record that nothing was done about a key, with the reason."""
        self.decisions.append(Decision(Action.IGNORED, key, reason, as_of=as_of))

    def hold(self, incident: int, until: datetime) -> None:
        """Delay this pass's notifications of an incident until `until`."""
        self.held[incident] = until

    @property
    def opened(self) -> list[Incident]:
        """The new incidents, in their present state."""
        return [incident for incident in self._incidents.values() if incident.id not in self._before]

    @property
    def changed(self) -> list[Incident]:
        """The stored incidents that changed in this pass, in their present state."""
        return [self._incidents[i] for i, before in self._before.items() if self._incidents[i] != before]

    @property
    def pairs(self) -> list[tuple[Incident | None, Incident]]:
        """The incidents that were opened or changed, each as (before this pass, now)."""
        return [(self._before.get(incident.id), incident) for incident in (*self.changed, *self.opened)]

    def notifications(self) -> list[tuple[int, str]]:
        """(incident, phase) of the notifications to send: opened, closed, reopened, or passed for an incident that was
        over when it was found.

        A child does not page, neither when it opens nor when it closes. A child that loses its parent while it is open
        pages; a child that closes in the pass in which it loses its parent does not. A quiet incident (`detail.quiet`)
        is only listed.
        """
        notified = [(new.id, "opened" if new.is_open else "passed") for new in self.opened if new.pages]
        # Ends come first: an end is notified before the incident that takes its place, whatever the order in the book.
        for old in sorted(self.changed, key=_goes_on):
            before = self._before[old.id]
            if old.pages and before.parent is None and before.goes_on and not old.goes_on:
                notified.append((old.id, "closed"))
            elif old.pages and before.is_shelved and old.is_open:
                notified.append((old.id, "reopened"))
            elif old.pages and not before.pages and old.is_open:
                notified.append((old.id, "opened"))
        return notified

    def _put(self, incident: Incident) -> None:
        if incident.id not in self._incidents:
            self._by_key.setdefault(incident.key, []).append(incident.id)
        self._incidents[incident.id] = incident
        if incident.goes_on:
            self._going_on[incident.key] = incident.id
        elif self._going_on.get(incident.key) == incident.id:
            del self._going_on[incident.key]

    def _note(self, action: Action, incident: Incident, reason: str, as_of: datetime | None = None) -> None:
        self.decisions.append(Decision(action, incident.key, reason, incident.id, as_of))


SHELF_DETAIL: Final = frozenset({"shelved_by", "resolved_by", "resolved_remark", "resolved_reason"})
"""The fields of the detail about the closing of a shelved incident; they are deleted when it is reopened."""


def moment_in(detail: Mapping[str, Any], name: str) -> datetime | None:
    """A moment in the detail of an incident: a datetime as a rule wrote it, or ISO text as the database returns it."""
    value = detail.get(name)
    if isinstance(value, str):
        return datetime.fromisoformat(value)
    return value if isinstance(value, datetime) else None


def times_reopened(incident: Incident) -> int:
    """How often an incident was reopened."""
    found = incident.detail.get("reopened", 0)
    return found if isinstance(found, int) else 0


def _is_quiet(incident: Incident) -> bool:
    return bool(incident.detail.get("quiet", False))


def _goes_on(incident: Incident) -> bool:
    return incident.goes_on


class ActionRefusal(StrEnum):
    """Why a person's action on an incident is refused."""

    NOT_FOUND = "not_found"
    CLOSED = "closed"
    ALREADY_ACKNOWLEDGED = "already_acknowledged"
    EMPTY = "empty"
    TOO_LONG = "too_long"
    BAD_ETA = "bad_eta"
    """The time at which the person expects the end is past, or too far ahead."""
    BAD_CAUSE = "bad_cause"
    """The cause of a repair is no word for causes."""
    NEWER = "newer"
    """The fault goes on as a newer incident: it is repaired there."""
    ONLY_SHARE = "only_share"
    """The incident reaches beyond the areas of the account, which holds a share of it and may act on that."""
    ONLY_PART = "only_part"
    """The account holds neither the area of the incident nor a share of it."""


MAX_TEXT: Final = 4000
"""Largest number of characters of a note."""

LONGEST_ETA: Final = timedelta(days=90)
"""An acknowledgement ends the escalation for at most so long."""

_WHEN_CLOSED: Final = frozenset({"note"})
_NEEDS_TEXT: Final = frozenset({"note", "assigned"})


def refusal(action: str, status: Status | None, text: str | None) -> ActionRefusal | None:
    """Why `action` (acknowledged, assigned, note, resolved) is not allowed on an incident; None: it is allowed.

    Only notes are allowed on a closed incident. `status` None: there is no such incident. A reason to resolve may be
    missing (None), as scripts of the API may leave the reason out, but not empty: a form without a reason is refused.
    """
    if status is None:
        return ActionRefusal.NOT_FOUND
    if status == "closed" and action not in _WHEN_CLOSED:
        return ActionRefusal.CLOSED
    if status == "acknowledged" and action == "acknowledged":
        return ActionRefusal.ALREADY_ACKNOWLEDGED
    needs_text = action in _NEEDS_TEXT or (action == "resolved" and text is not None)
    if needs_text and not (text or "").strip():
        return ActionRefusal.EMPTY
    return ActionRefusal.TOO_LONG if len(text or "") > MAX_TEXT else None


def refusal_of_eta(
    status: Status | None, held_until: datetime | None, eta: datetime | None, now: datetime
) -> ActionRefusal | None:
    """Why an incident cannot be acknowledged until `eta` (None: none is named), beside what `refusal` says of one that
    is not acknowledged. `held_until`: the ETA of its acknowledgement, which may be renewed: by naming an ETA, or when
    that has passed."""
    if eta is not None and not now < eta <= now + LONGEST_ETA:
        return ActionRefusal.BAD_ETA
    lapsed = held_until is not None and held_until <= now
    return ActionRefusal.ALREADY_ACKNOWLEDGED if status == "acknowledged" and eta is None and not lapsed else None
