"""Actions on the shares of an incident that reaches beyond the scope: acknowledge, hand over and note.

Each action and its entries are one transaction, in which the scope of the account is set: the database shows only the
shares within it.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

import asyncpg

from alerting.incidents.actions import NOT_NAMED, ActionRefusedError, Expected
from alerting.incidents.book import ActionRefusal, refusal, refusal_of_eta
from api.actions.queries import QUERIES
from store.author import Author
from store.ledger import LedgerEntry, append_entries, ms_of
from store.ledger_kinds import LedgerKind, hashed
from store.pool import Connection

_ACTIONS: Final[Mapping[LedgerKind, str]] = {
    LedgerKind.INCIDENT_ACKNOWLEDGED: "acknowledged",
    LedgerKind.INCIDENT_ASSIGNED: "assigned",
    LedgerKind.INCIDENT_NOTE: "note",
}
MOST_OF_ENTRY: Final = 1000
"""Shares that one entry of the ledger names; an entry has at most 64 KiB."""


async def acknowledge_shares(
    connection: Connection, incident: int, by: Author, text: str | None, now: datetime, until: Expected = NOT_NAMED
) -> None:
    """Acknowledge the shares of the scope that are not acknowledged, whose ETA has passed, or that get another ETA.
    This ends the steps of these shares only, not those of the incident. Raises ActionRefusedError."""
    held = await _require(connection, "acknowledged", incident, text, anew=True)
    refused = {row["area"]: _refusal(row, until, now) for row in held}
    free = [row for row in held if refused[row["area"]] is None]
    if not free:
        raise ActionRefusedError(refused[held[0]["area"]] or ActionRefusal.ALREADY_ACKNOWLEDGED, incident)
    again, eta = [row for row in free if row["acknowledged"]], until.eta or now + until.otherwise
    rows = await connection.fetch(
        QUERIES.acknowledge_shares,
        incident,
        [row["area"] for row in free],
        by.account,
        now,
        by.remark,
        eta,
        [row["eta_at"] for row in again],
        [row["area"] for row in again],
    )
    if not rows:
        raise ActionRefusedError(ActionRefusal.ALREADY_ACKNOWLEDGED, incident)
    areas = [row["area"] for row in rows]
    await _record(connection, LedgerKind.INCIDENT_ACKNOWLEDGED, incident, areas, by, text, now, {"eta_ms": ms_of(eta)})


def _refusal(row: asyncpg.Record, until: Expected, now: datetime) -> ActionRefusal | None:
    """Why a share cannot be acknowledged now; an acknowledgement without an ETA does not expire."""
    return refusal_of_eta("acknowledged" if row["acknowledged"] else "open", row["eta_at"], until.eta, now)


async def hand_over_shares(
    connection: Connection, incident: int, by: Author, text: str, now: datetime, until: Expected = NOT_NAMED
) -> None:
    """Hand the shares of the scope to the person named in `text`; this acknowledges them. Raises ActionRefusedError."""
    areas = [row["area"] for row in await _require(connection, "assigned", incident, text)]
    to, eta = text.strip(), now + until.otherwise
    await connection.execute(QUERIES.hand_over_shares, incident, areas, by.account, now, by.remark, eta, to)
    await _record(connection, LedgerKind.INCIDENT_ASSIGNED, incident, areas, by, to, now)


async def note_on_shares(connection: Connection, incident: int, by: Author, text: str, now: datetime) -> None:
    """Add a note to the shares of the scope. Raises ActionRefusedError."""
    areas = [row["area"] for row in await _require(connection, "note", incident, text)]
    await _record(connection, LedgerKind.INCIDENT_NOTE, incident, areas, by, text, now)


async def _require(
    connection: Connection, action: str, incident: int, text: str | None, *, anew: bool = False
) -> list[asyncpg.Record]:
    """The shares of the scope, with the status of each. Raises ActionRefusedError if the action is not allowed.
    `anew`: also if all of them are acknowledged."""
    rows = await connection.fetch(QUERIES.held_shares, incident)
    is_closed = await connection.fetchval(QUERIES.is_closed, incident)
    is_taken = not anew and all(row["acknowledged"] for row in rows)
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
    more: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    action = _ACTIONS[kind]
    await connection.execute(QUERIES.insert_share_entries, incident, areas, now, by.account, action, text, by.remark)
    entries = [
        LedgerEntry(
            kind=kind,
            subject=f"incident/{incident}",
            actor=by.account,
            at_ms=ms_of(now),
            body={"shares": some, **hashed(text=text), **by.remarked, **more},
        )
        for some in _batches(sorted(areas))
    ]
    await append_entries(connection, entries)
    await connection.execute(QUERIES.tell_incident)


def _batches(areas: Sequence[str]) -> Iterator[Sequence[str]]:
    return (areas[begin : begin + MOST_OF_ENTRY] for begin in range(0, len(areas), MOST_OF_ENTRY))
