"""The parts of a wider incident: each county, and each area between it and the incident, is told of its own. Pure.

An incident that reaches over several areas has a part for each of them: the stations of the area that are down by it. A
part has a plan, steps and pages of its own, and its acknowledgement ends its own steps only. The people of an area are
told of one part: the largest one whose route leads to them.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from alerting.escalation.model import EscalationFacts, EscalationPlan, EscalationState, KnownPage
from registry.routes.model import RouteStep
from registry.routes.routing import RouteSubject


class SharePart(msgspec.Struct, frozen=True, kw_only=True):
    """The part of an incident that lies in an area, as it is now.

    `path`: codes from the root to the area; `levels`: of these. `children`, `down`: stations (terminals, areas) that
    were ever down by the incident, and that still are. A part is acknowledged when every county in it with something
    down is: `acknowledged_at` is the latest acknowledgement, `eta_at` the first ETA, `owner` the contact of the person.
    """

    area: str
    path: tuple[str, ...]
    levels: Mapping[str, str] = {}
    children: int = 0
    down: int = 0
    acknowledged_at: datetime | None = None
    eta_at: datetime | None = None
    owner: str | None = None
    #: Whether people acknowledge this very part; a larger one is acknowledged by its counties.
    counted: bool = True


def subject_of_part(whole: RouteSubject, part: SharePart) -> RouteSubject:
    """What routes are asked about for a part: the incident, as if it lay in this area alone."""
    return replace(whole, path=part.path, levels=part.levels)


RouteWay = tuple[str, tuple[RouteStep, ...]] | None
"""A route with its steps as they were when a plan was made; None: no route."""


def way_of(plan: EscalationPlan) -> RouteWay:
    """The route of a plan. An edit may have given the same route other steps since, which lead to other people."""
    return None if plan.route is None else (plan.route, tuple(step.rule for step in plan.steps))


def people_within(
    part: SharePart, way: RouteWay, whole: tuple[tuple[str, ...], RouteWay], ways: Mapping[str, RouteWay]
) -> tuple[str, ...] | None:
    """The areas in which the people of a part are looked for; None: wherever its route leads.

    The search goes upward to the first larger part that has the same route, because its people are told of that.
    `whole`: the path of the incident and its route; `ways`: the routes of the larger parts, by area.
    """
    found: list[str] = []
    path, above = whole
    for area in reversed(part.path):
        other = above if area in path else ways.get(area)
        if area != part.area and way is not None and other == way:
            return tuple(found)
        found.append(area)
    return tuple(found) if way is not None and way == above else None


def facts_of_part(
    whole: EscalationFacts,
    part: SharePart,
    state: EscalationState | None,
    pages: Sequence[KnownPage],
    silenced_until: datetime | None,
) -> EscalationFacts:
    """The facts of a part. It is over when nothing in it is down, and open again when something is.

    An acknowledgement of the whole counts for every part; of two acknowledgements the one with the later ETA.
    """
    is_open = whole.status != "closed" and part.down > 0
    status, taken = ("open" if is_open else "closed"), _taken(whole, part)
    return replace(
        whole,
        status="acknowledged" if is_open and taken is not None else status,
        goes_on=whole.goes_on and part.down > 0,
        opening=whole.opening + returns_of(state, is_open=is_open, opening=whole.opening),
        pages=tuple(pages),
        silenced_until=silenced_until,
        **(_NOT_TAKEN if taken is None else taken),
    )


_NOT_TAKEN: Final[Mapping[str, Any]] = {"acknowledged_at": None, "eta_at": None, "owner": None}


def _taken(whole: EscalationFacts, part: SharePart) -> Mapping[str, Any] | None:
    """Who looks after a part, and until when; None: nobody. The owner is reminded of what was acknowledged, once."""
    taken: list[EscalationFacts | SharePart] = []
    if part.acknowledged_at is not None:
        taken.append(part)
    if whole.status == "acknowledged" and whole.acknowledged_at is not None:
        taken.append(whole)
    if not taken:
        return None
    # Without an ETA it counts for good.
    best = max(taken, key=lambda each: (each.eta_at is None, each.eta_at))
    own = best is part and part.counted
    return {
        "acknowledged_at": best.acknowledged_at,
        "eta_at": best.eta_at,
        "owner": best.owner if own else None,
        "reminds": own,
    }


def returns_of(state: EscalationState | None, *, is_open: bool, opening: int) -> int:
    """How often a part was over and down again while its incident went on. `opening`: how often the incident was
    reopened."""
    if state is None:
        return 0
    back = is_open and state.ended is not None and opening + state.returned <= state.opening
    return state.returned + back


def state_of_part(state: EscalationState | None, facts: EscalationFacts, opening: int) -> EscalationState | None:
    """The state with the number of returns that the facts count. `opening`: of the incident."""
    return None if state is None else replace(state, returned=facts.opening - opening)
