"""Decides the escalation of the parts of a wider incident. Pure."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec.structs import replace

from alerting.escalation.advance import advance, begin
from alerting.escalation.decided import Decided
from alerting.escalation.gathering import (
    Row,
    facts_of,
    is_grown,
    part_of,
    plan_now,
    stored_plan,
    stored_state,
    subject_of,
)
from alerting.escalation.model import EscalationFacts, EscalationPlan, EscalationTurn, KnownPage
from alerting.escalation.routing_now import RoutingNow
from alerting.escalation.shares import (
    RouteWay,
    SharePart,
    counts_after,
    facts_of_part,
    facts_since,
    people_within,
    state_of_part,
    subject_of_part,
    way_of,
)
from registry.routes.routing import RouteSubject
from store.troubles import said

log = logging.getLogger(__name__)

Pages = Mapping[tuple[int, str], Sequence[KnownPage]]
"""Pages by incident and share."""


def outgrown_part(row: Row, rows: Sequence[Row]) -> str | None:
    """The area of the part, of `rows`, that takes over the plan, the steps and the pages of the incident `row`, because
    the incident grew beyond the area of its plan. None: it did not grow, or the area of its plan has no part."""
    try:
        plan = None if row["plan"] is None else stored_plan(row["plan"])
    except msgspec.ValidationError:  # an incident that cannot be routed is found later
        return None
    if plan is None or not is_grown(plan, subject_of(row)):
        return None
    return next((part["area"] for part in rows if part["area"] == plan.subject.path[-1]), None)


class PartsDraft:
    """The parts of one incident while they are decided, the largest first."""

    def __init__(self, row: Row, whole: EscalationPlan, rows: Sequence[Row], pages: Pages, routing: RoutingNow) -> None:
        self._row, self._whole, self._pages, self._routing = row, whole, pages, routing
        self._sums = {above for part in rows for above in part["path"][:-1]}
        self._ways: dict[str, RouteWay] = {}
        #: The growth since which the incident has an area, by the areas of its earlier plans.
        self._since: dict[str, datetime | None] = {}

    def decide(self, given: Row) -> Decided:
        """The decision about a part."""
        now = self._row["now"]
        part = part_of(given, self._routing, is_sum=given["area"] in self._sums)
        subject = subject_of_part(subject_of(self._row), part)
        plan = self._plan(subject, part, given)
        stored = None if given["state"] is None else stored_state(given["state"])
        all_of_it, part = self._acknowledged(facts_of(self._row, (), None, self._routing), part, plan)
        mine = self._pages.get((self._row["id"], part.area), ())
        silenced_until = self._routing.silenced_until(subject, now)
        facts = facts_of_part(all_of_it, part, stored, mine, silenced_until, now)
        state = state_of_part(stored, facts, all_of_it.opening) or begin(plan, facts)
        people, quiet = self._routing.step_people(plan, now), self._routing.quiet_until(now)
        turn = advance(plan, state, facts, now, people, quiet)
        return Decided(incident=self._row["id"], share=part.area, now=now, plan=plan, before=stored, turn=turn)

    def _plan(self, subject: RouteSubject, part: SharePart, given: Row) -> EscalationPlan:
        """The plan of a part. The people of a new plan, and of a plan that the incident just outgrew, are those whom no
        larger part notifies."""
        plan = plan_now(self._routing, subject, given["plan"], self._row["now"])
        way = self._ways[part.area] = way_of(plan)
        before = None if given["plan"] is None else stored_plan(given["plan"])
        if before is None or before.route != plan.route or given.get("moved"):
            whole = self._whole.subject.path, way_of(self._whole)
            plan = replace(plan, within=people_within(part, way, whole, self._ways))
        if plan.outgrown:
            self._since[part.area] = plan.grown_at
        return plan

    def _acknowledged(
        self, whole: EscalationFacts, part: SharePart, plan: EscalationPlan
    ) -> tuple[EscalationFacts, SharePart]:
        """The facts of the incident, without an acknowledgement that does not count for the part."""
        if whole.status != "acknowledged" or counts_after(whole, self._whole.grown_at):
            return whole, part
        above = [area for area in part.path if area in self._since and counts_after(whole, self._since[area])]
        if not above:
            return facts_since(whole, self._whole.grown_at), part
        return whole, replace(part, is_reminded=plan.outgrown and above == [part.area])


def decide_parts(
    row: Row, plan: EscalationPlan, rows: Sequence[Row], pages: Pages, routing: RoutingNow
) -> list[Decided]:
    """The decisions about the parts `rows` of the incident `row`, whose plan is `plan`; only decisions that change
    something."""
    found: list[Decided] = []
    draft = PartsDraft(row, plan, rows, pages, routing)
    for part in rows:
        try:
            decided = draft.decide(part)
        except Exception as exc:  # a part that fails must not stop the other parts
            fields = {"incident": row["id"], "share": part["area"]}
            log.exception("the escalation of a share cannot be decided; it is tried again", extra=fields)
            decided = Decided(incident=row["id"], share=part["area"], now=row["now"], why=said(exc))
        if _is_news(decided, part):
            found.append(decided)
    return found


def _is_news(decided: Decided, given: Row) -> bool:
    turn = decided.turn
    return (
        turn is None
        or given.get("moved", False)
        or decided.before != turn.state
        or turn.wake_at != given["wake_at"]
        or _changes(turn)
    )


def _changes(turn: EscalationTurn) -> bool:
    return bool(turn.pages or turn.cancelled or turn.held or turn.entries)
