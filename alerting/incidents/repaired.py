"""The detail of an incident that a person calls repaired: it closes only after nothing was wrong for a while. Pure.

`fixed_at`: when the person said so. `fault_ended`: when the fault was over; the incident stays open until that is
verified. `back_at`: meanwhile the fault came back.
"""

from datetime import datetime
from typing import Final

from msgspec.structs import replace

from alerting.incidents.book import Book, Incident, moment_in

REPAIR_DETAIL: Final = frozenset({"fixed_at", "fault_ended", "back_at"})
"""The fields of the detail about a repair; they are deleted when it is known whether it held."""
VERIFYING: Final = "verifying"
"""Reason: the fault is over after a repair, and the incident stays open until that is verified."""
CAME_BACK: Final = "came_back"
"""Reason: the fault came back before the repair was verified."""


def closes_later(incident: Incident) -> bool:
    """Whether the end of the fault does not close the incident yet, because a repair is verified first."""
    return incident.is_open and "fixed_at" in incident.detail


def end_of_fault(incident: Incident) -> datetime | None:
    """When the fault was over, as far as that is known; None: it goes on."""
    if not incident.goes_on:
        return incident.ended_at or incident.closed_at
    return None if "back_at" in incident.detail else moment_in(incident.detail, "fault_ended")


def note_end(book: Book, incident: Incident, ended_at: datetime) -> None:
    """Note that the fault is over; the incident stays open."""
    if "fault_ended" not in incident.detail:
        detail = incident.detail | {"fault_ended": max(ended_at, incident.began_at).isoformat()}
        book.update(replace(incident, detail=detail), VERIFYING)


def note_return(book: Book, incident: Incident, at: datetime) -> bool:
    """Note that the fault is back after its end; whether it had ended."""
    if "fault_ended" not in incident.detail:
        return False
    kept = {name: value for name, value in incident.detail.items() if name != "fault_ended"}
    book.update(replace(incident, detail=kept | {"back_at": at.isoformat()}), CAME_BACK)
    return True


def without_repair(incident: Incident) -> Incident:
    """The incident without what its detail says about a repair."""
    kept = {name: value for name, value in incident.detail.items() if name not in REPAIR_DETAIL}
    return replace(incident, detail=kept)
