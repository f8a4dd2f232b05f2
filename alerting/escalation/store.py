"""One pass of the escalation in the database: what is due of some incidents is decided and written in the caller's
transaction. Whatever happens before it commits, the next pass decides the same."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from alerting.escalation.advance import advance, begin, is_graver
from alerting.escalation.gathering import (
    Row,
    asks_for_openings,
    encoded,
    facts_of,
    page_of,
    stored_plan,
    stored_state,
    subject_of,
)
from alerting.escalation.model import (
    EntryWord,
    EscalationPlan,
    EscalationState,
    EscalationTurn,
    KnownPage,
    OpeningSpan,
)
from alerting.escalation.routing_now import RoutingNow
from contract.kinds import KINDS
from store.aside import write_apart
from store.pool import Connection
from store.sql import queries_beside

log = logging.getLogger(__name__)

QUERIES = queries_beside(__file__)
_AHEAD: Final = timedelta(days=32)
_AFTER_FAULT: Final = timedelta(minutes=1)
_SOON: Final = timedelta(seconds=1)
_CRITICAL: Final = [kind for kind, facts in KINDS.items() if facts.severity == "critical"]
_BEGINNINGS: Final = frozenset({"opened", "reopened", "passed"})


class Decided(msgspec.Struct, frozen=True):
    """An incident and what was decided; without `turn`, it could not be decided and is looked at again."""

    incident: int
    now: datetime
    plan: EscalationPlan | None
    before: EscalationState | None
    turn: EscalationTurn | None


async def take_wakes(connection: Connection, limit: int) -> int:
    """Make the escalations due to whose incidents something happened; the number of them."""
    return len(await connection.fetch(QUERIES.take_wakes, limit))


async def route_new(connection: Connection, routing: RoutingNow, limit: int) -> int:
    """Begin or go on with the escalations of new notifications; the number of notifications that were read."""
    rows = await connection.fetch(QUERIES.claim_notifications, limit, _CRITICAL)
    if rows:
        await connection.fetch(QUERIES.lock_escalations, [row["incident"] for row in rows])
        phases = {row["incident"]: row["phase"] for row in rows}
        await _advance(connection, routing, list(phases), {i for i, phase in phases.items() if phase in _BEGINNINGS})
    return len(rows)


async def advance_due(connection: Connection, routing: RoutingNow, limit: int) -> int:
    """Go on with the escalations that are due; the number of them."""
    incidents = [row["incident"] for row in await connection.fetch(QUERIES.claim_due, limit)]
    if incidents:
        await _advance(connection, routing, incidents, set())
    return len(incidents)


async def next_wake(connection: Connection) -> float | None:
    """Seconds until the next escalation is due; None: none will be."""
    seconds: float | None = await connection.fetchval(QUERIES.next_wake)
    return seconds


async def _advance(connection: Connection, routing: RoutingNow, incidents: list[int], begun: set[int]) -> None:
    """Decide and write what is due of incidents; `begun`: those that may get an escalation."""
    found = [dict(row) for row in await connection.fetch(QUERIES.load_incidents, incidents)]
    rows = [row for row in found if row["known"] or row["id"] in begun]
    if not rows:
        return
    pages: dict[int, list[KnownPage]] = {}
    for page in await connection.fetch(QUERIES.load_pages, [row["id"] for row in rows if row["known"]]):
        pages.setdefault(page["incident"], []).append(page_of(dict(page)))
    plans = {row["id"]: _plan(row, routing) for row in rows}
    openings = await _openings(connection, rows, plans)
    await _write(connection, [_decide(row, plans[row["id"]], pages, openings, routing) for row in rows])


def _plan(row: Row, routing: RoutingNow) -> EscalationPlan | None:
    """The stored plan, or a new one, also if the severity rose and has another route; None: it cannot be made."""
    try:
        subject = subject_of(row)
        if row["plan"] is None:
            return routing.plan(subject, row["now"])
        plan = stored_plan(row["plan"])
        if not is_graver(subject.severity, plan.subject.severity):
            return plan
        chosen = routing.plan(subject, row["now"])
        return plan if chosen.route in (None, plan.route) else plan.followed_by(chosen)
    except Exception:  # one incident must not hold up the others
        log.exception("an incident cannot be routed; it is tried again", extra={"incident": row["id"]})
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
    pages: dict[int, list[KnownPage]],
    openings: dict[int, list[OpeningSpan]],
    routing: RoutingNow,
) -> Decided:
    now, before = row["now"], None
    if plan is None:
        return Decided(row["id"], now, None, None, None)
    try:
        before = None if row["state"] is None else stored_state(row["state"])
        facts = facts_of(row, pages.get(row["id"], ()), openings.get(row["calendar"]), routing)
        state = begin(plan, facts) if before is None else before
        turn = advance(plan, state, facts, now, routing.step_people(plan, now), routing.quiet_until(now))
    except Exception:  # one incident must not hold up the others
        log.exception("an escalation cannot be decided; it is tried again", extra={"incident": row["id"]})
        turn = None
    return Decided(row["id"], now, plan, before, turn)


async def _write(connection: Connection, decided: Sequence[Decided]) -> None:
    """Write what was decided; what the database refuses of one incident does not hold up the others."""
    refused: list[Decided] = []

    def refuse(one: Decided, error: Exception) -> None:
        log.error("an escalation cannot be written", extra={"incident": one.incident, "error": repr(error)})
        refused.append(msgspec.structs.replace(one, turn=None))

    await write_apart(connection, decided, lambda some: _write_together(connection, some), refuse)
    if refused:
        await _save(connection, refused, set())


async def _write_together(connection: Connection, decided: Sequence[Decided]) -> None:
    turns = [(one, one.turn) for one in decided if one.turn is not None]
    missed = await _change_pages(connection, turns)
    raised = [(one.incident, turn.state.severity) for one, turn in turns if _rated(one, turn)]
    if raised:
        await connection.execute(QUERIES.rate_pages, [i for i, _ in raised], [severity for _, severity in raised])
    made = [(one, page) for one, turn in turns for page in turn.pages]
    if made:
        await connection.execute(
            QUERIES.insert_pages,
            [one.incident for one, _ in made],
            [page.recipient for _, page in made],
            [page.phase for _, page in made],
            [page.step for _, page in made],
            [page.round for _, page in made],
            [page.severity for _, page in made],
            [page.not_before for _, page in made],
            [encoded(page.why) for _, page in made],
            made[0][0].now,
        )
    await _save(connection, decided, missed)
    if made or any(turn.held for _, turn in turns):
        await connection.execute(QUERIES.tell_delivery)


async def _change_pages(connection: Connection, turns: Sequence[tuple[Decided, EscalationTurn]]) -> set[int]:
    """Cancel and hold pages. Returns the incidents with a page that another process has at the moment."""
    missed: set[int] = set()
    for query, changes in (
        (QUERIES.cancel_pages, [(one.incident, *change) for one, turn in turns for change in turn.cancelled]),
        (QUERIES.hold_pages, [(one.incident, *change) for one, turn in turns for change in turn.held]),
    ):
        if changes:
            values: list[Any] = [value for _, _, value in changes]
            done = {row["id"] for row in await connection.fetch(query, [page for _, page, _ in changes], values)}
            missed |= {incident for incident, page, _ in changes if page not in done}
    return missed


def _rated(one: Decided, turn: EscalationTurn) -> bool:
    return one.before is not None and one.before.severity != turn.state.severity


async def _save(connection: Connection, decided: Sequence[Decided], missed: set[int]) -> None:
    await connection.execute(
        QUERIES.save_escalations,
        [one.incident for one in decided],
        [None if one.plan is None else one.plan.route for one in decided],
        [None if one.plan is None else encoded(one.plan) for one in decided],
        [_state_text(one) for one in decided],
        [encoded([] if one.turn is None else one.turn.entries) for one in decided],
        [_wake_at(one, missed) for one in decided],
        [one.turn is not None and one.turn.state.ended is EntryWord.OVER for one in decided],
    )


def _state_text(one: Decided) -> str | None:
    state = one.before if one.turn is None else one.turn.state
    return None if state is None else encoded(state)


def _wake_at(one: Decided, missed: set[int]) -> datetime | None:
    if one.turn is None:
        return one.now + _AFTER_FAULT
    if one.incident in missed:
        return one.now + _SOON
    return one.turn.wake_at
