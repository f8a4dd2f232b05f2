"""From the rows of incidents and pages to the facts of their escalations. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from alerting.escalation.model import (
    EscalationFacts,
    EscalationPlan,
    EscalationState,
    KnownPage,
    OpeningSpan,
    PagePhase,
)
from alerting.escalation.routing_now import RoutingNow
from alerting.escalation.shares import SharePart
from alerting.incidents.severity import is_graver, severity_of
from registry.routes.model import StepClock
from registry.routes.routing import RouteSubject

Row = Mapping[str, Any]
_SHELVED_BY_PERSON = "person"


def subject_of(row: Row) -> RouteSubject:
    """What routes are asked about."""
    return RouteSubject(
        kind=row["kind"],
        severity=severity_of(row["kind"], row["detail"], children=row["has_children"]),
        station=row["station"],
        path=tuple(row["path"]),
        levels=row["levels"],
        station_kind=row["station_kind"],
        programmes=frozenset(row["programmes"]),
    )


def facts_of(
    row: Row, pages: Sequence[KnownPage], openings: Sequence[OpeningSpan] | None, routing: RoutingNow
) -> EscalationFacts:
    """The facts of an incident."""
    detail, subject = row["detail"], subject_of(row)
    return EscalationFacts(
        status=row["status"],
        severity=severity_of(row["kind"], detail, children=row["has_children"]),
        opening=detail.get("reopened", 0),
        goes_on=row["status"] != "closed" or row["reopen_at"] is not None,
        alone=row["parent"] is None and not detail.get("quiet", False),
        by_person=detail.get("shelved_by") == _SHELVED_BY_PERSON,
        acknowledged_at=row["acknowledged_at"],
        eta_at=row["eta_at"],
        owner=routing.owner(row["assignee"], row["acknowledged_by"]),
        openings=None if openings is None else tuple(openings),
        silenced_until=routing.silenced_until(subject, row["now"]),
        held_until=row["held_until"],
        was_held=row["was_held"],
        pages=tuple(pages),
    )


def page_of(row: Row) -> KnownPage:
    """A stored page."""
    known = {name: row[name] for name in KnownPage.__struct_fields__}
    return KnownPage(**{**known, "phase": PagePhase(row["phase"])})


def part_of(row: Row, routing: RoutingNow, *, is_sum: bool = False) -> SharePart:
    """A stored part."""
    known = {name: row[name] for name in SharePart.__struct_fields__ if name not in ("owner", "is_sum", "is_reminded")}
    owner = routing.owner(row["assignee"], row["acknowledged_by"])
    return SharePart(**{**known, "path": tuple(row["path"])}, owner=owner, is_sum=is_sum)


def plan_now(routing: RoutingNow, subject: RouteSubject, stored: Any, now: datetime) -> EscalationPlan:
    """The stored plan; a new plan if there is none (`stored` None), if the incident grew beyond the area of the plan,
    or if the severity rose and has another route."""
    if stored is None:
        return routing.plan(subject, now)
    plan = stored_plan(stored)
    if is_grown(plan, subject):
        return plan.grown_to(routing.plan(subject, now))
    if not is_graver(subject.severity, plan.subject.severity):
        return plan
    chosen = routing.plan(subject, now)
    return plan if chosen.route in (None, plan.route) else plan.followed_by(chosen)


def is_grown(plan: EscalationPlan, subject: RouteSubject) -> bool:
    """Whether an incident of an area has a larger area than its plan; without an area it lies in several provinces."""
    planned = plan.subject.path
    return subject.station is None and subject.path != planned and planned[: len(subject.path)] == subject.path


def asks_for_openings(plan: EscalationPlan) -> bool:
    """Whether a step counts open time."""
    return any(step.rule.clock is StepClock.OPEN and step.rule.after > 0 for step in plan.steps)


def stored_plan(value: Any) -> EscalationPlan:
    """A plan as the database returns it."""
    return msgspec.convert(value, EscalationPlan)


def stored_state(value: Any) -> EscalationState:
    """A state as the database returns it."""
    return msgspec.convert(value, EscalationState)


def encoded(value: Any) -> str:
    """A value as JSON text."""
    return msgspec.json.encode(value).decode()
