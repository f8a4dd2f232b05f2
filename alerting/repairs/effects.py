"""The facts about a repair from the field and the book, and the effect of its outcome on the incident. Pure."""

from datetime import datetime
from typing import Final

from alerting.incidents.book import Book, Incident
from alerting.incidents.repaired import end_of_fault, without_repair
from alerting.repairs.rules import RepairFacts, RepairOutcome
from alerting.stations.snapshot import PassTime, Standing
from contract.kinds import IncidentKind

REPAIRED: Final = "repaired"
"""Reason: a repair held, so the incident closes."""
NOT_REPAIRED: Final = "not_repaired"
"""Reason: a repair did not hold."""
NOT_VERIFIED: Final = "not_verified"
"""Reason: a closure excuses the station, so the repair cannot be verified."""
_BY_PERSON: Final = "person"


def facts_of_repair(incident: Incident, standing: Standing | None, moment: PassTime, *, has_newer: bool) -> RepairFacts:
    """The fault now; `standing`: of the station of the incident, None without one."""
    return RepairFacts(
        ended_at=end_of_fault(incident),
        came_back=has_newer or "back_at" in incident.detail,
        excused=incident.is_shelved and incident.detail.get("shelved_by") != _BY_PERSON,
        proven=_is_proven(incident, standing, moment),
    )


def _is_proven(incident: Incident, standing: Standing | None, moment: PassTime) -> bool:
    """Whether the station is heard now; whatever is not in service, or of no single station, proves nothing."""
    if standing is None or not standing.in_service or incident.kind == IncidentKind.IDENTITY_CONFLICT:
        return True
    return moment.knows(standing) and standing.state == "online"


def apply_verdict(book: Book, incident: Incident, outcome: RepairOutcome, now: datetime) -> None:
    """Close the incident whose repair held. If the repair failed, the incident goes on with its owner; an incident that
    a person closed by hand opens again. If the repair cannot be verified, the incident stays as it is."""
    ended_at, clean = end_of_fault(incident), without_repair(incident)
    if outcome is RepairOutcome.OVERTAKEN:
        book.update(clean, NOT_VERIFIED)
    elif not incident.goes_on:
        book.update(clean, REPAIRED if outcome is RepairOutcome.HELD else NOT_REPAIRED)
    elif outcome is RepairOutcome.HELD:
        book.close(clean, ended_at=ended_at or now, now=now, reason=REPAIRED)
    elif incident.is_shelved and incident.detail.get("shelved_by") == _BY_PERSON:
        book.reopen(clean, NOT_REPAIRED)
    else:
        book.update(clean, NOT_REPAIRED)
