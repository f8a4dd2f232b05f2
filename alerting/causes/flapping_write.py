"""Flapping stations in the book of incidents: one incident for each, whose children are not notified. Pure."""

from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeGuard

import msgspec

from alerting.causes.evidence import Fallen
from alerting.causes.flapping import Flapping, Turn
from alerting.causes.steps import Alone, Joined, Released, Returned, Step
from alerting.causes.write import incidents_of
from alerting.incidents.book import Book, Incident
from alerting.station_incidents.rules import Intent, Opens, station_rule_key
from alerting.stations.snapshot import Standing
from contract.kinds import IncidentKind


def flapping_key(station: str) -> str:
    """The key of the incident of a flapping station."""
    return f"{IncidentKind.FLAPPING}:{station}"


def note_changes(flapping: Flapping, plan: Sequence[Step]) -> set[str]:
    """Note the falls and returns without a common cause; those with a common cause do not count.

    Returns the stations whose memory may have changed.
    """
    adopted = {(step.fallen.station, step.fallen.until) for step in plan if isinstance(step, Joined)}
    touched = set()
    for step in plan:
        if _is_own(step, adopted):
            flapping.note(step.fallen.station, step.at, step.fallen.every)
        elif isinstance(step, Joined):
            flapping.take_back(step.fallen.station, step.fallen.until)
        else:
            continue
        touched.add(step.fallen.station)
    return touched


def only_joined(plan: Sequence[Step]) -> list[Step]:
    """The steps of a plan about unusable stations that join a common cause. `note_use` notes all other changes of
    use."""
    return [step for step in plan if isinstance(step, Joined)]


def note_use(
    flapping: Flapping, changes: Iterable[tuple[Standing | None, Standing | None]], known: datetime
) -> set[str]:
    """Note which stations became unusable, or usable again, while they were online and should be open.

    These changes count however short each interval is. Returns the stations whose memory may have changed.
    """
    touched = set()
    for before, after in changes:
        if before is None or after is None or not _changed_use(before, after):
            continue
        flapping.note(after.station, after.unusable_since or known)
        touched.add(after.station)
    return touched


def _changed_use(before: Standing, after: Standing) -> bool:
    expected = before.in_service and after.in_service and after.open and not after.silenced
    return expected and before.state == after.state == "online" and before.unusable != after.unusable


def opened_of_no_use(intents: Iterable[Intent]) -> set[str]:
    """The stations whose incident of the kind `unusable` opened in this pass."""
    return {one.station for one in intents if isinstance(one, Opens) and one.kind == IncidentKind.UNUSABLE}


def use_key(station: str) -> str:
    """The key of the incident of an unusable station."""
    return station_rule_key(IncidentKind.UNUSABLE, station)


def _is_own(step: Step, adopted: Container[tuple[str, datetime]]) -> TypeGuard[Alone | Returned]:
    if isinstance(step, Alone):
        return (step.fallen.station, step.fallen.until) not in adopted
    return isinstance(step, Returned) and step.outage is None


def falls_by_flapping(flapping: Flapping, plan: Iterable[Step]) -> list[Fallen]:
    """The falls of flapping stations in the plan that have no common cause after its last step."""
    last = {
        (step.fallen.station, step.fallen.until): step for step in plan if isinstance(step, Alone | Joined | Released)
    }
    return [step.fallen for step in last.values() if step.fallen.station in flapping and not isinstance(step, Joined)]


def write_turns(book: Book, turns: Iterable[Turn], areas: Mapping[str, str | None], now: datetime) -> None:
    """Open and close the incidents of stations that began or stopped flapping."""
    for turn in turns:
        if turn.flaps:
            _begin(book, turn, areas.get(turn.station), now)
        else:
            end_flapping(book, turn.station, ended_at=turn.last, now=now, reason="steady")


def _begin(book: Book, turn: Turn, area: str | None, now: datetime) -> None:
    key = flapping_key(turn.station)
    if book.open_of(key) is not None:
        book.ignore(key, "already_open")
        return
    detail = {"changes": turn.changes, "share": turn.share, "since": turn.first.isoformat(), "clears": "steady"}
    book.open(
        Incident(
            id=0,
            kind=IncidentKind.FLAPPING,
            key=key,
            status="open",
            station=turn.station,
            area=area,
            began_at=turn.first,
            opened_at=now,
            detail=detail,
        ),
        "flapping",
        turn.at,
    )


def end_flapping(book: Book, station: str, *, ended_at: datetime, now: datetime, reason: str) -> None:
    """Close the flapping incident of a station, if there is one."""
    incident = book.open_of(flapping_key(station))
    if incident is not None:
        book.close(incident, ended_at=ended_at, now=now, reason=reason)


def shelter(book: Book, flapping: Flapping, falls: Iterable[Fallen], now: datetime) -> None:
    """Make the incidents of falls children of the station's flapping incident, for as long as the station flaps."""
    for fallen in falls:
        _shelter(book, flapping, fallen.station, incidents_of(book, fallen, now), "stays_down")


def shelter_use(book: Book, flapping: Flapping, stations: Iterable[str], now: datetime) -> None:
    """The same for the incidents of unusable stations."""
    for station in sorted(stations):
        incidents = [one for one in book.all_of(use_key(station)) if one.goes_on or one.closed_at == now]
        _shelter(book, flapping, station, incidents, "stays_unusable")


def _shelter(book: Book, flapping: Flapping, station: str, incidents: Iterable[Incident], otherwise: str) -> None:
    known = book.all_of(flapping_key(station))
    newest = max(known, key=_age, default=None)
    parent = newest.id if newest is not None and station in flapping else None
    for incident in incidents:
        if parent is not None or incident.parent in {other.id for other in known}:
            reason = "flapping" if parent is not None else otherwise
            book.update(msgspec.structs.replace(incident, parent=parent), reason)


def _age(incident: Incident) -> tuple[bool, int]:
    """Sort key, newest incident last: ids that are not stored yet are negative and come after all stored ids."""
    return incident.id < 0, abs(incident.id)
