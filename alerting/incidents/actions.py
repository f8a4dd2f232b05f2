"""Actions of people on incidents: acknowledge, assign, note, resolve. Each action and its entry are one transaction."""

from datetime import datetime, timedelta
from typing import Final

from alerting.incidents.book import ActionRefusal, refusal
from alerting.incidents.store import QUERIES
from store.pool import Connection

_SENTENCES = {
    ActionRefusal.NOT_FOUND: "there is no incident {id}",
    ActionRefusal.CLOSED: "incident {id} is closed; only notes can be added to it",
    ActionRefusal.ALREADY_ACKNOWLEDGED: "incident {id} is acknowledged already",
    ActionRefusal.EMPTY: "the text is empty",
    ActionRefusal.TOO_LONG: "the text is too long",
}


REOPEN_AFTER: Final = timedelta(hours=4)
"""Time until an incident that a person closed opens again, if its fault goes on."""


class ActionRefusedError(Exception):
    """The action is not allowed on the incident; `refusal`: why."""

    def __init__(self, why: ActionRefusal, incident: int) -> None:
        super().__init__(_SENTENCES[why].format(id=incident))
        self.refusal = why
        self.incident = incident


async def acknowledge(connection: Connection, incident: int, actor: str, text: str | None, now: datetime) -> None:
    """Acknowledge an incident: `actor` works on it. Raises ActionRefusedError."""
    async with connection.transaction():
        await _require(connection, "acknowledged", incident, text)
        await connection.execute(QUERIES.acknowledge_incident, incident, actor, now)
        await _record(connection, "acknowledged", incident, actor, text, now)


async def assign(connection: Connection, incident: int, actor: str, text: str, now: datetime) -> None:
    """Assign an incident to the person named in `text`. Raises ActionRefusedError."""
    async with connection.transaction():
        await _require(connection, "assigned", incident, text)
        await connection.execute(QUERIES.assign_incident, incident, text.strip())
        await _record(connection, "assigned", incident, actor, text.strip(), now)


async def note(connection: Connection, incident: int, actor: str, text: str, now: datetime) -> None:
    """Add a note to an incident, which may be closed. Raises ActionRefusedError."""
    async with connection.transaction():
        await _require(connection, "note", incident, text)
        await _record(connection, "note", incident, actor, text, now)


async def resolve(
    connection: Connection,
    incident: int,
    actor: str,
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
        reason = (text or "").strip() or None
        shelved = await connection.fetchrow(QUERIES.shelve_incident, incident, actor, now, now + after, reason)
        await _record(connection, "resolved", incident, actor, text, now)
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
    connection: Connection, action: str, incident: int, actor: str, text: str | None, now: datetime
) -> None:
    await connection.execute(QUERIES.insert_entry, incident, now, actor, action, text)
    await connection.execute(QUERIES.tell_incident)
