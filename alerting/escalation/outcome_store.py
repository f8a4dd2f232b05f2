"""Writes the decisions of a pass of the escalation, in the caller's transaction."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from alerting.escalation.decided import Decided
from alerting.escalation.gathering import encoded
from alerting.escalation.model import EntryWord, EscalationTurn
from store.aside import write_apart
from store.pool import Connection
from store.sql import queries_beside
from store.troubles import said

log = logging.getLogger(__name__)

QUERIES = queries_beside(__file__)
_AFTER_FAULT: Final = timedelta(minutes=1)
_SOON: Final = timedelta(seconds=1)
Key = tuple[int, str]
"""An incident and a share."""


async def write_outcomes(connection: Connection, decided: Sequence[Decided]) -> list[Decided]:
    """Write the decisions. If the database refuses the decision of an incident or part, the other decisions are
    written. Returns the refused decisions, each with the reason."""
    refused: list[Decided] = []

    def refuse(one: Decided, error: Exception) -> None:
        log.error(
            "an escalation cannot be written",
            extra={"incident": one.incident, "share": one.share, "error": repr(error)},
        )
        refused.append(msgspec.structs.replace(one, turn=None, why=said(error)))

    await write_apart(connection, decided, lambda some: _write_together(connection, some), refuse)
    if refused:
        await _save(connection, refused, set())
    return refused


async def _write_together(connection: Connection, decided: Sequence[Decided]) -> None:
    turns = [(one, one.turn) for one in decided if one.turn is not None]
    missed = await _change_pages(connection, turns)
    raised = [(one, turn.state.severity) for one, turn in turns if _rated(one, turn)]
    if raised:
        await connection.execute(
            QUERIES.rate_pages,
            [one.incident for one, _ in raised],
            [one.share for one, _ in raised],
            [severity for _, severity in raised],
        )
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
            [one.share for one, _ in made],
        )
    await _save(connection, decided, missed)
    if made or any(turn.held for _, turn in turns):
        await connection.execute(QUERIES.tell_delivery)


async def _change_pages(connection: Connection, turns: Sequence[tuple[Decided, EscalationTurn]]) -> set[Key]:
    """Cancel and hold pages. Returns the incidents and shares with a page that another process has locked."""
    missed: set[Key] = set()
    for query, changes in (
        (QUERIES.cancel_pages, [(one.key, *change) for one, turn in turns for change in turn.cancelled]),
        (QUERIES.hold_pages, [(one.key, *change) for one, turn in turns for change in turn.held]),
    ):
        if changes:
            values: list[Any] = [value for _, _, value in changes]
            done = {row["id"] for row in await connection.fetch(query, [page for _, page, _ in changes], values)}
            missed |= {key for key, page, _ in changes if page not in done}
    return missed


def _rated(one: Decided, turn: EscalationTurn) -> bool:
    return one.before is not None and one.before.severity != turn.state.severity


async def _save(connection: Connection, decided: Sequence[Decided], missed: set[Key]) -> None:
    whole = [one for one in decided if not one.share]
    parts = [one for one in decided if one.share]
    if whole:
        await connection.execute(QUERIES.save_escalations, *_columns(whole, missed))
    if parts:
        shares = [one.share for one in parts]
        await connection.execute(QUERIES.save_share_escalations, *_columns(parts, missed), shares)


def _columns(decided: Sequence[Decided], missed: set[Key]) -> Sequence[list[Any]]:
    return (
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


def _wake_at(one: Decided, missed: set[Key]) -> datetime | None:
    if one.turn is None:
        return one.now + (_SOON if one.soon else _AFTER_FAULT)
    if one.key in missed:
        return one.now + _SOON
    return one.turn.wake_at
