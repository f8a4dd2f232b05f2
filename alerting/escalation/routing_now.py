"""Contacts, duties, routes and silences as the escalation asks about them. Pure."""

from datetime import datetime
from typing import Any

from alerting.escalation.model import EscalationPlan, PlannedStep
from alerting.escalation.quiet_hours import QuietHours
from alerting.escalation.turn_draft import QuietUntil, StepPeople
from alerting.silences.rules import Silences, silenced_until
from registry.routes.choice import choose_route
from registry.routes.model import Route
from registry.routes.people import People, level_area
from registry.routes.routing import RouteSubject, Routing, StepOutcome


class RoutingNow:
    """Who is told, by the registry as it was when it was loaded."""

    def __init__(self, routing: Routing, silences: Silences) -> None:
        self._routing = routing
        self._silences = silences
        self._people = People(routing)
        self._quiet = QuietHours(routing)
        self._routes: dict[str | None, list[Route]] = {}
        for route in routing.routes:
            self._routes.setdefault(route.area, []).append(route)
        self._found_at: datetime | None = None
        self._found: dict[tuple[Any, ...], StepOutcome] = {}
        self._owners: dict[str, str] = {}
        present = [contact for contact in routing.contacts.values() if contact.retired_at is None]
        for names in ([c.name for c in present], [c.id for c in present], [c.account for c in present]):
            for contact, name in zip(present, names, strict=True):
                if name is not None and not contact.room:
                    self._owners[name] = contact.id

    def plan(self, subject: RouteSubject, now: datetime) -> EscalationPlan:
        """The plan of an incident that is routed now. Its verdicts are those on the routes of its area and above."""
        near = [route for area in (None, *subject.path) for route in self._routes.get(area, ())]
        choice = choose_route(near, subject)
        route = choice.route
        if route is None:
            return EscalationPlan(subject=subject, chosen_at=now, verdicts=choice.verdicts)
        steps = ((rule, None if rule.level is None else level_area(subject, rule.level)) for rule in route.steps)
        return EscalationPlan(
            subject=subject,
            chosen_at=now,
            route=route.id,
            steps=tuple(PlannedStep(rule, area) for rule, area in steps),
            tell_past=route.tell_past,
            verdicts=choice.verdicts,
        )

    def step_people(self, plan: EscalationPlan, now: datetime) -> StepPeople:
        """Who is told in the steps of a plan. Incidents of one area have the same people at one time."""
        if now != self._found_at:
            self._found_at, self._found = now, {}
        subject = plan.subject

        def people(step: int) -> StepOutcome:
            rule = plan.steps[step].rule
            key = (rule, subject.path, tuple(subject.levels.items()), plan.within)
            if key not in self._found:
                self._found[key] = self._people.outcome(step, rule, subject, now, plan.within)
            return self._found[key]

        return people

    def quiet_until(self, now: datetime) -> QuietUntil:
        """When the quiet hours of contacts end."""
        return lambda contact: self._quiet.until(contact, now)

    def silenced_until(self, subject: RouteSubject, now: datetime) -> datetime | None:
        """When the silence of an incident ends; None: it is in none."""
        return silenced_until(self._silences, subject, now)

    def owner(self, *accounts: str | None) -> str | None:
        """The contact of the first account that has one; an account may also be named by the id or the name of its
        contact."""
        return next((self._owners[name] for name in accounts if name is not None and name in self._owners), None)
