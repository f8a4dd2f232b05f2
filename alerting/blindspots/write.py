"""Writes the changes of blind spots into the book of incidents. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from alerting.blindspots.spot import CLEARS, OF_AREAS, SpotChange, SpotFound, SpotGone, spot_key
from alerting.incidents.book import Book, Incident
from contract.kinds import IncidentKind


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
