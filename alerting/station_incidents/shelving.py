"""Incidents that are closed although their fault goes on, and what a change of their station means to them. Pure.

A person closes an incident by hand; an approved closure excuses its station. Both shelve it: it opens again when its
time has come and its station should be open, unless the rules close it before because the fault is over.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

import msgspec

from alerting.incidents.book import Book, Incident
from alerting.stations.snapshot import Pairs, PassTime, Standing
from alerting.stations.table import Field
from contract.kinds import IncidentKind

EXCUSED: Final = "excused"
"""Why an incident is shelved whose station an approved closure excuses."""
NOT_EXCUSED: Final = frozenset({IncidentKind.IDENTITY_CONFLICT})
"""Kinds that no closure excuses: they are about who sends, not about service."""
_AGAIN: Final = timedelta(minutes=1)
"""How soon an incident is looked at again of whose station nothing is known now."""


def concerned(changes: Pairs) -> dict[str, tuple[Standing, Standing]]:
    """The stations that moved to another area, or whose excuse began or ended: how they stood and stand."""
    first: dict[str, Standing | None] = {}
    last: dict[str, Standing | None] = {}
    for before, after in changes:
        known = after or before
        if known is not None:
            first.setdefault(known.station, before)
            last[known.station] = after
    pairs = ((station, first[station], last[station]) for station in last)
    return {
        station: (before, after)
        for station, before, after in pairs
        if before is not None and after is not None and _differ(before, after)
    }


def _differ(before: Standing, after: Standing) -> bool:
    return before.area != after.area or before.excused != after.excused


def follow_stations(
    book: Book, stations: Mapping[str, tuple[Standing, Standing]], field: Field, moment: PassTime, grace: timedelta
) -> None:
    """Move incidents with their stations, shelve those of stations that are excused now, and let those of stations
    that are excused no longer open again. The book knows what goes on at these stations."""
    for incident in book.going_on():
        pair = stations.get(incident.station or "")
        if pair is not None:
            _follow(book, incident, pair, field, moment, grace)


def _follow(
    book: Book, incident: Incident, pair: tuple[Standing, Standing], field: Field, moment: PassTime, grace: timedelta
) -> None:
    before, after = pair
    if before.area != after.area and incident.area == before.area:
        incident = book.update(msgspec.structs.replace(incident, area=after.area), "moved")
    if after.excused:
        shelve_excused(book, [incident], field, moment, grace)
    elif before.excused and incident.detail.get("shelved_by") == EXCUSED:
        until = _expected(after.station, field, moment, grace) or moment.now + grace
        book.postpone(incident, min(until, incident.reopen_at or until))


def shelve_excused(book: Book, incidents: Iterable[Incident], field: Field, moment: PassTime, grace: timedelta) -> None:
    """Shelve the incidents, of excused stations, until these should be open again."""
    for incident in incidents:
        if incident.is_open and incident.kind not in NOT_EXCUSED:
            until = _expected(incident.station or "", field, moment, grace) or moment.now + grace
            book.shelve(incident, until=until, now=moment.now, reason=EXCUSED)


def reopen_due(book: Book, due: Iterable[Incident], field: Field, moment: PassTime, grace: timedelta) -> None:
    """Open shelved incidents again whose time has come, or say when they are looked at again."""
    for stored in due:
        incident = book.get(stored.id)
        if incident is None or incident.reopen_at is None or incident.reopen_at > moment.now:
            continue
        later = _later(incident, field, moment, grace)
        if later is None:
            book.reopen(incident, "still_wrong")
        else:
            book.postpone(incident, later)


def _later(incident: Incident, field: Field, moment: PassTime, grace: timedelta) -> datetime | None:
    """Until when a shelved incident waits although its time has come: its station need not be open, or is unknown."""
    standing = field.standing(incident.station or "")
    if standing is None:
        return None
    if not moment.knows(standing) or (incident.kind == IncidentKind.UNUSABLE and not standing.unusable):
        return moment.now + _AGAIN
    expected = _expected(standing.station, field, moment, grace)
    return expected if expected is not None and expected > moment.now else None


def _expected(station: str, field: Field, moment: PassTime, grace: timedelta) -> datetime | None:
    """When a station should work again that need not be open now; None: it should be open now."""
    opens = field.schedule.opens_at(station, moment.known)
    return None if opens is None else opens + grace
