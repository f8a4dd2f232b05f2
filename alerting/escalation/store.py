"""One pass of the escalation in the database: decides the due escalations of incidents and of their parts, and writes
the decisions in the caller's transaction. If the transaction does not commit, the next pass decides the same."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from alerting.escalation.advance import advance, begin
from alerting.escalation.decided import Decided
from alerting.escalation.gathering import (
    Row,
    asks_for_openings,
    facts_of,
    page_of,
    plan_now,
    stored_state,
    subject_of,
)
from alerting.escalation.model import EscalationPlan, KnownPage, OpeningSpan
from alerting.escalation.outcome_store import write_outcomes
from alerting.escalation.parts import Pages, decide_parts, outgrown_part
from alerting.escalation.routing_now import RoutingNow
from alerting.escalation.shares import facts_since
from contract.kinds import KINDS
from store.aside import is_poison, name_aside
from store.pool import Connection
from store.sql import queries_beside
from store.troubles import said

log = logging.getLogger(__name__)

QUERIES = queries_beside(__file__)
SERVICE: Final = "deliver"
"""The service of which the escalation is a part."""
_INCIDENT: Final = "incident"
_AHEAD: Final = timedelta(days=32)
_CRITICAL: Final = [kind for kind, facts in KINDS.items() if facts.severity == "critical"]
_BEGINNINGS: Final = frozenset({"opened", "reopened", "passed"})


async def take_wakes(connection: Connection, limit: int) -> int:
    """Make the escalations due to whose incidents something happened; the number of them."""
    return len(await connection.fetch(QUERIES.take_wakes, limit))


async def route_new(connection: Connection, routing: RoutingNow, limit: int) -> int:
    """Begin or go on with the escalations of new notifications; the number of notifications that were read."""
    rows = await connection.fetch(QUERIES.claim_notifications, limit, _CRITICAL)
    if rows:
        await connection.fetch(QUERIES.lock_escalations, [row["incident"] for row in rows])
        phases = {row["incident"]: row["phase"] for row in rows}
        begun = {incident for incident, phase in phases.items() if phase in _BEGINNINGS}
        await _advance_apart(connection, routing, list(phases), begun)
    return len(rows)


async def advance_due(connection: Connection, routing: RoutingNow, limit: int) -> int:
    """Go on with the escalations that are due; the number of them."""
    due = [row["incident"] for row in await connection.fetch(QUERIES.claim_due, limit)]
    due += [row["incident"] for row in await connection.fetch(QUERIES.claim_due_parts, limit)]
    if due:
        await _advance_apart(connection, routing, list(dict.fromkeys(due)), set())
    return len(due)


async def next_wake(connection: Connection) -> float | None:
    """Seconds until the next escalation is due; None: none will be."""
    seconds: float | None = await connection.fetchval(QUERIES.next_wake)
    return seconds


class KnownIncidents(NamedTuple):
    """Incidents as database rows, with their parts and their pages."""

    rows: Sequence[Row]
    parts: Mapping[int, list[Row]]
    pages: Pages


async def _advance_apart(
    connection: Connection, routing: RoutingNow, incidents: Sequence[int], begun: set[int]
) -> None:
    """As `_advance`. Incidents whose rows cannot be read or written are set aside, each by itself, and tried again
    after a minute."""
    try:
        async with connection.transaction():
            await _advance(connection, routing, list(incidents), begun)
    except Exception as exc:
        if not is_poison(exc):
            raise
        if len(incidents) == 1:
            await _set_aside(connection, incidents[0], exc)
            return
        middle = len(incidents) // 2
        for half in (incidents[:middle], incidents[middle:]):
            await _advance_apart(connection, routing, half, begun)


async def _set_aside(connection: Connection, incident: int, why: Exception) -> None:
    log.error("the escalation of an incident cannot be read or written", extra={"incident": incident}, exc_info=why)
    await connection.execute(QUERIES.rest_incident, incident)
    await connection.execute(QUERIES.rest_parts, incident)
    await name_aside(connection, SERVICE, _INCIDENT, {str(incident): said(why)}, processed=())


async def _advance(connection: Connection, routing: RoutingNow, incidents: list[int], begun: set[int]) -> None:
    """Decide and write what is due of incidents; `begun`: those that may get an escalation."""
    known = await _load(connection, incidents, begun)
    grown = {row["id"]: part for row in known.rows if (part := outgrown_part(row, known.parts.get(row["id"], ())))}
    waiting: set[int] = set()
    if grown:
        moved = await connection.fetch(QUERIES.move_to_parts, list(grown), list(grown.values()))
        waiting = set(grown) - {row["incident"] for row in moved}
        known = await _load(connection, incidents, begun, grown)
    troubles: dict[str, str] = {}
    plans = {row["id"]: _plan(row, routing, troubles) for row in known.rows}
    openings = await _openings(connection, known.rows, plans)
    decided: list[Decided] = []
    for row in known.rows:
        mine = known.parts.get(row["id"], ())
        if row["id"] in waiting:
            decided.append(Decided(incident=row["id"], now=row["now"], soon=True))
            continue
        whole = _decide(row, plans[row["id"]], known.pages, openings, routing)
        decided.append(whole)
        if whole.plan is None:
            decided += [
                Decided(incident=row["id"], share=part["area"], now=row["now"]) for part in mine if part["wake_at"]
            ]
        else:
            decided += decide_parts(row, whole.plan, mine, known.pages, routing)
    refused = await write_outcomes(connection, decided)
    troubles |= {str(one.incident): one.why for one in (*decided, *refused) if one.why is not None}
    await name_aside(connection, SERVICE, _INCIDENT, troubles, processed=[str(row["id"]) for row in known.rows])


async def _load(
    connection: Connection, incidents: list[int], begun: set[int], grown: Mapping[int, str] | None = None
) -> KnownIncidents:
    """What is known of incidents. `grown`: the parts that took over the plans of incidents just now."""
    found = [dict(row) for row in await connection.fetch(QUERIES.load_incidents, incidents)]
    rows = [row for row in found if row["known"] or row["id"] in begun]
    pages: dict[tuple[int, str], list[KnownPage]] = {}
    parts: dict[int, list[Row]] = {}
    if rows:
        for page in await connection.fetch(QUERIES.load_pages, [row["id"] for row in rows if row["known"]]):
            pages.setdefault((page["incident"], page["share"]), []).append(page_of(dict(page)))
        for part in await connection.fetch(QUERIES.load_parts, [row["id"] for row in rows]):
            moved = (grown or {}).get(part["incident"]) == part["area"]
            parts.setdefault(part["incident"], []).append({**part, "moved": moved})
    return KnownIncidents(rows, parts, pages)


def _plan(row: Row, routing: RoutingNow, troubles: dict[str, str]) -> EscalationPlan | None:
    """The stored plan, or a new one, also if the severity rose and has another route; None: it cannot be made, for the
    reason in `troubles`."""
    try:
        return plan_now(routing, subject_of(row), row["plan"], row["now"])
    except Exception as exc:  # one incident must not hold up the others
        log.exception("an incident cannot be routed; it is tried again", extra={"incident": row["id"]})
        troubles[str(row["id"])] = said(exc)
        return None


async def _openings(
    connection: Connection, rows: Sequence[Row], plans: dict[int, EscalationPlan | None]
) -> dict[int, list[OpeningSpan]]:
    """The openings by calendar, of the incidents whose plans ask for them."""
    asking = [row for row in rows if row["calendar"] is not None and _asks(plans[row["id"]])]
    found: dict[int, list[OpeningSpan]] = {row["calendar"]: [] for row in asking}
    if asking:
        begin_at = min(_base(row) for row in asking)
        end_at = max(row["now"] for row in asking) + _AHEAD
        for span in await connection.fetch(QUERIES.load_openings, list(found), begin_at, end_at):
            found[span["calendar"]].append((span["opens_at"], span["closes_at"]))
    return found


def _asks(plan: EscalationPlan | None) -> bool:
    return plan is not None and asks_for_openings(plan)


def _base(row: Row) -> datetime:
    """From when the steps of the round count."""
    at = None if row["state"] is None else stored_state(row["state"]).base
    now: datetime = row["now"]
    return now if at is None else min(at, now)


def _decide(
    row: Row,
    plan: EscalationPlan | None,
    pages: Pages,
    openings: dict[int, list[OpeningSpan]],
    routing: RoutingNow,
) -> Decided:
    now, before, turn, why = row["now"], None, None, None
    if plan is None:
        return Decided(incident=row["id"], now=now)
    try:
        before = None if row["state"] is None else stored_state(row["state"])
        facts = facts_of(row, pages.get((row["id"], ""), ()), openings.get(row["calendar"]), routing)
        facts = facts_since(facts, plan.grown_at)
        state = begin(plan, facts) if before is None else before
        turn = advance(plan, state, facts, now, routing.step_people(plan, now), routing.quiet_until(now))
    except Exception as exc:  # one incident must not hold up the others
        log.exception("an escalation cannot be decided; it is tried again", extra={"incident": row["id"]})
        why = said(exc)
    return Decided(incident=row["id"], now=now, plan=plan, before=before, turn=turn, why=why)
