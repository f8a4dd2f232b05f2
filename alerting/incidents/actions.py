"""Actions of people on incidents: acknowledge, assign, note, resolve.

Each action, its entry in the history of the incident and its entry in the ledger are one transaction.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from alerting.incidents.book import ActionRefusal, refusal, refusal_of_eta
from alerting.incidents.store import QUERIES
from store.author import Author
from store.ledger import LedgerEntry, append_entries, ms_of
from store.ledger_kinds import LedgerKind, hashed
from store.pool import Connection

_SENTENCES = {
    ActionRefusal.NOT_FOUND: "there is no incident {id}",
    ActionRefusal.CLOSED: "incident {id} is closed; only notes can be added to it",
    ActionRefusal.ALREADY_ACKNOWLEDGED: "incident {id} is acknowledged already",
    ActionRefusal.EMPTY: "the text is empty",
    ActionRefusal.TOO_LONG: "the text is too long",
    ActionRefusal.BAD_ETA: "the time by which the end of incident {id} is expected is past or more than 90 days ahead",
    ActionRefusal.BAD_CAUSE: "the cause is not one of the words for causes of faults",
    ActionRefusal.NEWER: "the fault of incident {id} goes on as a newer incident: say there that it is repaired",
    ActionRefusal.ONLY_SHARE: "incident {id} reaches beyond your areas: acknowledge your share of it, hand it over or "
    "add a note; an account with its whole area resolves it",
    ActionRefusal.ONLY_PART: "incident {id} reaches beyond your areas: an account with the county, or with the "
    "whole area, acts on it",
}
_KINDS: Final[Mapping[str, LedgerKind]] = {
    "acknowledged": LedgerKind.INCIDENT_ACKNOWLEDGED,
    "assigned": LedgerKind.INCIDENT_ASSIGNED,
    "note": LedgerKind.INCIDENT_NOTE,
    "resolved": LedgerKind.INCIDENT_RESOLVED,
}


REOPEN_AFTER: Final = timedelta(hours=4)
"""Time until an incident that a person closed opens again, if its fault goes on."""


class Expected(msgspec.Struct, frozen=True):
    """When whoever acknowledges an incident expects its end. `otherwise`: how long the acknowledgement counts if no
    `eta` is named."""

    eta: datetime | None = None
    otherwise: timedelta = timedelta(hours=4)


NOT_NAMED: Final = Expected()


class ActionRefusedError(Exception):
    """The action is not allowed on the incident; `refusal`: why."""

    def __init__(self, why: ActionRefusal, incident: int) -> None:
        super().__init__(_SENTENCES[why].format(id=incident))
        self.refusal = why
        self.incident = incident


async def acknowledge(
    connection: Connection, incident: int, by: Author, text: str | None, now: datetime, until: Expected = NOT_NAMED
) -> None:
    """Acknowledge an incident: the account works on it, and nobody else is told of it `until` the ETA. An incident that
    is acknowledged can be acknowledged again, to name another ETA or because the ETA has passed. Raises
    ActionRefusedError."""
    async with connection.transaction():
        row = await connection.fetchrow(QUERIES.lock_incident, incident)
        status, held_until = (None, None) if row is None else (row["status"], row["eta_at"])
        why = refusal_of_eta(status, held_until, until.eta, now)
        why = why or refusal("acknowledged", "open" if status == "acknowledged" else status, text)
        if why is not None:
            raise ActionRefusedError(why, incident)
        eta = until.eta or now + until.otherwise
        await connection.execute(QUERIES.acknowledge_incident, incident, by.account, now, by.remark, eta)
        await _record(connection, "acknowledged", incident, by, text, now, {"eta_ms": ms_of(eta)})


async def assign(connection: Connection, incident: int, by: Author, text: str, now: datetime) -> None:
    """Assign an incident to the person named in `text`. Raises ActionRefusedError."""
    async with connection.transaction():
        await _require(connection, "assigned", incident, text)
        await connection.execute(QUERIES.assign_incident, incident, text.strip())
        await _record(connection, "assigned", incident, by, text.strip(), now)


async def note(connection: Connection, incident: int, by: Author, text: str, now: datetime) -> None:
    """Add a note to an incident, which may be closed. Raises ActionRefusedError."""
    async with connection.transaction():
        await _require(connection, "note", incident, text)
        await _record(connection, "note", incident, by, text, now)


async def resolve(
    connection: Connection,
    incident: int,
    by: Author,
    text: str | None,
    now: datetime,
    after: timedelta = REOPEN_AFTER,
) -> None:
    """Close an incident by hand, for the reason `text`. Raises ActionRefusedError.

    The action does not end the fault. If the fault goes on, the incident opens again after the time `after`; people are
    notified of the end of the fault when the rules find it.
    """
    async with connection.transaction():
        await _require(connection, "resolved", incident, text)
        reason, reopen_at = (text or "").strip() or None, now + after
        shelved = await connection.fetchrow(
            QUERIES.shelve_incident, incident, by.account, now, reopen_at, reason, by.remark
        )
        await _record(connection, "resolved", incident, by, text, now, {"reopen_at_ms": ms_of(reopen_at)})
        if shelved is not None and shelved["pages"]:
            await connection.execute(QUERIES.insert_notification, incident, "resolved", shelved["round"], now)
            await connection.execute(QUERIES.tell_delivery)


async def _require(connection: Connection, action: str, incident: int, text: str | None) -> None:
    """Lock the row of the incident, and raise ActionRefusedError if the action is not allowed."""
    status = await connection.fetchval(QUERIES.lock_incident, incident)
    why = refusal(action, status, text)
    if why is not None:
        raise ActionRefusedError(why, incident)


async def _record(
    connection: Connection,
    action: str,
    incident: int,
    by: Author,
    text: str | None,
    now: datetime,
    more: Mapping[str, Any] | None = None,
) -> None:
    await connection.execute(QUERIES.insert_entry, incident, now, by.account, action, text, by.remark)
    entry = LedgerEntry(
        kind=_KINDS[action],
        subject=f"incident/{incident}",
        actor=by.account,
        at_ms=ms_of(now),
        body={**hashed(text=text), **by.remarked, **(more or {})},
    )
    await append_entries(connection, [entry])
    await connection.execute(QUERIES.tell_incident)
