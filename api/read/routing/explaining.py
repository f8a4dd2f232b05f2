"""Who would be told of an incident of a station or an area."""

from datetime import datetime, timedelta
from typing import Final

from alerting.escalation.step_times import due_time
from api.context import Context
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

_AHEAD: Final = timedelta(seconds=2 * LONGEST_DELAY)


async def explain_incident(
    context: Context,
    *,
    station: str | None = None,
    area: str | None = None,
    kind: IncidentKind,
    severity: Severity | None,
    at: datetime | None,
) -> ExplainedDocument:
    """Who would be told of an incident that begins at a time (None: now), by the contacts in the scope. Raises a
    Problem (404) for a station or an area that is not there or outside it."""
    grave = severity or KINDS[kind].severity
    async with context.database.snapshot() as connection:
        begin = at or await load_now(connection)
        subject = None
        for code in area_codes(area) or (None,):
            subject = subject or await load_subject(
                connection, station=station, area=code, kind=kind.value, severity=grave
            )
        if subject is None:
            raise not_found("area" if station is None else "station", station or area)
        openings = None if station is None else await load_station_openings(connection, station, begin, begin + _AHEAD)
        routing = await load_routing(connection, since=begin)

    def document() -> ExplainedDocument:
        found = explain(routing, subject, begin, lambda rule, base: due_time(rule, base, openings))
        return _document(found, subject, routing)

    return await context.work.do(len(routing.contacts) + len(routing.duties) + len(routing.routes), document)


def _document(found: Explained, subject: RouteSubject, routing: Routing) -> ExplainedDocument:
    return ExplainedDocument(
        kind=subject.kind,
        severity=subject.severity,
        at=found.at,
        route=None if found.choice.route is None else found.choice.route.id,
        verdicts=[VerdictDocument(route=verdict.route, why=verdict.why) for verdict in found.choice.verdicts],
        steps=[_step(step, routing) for step in found.steps],
    )


def _step(step: StepOutcome, routing: Routing) -> ExplainedStep:
    return ExplainedStep(
        rule=str(step.rule),
        at=step.at,
        recipients=[_recipient(recipient, routing) for recipient in step.recipients],
        why=step.why,  # type: ignore[arg-type]
        passed_over=[ExplainedPassedOver(contact=contact, why=why) for contact, why in step.passed_over],  # type: ignore[arg-type]
    )


def _recipient(recipient: Recipient, routing: Routing) -> ExplainedRecipient:
    contact = routing.contacts[recipient.contact]
    return ExplainedRecipient(
        contact=contact.id,
        name=contact.name,
        room=contact.room,
        area=recipient.area,
        duty=recipient.duty,
        instead_of=recipient.instead_of,
        channels=[channel.kind.value for channel in contact.channels],
    )
