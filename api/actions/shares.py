"""Actions on the shares of an incident that reaches beyond the scope: acknowledge and note.

Each action and its entries are one transaction, in which the scope of the account is set: the database shows only the
shares within it.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

import asyncpg

from alerting.incidents.actions import ActionRefusedError
from alerting.incidents.book import ActionRefusal, refusal
from api.actions.queries import QUERIES
from store.author import Author
from store.ledger import LedgerEntry, append_entries, ms_of
from store.ledger_kinds import LedgerKind, hashed
from store.pool import Connection

_ACTIONS: Final[Mapping[LedgerKind, str]] = {
    LedgerKind.INCIDENT_ACKNOWLEDGED: "acknowledged",
    LedgerKind.INCIDENT_NOTE: "note",
}
MOST_OF_ENTRY: Final = 1000
"""Shares that one entry of the ledger names; an entry has at most 64 KiB."""


async def acknowledge_shares(
    connection: Connection, incident: int, by: Author, text: str | None, now: datetime
) -> None:
    """Acknowledge all shares of the scope that are not acknowledged yet. The incident itself stays as it is, and so
    does its escalation. Raises ActionRefusedError."""
    held = await _require(connection, "acknowledged", incident, text)
    free = [row["area"] for row in held if not row["acknowledged"]]
    rows = await connection.fetch(QUERIES.acknowledge_shares, incident, free, by.account, now, by.remark)
    if not rows:
        raise ActionRefusedError(ActionRefusal.ALREADY_ACKNOWLEDGED, incident)
    areas = [row["area"] for row in rows]
    await _record(connection, LedgerKind.INCIDENT_ACKNOWLEDGED, incident, areas, by, text, now)


async def note_on_shares(connection: Connection, incident: int, by: Author, text: str, now: datetime) -> None:
    """Add a note to the shares of the scope. Raises ActionRefusedError."""
    areas = [row["area"] for row in await _require(connection, "note", incident, text)]
    await _record(connection, LedgerKind.INCIDENT_NOTE, incident, areas, by, text, now)


async def _require(connection: Connection, action: str, incident: int, text: str | None) -> list[asyncpg.Record]:
    """The shares of the scope, with the status of each. Raises ActionRefusedError if the action is not allowed."""
    rows = await connection.fetch(QUERIES.held_shares, incident)
    is_closed = await connection.fetchval(QUERIES.is_closed, incident)
    is_taken = all(row["acknowledged"] for row in rows)
    why = refusal(action, "closed" if is_closed else "acknowledged" if is_taken else "open", text)
    if why is not None:
        raise ActionRefusedError(why, incident)
    return rows


async def _record(
    connection: Connection,
    kind: LedgerKind,
    incident: int,
    areas: Sequence[str],
    by: Author,
    text: str | None,
    now: datetime,
) -> None:
    action = _ACTIONS[kind]
    await connection.execute(QUERIES.insert_share_entries, incident, areas, now, by.account, action, text, by.remark)
    entries = [
        LedgerEntry(
            kind=kind,
            subject=f"incident/{incident}",
            actor=by.account,
            at_ms=ms_of(now),
            body={"shares": some, **hashed(text=text), **by.remarked},
        )
        for some in _batches(sorted(areas))
    ]
    await append_entries(connection, entries)
    await connection.execute(QUERIES.tell_incident)


def _batches(areas: Sequence[str]) -> Iterator[Sequence[str]]:
    return (areas[begin : begin + MOST_OF_ENTRY] for begin in range(0, len(areas), MOST_OF_ENTRY))
