"""Shelving: incidents that are closed for people while their fault goes on; and incidents of stations that moved. Pure.

An incident is shelved when a person closes it, or when an approved closure excuses its station. A shelved incident
opens again at `reopen_at` if its station should be open then, unless the rules close it because the fault is over.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

import msgspec

from alerting.incidents.book import Book, Incident
from alerting.stations.snapshot import Pairs, PassTime, Standing
from alerting.stations.table import Field
from contract.kinds import IncidentKind

EXCUSED: Final = "excused"
"""Reason: the incident is shelved, because an approved closure excuses its station."""
NOT_EXCUSED: Final = frozenset({IncidentKind.IDENTITY_CONFLICT})
"""Kinds that no closure excuses: they are about the identity of the sender, and not about service."""
_AGAIN: Final = timedelta(minutes=1)
"""Time until the next try to reopen an incident whose station has no known state now."""


def concerned(changes: Pairs) -> dict[str, tuple[Standing, Standing]]:
    """The stations that moved to another area, or whose excuse began or ended, each with (first, last) standing."""
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
    """Update the incidents of the stations that `concerned` returned; the book must hold those that go on.

    Moves incidents with their stations, shelves incidents of stations that are excused now, and sets the time to reopen
    for stations that are not excused any more.
    """
    for incident in book.going_on():
        pair = stations.get(incident.station or "")
        if pair is not None:
            _follow(book, incident, pair, field, moment, grace)


def follow_moved(book: Book, stations: Collection[str], field: Field) -> None:
    """Move the incidents of these stations, which the book must hold, to where the stations are."""
    for incident in book.going_on():
        standing = field.standing(incident.station or "") if incident.station in stations else None
        if standing is not None and incident.area != standing.area:
            book.update(msgspec.structs.replace(incident, area=standing.area), "moved")


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
    """Shelve the open incidents of excused stations until `grace` after the next opening."""
    for incident in incidents:
        if incident.is_open and incident.kind not in NOT_EXCUSED:
            until = _expected(incident.station or "", field, moment, grace) or moment.now + grace
            book.shelve(incident, until=until, now=moment.now, reason=EXCUSED)


def reopen_due(book: Book, due: Iterable[Incident], field: Field, moment: PassTime, grace: timedelta) -> None:
    """Reopen the shelved incidents in `due`, or postpone those whose stations need not be open or are unknown."""
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
    """Until when a due incident waits because its station need not be open, or is unknown; None: reopen it now."""
    standing = field.standing(incident.station or "")
    if standing is None:
        return None
    if not moment.knows(standing) or (incident.kind == IncidentKind.UNUSABLE and not standing.unusable):
        return moment.now + _AGAIN
    expected = _expected(standing.station, field, moment, grace)
    return expected if expected is not None and expected > moment.now else None


def _expected(station: str, field: Field, moment: PassTime, grace: timedelta) -> datetime | None:
    """When a station that need not be open now should work again (opening + grace); None: it should be open now."""
    opens = field.schedule.opens_at(station, moment.known)
    return None if opens is None else opens + grace
