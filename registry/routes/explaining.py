"""Who would be told of an incident: the route, and each step when it is due. Pure."""

from collections.abc import Callable
from datetime import datetime, timedelta

from registry.routes.choice import choose_route
from registry.routes.model import Route, RouteStep
from registry.routes.people import People
from registry.routes.routing import Explained, RouteSubject, Routing, StepOutcome

DueTime = Callable[[RouteStep, datetime], datetime | None]
"""When a step is due of an incident that was first owed to somebody at a time; None: not within what is known."""


def wall_due(rule: RouteStep, begin: datetime) -> datetime | None:
    """When a step is due at a station that is always open."""
    return begin + timedelta(seconds=rule.after)


def explain(routing: Routing, subject: RouteSubject, at: datetime, due: DueTime = wall_due) -> Explained:
    """Who would be told of a subject that begins at `at` if nobody acknowledged it."""
    return explain_by(People(routing), subject, at, due)


def explain_by(people: People, subject: RouteSubject, at: datetime, due: DueTime = wall_due) -> Explained:
    """As `explain`, where many subjects are asked about."""
    choice = choose_route(people.routing.routes, subject)
    steps = () if choice.route is None else _steps(people, choice.route, subject, at, due)
    return Explained(at=at, choice=choice, steps=tuple(steps))


def _steps(people: People, route: Route, subject: RouteSubject, at: datetime, due: DueTime) -> list[StepOutcome]:
    """The step after one without recipients is due with it."""
    found: list[StepOutcome] = []
    moment: datetime | None = at
    hurried = False
    for number, rule in enumerate(route.steps):
        if not hurried:
            moment = _not_before(due(rule, at), moment)
        if moment is None:
            found.append(StepOutcome(step=number, rule=rule, why="never_open"))
            continue
        outcome = people.outcome(number, rule, subject, moment)
        found.append(outcome)
        hurried = not outcome.recipients and outcome.why != "outside_scope"
    return found


def _not_before(moment: datetime | None, before: datetime | None) -> datetime | None:
    return None if moment is None or before is None else max(moment, before)
