"""Who would be told of an incident of a station or an area."""

from datetime import datetime, timedelta
from typing import Final

import msgspec

from alerting.escalation.quiet_hours import QuietHours
from alerting.escalation.step_times import due_time
from api.http.parameters import area_codes
from api.http.problems import not_found
from api.read.moment import load_now
from api.read.routing.explained_schemas import (
    ExplainedDocument,
    ExplainedPassedOver,
    ExplainedRecipient,
    ExplainedStep,
    VerdictDocument,
)
from contract.kinds import KINDS, IncidentKind, Severity
from registry.routes.explaining import explain
from registry.routes.routing import Explained, Recipient, RouteSubject, Routing, StepOutcome
from registry.routes.steps import LONGEST_DELAY
from registry.routes.store import load_routing, load_station_openings, load_subject
from store.pool import Connection

_AHEAD: Final = timedelta(seconds=2 * LONGEST_DELAY)


class AskedIncident(msgspec.Struct, frozen=True, kw_only=True):
    """An incident that is asked about, and everything that decides who is told of it."""

    subject: RouteSubject
    begin: datetime
    openings: list[tuple[datetime, datetime]] | None
    routing: Routing

    @property
    def things(self) -> int:
        """How much there is to go through."""
        return len(self.routing.contacts) + len(self.routing.duties) + len(self.routing.routes)

    def document(self) -> ExplainedDocument:
        """Who would be told, and why."""
        found = explain(self.routing, self.subject, self.begin, lambda rule, base: due_time(rule, base, self.openings))
        return _document(found, self.subject, self.routing)


async def load_incident_asked(
    connection: Connection,
    *,
    station: str | None = None,
    area: str | None = None,
    kind: IncidentKind,
    severity: Severity | None,
    at: datetime | None,
) -> AskedIncident:
    """What decides who would be told of an incident that begins at a time (None: now), by the contacts in the scope.
    Raises a Problem (404) for a station or an area that is not there or outside it."""
    grave = severity or KINDS[kind].severity
    begin = at or await load_now(connection)
    subject = None
    for code in area_codes(area) or (None,):
        subject = subject or await load_subject(connection, station=station, area=code, kind=kind.value, severity=grave)
    if subject is None:
        raise not_found("area" if station is None else "station", station or area)
    openings = None if station is None else await load_station_openings(connection, station, begin, begin + _AHEAD)
    routing = await load_routing(connection, since=begin)
    return AskedIncident(subject=subject, begin=begin, openings=openings, routing=routing)


def _document(found: Explained, subject: RouteSubject, routing: Routing) -> ExplainedDocument:
    quiet = QuietHours(routing)
    return ExplainedDocument(
        kind=subject.kind,
        severity=subject.severity,
        at=found.at,
        route=None if found.choice.route is None else found.choice.route.id,
        verdicts=[VerdictDocument(route=verdict.route, why=verdict.why) for verdict in found.choice.verdicts],
        steps=[_step(step, subject, routing, quiet) for step in found.steps],
    )


def _step(step: StepOutcome, subject: RouteSubject, routing: Routing, quiet: QuietHours) -> ExplainedStep:
    held = None if subject.severity == "critical" else step.at
    return ExplainedStep(
        rule=str(step.rule),
        at=step.at,
        recipients=[_recipient(recipient, routing, held, quiet) for recipient in step.recipients],
        why=step.why,  # type: ignore[arg-type]
        passed_over=[ExplainedPassedOver(contact=contact, why=why) for contact, why in step.passed_over],  # type: ignore[arg-type]
    )


def _recipient(recipient: Recipient, routing: Routing, held: datetime | None, quiet: QuietHours) -> ExplainedRecipient:
    contact = routing.contacts[recipient.contact]
    return ExplainedRecipient(
        contact=contact.id,
        name=contact.name,
        room=contact.room,
        area=recipient.area,
        duty=recipient.duty,
        instead_of=recipient.instead_of,
        channels=[channel.kind.value for channel in contact.channels],
        quiet_until=None if held is None else quiet.until(contact.id, held),
    )
