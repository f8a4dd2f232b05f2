"""Decides the escalation of the parts of a wider incident. Pure."""

import logging
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from alerting.escalation.advance import advance, begin
from alerting.escalation.decided import Decided
from alerting.escalation.gathering import Row, facts_of, part_of, plan_now, stored_plan, stored_state, subject_of
from alerting.escalation.model import EscalationPlan, EscalationState, EscalationTurn, KnownPage
from alerting.escalation.routing_now import RoutingNow
from alerting.escalation.shares import RouteWay, facts_of_part, people_within, state_of_part, subject_of_part, way_of

log = logging.getLogger(__name__)


def decide_parts(
    row: Row,
    plan: EscalationPlan,
    rows: Sequence[Row],
    pages: Mapping[tuple[int, str], Sequence[KnownPage]],
    routing: RoutingNow,
) -> list[Decided]:
    """The decisions about the parts `rows` of the incident `row`, whose plan is `plan`; only decisions that change
    something."""
    found: list[Decided] = []
    ways: dict[str, RouteWay] = {}
    for part in rows:
        try:
            decided = _decide(row, plan, part, pages.get((row["id"], part["area"]), ()), routing, ways)
        except Exception:  # a part that fails must not stop the other parts
            fields = {"incident": row["id"], "share": part["area"]}
            log.exception("the escalation of a share cannot be decided; it is tried again", extra=fields)
            decided = Decided(incident=row["id"], share=part["area"], now=row["now"])
        if _is_news(decided, part):
            found.append(decided)
    return found


def _decide(
    row: Row,
    whole: EscalationPlan,
    given: Row,
    pages: Sequence[KnownPage],
    routing: RoutingNow,
    ways: dict[str, RouteWay],
) -> Decided:
    """The decision about one part. `ways`: the routes of the earlier parts, which are larger; the route of this part is
    added."""
    now, part = row["now"], part_of(given, routing)
    subject = subject_of_part(subject_of(row), part)
    plan = plan_now(routing, subject, given["plan"], now)
    ways[part.area] = way_of(plan)
    if given["plan"] is None or plan.route != stored_plan(given["plan"]).route:
        plan = replace(plan, within=people_within(part, way_of(plan), (whole.subject.path, way_of(whole)), ways))
    stored: EscalationState | None = None if given["state"] is None else stored_state(given["state"])
    all_of_it = facts_of(row, (), None, routing)
    facts = facts_of_part(all_of_it, part, stored, pages, routing.silenced_until(subject, now))
    state = state_of_part(stored, facts, all_of_it.opening) or begin(plan, facts)
    turn = advance(plan, state, facts, now, routing.step_people(plan, now), routing.quiet_until(now))
    return Decided(incident=row["id"], share=part.area, now=now, plan=plan, before=stored, turn=turn)


def _is_news(decided: Decided, given: Row) -> bool:
    turn = decided.turn
    return turn is None or decided.before != turn.state or turn.wake_at != given["wake_at"] or _changes(turn)


def _changes(turn: EscalationTurn) -> bool:
    return bool(turn.pages or turn.cancelled or turn.held or turn.entries)
