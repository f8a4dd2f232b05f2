"""The parts of a wider incident: one for each county, and for each area between the county and the incident. Pure.

A part of an incident has the stations of one area that are down because of the incident. Each part has a plan, steps
and pages of its own, and an acknowledgement of the part ends only its own steps. A person gets pages about one part
only: the largest part whose route leads to this person.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from alerting.escalation.model import EscalationFacts, EscalationPlan, EscalationState, KnownPage
from registry.routes.model import RouteStep
from registry.routes.routing import RouteSubject


class SharePart(msgspec.Struct, frozen=True, kw_only=True):
    """The part of an incident that lies in an area, as it is now.

    `path`: codes from the root to the area; `levels`: the levels of these codes. `children`: number of stations
    (terminals, areas) that were ever down because of the incident; `down`: number of those that are down now. A part is
    acknowledged when each of its counties with something down is acknowledged: `acknowledged_at` is the latest
    acknowledgement, `eta_at` the first ETA, `owner` the contact of the person. `is_sum`: smaller parts are in it.
    `is_reminded`: the person who acknowledged the whole incident gets the reminder for this part, because the
    acknowledgement is older than the growth of the incident and counts for no larger area.
    """

    area: str
    path: tuple[str, ...]
    levels: Mapping[str, str] = {}
    children: int = 0
    down: int = 0
    acknowledged_at: datetime | None = None
    eta_at: datetime | None = None
    owner: str | None = None
    #: Whether people acknowledge this part itself; a larger part is acknowledged through its counties.
    counted: bool = True
    is_sum: bool = False
    is_reminded: bool = False


def subject_of_part(whole: RouteSubject, part: SharePart) -> RouteSubject:
    """The subject for the choice of a route: the incident, as if it were in the area of the part alone."""
    return replace(whole, path=part.path, levels=part.levels)


RouteWay = tuple[str, tuple[RouteStep, ...]] | None
"""A route with its steps as they were when a plan was made; None: no route."""


def way_of(plan: EscalationPlan) -> RouteWay:
    """The route of a plan, with its steps: two plans may have different steps of the same route, if the route was
    edited between them."""
    return None if plan.route is None else (plan.route, tuple(step.rule for step in plan.steps))


def people_within(
    part: SharePart, way: RouteWay, whole: tuple[tuple[str, ...], RouteWay], ways: Mapping[str, RouteWay]
) -> tuple[str, ...] | None:
    """The areas whose people are notified of a part; None: no limit, the route alone decides.

    The search goes upward and ends below the first larger part with the same route, because that part notifies the
    people there. `whole`: the path and the route of the incident; `ways`: the routes of the larger parts, by area.
    """
    found: list[str] = []
    path, above = whole
    for area in reversed(part.path):
        other = above if area in path else ways.get(area)
        if area != part.area and way is not None and other == way:
            return tuple(found)
        found.append(area)
    return tuple(found) if way is not None and way == above else None


def counts_after(facts: EscalationFacts, grown_at: datetime | None) -> bool:
    """Whether the acknowledgement of the whole incident counts for an area that the incident has since `grown_at`
    (None: from the beginning)."""
    return grown_at is None or (facts.acknowledged_at is not None and facts.acknowledged_at > grown_at)


def facts_since(facts: EscalationFacts, grown_at: datetime | None) -> EscalationFacts:
    """The facts, without the acknowledgement if it does not count."""
    if facts.status != "acknowledged" or counts_after(facts, grown_at):
        return facts
    return replace(facts, status="open", **_NOT_TAKEN)


def facts_of_part(
    whole: EscalationFacts,
    part: SharePart,
    state: EscalationState | None,
    pages: Sequence[KnownPage],
    silenced_until: datetime | None,
    now: datetime,
) -> EscalationFacts:
    """The facts of a part. The part is over when nothing in it is down, and open again when something is down again.

    An acknowledgement of the whole incident counts for every part. Of two acknowledgements, the acknowledgement with
    the later ETA counts.
    """
    is_open = whole.status != "closed" and part.down > 0
    status, taken = ("open" if is_open else "closed"), _taken(whole, _one_of_sum(part, state, now))
    return replace(
        whole,
        status="acknowledged" if is_open and taken is not None else status,
        goes_on=whole.goes_on and part.down > 0,
        opening=whole.opening + returns_of(state, is_open=is_open, opening=whole.opening),
        pages=tuple(pages),
        silenced_until=silenced_until,
        settles_at=None if is_open or whole.status == "closed" else _settles_at(state, now),
        **(_NOT_TAKEN if taken is None else taken),
    )


_FREE_RETURNS: Final = 2
"""A share may come back and go down again so often before its end waits."""
_FIRST_WAIT: Final = timedelta(minutes=15)
_LONGEST_WAIT: Final = timedelta(hours=1)


def _settles_at(state: EscalationState | None, now: datetime) -> datetime | None:
    """When a share that is back is over. A share that came back and went down again and again is over only if it stays
    back, longer after each return, so that its people get few messages."""
    again = 0 if state is None else state.returned - _FREE_RETURNS
    if state is None or again < 0:
        return None
    wait: timedelta = min(_FIRST_WAIT * (1 << min(again, 8)), _LONGEST_WAIT)
    return (state.back_since or now) + wait


_NOT_TAKEN: Final[Mapping[str, Any]] = {"acknowledged_at": None, "eta_at": None, "owner": None}


def _one_of_sum(part: SharePart, state: EscalationState | None, now: datetime) -> SharePart:
    """A part of several counties, with one acknowledgement instead of theirs. Its first ETA distinguishes it from the
    next one, because another acknowledgement of another county does not change when this one ends. If the ETA passed
    before all of them were acknowledged, there was no acknowledgement that could end."""
    if not part.is_sum or part.acknowledged_at is None or part.eta_at is None:
        return part
    counted = part.eta_at > now or (state is not None and state.acknowledged_at == part.eta_at)
    return replace(part, acknowledged_at=part.eta_at if counted else None)


def _taken(whole: EscalationFacts, part: SharePart) -> Mapping[str, Any] | None:
    """The acknowledgement that counts for a part; None: there is none. The owner gets one reminder, for the part or the
    whole that the owner acknowledged."""
    best = _best(whole, part)
    if best is None:
        return None
    own = part.counted if best is part else part.is_reminded
    return {
        "acknowledged_at": best.acknowledged_at,
        "eta_at": best.eta_at,
        "owner": best.owner if own else None,
        "reminds": own,
    }


def _best(whole: EscalationFacts, part: SharePart) -> EscalationFacts | SharePart | None:
    """The acknowledgement with the later ETA; one without an ETA does not expire."""
    taken: list[EscalationFacts | SharePart] = []
    if part.acknowledged_at is not None:
        taken.append(part)
    if whole.status == "acknowledged" and whole.acknowledged_at is not None:
        taken.append(whole)
    return max(taken, key=lambda each: (each.eta_at is None, each.eta_at), default=None)


def returns_of(state: EscalationState | None, *, is_open: bool, opening: int) -> int:
    """How often a part was over and then down again while its incident went on. `opening`: how often the incident was
    reopened."""
    if state is None:
        return 0
    back = is_open and state.ended is not None and opening + state.returned <= state.opening
    return state.returned + back


def state_of_part(state: EscalationState | None, facts: EscalationFacts, opening: int) -> EscalationState | None:
    """The state with the number of returns from the facts. `opening`: how often the incident was reopened."""
    return None if state is None else replace(state, returned=facts.opening - opening)
