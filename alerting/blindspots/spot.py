"""Blind spots as incidents: their kinds, keys and details, and how changes are written into the book. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import msgspec

from alerting.incidents.book import Book, Incident
from contract.kinds import IncidentKind


class SpotKind(StrEnum):
    """The seven kinds of blind spots."""

    UNCOVERED = "uncovered"
    DARK = "dark"
    SHUT = "shut"
    IDLE = "idle"
    STALE = "stale"
    NO_WIFI = "no_wifi"
    AREA_DARK = "area_dark"


OF_AREAS: Final = frozenset({SpotKind.UNCOVERED, SpotKind.AREA_DARK})
"""Kinds whose subject is an area. Only these are notified: a station that is offline has an incident of its own."""

CLEARS: Final[Mapping[SpotKind, str]] = {
    SpotKind.UNCOVERED: "station_in_service",
    SpotKind.DARK: "heartbeat",
    SpotKind.SHUT: "online_in_hours",
    SpotKind.IDLE: "session",
    SpotKind.STALE: "resource_applied",
    SpotKind.NO_WIFI: "wifi_works",
    SpotKind.AREA_DARK: "station_works",
}
"""What would clear a blind spot of each kind: a word of the glossary family `clears`."""


class SpotFound(msgspec.Struct, frozen=True, kw_only=True):
    """A blind spot is found, or one that is open has changed. `subject`: the station, or the area for kinds of areas.

    `quiet`: it is listed but not notified. `above`: the key of its parent incident. `area`: where the station lies.
    `only_update`: change an incident that is open, but open none.
    """

    kind: SpotKind
    subject: str
    since: datetime
    figures: dict[str, Any] = {}
    quiet: bool = True
    above: str | None = None
    area: str | None = None
    reason: str = ""
    only_update: bool = False


class SpotGone(msgspec.Struct, frozen=True, kw_only=True):
    """A blind spot is over since `ended_at`."""

    kind: SpotKind
    subject: str
    ended_at: datetime
    reason: str


SpotChange = SpotFound | SpotGone


def spot_key(kind: SpotKind, subject: str) -> str:
    """The incident key of a blind spot."""
    return f"{IncidentKind.BLIND_SPOT}:{kind}:{subject}"


def split_key(key: str) -> tuple[SpotKind, str] | None:
    """Kind and subject of the key of a blind spot; None for another key."""
    head, _, rest = key.partition(":")
    kind, _, subject = rest.partition(":")
    return (SpotKind(kind), subject) if head == IncidentKind.BLIND_SPOT and kind in CLEARS and subject else None


def keys_to_learn(changes: Sequence[SpotChange]) -> list[str]:
    """The keys whose incidents the book must have learnt before the changes are written."""
    found = {spot_key(change.kind, change.subject) for change in changes}
    found |= {change.above for change in changes if isinstance(change, SpotFound) and change.above is not None}
    return sorted(found)


def write_spots(book: Book, changes: Iterable[SpotChange], now: datetime) -> None:
    """Write changes into the book in their order. The book must have learnt `keys_to_learn` of them."""
    for change in changes:
        if isinstance(change, SpotGone):
            _close(book, change, now)
        else:
            _open_or_update(book, change, now)


def _close(book: Book, gone: SpotGone, now: datetime) -> None:
    known = book.open_of(spot_key(gone.kind, gone.subject))
    if known is None:
        book.ignore(spot_key(gone.kind, gone.subject), "not_open")
    else:
        book.close(known, ended_at=gone.ended_at, now=now, reason=gone.reason)


def _open_or_update(book: Book, found: SpotFound, now: datetime) -> None:
    key = spot_key(found.kind, found.subject)
    known = book.open_of(key)
    above = None if found.above is None else book.open_of(found.above)
    parent = None if above is None else above.id
    if known is None and found.only_update:
        book.ignore(key, "not_open")
    elif known is None:
        book.open(_incident(found, key, parent, now), found.reason or found.kind)
    else:
        changed = msgspec.structs.replace(known, began_at=found.since, parent=parent, detail=_detail(found, known))
        book.update(changed, found.reason or found.kind)


def _incident(found: SpotFound, key: str, parent: int | None, now: datetime) -> Incident:
    of_area = found.kind in OF_AREAS
    return Incident(
        id=0,
        kind=IncidentKind.BLIND_SPOT,
        key=key,
        status="open",
        station=None if of_area else found.subject,
        area=found.subject if of_area else found.area,
        began_at=found.since,
        opened_at=now,
        parent=parent,
        detail=_detail(found, None),
    )


def _detail(found: SpotFound, known: Incident | None) -> dict[str, Any]:
    """The detail of the incident; what a person added to the detail of an open one stays."""
    common = {"kind": found.kind.value, "since": found.since.isoformat(), "clears": CLEARS[found.kind]}
    return {**(known.detail if known else {}), **common, **found.figures, "quiet": found.quiet}
