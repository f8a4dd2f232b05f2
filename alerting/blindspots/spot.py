"""A blind spot as an incident: what is blind, since when, what would clear it, and whether anybody is told. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import msgspec

from alerting.incidents.book import Book, Incident
from contract.kinds import IncidentKind


class SpotKind(StrEnum):
    """The seven kinds."""

    UNCOVERED = "uncovered"
    DARK = "dark"
    SHUT = "shut"
    IDLE = "idle"
    STALE = "stale"
    NO_WIFI = "no_wifi"
    AREA_DARK = "area_dark"


OF_AREAS: Final = frozenset({SpotKind.UNCOVERED, SpotKind.AREA_DARK})
"""Kinds whose subject is an area; only these page. A station that does not answer has an incident of its own."""

CLEARS: Final[Mapping[SpotKind, str]] = {
    SpotKind.UNCOVERED: "station_in_service",
    SpotKind.DARK: "heartbeat",
    SpotKind.SHUT: "online_in_hours",
    SpotKind.IDLE: "session",
    SpotKind.STALE: "resource_applied",
    SpotKind.NO_WIFI: "wifi_works",
    SpotKind.AREA_DARK: "station_works",
}
"""What would clear a blind spot, in a machine's word."""


class SpotFound(msgspec.Struct, frozen=True, kw_only=True):
    """A blind spot, or news of one that is known. `subject`: the station, or the area of an area's kind.

    `quiet`: it is listed, and nobody is paged. `above`: an incident that already speaks for it. `area`: where it is.
    `only_update`: nothing to be opened if none goes on.
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
    """A blind spot is none any more, since `ended_at`."""

    kind: SpotKind
    subject: str
    ended_at: datetime
    reason: str


SpotChange = SpotFound | SpotGone


def spot_key(kind: SpotKind, subject: str) -> str:
    return f"{IncidentKind.BLIND_SPOT}:{kind}:{subject}"


def split_key(key: str) -> tuple[SpotKind, str] | None:
    """Kind and subject of a blind spot's key; None for other keys."""
    head, _, rest = key.partition(":")
    kind, _, subject = rest.partition(":")
    return (SpotKind(kind), subject) if head == IncidentKind.BLIND_SPOT and kind in CLEARS and subject else None


def keys_to_learn(turns: Sequence[SpotChange]) -> list[str]:
    """The keys that a book has to know before the turns are written."""
    found = {spot_key(turn.kind, turn.subject) for turn in turns}
    found |= {turn.above for turn in turns if isinstance(turn, SpotFound) and turn.above is not None}
    return sorted(found)


def write_spots(book: Book, turns: Iterable[SpotChange], now: datetime) -> None:
    """Take turns, in their order, into the book, which knows what is open of their keys."""
    for turn in turns:
        if isinstance(turn, SpotGone):
            _close(book, turn, now)
        else:
            _open_or_update(book, turn, now)


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
    """What a person added to the detail of a known one stays."""
    said = {"kind": found.kind.value, "since": found.since.isoformat(), "clears": CLEARS[found.kind]}
    return {**(known.detail if known else {}), **said, **found.figures, "quiet": found.quiet}
