"""Writes the plan of common causes into the book of incidents. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

import msgspec

from alerting.causes.evidence import Fallen, Group
from alerting.causes.steps import Ended, Grown, Joined, Opened, Released, Step
from alerting.incidents.book import Book, Incident, moment_in
from alerting.station_incidents.rules import Opens, station_rule_key
from alerting.stations.promise import USUAL
from contract.kinds import IncidentKind

CHILD_KINDS: Final = frozenset({IncidentKind.STATION_OFFLINE, IncidentKind.OVERDUE_RETURN})
"""The kinds of incidents of a station that is down."""


def fall_in(intent: Opens, groups: tuple[Group, ...], every: float = USUAL) -> Fallen:
    """The fall that opens a station's incident; `every`: the interval of the station's slowest terminal, in seconds.

    A station that was already down at its opening is missed first at the opening: its cause may have come at any time
    since its last heartbeat.
    """
    want = intent.want
    began = min(want.began_at, want.fault_at, intent.seen_at or want.began_at)
    key = station_rule_key(intent.kind, intent.station)
    return Fallen(intent.station, began, want.began_at, groups, key, every)


def fall_of(incident: Incident, groups: tuple[Group, ...], every: float = USUAL) -> Fallen:
    """The fall behind a stored incident of a station, as `fall_in` returned it when the incident opened."""
    moments = (moment_in(incident.detail, name) for name in ("seen_at", "offline_since"))
    began = min([incident.began_at, *(moment for moment in moments if moment is not None)])
    return Fallen(incident.station or "", began, incident.began_at, groups, incident.key, every)


def keys_of(plan: Iterable[Step]) -> set[str]:
    """The keys of the incidents that a plan changes: the book must hold the newest incident of each key."""
    keys = set()
    for step in plan:
        if isinstance(step, Joined | Released):
            keys.add(step.fallen.key)
        if isinstance(step, Joined):
            keys.add(step.outage)
        if isinstance(step, Opened | Grown | Ended):
            keys.add(step.key)
    return keys


def write_plan(book: Book, plan: Sequence[Step], now: datetime) -> None:
    """Open and close the parents and set the parents of their children, in the order of the plan."""
    for step in plan:
        if isinstance(step, Opened):
            _open(book, step, now)
        elif isinstance(step, Joined):
            _join(book, step, now)
        elif isinstance(step, Released):
            _release(book, step, now)
        elif isinstance(step, Grown):
            _grow(book, step)
        elif isinstance(step, Ended):
            _end(book, step, now)


def _open(book: Book, step: Opened, now: datetime) -> None:
    cause, name = step.group
    book.open(
        Incident(
            id=0,
            kind=step.kind,
            key=step.key,
            status="open",
            area=step.area,
            shard=name if cause == "shard" else None,
            began_at=step.began,
            opened_at=now,
            detail={
                "cause": cause,
                "name": name,
                "children": step.children,
                "expected": step.expected,
                "share": step.share,
                "instant": step.instant.isoformat(),
            },
        ),
        cause,
    )


def _join(book: Book, step: Joined, now: datetime) -> None:
    outage = book.open_of(step.outage)
    parent = None if outage is None else outage.id
    for child in incidents_of(book, step.fallen, now):
        book.update(msgspec.structs.replace(child, parent=parent), "common_cause")


def _release(book: Book, step: Released, now: datetime) -> None:
    for child in incidents_of(book, step.fallen, now):
        reason = "stays_unusable_alone" if child.kind == IncidentKind.UNUSABLE else "stays_down_alone"
        book.update(msgspec.structs.replace(child, parent=None), reason)


def incidents_of(book: Book, fallen: Fallen, now: datetime) -> list[Incident]:
    """The incidents of a fall: one that goes on, or one that was closed in this pass."""
    return [
        incident
        for incident in book.all_of(fallen.key)
        if (incident.goes_on or incident.closed_at == now) and incident.began_at == fallen.until
    ]


def _grow(book: Book, step: Grown) -> None:
    outage = book.open_of(step.key)
    if outage is not None:
        detail = outage.detail | {"children": step.children}
        book.update(msgspec.structs.replace(outage, detail=detail, area=step.area), "grew")


def _end(book: Book, step: Ended, now: datetime) -> None:
    outage = book.open_of(step.key)
    if outage is None:
        return
    into = book.open_of(step.into) if step.into else None
    detail = outage.detail | {"children": step.children, "ended_by": step.reason}
    outage = msgspec.structs.replace(outage, detail=detail, parent=into.id if into else None)
    book.close(outage, ended_at=step.at, now=now, reason=step.reason)
